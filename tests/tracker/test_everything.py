"""Segment everything: which masks stay, in which order, and that it can be stopped.

Covered: the same segments as the package's own generator, with and without crops, both back ends
alike, the suppression of doubles, holes and crumbs, stopping. The network is random, so the
thresholds are low.
"""

from dataclasses import replace

import numpy as np
import pytest

from tests.tracker.moving import Moving
from x2sam.errors import PromptError
from x2sam.media.masks import Rle
from x2sam.tracker.everything import crops, distinct, everything, grid, without_crumbs
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


@pytest.mark.parametrize("layers", [0, 1, 3])
@pytest.mark.parametrize("size", [(60, 80), (333, 250), (1080, 1920)])
def test_crops_and_their_points_are_those_of_the_package(size, layers):
    from sam2.utils.amg import build_all_layer_point_grids, generate_crop_boxes

    search = Search(points_per_side=9, crop_layers=layers, crop_downscale=2)
    boxes, numbers = generate_crop_boxes(size, layers, search.crop_overlap)
    grids = build_all_layer_point_grids(9, layers, 2)
    ours = crops(size, layers, search.crop_overlap)
    assert [list(crop) for layer in ours for crop in layer] == boxes
    assert [number for number, layer in enumerate(ours) for _ in layer] == numbers
    for layer, theirs in enumerate(grids):
        x0, y0, x1, y1 = ours[layer][-1]
        points = grid(search.points_in(layer), (y1 - y0, x1 - x0)).numpy()
        assert points == pytest.approx(theirs * (x1 - x0, y1 - y0), abs=1e-3)
    assert search.points == sum(len(grids[number]) for number in numbers)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script")
@pytest.mark.parametrize(
    "more", [{}, {"threshold": 0.5}, {"crop_layers": 1, "crop_downscale": 2, "stability": 0}]
)
def test_the_packages_own_generator_finds_the_same(trackers, more):
    """It knows one size of picture; told the size of ours, it does the same."""
    from sam2.automatic_mask_generator import SAM2AutomaticMaskGenerator

    picture = Moving(size=(120, 160) if "crop_layers" in more else (60, 80)).frame(3)
    search = replace(SEARCH, box_overlap=1.0, crop_box_overlap=1.0, **more)
    side = trackers["sam2"].network.config.trunk.image_size
    generator = SAM2AutomaticMaskGenerator(
        trackers["sam2"].network.model,
        points_per_side=4,
        pred_iou_thresh=0.3,
        stability_score_thresh=search.stability,
        mask_threshold=search.threshold,
        box_nms_thresh=1.0,
        crop_n_layers=search.crop_layers,
        crop_nms_thresh=1.0,
        crop_n_points_downscale_factor=search.crop_downscale,
        output_mode="coco_rle",
    )
    generator.predictor._bb_feat_sizes = [(side // stride,) * 2 for stride in (4, 8, 16)]
    theirs = generator.generate(picture)
    _, ours = searched(trackers["sam2"], picture, search)
    assert len(ours) == len(theirs) > 10
    assert any(one.crop for one in ours) == bool(search.crop_layers)
    pairs = {(tuple(a["point_coords"][0]), round(a["predicted_iou"], 4)): a for a in theirs}
    for segment in ours:
        same = pairs[segment.point, round(segment.quality, 4)]
        mask = Rle.from_json(same["segmentation"]).mask()
        assert (mask != segment.rle.mask()).mean() < 0.002  # their picture is scaled in bytes
        x, y, width, height = same["crop_box"]
        assert (segment.crop or (0, 0, *picture.shape[1::-1])) == (x, y, x + width, y + height)
        assert same["stability_score"] == pytest.approx(segment.stability, abs=0.01)


def test_a_picture_may_be_too_small_for_crops(trackers):
    search = Search(points_per_side=1, crop_layers=4, quality=0, stability=0)
    done, _ = searched(trackers["sam2"], Moving(size=(20, 9)).frame(0), search)
    assert 0 < done[-1].done < search.points


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
        ({"crop_downscale": 0}, "“crop_downscale” should be at least 1"),
        ({"crop_overlap": 2}, "“crop_overlap” should be from 0 to 1"),
        ({"crop_layers": 5}, "at most 4 layers of crops"),
        ({"crop_layers": 2}, "and 16384 points in all"),
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
    assert distinct([weak, best, apart], Search()) == [best, apart]
    assert distinct([apart, weak, best], Search()) == [apart, best]
    assert distinct([weak, best], Search(box_overlap=0.9)) == [best, weak]


def test_of_doubles_from_crops_the_one_that_was_looked_at_closest_stays():
    best, near = segment((0, 0, 10, 10), 0.9), segment((0, 0, 10, 9), 0.8)
    near = replace(near, crop=(0, 0, 12, 12))
    apart = replace(segment((10, 10, 20, 20), 0.7), crop=(8, 8, 20, 20))
    search = Search(crop_layers=1)
    assert distinct([best, near, apart], search) == [near, apart]
    assert distinct([best, near, apart], replace(search, crop_box_overlap=1)) == [best, near, apart]


def test_crumbs_and_holes_go():
    mask = np.zeros((12, 12), bool)
    mask[2:9, 2:9] = True
    clean = mask.copy()
    mask[4, 4] = False
    mask[11, 11] = True
    assert np.array_equal(without_crumbs(mask, 3), clean)
    assert np.array_equal(without_crumbs(mask, 0), mask)
    assert not without_crumbs(mask, 200).any() or without_crumbs(mask, 200).all()
