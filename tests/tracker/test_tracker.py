"""What a person does with a tracker, on both back ends, with small random networks.

Covered: marks and their instant masks, walks in all directions and ranges, several objects, objects
that begin later, corrections, removal, cancelling, memory that does not grow, and marks that make
no sense. The clip is made here; a random network finds nonsense, but always the same.
"""

import gc
from collections import deque

import numpy as np
import pytest
import torch

from tests.tracker.moving import SIZE, Moving, Spy, walked
from x2sam.errors import PromptError
from x2sam.tracker.network import enlarged
from x2sam.tracker.tracker import Tracker


@pytest.fixture
def clip():
    return Moving()


@pytest.fixture
def tracking(tracker, clip):
    with tracker.open(clip) as opened:
        yield opened


def painted():
    mask = np.zeros(SIZE, bool)
    mask[10:30, 20:50] = True
    return mask


def same(one, other):
    return np.array_equal(one.mask, other.mask) and one.score == other.score


def test_a_click_gives_a_mask_at_once(tracking):
    shape = tracking.add(1, 4, points=[(30, 20)])
    assert shape.mask.shape == SIZE
    assert shape.mask.dtype == bool
    assert shape.mask.any()
    assert 0 <= shape.score <= 1
    assert shape.visible > 0.5


def test_only_frames_that_are_looked_at_are_decoded(tracking, clip):
    tracking.add(1, 4, points=[(30, 20)])
    tracking.add(1, 4, points=[(30, 20), (70, 50)], labels=[1, 0])
    walked(tracking, last=6)
    assert clip.decoded == [0, 4, 5, 6]  # 0 for its size; 4 once for two clicks and the walk


def test_a_painted_mask_is_taken_as_it_is(tracking):
    shape = tracking.add(1, 4, mask=painted())
    assert np.array_equal(shape.mask, painted())  # though the network knows it on a coarser grid
    assert shape.score == 1
    assert shape.visible > 0.99
    shape.mask[:] = False
    assert np.array_equal(tracking.add(1, 4, mask=painted()).mask, painted())
    assert np.array_equal(walked(tracking, last=4)[4][1].mask, painted())


@pytest.mark.parametrize(
    "place", [np.s_[200:208, 301:309], np.s_[77:78, 411:412], np.s_[0:1, 511:], np.s_[99, 20:490]]
)
def test_what_is_smaller_than_a_cell_is_not_lost(tracker, place):
    """A square of eight pixels once was nothing to the network, and yet surely visible."""
    mask = np.zeros((512, 512), bool)
    mask[place] = True
    spy = Spy(tracker.network)
    with Tracker(spy).open(Moving(2, size=(512, 512))) as tracking:
        shape = tracking.add(1, 0, mask=mask)
    assert np.array_equal(shape.mask, mask)
    assert shape.visible > 0.99
    side = tracker.network.config.trunk.image_size
    known = enlarged(spy.decoded[0].logits, (side, side))[0, 0] > 0
    where = mask.reshape(side, 4, side, 4).any((1, 3))
    assert known[where].any()
    assert known.sum() <= 81 * where.sum()


def test_points_correct_a_painted_mask_in_one_call_or_two(tracking):
    tracking.add(1, 4, mask=painted())
    later = tracking.add(1, 4, points=[(30, 20)])
    at_once = tracking.add(2, 4, mask=painted(), points=[(30, 20)])
    assert same(later, at_once)
    assert np.array_equal(tracking.prompts[1][4].mask, painted())


def test_the_same_marks_again_change_nothing(tracking):
    marks = {"points": [(30, 20), (70, 50)], "labels": [1, 0]}
    once = tracking.add(1, 4, **marks)
    assert same(once, tracking.add(1, 4, **marks))


def test_taking_a_click_back_gives_what_was_there_before(tracking):
    before = tracking.add(1, 4, points=[(30, 20)])
    after = tracking.add(1, 4, points=[(30, 20), (60, 40)])
    assert not same(before, after)
    assert same(before, tracking.add(1, 4, points=[(30, 20)]))
    walked(tracking)
    tracking.add(1, 4, points=[(50, 50)])
    assert same(before, tracking.add(1, 4, points=[(30, 20)]))


def test_a_box_after_clicks_begins_again(tracking):
    tracking.add(1, 4, points=[(30, 20)])
    later = tracking.add(1, 4, points=[(30, 20)], box=(10, 10, 50, 40))
    assert same(later, tracking.add(2, 4, points=[(30, 20)], box=(10, 10, 50, 40)))


def test_what_is_handed_in_stays_as_it_was(tracking):
    points, labels, objects = [(30, 20), (70, 50)], [1, 0], [1]
    tracking.add(1, 4, points=points, labels=labels)
    walked(tracking, objects=objects)
    assert (points, labels, objects) == ([(30, 20), (70, 50)], [1, 0], [1])


def test_directions(tracking):
    tracking.add(1, 4, points=[(30, 20)])
    assert list(walked(tracking)) == [4, 5, 6, 7, 8, 9]
    assert list(walked(tracking, direction="backward")) == [4, 3, 2, 1, 0]
    assert list(walked(tracking, direction="both")) == [4, 5, 6, 7, 8, 9, 3, 2, 1, 0]
    assert list(walked(tracking, 0)) == list(range(10))
    assert list(walked(tracking, 2, "both", first=1, last=3)) == [2, 3, 1]
    assert list(walked(tracking, first=6, last=7)) == [6, 7]
    assert list(walked(tracking, direction="backward", first=2, last=3)) == [3, 2]


def test_a_walk_finds_the_same_every_time(tracking):
    tracking.add(1, 4, points=[(30, 20)])
    first = walked(tracking, direction="both")
    second = walked(tracking, direction="both")
    assert all(same(first[frame][1], second[frame][1]) for frame in first)


def test_a_marked_frame_keeps_its_mask_in_a_walk(tracking):
    shape = tracking.add(1, 4, points=[(30, 20)])
    assert same(walked(tracking, 2, last=5)[4][1], shape)


def test_a_correction_is_kept_and_carried_on(tracking):
    tracking.add(1, 2, points=[(30, 20)])
    before = walked(tracking)
    corrected = tracking.add(1, 6, points=[(60, 45)])
    assert not same(corrected, before[6][1])
    after = walked(tracking)
    assert same(after[6][1], corrected)
    assert not np.array_equal(after[7][1].mask, before[7][1].mask)
    assert same(walked(tracking, 6)[6][1], corrected)
    assert same(after[2][1], before[2][1])


def test_a_correction_after_the_memory_of_its_frame_is_gone(tracker):
    """The mask that was there is fed back from its outline."""
    spy = Spy(tracker.network)
    with Tracker(spy).open(Moving(60)) as tracking:
        tracking.add(1, 0, points=[(30, 20)])
        shown = walked(tracking)[30][1]
        corrected = tracking.add(1, 30, points=[(30, 20), (60, 45)])
        _, prompt = spy.asked[-1]
        assert not prompt["initial"]
        fed = torch.nn.functional.interpolate(prompt["previous"], SIZE, mode="bilinear")
        fed = fed[0, 0].numpy() > 0
        assert (fed & shown.mask).sum() / (fed | shown.mask).sum() > 0.8
        assert same(walked(tracking, 30, last=31)[30][1], corrected)


def test_two_objects_do_not_touch_each_other(tracking, tracker):
    tracking.add(1, 3, points=[(30, 20)])
    tracking.add(2, 3, box=(50, 10, 75, 40))
    both = walked(tracking, direction="both")
    with tracker.open(Moving()) as alone:
        alone.add(2, 3, box=(50, 10, 75, 40))
        for frame, shapes in walked(alone, direction="both").items():
            assert set(both[frame]) == {1, 2}
            assert same(both[frame][2], shapes[2])


def test_an_object_that_begins_later_is_carried_before_and_after_its_mark(tracking):
    tracking.add(1, 0, points=[(30, 20)])
    walked(tracking)
    shape = tracking.add(2, 5, points=[(60, 40)])
    found = walked(tracking)
    assert list(found) == list(range(10))
    assert all(set(shapes) == {1, 2} for shapes in found.values())
    assert same(found[5][2], shape)
    assert list(walked(tracking, objects=[2])) == [5, 6, 7, 8, 9]
    assert set(walked(tracking, objects=[2], last=5)[5]) == {2}


def test_a_removed_object_leaves_the_others_as_they_were(tracking):
    for number, x in ((1, 30), (2, 60), (3, 45)):
        tracking.add(number, 2, points=[(x, 20)])
    before = walked(tracking)
    tracking.remove(2)
    tracking.remove(7)
    after = walked(tracking)
    assert all(set(shapes) == {1, 3} for shapes in after.values())
    assert all(same(after[f][n], before[f][n]) for f in before for n in (1, 3))
    again = tracking.add(2, 2, points=[(60, 20)])
    assert same(again, before[2][2])


def test_a_cleared_frame_counts_no_more(tracking, tracker):
    tracking.add(1, 2, points=[(30, 20)])
    tracking.add(1, 6, points=[(60, 45)])
    tracking.add(2, 6, points=[(10, 45)])
    walked(tracking)
    tracking.clear(6)
    assert {number: list(marks) for number, marks in tracking.prompts.items()} == {1: [2]}
    with tracker.open(Moving()) as fresh:
        fresh.add(1, 2, points=[(30, 20)])
        expected = walked(fresh)
    found = walked(tracking)
    assert all(same(found[frame][1], expected[frame][1]) for frame in expected)
    tracking.clear()
    assert tracking.prompts == {}
    with pytest.raises(PromptError, match="nothing to track"):
        tracking.propagate()


def test_marks_that_were_taken_back_leave_no_trace(tracking, tracker):
    """Cleared marks once steered a later correction, through the outlines of what they carried."""
    tracking.add(1, 0, points=[(30, 20)])
    tracking.add(1, 9, points=[(60, 45)])
    walked(tracking)
    tracking.clear(0)
    found = tracking.add(1, 5, points=[(50, 30)])
    with tracker.open(Moving()) as straight:
        straight.add(1, 9, points=[(60, 45)])
        assert same(straight.add(1, 5, points=[(50, 30)]), found)
        after, expected = walked(tracking, 0), walked(straight, 0)
    assert all(same(after[frame][1], expected[frame][1]) for frame in expected)


@pytest.mark.parametrize("walks", [1, 2])
def test_marks_that_were_replaced_leave_no_trace(tracking, tracker, walks):
    """Whether a walk has seen them or not; what was carried before they came still counts."""
    tracking.add(1, 2, points=[(30, 20)])
    walked(tracking)
    tracking.add(1, 6, points=[(10, 45)])
    for _ in range(1, walks):
        walked(tracking)
    found = tracking.add(1, 6, points=[(60, 45)])
    with tracker.open(Moving()) as straight:
        straight.add(1, 2, points=[(30, 20)])
        if walks == 1:
            walked(straight)
        assert same(straight.add(1, 6, points=[(60, 45)]), found)


def test_a_walk_can_be_stopped_and_goes_on_where_it_was(tracking, tracker):
    tracking.add(1, 0, points=[(30, 20)])
    walk = tracking.propagate()
    begun = {one.frame: one.shapes for one, _ in zip(walk, range(4), strict=False)}
    walk.close()
    assert list(walk) == []
    rest = walked(tracking, 4)
    with tracker.open(Moving()) as whole:
        whole.add(1, 0, points=[(30, 20)])
        for frame, shapes in walked(whole).items():
            assert same(shapes[1], (rest if frame >= 4 else begun)[frame][1])


def test_an_object_may_go_during_a_walk(tracking):
    tracking.add(1, 0, points=[(30, 20)])
    tracking.add(2, 0, points=[(60, 20)])
    seen = []
    for one in tracking.propagate(last=3):
        seen.append(set(one.shapes))
        tracking.remove(2)
    assert seen == [{1, 2}, {1}, {1}, {1}]


def test_two_clips_share_a_network(tracker):
    with tracker.open(Moving()) as one, tracker.open(Moving(size=(40, 90))) as other:
        one.add(1, 2, points=[(30, 20)])
        other.add(1, 2, points=[(70, 10)])
        walks = zip(one.propagate(last=6), other.propagate(last=6), strict=True)
        together = [(a.shapes[1], b.shapes[1]) for a, b in walks]
        assert together[0][1].mask.shape == (40, 90)
        again = walked(one, last=6)
        assert all(same(a, again[2 + index][1]) for index, (a, _) in enumerate(together))


def test_a_picture_is_a_clip_of_one_frame(tracking, tracker):
    with tracker.open(Moving(1)) as picture:
        picture.add(1, 0, points=[(30, 20)])
        assert list(walked(picture, direction="both")) == [0]
        shape = picture.add(1, 0, points=[(30, 20), (70, 50)], labels=[1, 0])
        assert np.isfinite([shape.score, shape.visible]).all()


@pytest.fixture
def only_new_objects():
    """Those that are there already are not counted, which takes seconds."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def tensors():
    gc.collect()
    return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())


def test_half_precision_finds_nearly_the_same(tracker):
    """Also before the first mark of an object, where types once did not fit."""
    network = tracker.network
    shapes = []
    for dtype in (torch.float32, torch.bfloat16):
        half = type(network)(network.config, network.model, network.device, dtype)
        with Tracker(half).open(Moving(6)) as tracking:
            tracking.add(1, 3, points=[(30, 20)])
            shapes.append(walked(tracking, 0))
    for frame, full in shapes[0].items():
        half = shapes[1][frame][1]
        assert (full[1].mask != half.mask).mean() < 0.1
        assert half.score == pytest.approx(full[1].score, abs=0.05)


def test_a_long_clip_holds_as_many_tensors_as_a_short_one(tracker, only_new_objects):
    held = {}
    with tracker.open(Moving()) as warm_up:
        warm_up.add(1, 2, points=[(30, 20)])
        walked(warm_up)
    for frames in (40, 70):
        before = tensors()
        tracking = tracker.open(Moving(frames))
        tracking.add(1, 2, points=[(30, 20)])
        tracking.add(2, 30, mask=painted())
        deque(tracking.propagate(2, "both"), maxlen=0)
        held[frames] = tensors() - before
        tracking.close()
        assert tensors() == before
    assert held[70] == held[40] > 0


NONSENSE = [
    (
        {"frame": 10, "points": [(1, 1)]},
        "Frame 10 is not in this clip, which has the frames 0 to 9",
    ),
    ({"frame": -1, "points": [(1, 1)]}, "Frame -1 is not in this clip"),
    ({"points": [(81, 20)]}, r"The point \(81, 20\) is outside of the picture, which is 80 × 60"),
    ({"points": [(1, float("nan"))]}, "outside of the picture"),
    ({"points": [(1, 1)], "labels": [1, 0]}, "Every point needs a label"),
    ({"points": [(1, 1)], "labels": [2]}, "Every point needs a label"),
    ({"box": (30, 30, 30, 50)}, "is empty: drag it from one corner"),
    ({"box": (90, 10, 95, 20)}, "is empty"),
    ({"mask": np.ones((80, 60), bool)}, "The mask is 60 × 80 pixels and the picture 80 × 60"),
    ({"mask": np.zeros(SIZE, bool)}, "Say first where the object is"),
    ({"points": [(1, 1)], "labels": [0]}, "Say first where the object is"),
    ({}, "Nothing is marked"),
]


@pytest.mark.parametrize(("marks", "sentence"), NONSENSE)
def test_marks_that_make_no_sense_are_told_in_words(trackers, marks, sentence):
    with trackers["transformers"].open(Moving()) as tracking:
        with pytest.raises(PromptError, match=sentence):
            tracking.add(1, **{"frame": 0, **marks})
        assert tracking.prompts == {}


def test_an_object_may_be_said_to_be_absent_once_it_is_known(tracking):
    tracking.add(1, 2, points=[(30, 20)])
    absent = tracking.add(1, 5, mask=np.zeros(SIZE, bool))
    assert not absent.mask.any()
    assert absent.visible < 0.01
    assert not walked(tracking)[5][1].mask.any()


def test_walks_that_make_no_sense_are_told_in_words(tracking):
    tracking.add(1, 2, points=[(30, 20)])
    with pytest.raises(PromptError, match="Object 5 has no marks"):
        tracking.propagate(objects=[1, 5])
    with pytest.raises(PromptError, match="Frame 3 is not in the range 4 to 9"):
        tracking.propagate(3, first=4)
    with pytest.raises(PromptError, match="Frame 12 is not in this clip"):
        tracking.propagate(last=12)
    with pytest.raises(PromptError, match="forward, backward or both ways"):
        tracking.propagate(direction="sideways")
