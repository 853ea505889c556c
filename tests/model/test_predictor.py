"""Asking a network: answers, conditions and masks, and what is kept between two questions.

The network is tiny and random. What it cannot do by itself, writing `<SEG>`, is faked: given
words replace its choice of tokens. Everything else is real; recorded tasks of the official
code run through the same methods in `test_predictor_recorded`.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.asking import SURE, asked, same_conditions, script
from tests.tiny import tiny_config
from x2sam.errors import PromptError
from x2sam.language.prompts import Turn, question
from x2sam.language.tokens import VISUAL, Vocabulary
from x2sam.model.build import build
from x2sam.model.predictor import Drawing, Predictor

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.load(GOLDEN / "tokenizer.json")


@pytest.fixture(scope="module")
def predictor(vocabulary):
    return Predictor(build(tiny_config(), seed=3), vocabulary)


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(0).integers(0, 256, (1, 60, 80, 3), np.uint8)


@pytest.fixture
def view(predictor, picture):
    return predictor.look(picture, "image")


def runs(predictor, monkeypatch):
    """The numbers of tokens that the language model is run over, as they come."""
    lengths, run = [], predictor.model.language.run

    def counted(embeds, *arguments, **more):
        lengths.append(embeds.shape[1])
        return run(embeds, *arguments, **more)

    monkeypatch.setattr(predictor.model.language, "run", counted)
    return lengths


# What is asked, and what it becomes


def refer(text):
    return question("refseg", "image", text=text)


def test_a_written_answer_and_a_forced_one_are_the_same(predictor, view, picture, monkeypatch):
    turns = [Turn(refer("the dog"))]
    ids, forced = asked(predictor, view, turns, forced=SURE)
    script(predictor, monkeypatch, SURE)
    written, reading = asked(predictor, predictor.look(picture, "image"), turns)
    assert ids == written == predictor.vocabulary.encode(SURE)
    assert forced.text == reading.text == SURE
    assert reading.reply.text == ""
    assert reading.reply.has_mask
    same_conditions(forced.conditions, reading.conditions)


def test_without_seg_there_is_nothing_to_look_for(predictor, view):
    _, reading = asked(predictor, view, [Turn(refer("the dog"))], forced="There is no dog here.")
    assert reading.conditions is None
    assert not reading.reply.has_mask


def test_without_a_phrase_there_is_nothing_to_look_for(predictor, view):
    _, reading = asked(predictor, view, [Turn("Hello.")], forced=SURE)
    assert reading.conditions is None


def test_an_answer_cut_at_its_seg_has_no_mask(predictor, view, monkeypatch):
    """Once this was an assertion: the last token of an answer is written but never read."""
    script(predictor, monkeypatch, SURE)
    ids = predictor.vocabulary.encode(SURE)
    limit = ids.index(predictor.vocabulary.seg) + 1
    tokens, reading = asked(predictor, view, [Turn(refer("the dog"))], limit=limit)
    assert tokens == ids[:limit]
    assert reading.conditions is None
    assert reading.reply.has_mask  # it was said, after all


def test_phrases_of_the_answer_replace_those_of_the_question(predictor, view, picture):
    answer = "<p>A man</p>  rides <p>the red car</p> . And <SEG>."
    _, both = asked(predictor, view, [Turn(refer("the dog"))], forced=answer)
    assert both.conditions.classes.shape[1] == 2 + 1  # the background
    assert [phrase.text for phrase in both.reply.phrases] == ["A man", "the red car"]
    # The conditions are where the phrases are: those of the same answer to a bare question
    # differ, as everything before them does, but count as many tokens.
    describing = [Turn(question("gcgseg", "image"))]
    _, bare = asked(predictor, predictor.look(picture, "image"), describing, forced=answer)
    assert bare.conditions.tokens.shape == both.conditions.tokens.shape


def test_several_categories_are_several_conditions(predictor, view):
    wanted = question("genseg", "image", categories=["dog", "cat", "kite"])
    _, reading = asked(predictor, view, [Turn(wanted)], forced=SURE)
    assert reading.conditions.classes.shape[1] == 3 + 1


def test_sampling_is_repeatable(predictor, picture):
    from x2sam.model.language_model import Sampling

    def sampled(seed):
        sampling = Sampling(temperature=1.0, seed=seed)
        view = predictor.look(picture, "image")
        return asked(predictor, view, [Turn("Hello?")], sampling=sampling, limit=8)[0]

    assert sampled(1) == sampled(1) != sampled(2)


def test_of_sparse_frames_the_means_are_shown_first(predictor):
    """Of S frames in patches of two, S / 2 tokens, before the tokens of the other frames."""
    clip = np.random.default_rng(1).integers(0, 256, (8, 60, 80, 3), np.uint8)
    dense, sparse = predictor.look(clip[:2], "video"), predictor.look(clip, "video")
    both = predictor.look(clip[:2], "video", sparse=clip)
    assert both.grid.runs == (4, dense.grid.per_frame)
    visual = zip(
        (both.visual.tokens, *both.visual.deepstack),
        (sparse.visual.tokens, *sparse.visual.deepstack),
        (dense.visual.tokens, *dense.visual.deepstack),
        strict=True,
    )
    for shown, every, full in visual:
        torch.testing.assert_close(shown[4:], full)
        second = every[sparse.grid.per_frame : 2 * sparse.grid.per_frame]
        torch.testing.assert_close(shown[1], second.mean(0))
    turns = [Turn(question("refseg", "video", text="the dog"))]
    _, reading = asked(predictor, both, turns, forced=SURE)
    assert (both.ids == VISUAL).sum() == both.grid.tokens
    _, alone = asked(predictor, dense, turns, forced=SURE)
    assert not torch.allclose(reading.conditions.classes, alone.conditions.classes)


# What is kept from one question to the next


def test_a_follow_up_runs_only_what_is_new(predictor, view, picture, monkeypatch):
    first = Turn(refer("the dog"))
    asked(predictor, view, [first], forced=SURE)
    turns = [Turn(first.question, SURE), Turn(refer("the one to its left"))]
    _, fresh = asked(predictor, predictor.look(picture, "image"), turns, forced=SURE)
    before = len(view.ids)
    lengths = runs(predictor, monkeypatch)
    _, reading = asked(predictor, view, turns, forced=SURE)
    same_conditions(reading.conditions, fresh.conditions)
    assert reading.conditions.classes.shape[1] == 1 + 1  # the first turn's phrase is not asked for
    assert lengths[0] <= len(view.ids) - before


def test_a_repeated_question_runs_from_its_phrase(predictor, view, monkeypatch):
    turns = [Turn(refer("the dog"))]
    _, first = asked(predictor, view, turns, forced=SURE)
    prompt = len(view.ids) - len(predictor.vocabulary.encode(SURE))
    lengths = runs(predictor, monkeypatch)
    _, again = asked(predictor, view, turns, forced=SURE)
    same_conditions(first.conditions, again.conditions)
    assert lengths[0] < prompt - view.grid.tokens


def test_a_repeated_chat_runs_one_token(predictor, view, monkeypatch):
    first, _ = asked(predictor, view, [Turn("Hello?")], limit=6)
    lengths = runs(predictor, monkeypatch)
    again, _ = asked(predictor, view, [Turn("Hello?")], limit=6)
    assert first == again
    assert lengths[0] == 1


def test_an_earlier_turn_may_be_edited(predictor, view, picture):
    turns = [Turn(refer("the dog"), SURE), Turn(refer("the one to its left"))]
    asked(predictor, view, turns, forced=SURE)
    edited = [Turn(refer("the cat"), "There is no cat here."), turns[1]]
    _, reading = asked(predictor, view, edited, forced=SURE)
    _, fresh = asked(predictor, predictor.look(picture, "image"), edited, forced=SURE)
    same_conditions(reading.conditions, fresh.conditions)


def test_a_new_conversation_keeps_the_picture(predictor, view, picture, monkeypatch):
    asked(predictor, view, [Turn(refer("the dog"), SURE), Turn("Hello?")], limit=4)
    other = [Turn(question("genseg", "image", categories=["dog", "kite"]))]
    _, fresh = asked(predictor, predictor.look(picture, "image"), other, forced=SURE)
    lengths = runs(predictor, monkeypatch)
    _, reading = asked(predictor, view, other, forced=SURE)
    same_conditions(reading.conditions, fresh.conditions)
    assert lengths[0] < len(view.ids) - view.grid.tokens


def test_an_answer_that_is_not_heard_to_its_end(predictor, view, picture, monkeypatch):
    script(predictor, monkeypatch, "Sure, it is a long story.")
    generator = predictor.ask(view, [Turn(refer("the dog"))])
    next(generator), next(generator)
    generator.close()
    monkeypatch.undo()
    for turns in ([Turn(refer("the dog"))], [Turn(refer("the dog"), SURE), Turn(refer("it"))]):
        _, reading = asked(predictor, view, turns, forced=SURE)
        _, fresh = asked(predictor, predictor.look(picture, "image"), turns, forced=SURE)
        same_conditions(reading.conditions, fresh.conditions)


def test_a_forced_answer_that_is_not_heard_to_its_end(predictor, view, picture):
    """The cache then holds more than the view knows of."""
    generator = predictor.ask(view, [Turn(refer("the dog"))], forced=SURE)
    next(generator)
    generator.close()
    turns = [Turn(refer("the dog"), "Sure, or so."), Turn(refer("it"))]
    _, reading = asked(predictor, view, turns, forced=SURE)
    _, fresh = asked(predictor, predictor.look(picture, "image"), turns, forced=SURE)
    same_conditions(reading.conditions, fresh.conditions)


def test_a_failure_half_way_through_the_layers(predictor, view, picture, monkeypatch):
    """A full device stops a run between two layers; the first ones then hold more."""
    asked(predictor, view, [Turn("Hello?")], limit=3)
    turns = [Turn(refer("the dog"))]
    layers = predictor.model.language.model.language_model.layers

    def fail(*_, **__):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(layers[2], "forward", fail)
    with pytest.raises(torch.OutOfMemoryError):
        asked(predictor, view, turns, forced=SURE)
    monkeypatch.undo()
    _, reading = asked(predictor, view, turns, forced=SURE)
    _, fresh = asked(predictor, predictor.look(picture, "image"), turns, forced=SURE)
    same_conditions(reading.conditions, fresh.conditions)


# Drawings


def drawing(predictor, picture, y, x):
    mask = np.zeros(picture.shape[1:3], bool)
    mask[y : y + 12, x : x + 12] = True
    return Drawing(mask, predictor.features(picture))


def point(regions=1):
    return question("vgdseg" if regions > 1 else "intseg", "image", regions=regions)


def test_a_follow_up_with_another_region(predictor, view, picture):
    one, two = drawing(predictor, picture, 5, 5), drawing(predictor, picture, 30, 50)
    first = Turn(point())
    _, alone = asked(predictor, view, [first], drawings=[one], forced=SURE)
    turns = [Turn(first.question, SURE), Turn(point())]
    _, reading = asked(predictor, view, turns, drawings=[one, two], forced=SURE)
    fresh_view = predictor.look(picture, "image")
    _, fresh = asked(predictor, fresh_view, turns, drawings=[one, two], forced=SURE)
    same_conditions(reading.conditions, fresh.conditions)
    assert not torch.allclose(reading.conditions.classes, alone.conditions.classes)


def test_a_phrase_after_a_region(predictor, view, picture):
    one = drawing(predictor, picture, 5, 5)
    asked(predictor, view, [Turn(point())], drawings=[one], forced=SURE)
    turns = [Turn(point(), SURE), Turn(refer("the one to its left"))]
    _, reading = asked(predictor, view, turns, drawings=[one], forced=SURE)
    fresh_view = predictor.look(picture, "image")
    _, fresh = asked(predictor, fresh_view, turns, drawings=[one], forced=SURE)
    same_conditions(reading.conditions, fresh.conditions)


@pytest.mark.parametrize("changed", [0, 1])
def test_a_changed_drawing_is_seen(predictor, view, picture, changed):
    """The ids of two drawings are the same, so ids alone would reuse the old one."""
    old = [drawing(predictor, picture, 5, 5), drawing(predictor, picture, 30, 50)]
    turns = [Turn(point(), SURE), Turn(point())]
    asked(predictor, view, turns, drawings=old, forced=SURE)
    new = [*old]
    new[changed] = drawing(predictor, picture, 40, 10)
    _, reading = asked(predictor, view, turns, drawings=new, forced=SURE)
    _, fresh = asked(predictor, predictor.look(picture, "image"), turns, drawings=new, forced=SURE)
    same_conditions(reading.conditions, fresh.conditions)


def test_the_same_drawing_on_another_frame_is_another(predictor, view, picture):
    one = drawing(predictor, picture, 5, 5)
    turns = [Turn(point(), SURE), Turn(refer("it"))]
    asked(predictor, view, turns, drawings=[one], forced=SURE)
    moved = Drawing(one.mask, predictor.features(picture[:, ::-1].copy()))
    _, reading = asked(predictor, view, turns, drawings=[moved], forced=SURE)
    fresh_view = predictor.look(picture, "image")
    _, fresh = asked(predictor, fresh_view, turns, drawings=[moved], forced=SURE)
    same_conditions(reading.conditions, fresh.conditions)


def test_two_regions_are_two_conditions(predictor, view, picture):
    drawings = [drawing(predictor, picture, 5, 5), drawing(predictor, picture, 30, 50)]
    _, reading = asked(predictor, view, [Turn(point(2))], drawings=drawings, forced=SURE)
    assert reading.conditions.classes.shape[1] == 2 + 1


def test_an_empty_drawing_is_the_users_mistake_and_costs_nothing(predictor, view, picture):
    empty = Drawing(np.zeros(picture.shape[1:3], bool), predictor.features(picture))
    with pytest.raises(PromptError, match="empty"):
        asked(predictor, view, [Turn(point())], drawings=[empty], forced=SURE)
    _, reading = asked(predictor, view, [Turn(refer("the dog"))], forced=SURE)
    assert reading.conditions is not None


def test_a_missing_drawing_is_ours(predictor, view):
    with pytest.raises(AssertionError, match="0 drawings"):
        asked(predictor, view, [Turn(point())], forced=SURE)


# Segmenting


def test_frames_of_any_size_come_back_at_their_size_one_by_one(predictor, view):
    _, reading = asked(predictor, view, [Turn(refer("the dog"))], forced=SURE)
    pulled = []

    def frames():
        for index, size in enumerate([(60, 80), (33, 47), (64, 64)]):
            pulled.append(index)
            picture = Image.new("RGB", size[::-1], (40 * index, 90, 120))
            yield predictor.features(np.asarray(picture)[None]), size

    seen = predictor.segment(reading.conditions, frames())
    assert pulled == []
    first = next(seen)
    assert pulled == [0]  # a clip is read as it is segmented
    assert first.masks(torch.tensor([0, 1])).shape == (2, 60, 80)
    assert [prediction.sizes.original for prediction in seen] == [(33, 47), (64, 64)]
