"""Pointing where SAM 2 is loaded: instant masks, corrections, carrying, and the list as the truth.

The predictor is an actor that knows coloured squares (`acting`), SAM 2 a network that takes the
square under a mark and follows whatever square is nearest (`following`); all else is real.
"""

import numpy as np
import pytest

from tests.engine.acting import clip, of, picture, square, stage
from tests.engine.following import follower
from tests.tracker.moving import MICRO
from x2sam.engine.carrier import prompt_of
from x2sam.engine.objects import Object
from x2sam.engine.options import Options
from x2sam.engine.reach import Reach
from x2sam.errors import PromptError
from x2sam.tracker.build import random
from x2sam.types import (
    Drawing,
    How,
    MaskReady,
    Progress,
    Routed,
    Warning,  # noqa: A004 (an event)
)

MOVING = clip(8, red=(2, 2), blue=(4, 20))


@pytest.fixture
def tracked():
    """An engine with SAM 2; `log` tells what SAM 2 did, `actor` what X2SAM did."""
    tracker, network = follower()
    engine, actor = stage(tracker=tracker)
    engine.log, engine.actor = network.log, actor
    return engine


def prompted(log):
    return [entry for entry in log if entry[0] in ("mask", "points")]


def carried(log):
    return [entry[1] for entry in log if entry[0] == "carry"]


def test_a_click_on_a_picture_needs_no_language_model(tracked):
    session = tracked.open(picture(red=(2, 2), blue=(20, 20)))
    events = list(session.prompt(points=[(5, 5)]))
    (thing,) = session.objects
    assert (thing.masks[0] == square(2, 2)).all()
    assert thing.score == pytest.approx(0.8)
    assert thing.origins[0] == (How.CORRECTED, 1)
    assert not tracked.actor.log
    assert [type(event) for event in events[:2]] == [Routed, MaskReady]


def test_what_sam_2_thinks_of_its_being_seen_is_kept(tracked):
    frames = MOVING.copy()
    frames[5:7] = clip(8, blue=(4, 20))[5:7]  # hidden there
    session = tracked.open(frames)
    events = of(MaskReady, session.prompt(points=[(5, 5)], frame=0))
    (thing,) = session.objects
    hidden = [frame for frame, share in sorted(thing.visible.items()) if share < 0.5]
    assert hidden[:2] == [5, 6]
    assert sorted(thing.visible) == list(range(8))
    assert {event.frame: event.visible for event in events} == thing.visible
    assert Object.from_json(thing.to_json()).visible == pytest.approx(thing.visible, abs=1e-4)
    changed = thing.copy()
    changed.put(5, square(7, 2), 1.0, How.SEEN, 2)
    assert 5 not in changed.visible
    assert 5 in thing.visible


def test_a_click_on_a_clip_is_carried_both_ways(tracked):
    session = tracked.open(MOVING)
    events = list(session.prompt(points=[(8, 5)], frame=3))
    thing = session.objects[0]
    for frame in range(8):
        assert (thing.masks[frame] == square(2 + frame, 2)).all()
    assert thing.provenance.to_json() == [
        [0, 2, "carried", 1],
        [3, 3, "corrected", 1],
        [4, 7, "carried", 1],
    ]
    assert carried(tracked.log) == [4, 5, 6, 7, 2, 1, 0]
    assert of(Progress, events)[-1] == Progress("carrying masks", 7, 7)
    assert [event.frame for event in of(MaskReady, events)] == [3, 4, 5, 6, 7, 2, 1, 0]
    assert not tracked.actor.log


@pytest.mark.parametrize(
    "drawing",
    [
        Drawing(kind="box", box=(4, 20, 12, 28)),
        Drawing(kind="scribble", points=((6, 22), (8, 24), (10, 26)), width=2),
        Drawing(kind="mask", mask=square(4, 20)),
    ],
)
def test_boxes_scribbles_and_masks(drawing, tracked):
    session = tracked.open(MOVING)
    list(session.ask("", [drawing]))
    thing = session.objects[0]
    for frame in range(8):
        assert (thing.masks[frame] == square(4 + frame, 20)).all()
    assert not tracked.actor.log


@pytest.mark.parametrize("text", ["the red square", "all like this"])
def test_marks_with_words_are_for_the_model(text, tracked):
    session = tracked.open(picture(red=(2, 2)))
    list(session.ask(text, [Drawing.point(5, 5)]))
    assert (session.objects[0].masks[0] == square(2, 2)).all()
    assert tracked.actor.log
    assert not tracked.log


def test_who_wants_no_sam_2_gets_none(tracked):
    session = tracked.open(MOVING, options=Options(propagation="memory"))
    list(session.prompt(points=[(8, 5)], frame=3))
    assert tracked.actor.log
    assert not tracked.log


def test_a_range_is_not_left(tracked):
    session = tracked.open(MOVING)
    list(session.prompt(points=[(8, 5)], frame=3, reach=Reach(first=2, last=5)))
    assert [*session.objects[0].masks] == [2, 3, 4, 5]
    list(session.prompt(points=[(8, 24)], frame=4, reach=Reach(direction="backward")))
    assert [*session.objects[1].masks] == [0, 1, 2, 3, 4]


def test_words_make_it_and_a_click_corrects_it(tracked):
    frames = np.stack([picture(red=[(2, 2), (20, 2)])] * 8)
    session = tracked.open(frames, options=Options(propagation="memory"))
    list(session.ask("the red square"))
    known = session.objects[0].masks[4]
    assert (known == square(2, 2)).all()
    session.adjust(Options())
    tracked.actor.log.clear()
    list(session.prompt(points=[(22, 4)], frame=4, object=1))
    assert prompted(tracked.log) == [("mask", 4), ("points", 4, (1,), True)]
    thing = session.objects[0]
    assert (thing.masks[4] == square(2, 2) | square(20, 2)).all()
    assert thing.provenance.to_json() == [
        [0, 3, "seen", 1],
        [4, 4, "corrected", 2],
        [5, 7, "carried", 2],
    ]
    assert not tracked.actor.log


def test_a_second_click_goes_on_from_the_first(tracked):
    session = tracked.open(np.stack([picture(red=[(2, 2), (20, 2)])] * 4))
    list(session.prompt(points=[(4, 4)], frame=1))
    list(session.prompt(points=[(22, 4)], frame=1, object=1))
    assert prompted(tracked.log) == [("points", 1, (1,), False), ("points", 1, (1, 1), True)]
    assert (session.objects[0].masks[1] == square(2, 2) | square(20, 2)).all()


THREE = {"red": [(2, 2), (20, 2)], "blue": (2, 20)}
CLICKS = [Drawing.point(*at, frame=0, object=1) for at in ((4, 4), (22, 4), (4, 22))]


@pytest.mark.parametrize("again", [True, False], ids=["all each time", "the next one"])
def test_no_mark_is_told_twice(again, tracked):
    """A page says all marks of a frame whenever one is added; a program says only the new one."""
    session = tracked.open(picture(**THREE))
    for last in range(3):
        list(session.ask("", CLICKS[0 if again else last : last + 1]))
    assert [len(kinds) for _, _, kinds, _ in prompted(tracked.log)] == [1, 2, 3]
    assert session.objects[0].masks.area(0) == 3 * 64


def test_the_model_is_shown_the_same_if_marks_are_told_again(tracked):
    shown = []
    for first in (0, 1):
        session = tracked.open(
            np.stack([picture(**THREE)] * 2), options=Options(propagation="memory")
        )
        only = Reach.only(0)
        list(session.ask("", CLICKS[:1], reach=only))
        list(session.ask("", CLICKS[first:2], reach=only))
        shown.append([turn.said[0].regions[0].mask for turn in session.turns])
    np.testing.assert_array_equal(*shown)


def test_marks_of_all_kinds_are_told_once(tracked):
    box = Drawing(kind="box", box=(2, 2, 10, 10), object=1)
    line = Drawing(kind="scribble", points=((21, 3), (22, 4), (23, 5)), width=2, object=1)
    session = tracked.open(picture(**THREE))
    for marks in ([box], [box, line], [box, line, CLICKS[2]], [box, line, CLICKS[2]]):
        list(session.ask("", marks))
    assert [kinds for _, _, kinds, _ in prompted(tracked.log)] == [
        (2, 3),
        (2, 3, 1, 1, 1),
        (2, 3, 1, 1, 1, 1),
    ]


def test_after_an_undo_the_marks_that_are_left_are_told(tracked):
    session = tracked.open(picture(**THREE))
    list(session.ask("", CLICKS[:1]))
    list(session.ask("", CLICKS[:2]))
    session.undo()
    tracked.log.clear()
    list(session.ask("", [CLICKS[0], CLICKS[2]]))
    assert prompted(tracked.log) == [("mask", 0), ("points", 0, (1, 1), True)]
    assert (session.objects[0].masks[0] == square(2, 2) | square(2, 20)).all()


def test_a_correction_stops_at_the_next_and_keeps_it(tracked):
    session = tracked.open(MOVING)
    list(session.prompt(points=[(5, 5)], frame=0))
    list(session.prompt(points=[(2, 30)], frame=5, object=1))
    list(session.prompt(points=[(2, 30)], frame=2, object=1))
    thing = session.objects[0]
    assert [frame for frame in range(8) if thing.is_corrected(frame)] == [0, 2, 5]
    assert thing.masks[2][30, 2]
    assert thing.masks[5][30, 2]
    turns = [turn for _, turn in (thing.origins[frame] for frame in range(8))]
    assert turns == [1, 1, 3, 3, 3, 2, 2, 2]


def test_after_an_undo_only_what_the_list_shows_counts(tracked):
    session = tracked.open(MOVING)
    list(session.prompt(points=[(5, 5)], frame=0))
    list(session.prompt(points=[(9, 23)], frame=4, object=1))  # the blue one as well
    session.undo()
    tracked.log.clear()
    list(session.prompt(points=[(2, 30)], frame=6, object=1))
    # Known again by the mask marked by hand on frame 0, and corrected as it is on frame 6.
    assert prompted(tracked.log)[:3] == [("mask", 0), ("mask", 6), ("points", 6, (1,), True)]
    assert not any(entry[1] == 4 for entry in prompted(tracked.log))
    thing = session.objects[0]
    assert (thing.masks[5] == square(7, 2)).all()
    assert not thing.is_corrected(4)


def test_redo_rewind_and_delete_are_followed_too(tracked):
    session = tracked.open(MOVING)
    list(session.prompt(points=[(5, 5)], frame=0))
    list(session.prompt(points=[(9, 23)], frame=4, object=1))
    both = session.objects[0].masks[4]
    session.undo()
    session.redo()
    assert (session.objects[0].masks[4] == both).all()
    tracked.log.clear()
    list(session.propagate(1, frame=4))
    assert not prompted(tracked.log)  # redone to the very masks that SAM 2 knows
    session.rewind(2)
    tracked.log.clear()
    list(session.propagate(1, frame=0))
    assert prompted(tracked.log) == [("mask", 0)]
    assert (session.objects[0].masks[7] == square(9, 2)).all()
    session.delete(1)
    list(session.prompt(points=[(5, 23)], frame=0))
    assert not session.film.prompter.knows(1)
    assert session.film.prompter.knows(2)


def test_nothing_is_told_twice_where_nothing_has_changed(tracked):
    session = tracked.open(MOVING)
    list(session.prompt(points=[(5, 5)], frame=0))
    tracked.log.clear()
    list(session.propagate(1, frame=0))
    assert not prompted(tracked.log)
    assert carried(tracked.log) == [1, 2, 3, 4, 5, 6, 7]


def test_the_mask_of_any_frame_can_be_carried_on(tracked):
    session = tracked.open(MOVING, options=Options(propagation="memory", frames=1))
    list(session.ask("the red square", reach=Reach.only(5)))
    session.adjust(Options())
    list(session.propagate(1))
    thing = session.objects[0]
    assert thing.provenance.to_json() == [
        [0, 4, "carried", 2],
        [5, 5, "seen", 1],
        [6, 7, "carried", 2],
    ]


def test_what_is_out_of_sight_has_an_empty_mask(tracked):
    frames = np.stack([picture(red=(2, 2))] * 3 + [picture()] * 3)
    session = tracked.open(frames)
    list(session.prompt(points=[(5, 5)]))
    thing = session.objects[0]
    assert thing.masks.visible() == [0, 1, 2]
    assert thing.scores[5] == 0


def test_a_click_on_nothing_is_kept_and_said(tracked):
    session = tracked.open(picture(red=(2, 2)))
    events = list(session.prompt(points=[(25, 25)]))
    assert of(Warning, events)
    assert session.objects[0].masks[0][25, 25]


def test_only_what_is_not_meant_is_a_sentence(tracked):
    session = tracked.open(MOVING, options=Options(propagation="memory"))
    list(session.ask("the red square", reach=Reach.only(0)))
    session.adjust(Options())
    with pytest.raises(PromptError, match="Say first where the object is"):
        list(session.prompt(points=[(20, 5)], labels=[0], frame=5, object=1))


def test_all_of_it_may_be_erased(tracked):
    session = tracked.open(MOVING)
    list(session.prompt(points=[(5, 5)]))
    erased = Drawing(kind="scribble", points=((5, 5), (6, 6)), width=40, positive=False, object=1)
    list(session.ask("", [erased]))
    assert not session.objects[0].masks[0].any()
    assert not session.film.prompter.knows(1)


def test_stopping_keeps_what_is_carried(tracked):
    session = tracked.open(clip(16, red=(2, 2)))
    for event in session.prompt(points=[(5, 5)]):
        if isinstance(event, MaskReady) and event.frame == 4:
            session.stop()
    assert [*session.objects[0].masks] == [0, 1, 2, 3, 4]
    assert session.turns[-1].stopped
    list(session.propagate(1))
    assert len(session.objects[0].masks) == 16


def test_a_request_that_was_ended_leaves_the_next_alone(tracked):
    session = tracked.open(clip(16, red=(2, 2), blue=(2, 20)))
    first = session.prompt(points=[(5, 5)])
    while not isinstance(next(first), MaskReady):
        pass
    list(session.prompt(points=[(5, 23)]))
    assert list(first)[-1].stopped
    assert [len(each.masks) for each in session.objects] == [1, 16]


def test_going_backward_decodes_forward(tracked, monkeypatch):
    session = tracked.open(clip(40, red=(2, 2)))
    decoded, picture_of = [], session.film.picture
    monkeypatch.setattr(
        session.film, "picture", lambda index: decoded.append(index) or picture_of(index)
    )
    list(session.prompt(points=[(4 + 31 % 16, 5)], frame=31))
    backward = decoded[-31:]
    assert backward[:16] == [*range(15, 31)]
    assert backward[16:] == [*range(15)]


def test_nobody_waits_while_a_frame_is_decoded(tracked, monkeypatch):
    session = tracked.open(clip(20, red=(2, 2), blue=(2, 20)), options=Options(frames=2))
    busy, picture_of = set(), session.film.picture
    watched = lambda index: busy.add(tracked.ahead) or picture_of(index)  # noqa: E731
    monkeypatch.setattr(session.film, "picture", watched)
    list(session.ask("the red square"))
    list(session.prompt(points=[(9, 24)], frame=5))
    list(session.prompt(mask=square(6, 6), frame=9, object=2, reach=Reach.only(9)))
    session.undo()
    list(session.prompt(points=[(15, 15)], frame=14, object=2))
    assert busy == {0}


def test_closing_lets_go_of_all_marks(tracked):
    session = tracked.open(MOVING)
    list(session.prompt(points=[(5, 5)]))
    session.close()
    assert not session.film.prompter.knows(1)


def test_what_marks_are_to_sam_2():
    size, known = (8, 10), np.eye(8, 10, dtype=bool)
    boxes = [Drawing(kind="box", box=box) for box in ((1, 1, 3, 3), (2, 2, 6, 5))]
    assert prompt_of(boxes, size, None) == {"box": (1, 1, 6, 5)}
    long = Drawing(kind="scribble", points=tuple((x, 2) for x in range(9)), width=1, positive=False)
    asked = prompt_of([long], size, known)
    assert asked["points"] == [(0, 2), (2, 2), (4, 2), (6, 2), (8, 2)]
    assert asked["labels"] == [0] * 5
    assert asked["mask"] is known
    gone = Drawing(kind="box", box=(0, 0, 4, 8), positive=False)
    assert prompt_of([gone], size, known)["mask"].sum() == 4
    assert "mask" not in prompt_of([gone, Drawing.point(7, 2)], size, None)


@pytest.mark.parametrize("backend", ["sam2", "transformers"])
def test_a_real_network_fits(backend):
    """With random weights masks mean nothing, but both libraries take what they are given."""
    engine, _ = stage(tracker=random(MICRO, backend=backend))
    assert engine.facts()["tracker"] == f"micro-128, by {backend}"
    frames = clip(5, red=(2, 2))
    session = engine.open(frames, options=Options(frames=2))
    list(session.ask("the red square"))
    list(session.prompt(points=[(9, 9)], frame=2, object=1))
    list(session.prompt(box=(4, 4, 20, 20), frame=1))
    assert [len(each.masks) for each in session.objects] == [5, 5]
    still = engine.open(picture(red=(2, 2)))
    list(still.prompt(points=[(5, 5)]))
    list(still.prompt(points=[(9, 9)], labels=[0], object=1))
    assert still.objects[0].masks[0].shape == (32, 32)
