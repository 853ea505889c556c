"""Saving a session and going on with it. The predictor is an actor; files are real."""

import json

import numpy as np
import pytest

from tests.engine.acting import SURE, clip, picture, stage
from x2sam.engine.replay import replay
from x2sam.errors import MediaError, PromptError
from x2sam.types import Drawing


@pytest.fixture
def saved(tmp_path):
    engine, actor = stage()
    session = engine.open(clip(5, red=(2, 2), blue=(4, 20)))
    list(session.ask("the red square"))
    list(session.prompt(points=[(8, 23)], frame=2))
    list(session.ask("a name", [Drawing(kind="mask", mask=session.objects[0].masks[1], frame=1)]))
    session.rename(2, "Fred")
    session.hide(1)
    return engine, actor, session, session.save(tmp_path / "deep" / "session.json")


def test_what_was_saved_comes_back_mask_by_mask(saved):
    engine, _, session, file = saved
    again = replay(engine, file, clip(5, red=(2, 2), blue=(4, 20)))
    assert [each.to_json() for each in again.objects] == [
        each.to_json() for each in session.objects
    ]
    for one, two in zip(session.objects, again.objects, strict=True):
        assert all((one.masks[frame] == two.masks[frame]).all() for frame in one.masks)
    assert [turn.to_json() for turn in again.turns] == [turn.to_json() for turn in session.turns]


def test_the_conversation_goes_on(saved):
    engine, actor, session, file = saved
    again = replay(engine, file, clip(5, red=(2, 2), blue=(4, 20)))
    actor.answers["to its right"] = SURE
    list(again.ask("the one to its right"))
    assert len(actor.asked[-1]) == len(session.turns) + 1  # read after the earlier turns
    list(again.prompt(points=[(1, 30)], frame=0))
    assert again.objects[-1].id == session.history.next_id  # no number is used twice
    assert again.turns[-1].turn == 5


def test_the_same_requests_give_the_same_masks(saved):
    _, _, session, _ = saved
    engine, _ = stage()
    other = engine.open(clip(5, red=(2, 2), blue=(4, 20)))
    for turn in session.turns:
        list(other.ask(turn.text, turn.drawings, turn.task))
    for one, two in zip(session.objects, other.objects, strict=True):
        assert one.masks.to_json() == two.masks.to_json()


@pytest.mark.parametrize(
    "other", [clip(5, red=(2, 2)), clip(4, red=(2, 2), blue=(4, 20)), picture(red=(2, 2))]
)
def test_another_medium_is_refused(saved, other):
    engine, _, _, file = saved
    with pytest.raises(PromptError, match="another medium"):
        replay(engine, file, other)


def damaged(value):
    yield "{"
    yield "[]"
    yield json.dumps({**value, "x2sam_session": 9})
    yield json.dumps({**value, "turns": [{}]})
    yield json.dumps({**value, "turns": 3})
    yield json.dumps({**value, "objects": [{"id": 1}]})
    yield json.dumps({**value, "options": {"frames": 0}})
    yield json.dumps({**value, "options": {"frames": "many"}})
    yield json.dumps({**value, "next_id": None})
    small = {**value["objects"][0], "masks": {"size": [1, 1], "frames": {"0": "1"}}}
    yield json.dumps({**value, "objects": [small]})
    yield "[" * 100_000


def test_a_damaged_file_is_a_sentence(saved):
    engine, _, _, file = saved
    for text in damaged(json.loads(file.read_text())):
        file.write_text(text)
        with pytest.raises((PromptError, MediaError), match=r"\.$"):
            replay(engine, file, clip(5, red=(2, 2), blue=(4, 20)))
    with pytest.raises(MediaError):
        replay(engine, file.parent / "none.json", np.zeros((4, 4, 3), np.uint8))
