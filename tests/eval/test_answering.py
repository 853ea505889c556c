"""From a question to masks: a small random network, whose answers are given to it."""

import numpy as np
import pytest
import torch

from tests.asking import SURE, script
from tests.train.micro import CONFIG, TOKENIZER
from x2sam.eval.answering import ask, reader, side_by_side
from x2sam.language.prompts import Turn, question
from x2sam.language.tasks import TASKS, Answer
from x2sam.language.tokens import Vocabulary
from x2sam.model.build import build
from x2sam.model.predictor import Predictor
from x2sam.model.readout import READINGS


@pytest.fixture(scope="module")
def predictor():
    return Predictor(build(CONFIG, seed=1), Vocabulary.load(TOKENIZER))


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(0).integers(0, 256, (4, 40, 50, 3), np.uint8)


def referring(text):
    return [Turn(question("refseg", "video", text=text))]


def test_every_task_with_masks_has_a_reading():
    assert READINGS.keys() == {n for n, task in TASKS.items() if task.answer is not Answer.TEXT}


def test_an_answer_that_names_other_things_marks_nothing(predictor, frames, monkeypatch):
    """A weak network may describe when it was asked to point; its phrases are not the regions."""
    view = predictor.look(frames, "video")
    script(predictor, monkeypatch, "<p>A man</p> and <p>a car</p>. <SEG>.")
    assert ask(predictor, view, referring("the dog")).conditions is not None
    assert ask(predictor, view, referring("the dog"), expected=1).conditions is None
    script(predictor, monkeypatch, SURE)
    answer = ask(predictor, view, referring("the dog"), expected=1)
    assert answer.conditions is not None
    assert answer.reply.has_mask


def test_two_things_side_by_side_are_those_one_by_one(predictor, frames, monkeypatch):
    view = predictor.look(frames, "video")
    script(predictor, monkeypatch, SURE)
    wanted = [ask(predictor, view, referring(text)).conditions for text in ("the dog", "it")]
    pulled = []

    def stream():
        for index, frame in enumerate(frames):
            pulled.append(index)
            yield predictor.features(frame[None]), frame.shape[:2]

    together = side_by_side(predictor, wanted, stream())
    first = next(together)
    assert pulled == [0]  # the frame is encoded once, and no further one is held
    together = list(zip(*[first, *together], strict=True))
    assert pulled == [0, 1, 2, 3]
    for conditions, seen in zip(wanted, together, strict=True):
        alone = predictor.segment(conditions, stream())
        for one, other in zip(seen, alone, strict=True):
            torch.testing.assert_close(one.mask_logits, other.mask_logits)
            torch.testing.assert_close(one.probabilities, other.probabilities)


def test_a_reader_knows_what_was_drawn(predictor, frames, monkeypatch):
    view = predictor.look(frames, "video")
    script(predictor, monkeypatch, SURE)
    conditions = ask(predictor, view, referring("the dog")).conditions
    drawn = np.zeros((1, 40, 50), bool)
    drawn[:, 5:20, 5:20] = True
    (seen,) = predictor.segment(conditions, [(predictor.features(frames[:1]), (40, 50))])
    assert len(reader(predictor, "intseg", drawn)(seen)) <= 1
    with pytest.raises(AssertionError, match="drawn"):
        reader(predictor, "intseg")(seen)
