"""X2SAM's masks on a few frames, SAM 2's on all others: anchors, both ways, and disagreement.

The predictor is an actor that knows coloured squares (`acting`), SAM 2 a network that follows
whatever square is nearest (`following`); the tracker around it and all else are real.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.acting import clip, of, picture, square, stage
from tests.engine.following import follower
from x2sam.engine.handover import ANCHORS, LOOKED, further
from x2sam.engine.options import Options
from x2sam.engine.reach import Reach
from x2sam.errors import PromptError
from x2sam.types import (
    Done,
    How,
    MaskReady,
    NotFound,
    Progress,
    Warning,  # noqa: A004 (an event)
)


@pytest.fixture
def tracked():
    """An engine with SAM 2: opens clips, `log` tells what SAM 2 did."""
    tracker, network = follower()
    engine, actor = stage(tracker=tracker)
    engine.log = network.log
    engine.actor = actor
    return engine


def opened(engine, frames, shown=3, **options):
    return engine.open(frames, options=Options(frames=shown, **options))


def frames_of(log, what):
    return [value for kind, value, *_ in log if kind == what]


def boxes(thing):
    return {frame: thing.masks.box(frame) for frame in thing.masks}


def still(count, **places):
    return np.stack([picture(**places)] * count)


def test_anchors_are_seen_and_all_others_carried(tracked):
    session = opened(tracked, clip(11, red=(2, 2), blue=(4, 20)))
    events = list(session.ask("the red square"))
    thing = session.objects[0]
    assert [frame for frame in range(11) if thing.origins[frame][0] is How.SEEN] == [0, 5, 10]
    assert {how for how, _ in thing.origins.values()} == {How.SEEN, How.CARRIED}
    for frame in range(11):
        assert (thing.masks[frame] == square(2 + frame, 2)).all()
    assert len(frames_of(tracked.actor.log, "segment")) == 3
    assert sorted(frames_of(tracked.log, "carry")) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert not of(Warning, events)
    assert of(Progress, events)[-1].stage == "carrying masks"
    assert {event.frame for event in of(MaskReady, events)} == {*range(11)}


def test_one_anchor_in_the_middle_is_carried_both_ways(tracked):
    session = opened(tracked, clip(12, red=(2, 2)), shown=1)
    list(session.ask("the red square"))
    thing = session.objects[0]
    assert session.shown == (6,)
    assert thing.provenance.to_json() == [
        [0, 5, "carried", 1],
        [6, 6, "seen", 1],
        [7, 11, "carried", 1],
    ]
    assert boxes(thing) == {frame: (2 + frame, 2, 10 + frame, 10) for frame in range(12)}


def test_several_things_share_the_walk_and_keep_their_numbers(tracked):
    session = opened(tracked, clip(11, red=[(2, 2), (2, 20)], blue=(2, 11)))
    list(session.ask("red box, blue box"))
    assert [each.name for each in session.objects] == ["red box", "red box 2", "blue box"]
    for each in session.objects:
        assert len({each.masks.box(frame)[1] for frame in range(11)}) == 1
        assert len(each.masks) == 11
    encoded = frames_of(tracked.log, "encode")
    assert len(encoded) <= 13  # each frame once for all three, and the anchors they begin with


def swapped():
    """Red stands left; on frames 6 to 10 it has changed places with blue."""
    before, after = picture(red=(2, 2), blue=(20, 2)), picture(red=(20, 2), blue=(2, 2))
    return np.stack([before] * 6 + [after] * 5)


def test_where_they_disagree_the_anchor_wins_up_to_the_middle(tracked):
    session = opened(tracked, swapped(), shown=2)  # frames 0 and 10
    events = list(session.ask("the red square"))
    (thing,) = session.objects
    left = [frame for frame in range(11) if thing.masks.box(frame)[0] == 2]
    assert left == [0, 1, 2, 3, 4, 5]
    assert thing.masks.box(10)[0] == 20
    (warning,) = of(Warning, events)
    assert "“the red square”" in warning.text
    assert "frame 10." in warning.text


def test_an_anchor_without_the_thing_wins_too(tracked):
    frames = still(11, blue=(2, 2))
    frames[:3] = picture(red=(2, 2))  # SAM 2 goes on with the blue one, which is no red
    session = opened(tracked, frames, shown=2)
    events = list(session.ask("the red square"))
    (thing,) = session.objects
    assert thing.masks.visible() == [0, 1, 2, 3, 4, 5]
    assert len(of(Warning, events)) == 1


def test_what_comes_later_is_carried_back_to_where_it_came(tracked):
    frames = still(11, blue=(20, 20))
    frames[4:] = picture(red=(2, 2), blue=(20, 20))
    session = opened(tracked, frames, shown=2)
    events = list(session.ask("the red square"))
    assert session.objects[0].masks.visible() == [*range(4, 11)]
    assert len(session.objects[0].masks) == 11
    assert not of(Warning, events)


def test_what_the_first_anchor_missed_is_half_believed(tracked):
    frames = still(11, blue=(2, 2))
    frames[8:] = picture(red=(2, 2))
    session = opened(tracked, frames, shown=2)
    events = list(session.ask("the red square"))
    assert session.objects[0].masks.visible() == [*range(6, 11)]
    assert "frame 0." in of(Warning, events)[0].text


def test_both_may_agree_that_it_is_gone(tracked):
    frames = still(21, blue=(20, 20))
    frames[:4] = frames[17:] = picture(red=(2, 2), blue=(20, 20))
    session = opened(tracked, frames)  # anchors 0, 10 and 20
    events = list(session.ask("the red square"))
    assert session.objects[0].masks.spans() == [(0, 4), (17, 21)]
    assert not of(Warning, events)


def test_what_is_lost_on_the_way_is_looked_for_from_where_it_is_found_again(tracked):
    frames = still(11, red=(2, 2))
    frames[4:] = picture(red=(22, 22))  # too far to follow
    session = opened(tracked, frames, shown=2)
    events = list(session.ask("the red square"))
    (thing,) = session.objects
    assert [thing.masks.box(frame)[0] for frame in range(11)] == [2] * 4 + [22] * 7
    assert not of(Warning, events)


@settings(max_examples=60, deadline=None)
@given(
    scenes=st.lists(st.sampled_from(["left", "right", "other", "none"]), min_size=2, max_size=14),
    shown=st.integers(1, 5),
)
def test_whatever_happens_every_frame_is_told_of_and_anchors_are_believed(scenes, shown):
    """A square may jump, be replaced by one of another colour, go and come back."""
    pictures = {
        "left": picture(red=(2, 2)),
        "right": picture(red=(20, 20)),
        "other": picture(blue=(2, 2)),
        "none": picture(),
    }
    truth = {"left": square(2, 2), "right": square(20, 20)}
    nothing = np.zeros((32, 32), bool)
    tracker, network = follower()
    engine, _ = stage(tracker=tracker)
    session = opened(engine, np.stack([pictures[scene] for scene in scenes]), shown)
    list(session.ask("the red square"))
    more = [] if len(scenes) <= shown else further(Reach().within(len(scenes)), session.shown)
    there = [frame for frame in more if scenes[frame] in truth]
    if any(scenes[frame] in truth for frame in session.shown):
        there = []  # nothing is missing
    elif not there:
        assert not session.objects
        return
    (thing,) = session.objects
    assert [*thing.masks] == [*range(len(scenes))]
    anchors = {frame for frame, (how, _) in thing.origins.items() if how is How.SEEN}
    assert {*session.shown} <= anchors <= {*session.shown, *there}
    assert len(anchors) == len(session.shown) + min(len(there), ANCHORS)
    for frame in anchors:
        assert (thing.masks[frame] == truth.get(scenes[frame], nothing)).all()
    for frame in thing.masks:
        seen = thing.masks[frame]
        assert not seen.any() or (seen == square(2, 2)).all() or (seen == square(20, 20)).all()
    assert len(frames_of(network.log, "carry")) <= 2 * len(scenes)


def cut(first, then):
    """Ten frames of one scene, and fourteen of another."""
    return np.stack([first] * 10 + [then] * 14)


def test_what_the_shown_frame_does_not_show_is_looked_for_on_others(tracked):
    session = opened(tracked, cut(picture(red=(2, 2)), picture(blue=(20, 20))), shown=1)
    events = list(session.ask("the red square"))
    (thing,) = session.objects
    assert not of(NotFound, events)
    assert thing.masks.visible() == [*range(10)]
    seen = [frame for frame, (how, _) in sorted(thing.origins.items()) if how is How.SEEN]
    assert seen == [1, 4, 7, 12]  # of 1, 4, 7 ... 22, and the one that was shown
    assert len(thing.masks) == 24
    looks = frames_of(tracked.actor.log, "segment")
    assert len(looks) == 1 + LOOKED
    assert of(Progress, events)[8] == Progress("segmenting frames", 9, 9)


def test_of_two_things_the_one_that_is_missing_is_looked_for(tracked):
    session = opened(tracked, cut(picture(red=(2, 2)), picture(blue=(20, 20))), shown=1)
    list(session.ask("red box, blue box"))
    assert [each.name for each in session.objects] == ["blue box", "red box"]
    blue, red = session.objects
    assert (red.masks.visible(), blue.masks.visible()) == ([*range(10)], [*range(10, 24)])


def test_only_what_is_on_none_of_them_is_not_found(tracked):
    session = opened(tracked, cut(picture(red=(2, 2)), picture(blue=(20, 20))), shown=1)
    (missing,) = of(NotFound, session.ask("the green square"))
    assert missing.frames == 1 + LOOKED
    assert not session.objects
    assert not tracked.log


def test_frames_that_were_not_looked_at_are_not_counted(tracked):
    session = opened(tracked, clip(40, red=(2, 2)), propagation="memory", stride=4)
    (missing,) = of(NotFound, session.ask("the green square"))
    assert missing.frames == 10


def test_who_was_shown_many_frames_looks_at_no_more(tracked):
    session = opened(tracked, clip(40, red=(2, 2)), shown=LOOKED)
    (missing,) = of(NotFound, session.ask("the green square"))
    assert missing.frames == LOOKED


def test_a_reader_that_stalls_blocks_nobody(tracked):
    session, other = (opened(tracked, clip(12, red=(2, y)), shown=1) for y in (2, 20))
    stalled = session.ask("the red square")
    while not (isinstance(event := next(stalled), Progress) and event.stage == "carrying masks"):
        pass
    list(other.ask("the red square"))
    assert len(other.objects[0].masks) == 12
    list(stalled)
    assert [session.objects[0].masks.box(frame)[1] for frame in range(12)] == [2] * 12


def test_nothing_found_is_nothing_carried(tracked):
    events = list(opened(tracked, clip(11, blue=(2, 2))).ask("the red square"))
    assert of(NotFound, events)
    assert not tracked.log


def test_a_range_without_a_shown_frame_begins_at_its_start(tracked):
    session = opened(tracked, clip(40, red=(2, 2)), shown=2)
    list(session.ask("the red square", reach=Reach(first=10, last=15)))
    assert session.objects[0].provenance.to_json() == [[10, 10, "seen", 1], [11, 15, "carried", 1]]


def test_a_named_start_is_an_anchor_and_backward_stays_backward(tracked):
    session = opened(tracked, clip(11, red=(2, 2)), shown=2)
    list(session.ask("the red square", reach=Reach(start=7, direction="backward")))
    assert session.objects[0].provenance.to_json() == [
        [0, 0, "seen", 1],
        [1, 6, "carried", 1],
        [7, 7, "seen", 1],
    ]


def test_the_best_frame_is_found_among_those_shown(tracked):
    session = opened(tracked, clip(11, red=(2, 2)))
    list(session.ask("the red square", reach=Reach(best=True)))
    assert len(session.objects[0].masks) == 11


def test_a_correction_is_kept_and_is_an_anchor(tracked):
    session = opened(tracked, swapped(), shown=1, propagation="sam2")  # frame 5
    list(session.ask("the red square"))
    list(session.prompt(mask=square(12, 12), frame=8, object=1, reach=Reach.only(8)))
    corrected = session.objects[0].masks[8]
    assert corrected[12:20, 12:20].all()
    list(session.ask("the red box"))
    (thing,) = session.objects
    assert thing.origins[8] == (How.CORRECTED, 2)
    assert (thing.masks[8] == corrected).all()
    assert thing.origins[9] == (How.CARRIED, 3)


def test_undo_takes_the_whole_turn_back(tracked):
    session = opened(tracked, clip(11, red=(2, 2)))
    list(session.ask("the red square"))
    assert session.undo()
    assert not session.objects


def test_stopping_keeps_what_is_done(tracked):
    session = opened(tracked, clip(40, red=(2, 2)), shown=1)
    seen = []
    for event in session.ask("the red square"):
        seen.append(event)
        if isinstance(event, MaskReady) and event.frame == 10:
            session.stop()
    assert of(Done, seen)[0].stopped
    assert [*session.objects[0].masks] == [*range(10, 21)]  # from the middle backward
    assert len(frames_of(tracked.log, "carry")) == 10
    list(session.ask("the red box"))
    assert len(session.objects[0].masks) == 40


def test_marks_of_a_hand_over_end_with_it(tracked):
    session = opened(tracked, clip(11, red=(2, 2)))
    list(session.ask("the red square"))
    assert not session.film.prompter.knows(1)


@pytest.mark.parametrize(
    ("propagation", "shown", "carried"),
    [("auto", 3, 8), ("auto", 16, 0), ("memory", 3, 0), ("one_token", 3, 0), ("sam2", 3, 8)],
)
def test_which_way_masks_go(propagation, shown, carried, tracked):
    session = opened(tracked, clip(11, red=(2, 2)), shown, propagation=propagation)
    list(session.ask("the red square"))
    how = [how for how, _ in session.objects[0].origins.values()]
    assert how.count(How.CARRIED) == carried


def test_sam_2_that_is_not_there_is_a_sentence():
    engine, _ = stage()
    with pytest.raises(PromptError, match="SAM 2 is not loaded"):
        engine.open(clip(4, red=(2, 2)), options=Options(propagation="sam2"))
    session = engine.open(clip(4, red=(2, 2)))
    with pytest.raises(PromptError, match="--tracker"):
        session.adjust(Options(propagation="sam2"))
    assert session.options.propagation == "auto"


def test_a_way_that_is_none_is_a_sentence():
    with pytest.raises(PromptError, match="“propagation” should be auto or memory"):
        Options(propagation="magic")


def test_a_saved_session_opens_where_sam_2_is_not(tracked, tmp_path):
    from x2sam.engine.replay import replay

    frames = clip(11, red=(2, 2))
    session = opened(tracked, frames, propagation="sam2")
    list(session.ask("the red square"))
    file = session.save(tmp_path / "session.json")
    engine, _ = stage()
    assert replay(engine, file, frames).options.propagation == "auto"
    assert replay(tracked, file, frames).options.propagation == "sam2"
