"""Segment everything: which masks stay, in which order, and that it can be stopped.

Covered: the same segments as the package's own generator, both back ends alike, the suppression of
doubles, holes and crumbs, stopping. The network is random, so the thresholds are low.
"""

from dataclasses import replace

import numpy as np
import pytest

from tests.tracker.moving import Moving
from x2sam.errors import PromptError
from x2sam.media.masks import Rle
from x2sam.tracker.everything import distinct, everything, without_crumbs
from x2sam.tracker.search import Search, Segment
from x2sam.types import Progress

SEARCH = Search(points_per_side=4, points_per_batch=6, quality=0.3, stability=0.5)


@pytest.fixture
def picture():
    return Moving().frame(3)


def searched(tracker, picture, search=SEARCH):
    events = list(everything(tracker, picture, search))
    done = [event for event in events if isinstance(event, Progress)]
    assert events[: len(done)] == done
    return done, events[len(done) :]


def test_progress_comes_first_and_the_best_segment_next(tracker, picture):
    done, segments = searched(tracker, picture)
    assert [(one.done, one.total) for one in done] == [(6, 16), (12, 16), (16, 16)]
    assert segments
    qualities = [segment.quality for segment in segments]
    assert qualities == sorted(qualities, reverse=True)
    for segment in segments:
        assert segment.rle.size == picture.shape[:2]
        assert segment.box == segment.rle.box
        assert segment.quality > SEARCH.quality
        assert segment.stability >= SEARCH.stability


def test_both_back_ends_find_the_same(trackers, picture):
    one, other = (searched(tracker, picture)[1] for tracker in trackers.values())
    assert [(s.rle, s.point) for s in one] == [(s.rle, s.point) for s in other]
    assert [s.quality for s in one] == pytest.approx([s.quality for s in other], abs=1e-5)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script")
def test_the_packages_own_generator_finds_the_same(trackers, picture):
    """It knows one size of picture; told the size of ours, it does the same."""
    from sam2.automatic_mask_generator import SAM2AutomaticMaskGenerator

    side = trackers["sam2"].network.config.trunk.image_size
    generator = SAM2AutomaticMaskGenerator(
        trackers["sam2"].network.model,
        points_per_side=4,
        pred_iou_thresh=0.3,
        stability_score_thresh=0.5,
        box_nms_thresh=1.0,
        output_mode="coco_rle",
    )
    generator.predictor._bb_feat_sizes = [(side // stride,) * 2 for stride in (4, 8, 16)]
    theirs = generator.generate(picture)
    _, ours = searched(trackers["sam2"], picture, replace(SEARCH, box_overlap=1.0))
    assert len(ours) == len(theirs) > 10
    pairs = {(tuple(a["point_coords"][0]), round(a["predicted_iou"], 4)): a for a in theirs}
    for segment in ours:
        same = pairs[segment.point, round(segment.quality, 4)]
        mask = Rle.from_json(same["segmentation"]).mask()
        assert (mask != segment.rle.mask()).mean() < 0.002  # their picture is scaled in bytes
        assert same["stability_score"] == pytest.approx(segment.stability, abs=0.01)


def test_it_stops(trackers, picture):
    search = everything(trackers["sam2"], picture, SEARCH)
    assert next(search) == Progress("segmenting everything", 6, 16)
    search.close()
    assert list(search) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"points_per_side": 0}, "at least one point"),
        ({"points_per_batch": 0}, "at least one point"),
        ({"points_per_side": 129}, "at most 128 points"),
        ({"quality": 1.1}, "“quality” should be from 0 to 1, not 1.1"),
        ({"min_area": -1}, "“min_area” should be at least 0"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(wrong, words):
    with pytest.raises(PromptError, match=words):
        Search(**wrong)


def segment(box, quality):
    x0, y0, x1, y1 = box
    mask = np.zeros((20, 20), bool)
    mask[y0:y1, x0:x1] = True
    return Segment(Rle.of(mask), box, quality, 1.0, (x0, y0))


def test_of_doubles_the_best_stays_and_of_equals_the_first():
    weak, best = segment((0, 0, 10, 10), 0.8), segment((0, 0, 10, 9), 0.9)
    apart = segment((10, 10, 20, 20), 0.9)
    assert distinct([weak, best, apart], 0.7) == [best, apart]
    assert distinct([apart, weak, best], 0.7) == [apart, best]
    assert distinct([weak, best], 0.9) == [best, weak]


def test_crumbs_and_holes_go():
    mask = np.zeros((12, 12), bool)
    mask[2:9, 2:9] = True
    clean = mask.copy()
    mask[4, 4] = False
    mask[11, 11] = True
    assert np.array_equal(without_crumbs(mask, 3), clean)
    assert np.array_equal(without_crumbs(mask, 0), mask)
    assert not without_crumbs(mask, 200).any() or without_crumbs(mask, 200).all()
