"""Runs, tracks and what is measured on them; pycocotools reads the same. Nothing is faked."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco

from x2sam.errors import MediaError
from x2sam.media.masks import Rle, Track, box_iou, largest_component, resized, union

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=24))
pairs = array_shapes(min_dims=2, max_dims=2, max_side=16).flatmap(
    lambda shape: st.tuples(arrays(bool, shape), arrays(bool, shape))
)


@given(masks)
def test_runs_give_the_mask_back_and_mean_the_same_to_coco(mask):
    rle = Rle.of(mask)
    assert (rle.mask() == mask).all()
    assert rle.mask().dtype == bool
    independent = coco.encode(np.asfortranarray(mask, np.uint8))
    assert rle.counts == independent["counts"]
    assert rle.area == mask.sum()
    assert Rle.from_json(json.loads(json.dumps(rle.to_json()))) == rle
    assert hash(rle) == hash(Rle.of(mask))


@given(masks)
def test_uncompressed_counts_read_the_same(mask):
    flat = mask.T.ravel()
    changes = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *changes, flat.size]).tolist()
    counts = [0, *runs] if flat[0] else runs
    assert Rle.from_json({"size": list(mask.shape), "counts": counts}) == Rle.of(mask)


@given(masks)
def test_boxes_are_tight_and_end_exclusive(mask):
    box = Rle.of(mask).box
    if not mask.any():
        assert box is None
        return
    x0, y0, x1, y1 = box
    assert mask[y0:y1, x0:x1].sum() == mask.sum()
    edges = (mask[y0, x0:x1], mask[y1 - 1, x0:x1], mask[y0:y1, x0], mask[y0:y1, x1 - 1])
    assert all(edge.any() for edge in edges)


@given(pairs)
def test_union_and_overlap(pair):
    one, other = pair
    joined = Rle.union([Rle.of(one), Rle.of(other)])
    assert (joined.mask() == (one | other)).all()
    assert (union(pair, one.shape) == (one | other)).all()
    expected = (one & other).sum() / (one | other).sum() if (one | other).any() else 1.0
    assert Rle.of(one).iou(Rle.of(other)) == pytest.approx(expected)


def test_a_large_mask_is_small():
    mask = np.zeros((2160, 3840), bool)
    mask[300:1800, 500:3000] = True
    rle = Rle.of(mask)
    assert len(rle.counts) < 20_000
    assert rle.box == (500, 300, 3000, 1800)
    assert (rle.mask() == mask).all()


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "text",
        {},
        {"size": [4, 4]},
        {"size": [4], "counts": "`0"},
        {"size": [4, 4, 4], "counts": "`0"},
        {"size": [4, 4], "counts": None},
        {"size": [4, 4], "counts": 7},
        {"size": [4, 4], "counts": ""},
        {"size": [4, 4], "counts": "zzzz"},
        {"size": [4, 4], "counts": "狗"},
        {"size": [4, 4], "counts": "\ud800"},
        {"size": [4, 4], "counts": "o" * 100_000},
        {"size": [4, 4], "counts": [15]},
        {"size": [4, 4], "counts": [17]},
        {"size": [4, 4], "counts": [20, -4]},
        {"size": [4, 4], "counts": [8.0, 8.0]},
        {"size": [4, 4], "counts": [True, 15]},
        {"size": [4, 4], "counts": ["16"]},
        {"size": [0, 0], "counts": []},
        {"size": [-4, -4], "counts": [16]},
        {"size": [1e9, 1e9], "counts": [10**18]},
        {"size": [40_000, 40_000], "counts": [1_600_000_000]},
        {"size": ["a", "b"], "counts": [16]},
    ],
)
def test_damaged_runs_are_refused(value):
    with pytest.raises(MediaError):
        Rle.from_json(value)


@given(st.binary(max_size=40))
def test_any_counts_are_read_or_refused(counts):
    try:
        rle = Rle.from_json({"size": [6, 5], "counts": counts})
    except MediaError:
        return
    assert rle.mask().shape == (6, 5)


def walk(*frames):
    """A track of a 3 × 3 square that stands at x = frame number."""
    track = Track((8, 20))
    for frame in frames:
        mask = np.zeros((8, 20), bool)
        mask[2:5, frame : frame + 3] = True
        track[frame] = mask
    return track


def test_a_track_is_masks_by_frame():
    track = walk(4, 2, 3)
    assert list(track) == [2, 3, 4]
    assert len(track) == 3
    assert 5 not in track
    assert track.area(3) == 9
    assert track.box(3) == (3, 2, 6, 5)
    assert track.boxes() == {2: (2, 2, 5, 5), 3: (3, 2, 6, 5), 4: (4, 2, 7, 5)}
    assert track[4][3, 5]
    del track[4]
    assert list(track) == [2, 3]
    with pytest.raises(KeyError):
        track[4]


def test_an_empty_mask_is_not_the_same_as_none():
    track = walk(0, 1, 2, 3, 8)
    track[4] = np.zeros((8, 20), bool)
    assert 4 in track
    assert track.box(4) is None
    assert 4 not in track.boxes()
    assert track.visible() == [0, 1, 2, 3, 8]
    assert track.spans() == [(0, 4), (8, 9)]
    assert walk(0, 4, 8, 16).spans(gap=4) == [(0, 9), (16, 17)]
    assert Track((8, 20)).spans() == []


def test_a_copy_is_on_its_own():
    track = walk(0, 1)
    copy = track.copy()
    copy[1] = np.zeros((8, 20), bool)
    assert track.area(1) == 9
    assert copy.rle(0) is track.rle(0)


def test_masks_of_another_size_are_our_own_fault():
    with pytest.raises(AssertionError):
        walk(1)[2] = np.zeros((8, 21), bool)


def test_merging_tracks():
    merged = walk(0, 1).merged(walk(1, 6))
    assert list(merged) == [0, 1, 6]
    assert merged.area(1) == 9
    one, other = walk(2), Track((8, 20))
    other[2] = np.roll(walk(2)[2], 2, axis=1)
    assert one.merged(other).area(2) == 15
    assert one.area(2) == 9


def test_tracks_in_json():
    track = walk(0, 5)
    track[7] = np.zeros((8, 20), bool)
    read = Track.from_json(json.loads(json.dumps(track.to_json())))
    assert list(read) == [0, 5, 7]
    assert all((read[index] == track[index]).all() for index in track)
    for damaged in (None, {}, {"size": [8, 20], "frames": {"x": "`0"}}, {"size": 8, "frames": {}}):
        with pytest.raises(MediaError):
            Track.from_json(damaged)
    with pytest.raises(MediaError):
        Track.from_json({"size": [8, 20], "frames": {"-1": track.to_json()["frames"]["0"]}})


def test_a_picture_is_a_track_of_one_frame():
    mask = np.eye(4, 6, dtype=bool)
    assert list(Track.still(mask)) == [0]
    assert (Track.still(mask)[0] == mask).all()


def test_parts_and_sizes():
    mask = np.zeros((9, 9), bool)
    mask[0, 0] = mask[4:7, 4:8] = True
    mask[7, 8] = True  # touches by a corner
    assert largest_component(mask).sum() == 13
    assert not largest_component(mask)[0, 0]
    assert not largest_component(np.zeros((3, 3), bool)).any()
    assert resized(mask, (18, 18)).sum() == 4 * mask.sum()
    assert (resized(resized(mask, (18, 27)), (9, 9)) == mask).all()


def test_boxes_overlap():
    assert box_iou((0, 0, 4, 4), (0, 0, 4, 4)) == 1
    assert box_iou((0, 0, 4, 4), (2, 0, 6, 4)) == pytest.approx(1 / 3)
    assert box_iou((0, 0, 2, 2), (2, 2, 4, 4)) == 0
