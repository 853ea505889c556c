"""Texts: a thousand samples hold what they say, measured on the masks. Nothing is faked.

The checks read the words of a request and compare them with what was composed; they share
no code with the rules that wrote them, except the table of nouns. `truths` has one for every
family, `answers` one for every question that is answered in words, `deeds` one for every verb.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

import numpy as np
import pytest
from answers import ANSWERS, GREETINGS, spoken
from seeing import look
from truths import CLAIMS

from x2sam.train import questions
from x2sam.train.colours import NAMES as COLOURS
from x2sam.train.facts import observe
from x2sam.train.samples import examples
from x2sam.train.texts import FAMILIES, LIKE_THIS
from x2sam.train.vocabulary import kinds, nouns, plural

STILL = [name for name, recipe in FAMILIES.items() if recipe.picture]
MOVING = [name for name, recipe in FAMILIES.items() if recipe.clip]


@pytest.fixture(scope="module")
def many(stream):
    """Samples of every family of pictures, nearly a thousand in all."""
    return {name: look(stream, name, 120 if name == "chat" else 40) for name in STILL}


@pytest.fixture(scope="module")
def clips(stream):
    """Samples of every family of clips; most of where most can be said."""
    eventful = ("motion", "chat")
    return {name: look(stream, name, 80 if name in eventful else 12, "clip") for name in MOVING}


@pytest.mark.parametrize("family", CLAIMS)
def test_every_sentence_is_true_of_its_scene(many, clips, family):
    for seen in (*many.get(family, ()), *clips.get(family, ())):
        try:
            CLAIMS[family](seen)
        except AssertionError as error:
            pytest.fail(f"{seen.draft} of {[noun.name for noun in seen.nouns]}: {error!r}")


def test_that_was_a_thousand_samples(many, clips):
    assert sum(map(len, (*many.values(), *clips.values()))) > 1000


def test_every_question_is_answered_truly(stream, many, clips):
    """All that can be asked of a scene is asked, as some of it is rarely drawn."""
    counts, rng = Counter(), np.random.default_rng(0)
    for seen in (*many["chat"], *clips["chat"], *clips["motion"]):
        facts = observe(seen.scene, stream.bank)
        own = questions._IN_CLIPS if facts.clip else questions._IN_PICTURES
        for ask in dict.fromkeys((*questions._ANYWHERE, *own)):
            turn = ask(facts, rng, stream.names)
            if turn:
                counts[spoken(seen, turn)] += 1
    assert counts.keys() == ANSWERS.keys() - {GREETINGS}
    assert min(counts.values()) > 2


def test_what_is_asked_for_is_not_hidden(many, clips):
    """No more than 95 % of the whole of it, in the frame that shows it best."""
    for samples in (*many.values(), *clips.values()):
        for seen in samples:
            for thing in (thing for group in seen.draft.groups for thing in group):
                assert seen.shown(thing).max() > 0.05, seen.draft


def test_every_picture_family_asks_for_what_is_there(many):
    for family, samples in many.items():
        for seen in samples:
            for group, mask in zip(seen.draft.groups, seen.example.masks[0], strict=True):
                assert mask.any(), (family, seen.draft)
                assert (mask.numpy() == seen.masks[0][list(group)].any(axis=0)).all()


def test_what_is_absent_is_absent_and_has_an_empty_mask(many, clips):
    singular = {plural(word): word for noun in nouns().values() for word in (noun.name, *noun.also)}
    singular |= {plural(word): word for word in kinds()}
    numbers = set()
    for seen in (*many["absence"], *clips["absence"]):
        assert not len(seen.example.labels)
        assert seen.draft.turns[-1].answer.count("<SEG>") == 1
        said = re.sub(r"^(the|an|a|all) ", "", seen.text)
        colour, _, rest = said.partition(" ")
        if colour in COLOURS and rest:
            named = [i for i, n in enumerate(seen.nouns) if n.name == rest]
            assert named
            assert all(seen.colours[i] != colour for i in named)
            continue
        word = singular.get(said, said)
        numbers.add(word == said)
        assert not [i for i, n in enumerate(seen.nouns) if n.is_a(word) is not False]
    assert len(numbers) == 2


def test_a_scene_does_not_tell_whether_a_noun_is_there():
    """Where only absent nouns were asked for, a look at the scene would be answer enough."""
    assert set(FAMILIES["noun"].layouts) == set(FAMILIES["absence"].layouts)


def test_what_cannot_be_read_means_what_is_most_to_be_seen(many):
    letters = set()
    for seen in many["unread"]:
        assert not re.search("[a-z]", seen.text)
        assert seen.text in seen.draft.turns[-1].question
        assert "<SEG>" in seen.draft.turns[-1].answer
        (thing,) = seen.target
        assert seen.area[thing] >= 0.8 * seen.area.max()
        letters |= {unicodedata.name(letter).split()[0] for letter in seen.text}
    assert len(letters) > 3


def test_reasons_are_answered_or_denied(many):
    answered = [seen for seen in many["reason"] if seen.draft.groups]
    denied = [seen for seen in many["reason"] if not seen.draft.groups]
    assert len(answered) > len(denied)
    assert all("<SEG>" in seen.draft.turns[-1].answer for seen in denied)
    for seen in answered:
        if "eat" in seen.text:
            assert all("food" in seen.nouns[i].kinds for i in seen.target)
        if "fly" in seen.text:
            assert {seen.nouns[i].name for i in seen.target} <= {
                "eagle",
                "duck",
                "butterfly",
                "airplane",
            }


def test_pointing_means_what_is_under_the_region(many):
    for seen in many["pointing"]:
        (region,) = seen.example.regions.numpy()
        mask = seen.example.masks[0, 0].numpy()
        assert (region & mask).sum() > 0.3 * region.sum() or seen.draft.regions[0].kind == "box"
        assert (region & mask).any()
        assert "highlight" not in seen.draft.turns[0].question


def test_exemplars_mean_all_of_the_same_name(many):
    line = "highlight"
    assert LIKE_THIS == 4
    for seen in many["exemplars"]:
        assert line in seen.draft.turns[0].question
        for label, region in enumerate(seen.draft.regions):
            name = seen.nouns[region.thing].name
            mine = [
                g[0]
                for k, g in zip(seen.draft.labels, seen.draft.groups, strict=True)
                if k == label
            ]
            assert sorted(mine) == [i for i, n in enumerate(seen.nouns) if n.name == name]


def test_what_fills_the_picture_is_named(many):
    for seen in many["close"]:
        (turn,) = seen.draft.turns
        name = re.fullmatch(r"(?:It is|They are) (?:an? )?(.+)\.", turn.answer)[1]
        assert seen.nouns[int(seen.area.argmax())].name == name
        assert seen.area.max() > 0.1
        assert seen.area.sum() < 1.7 * seen.area.max()


def test_follow_ups_lean_on_the_first_turn(many):
    spoken = set()
    for seen in many["dialogue"]:
        assert len(seen.draft.turns) >= 2
        first, last = seen.draft.turns[-2:]  # no other question comes between them
        assert first.answer.count("<SEG>") == last.answer.count("<SEG>") == 1
        text = re.sub(r"^(now|and) ", "", seen.text)
        if text == "the other one":
            asked = re.search(r"<p>(.+?)</p>", first.question)[1]
            assert len(seen.called(asked)) == 2
            assert set(seen.target) < set(seen.called(asked))
        spoken.add(text.split()[1] if " " in text else text)
    assert len(spoken) > 5


def test_clips_ask_for_what_some_frame_shows(stream):
    for family in MOVING:
        samples = [stream.sample(index, "clip", family) for index in range(6)]
        for sample, shown in zip(samples, examples(samples, stream, 64), strict=True):
            assert shown.pictures.shape[0] == 4
            assert shown.masks.flatten(2).any(dim=2).any(dim=0).all(), sample.draft
            if sample.draft.regions:
                assert shown.regions.flatten(1).any(dim=1).all()
            assert (shown.times is not None) == (sample.draft.task == "chat")
