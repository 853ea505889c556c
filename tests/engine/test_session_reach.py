"""Turns about some frames of a clip: words, marks, and masks that are carried on.

The predictor is an actor that knows coloured squares (`acting`); all else is real.
"""

import numpy as np
import pytest

from tests.engine.acting import clip, of, picture, square, stage
from x2sam.engine.options import Options
from x2sam.engine.reach import Reach
from x2sam.engine.replay import replay
from x2sam.engine.running import Exchange
from x2sam.errors import PromptError
from x2sam.types import Done, How, MaskReady, NotFound, Progress, Routed

MOVING = clip(6, red=(2, 2), blue=(4, 20))


@pytest.fixture
def session():
    engine, _ = stage()
    with engine.open(MOVING) as session:
        yield session


def told(events):
    return [event.frame for event in of(MaskReady, events)]


def masks(thing):
    return {frame: thing.masks.rle(frame).counts for frame in thing.masks}


# Words


@pytest.mark.parametrize(
    ("reach", "frames"),
    [
        (Reach(first=2, last=4), [2, 3, 4]),
        (Reach(start=3), [3, 4, 5, 2, 1, 0]),
        (Reach(start=3, first=2, last=4), [3, 4, 2]),
        (Reach(direction="backward"), [5, 4, 3, 2, 1, 0]),
        (Reach(start=3, direction="backward"), [3, 2, 1, 0]),
        (Reach.only(4), [4]),
    ],
)
def test_frames_pass_by_in_order_and_once(session, reach, frames):
    events = list(session.ask("the red square", reach=reach))
    assert told(events) == frames
    thing = session.objects[0]
    assert [*thing.masks] == sorted(frames)
    assert all((thing.masks[frame] == square(2 + frame, 2)).all() for frame in frames)
    assert of(Progress, events)[-1] == Progress("segmenting frames", len(frames), len(frames))


def test_each_way_has_a_memory_of_its_own_that_begins_with_the_start(monkeypatch):
    engine, actor = stage()
    session, begun, segment = engine.open(MOVING), [], actor.segment
    monkeypatch.setattr(actor, "segment", lambda *given: begun.append(1) or segment(*given))
    list(session.ask("the red square", reach=Reach(start=3)))
    assert len(begun) == 2
    assert [what for what, _ in actor.log].count("segment") == 7  # frame 3 for both
    assert [what for what, _ in actor.log].count("features") == 6


def test_several_keep_apart_both_ways():
    engine, _ = stage()
    session = engine.open(clip(6, red=[(2, 2), (2, 20)]))
    list(session.ask("red box, blue box", reach=Reach(start=3)))
    assert [each.name for each in session.objects] == ["red box", "red box 2"]
    for each in session.objects:
        assert len({each.masks.box(frame)[1] for frame in range(6)}) == 1


def test_what_is_first_seen_going_backward_was_not_there_ahead():
    frames = np.stack([picture(red=(4, 4)) if i < 2 else picture(blue=(4, 4)) for i in range(6)])
    engine, _ = stage()
    session = engine.open(frames)
    events = list(session.ask("the red square", reach=Reach(start=3)))
    thing = session.objects[0]
    assert thing.masks.spans() == [(0, 2)]
    assert [*thing.masks] == [*range(6)]
    assert not of(NotFound, events)


def test_with_a_stride_both_ways_begin_at_the_start():
    engine, _ = stage()
    session = engine.open(MOVING, options=Options(stride=2))
    list(session.ask("the red square", reach=Reach(start=3)))
    thing = session.objects[0]
    seen = [frame for frame, how, _ in thing.provenance.frames() if how is How.SEEN]
    assert seen == [1, 3, 5]
    assert (thing.masks[2] == square(5, 2)).all()  # of frame 3


def test_the_best_frame_is_where_the_request_is_likeliest():
    frames = np.stack([picture(red=(4, 4)) if i == 4 else picture(blue=(4, 4)) for i in range(6)])
    engine, _ = stage()
    session = engine.open(frames, options=Options(frames=6))
    events = list(session.ask("the red square", reach=Reach(best=True)))
    assert told(events) == [4, 5, 3, 2, 1, 0]
    assert Progress("choosing a frame", 6, 6) in of(Progress, events)


def test_the_best_frame_is_one_of_those_asked_for(session):
    events = list(session.ask("the red square", reach=Reach(first=2, last=3, best=True)))
    assert told(events) == [2, 3]
    other = session._engine.open(MOVING, options=Options(frames=2))  # shown 0 and 5
    assert told(list(other.ask("the red square", reach=Reach(first=2, last=3, best=True)))) == [
        2,
        3,
    ]


def test_masks_of_other_frames_stay(session):
    list(session.ask("the red square"))
    before = session.objects[0].to_json()
    list(session.prompt(points=[(2, 30)], frame=1, object=1))
    list(session.ask("the blue square", reach=Reach(first=3)))
    list(session.ask("the red square", reach=Reach(first=2, last=3)))
    red, blue = session.objects
    assert [*blue.masks] == [3, 4, 5]
    assert red.is_corrected(1)
    after = red.to_json()["masks"]["frames"]
    assert {f: after[f] for f in "0345"} == {f: before["masks"]["frames"][f] for f in "0345"}


def test_what_cannot_be_is_said_before_anything_is_done(session):
    for bad in (Reach(last=6), Reach(first=3, last=1), Reach(start=0, first=2)):
        with pytest.raises(PromptError, match=r"\.$"):
            list(session.ask("the red square", reach=bad))
    with pytest.raises(PromptError, match="Frame 5 is not among frames 0 to 2"):
        list(session.prompt(points=[(10, 5)], frame=5, reach=Reach(last=2)))
    assert session.turns == ()
    list(session.ask("what is in this clip?", reach=Reach.only(2)))
    assert len(session.objects) == 0


# Marks


def test_a_click_on_this_frame_alone(session):
    events = list(session.prompt(points=[(10, 23)], frame=3, reach=Reach.only(3)))
    assert told(events) == [3]
    assert (session.objects[0].masks[3] == square(7, 20)).all()


@pytest.mark.parametrize(
    ("reach", "frames"),
    [
        (Reach(direction="forward"), [3, 4, 5]),
        (Reach(direction="backward"), [3, 2, 1, 0]),
        (Reach(first=2, last=4), [3, 4, 2]),
        (Reach(start=0), [3, 4, 5, 2, 1, 0]),  # what was marked is the start
    ],
)
def test_a_click_reaches_as_far_as_was_asked(session, reach, frames):
    assert told(list(session.prompt(points=[(10, 23)], frame=3, reach=reach))) == frames


def test_a_correction_reaches_no_further_than_it_did(session):
    list(session.ask("the red square"))
    list(session.prompt(points=[(2, 30)], frame=4, object=1, reach=Reach.only(4)))
    events = list(session.prompt(points=[(2, 30)], frame=1, object=1, reach=Reach(last=2)))
    assert told(events) == [1, 2]
    assert session.objects[0].provenance.to_json() == [
        [0, 0, "seen", 1],
        [1, 1, "corrected", 3],
        [2, 2, "seen", 3],
        [3, 3, "seen", 1],
        [4, 4, "corrected", 2],
        [5, 5, "seen", 1],
    ]


# Carrying on


def test_a_mask_is_carried_to_the_other_frames(session):
    list(session.prompt(points=[(10, 23)], frame=3, reach=Reach.only(3)))
    events = list(session.propagate(1))
    assert told(events) == [4, 5, 2, 1, 0]
    routed, done = of(Routed, events)[0], of(Done, events)[0]
    assert routed.route.reason == "“object” on frame 3 → the same on other frames"
    assert done.objects == (1,)
    assert of(Progress, events)[-1] == Progress("segmenting frames", 5, 5)
    thing = session.objects[0]
    assert all((thing.masks[frame] == square(4 + frame, 20)).all() for frame in range(6))
    assert not any(thing.is_corrected(frame) for frame in range(6))
    assert session.undo()
    assert [*session.objects[0].masks] == [3]
    assert session.redo()
    assert len(session.objects[0].masks) == 6


def test_frames_corrected_by_hand_end_it(session):
    list(session.ask("the red square"))
    for frame in (1, 4):
        reach = Reach.only(frame)
        list(session.prompt(points=[(2, 30)], frame=frame, object=1, reach=reach))
    before = masks(session.objects[0])
    assert told(list(session.propagate("the red square", frame=2))) == [3]
    assert told(list(session.propagate(1))) == [5, 3, 2]  # from 4, which was corrected last
    after = session.objects[0]
    assert [after.is_corrected(frame) for frame in range(6)] == [0, 1, 0, 0, 1, 0]
    assert {f: masks(after)[f] for f in (0, 1, 4)} == {f: before[f] for f in (0, 1, 4)}


def test_it_reaches_as_far_as_was_asked(session):
    list(session.ask("the red square"))
    reach = Reach(first=1, last=4, direction="backward")
    assert told(list(session.propagate(1, frame=3, reach=reach))) == [2, 1]
    assert session.objects[0].provenance.to_json() == [
        [0, 0, "seen", 1],
        [1, 2, "seen", 2],
        [3, 5, "seen", 1],
    ]


def test_what_cannot_be_carried_is_a_sentence(session):
    list(session.ask("the red square", reach=Reach.only(2)))
    for wrong in (
        lambda: session.propagate(1, frame=3),
        lambda: session.propagate(1, frame=6),
        lambda: session.propagate(1, frame=2, reach=Reach(first=3)),
        lambda: session.propagate("the horse"),
        lambda: session.propagate(7),
    ):
        with pytest.raises(PromptError, match=r"\.$"):
            list(wrong())
    assert len(session.turns) == 1
    engine, _ = stage()
    still = engine.open(MOVING[0])
    list(still.ask("the red square"))
    with pytest.raises(PromptError, match="picture has no other frames"):
        list(still.propagate(1))


def test_where_the_model_sees_nothing_masks_stay(session):
    list(session.prompt(box=(0, 28, 4, 32), frame=2))
    before = session.objects[0].to_json()
    events = list(session.propagate(1))
    assert not told(events)
    assert session.objects[0].to_json() == before
    assert not session.turns[-1].objects


# Kept


def test_turns_about_some_frames_are_saved(session, tmp_path):
    reach = Reach(start=3, first=2, direction="backward")
    list(session.ask("the red square", reach=reach))
    list(session.propagate(1, reach=Reach(last=4)))
    list(session.ask("the blue square"))
    engine, _ = stage()
    again = replay(engine, session.save(tmp_path / "session.json"), MOVING)
    assert [turn.to_json() for turn in again.turns] == [turn.to_json() for turn in session.turns]
    assert [turn.reach for turn in again.turns] == [reach, Reach(last=4), None]
    assert [turn.carried for turn in again.turns] == [None, (1, 2), None]  # of equals the first
    assert [o.to_json() for o in again.objects] == [o.to_json() for o in session.objects]


def test_a_turn_asked_again_gives_the_same(session):
    list(session.ask("the red square", reach=Reach(start=3, first=1)))
    list(session.propagate(1, reach=Reach(last=4)))
    engine, _ = stage()
    again = engine.open(MOVING)
    for turn in session.turns:
        if turn.carried:
            list(again.propagate(*turn.carried, reach=turn.reach))
        else:
            list(again.ask(turn.text, turn.drawings, turn.task, turn.reach))
    assert [o.to_json() for o in again.objects] == [o.to_json() for o in session.objects]


def test_a_turn_saved_before_there_were_ranges_is_read(session):
    list(session.ask("the red square"))
    values = session.turns[0].to_json()
    del values["reach"], values["carried"]
    assert Exchange.from_json(values).reach is None


# Not there, but nearly


def test_nothing_found_names_what_shares_a_word(session):
    list(session.ask("red box, blue box"))
    (missing,) = of(NotFound, session.ask("the purple boxes", task="refseg"))
    assert missing.candidates == (("red box", 0.3333), ("blue box", 0.3333))
    session.rename("blue box", "purple")
    (missing,) = of(NotFound, session.ask("the purple box", task="refseg"))
    assert [name for name, _ in missing.candidates] == ["purple", "red box"]


def test_nothing_found_names_what_was_last_spoken_of(session):
    list(session.ask("the red square"))
    list(session.ask("the blue square"))
    (missing,) = of(NotFound, session.ask("a zebra"))
    assert missing.candidates == (("the blue square", 0.0), ("the red square", 0.0))
    (none,) = of(NotFound, session._engine.open(MOVING).ask("a zebra"))
    assert none.candidates == ()
