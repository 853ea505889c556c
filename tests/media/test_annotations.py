"""COCO, YouTube-VIS and YOLO, read back by pycocotools and by a rasteriser of the tests.

Nothing is faked.
"""

import contextlib
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools.coco import COCO
from test_contours import filled

from x2sam.media.annotations import Item, coco, names_of, yolo_line, youtube_vis
from x2sam.media.drawing import colour_of
from x2sam.media.masks import Track

FILTER = "ignore:__array__ implementation:DeprecationWarning"


def masks(count=3, shape=(30, 41)):
    """Masks with holes and parts, by chance but always the same."""
    noise = np.random.default_rng(5).random((count, *shape))
    return noise > 0.6


def item(id_, name, track, **more):
    return Item(id=id_, name=name, track=track, **more)


def read_coco(value):
    """What pycocotools makes of a data set."""
    data = COCO()
    data.dataset = json.loads(json.dumps(value))
    with contextlib.redirect_stdout(io.StringIO()):
        data.createIndex()
    return data


@pytest.mark.filterwarnings(FILTER)
def test_coco_reads_back_bit_for_bit():
    found = masks()
    names = ("dog", "cat", "dog")
    items = [item(7 + k, names[k], Track.still(found[k]), score=0.5) for k in range(3)]
    data = read_coco(coco(items, (30, 41), "a.png"))
    assert data.imgs[1] == {"id": 1, "file_name": "a.png", "height": 30, "width": 41}
    assert [row["name"] for row in data.loadCats(data.getCatIds())] == ["dog", "cat"]
    assert sorted(data.getAnnIds(catIds=data.getCatIds(["dog"]))) == [7, 9]
    for row, mask in zip(data.loadAnns([7, 8, 9]), found, strict=True):
        assert (data.annToMask(row) == mask).all()
        assert (row["area"], row["score"], row["iscrowd"]) == (mask.sum(), 0.5, 0)
        ys, xs = np.nonzero(mask)
        left, top, width, height = row["bbox"]
        assert (left, top) == (xs.min(), ys.min())
        assert (left + width, top + height) == (xs.max() + 1, ys.max() + 1)


def test_coco_of_an_empty_mask():
    value = coco([item(1, "gone", Track.still(np.zeros((4, 5), bool)))], (4, 5), "a.png")
    assert value["annotations"][0]["bbox"] == [0, 0, 0, 0]
    assert "score" not in value["annotations"][0]


@pytest.mark.filterwarnings(FILTER)
def test_youtube_vis_reads_back_bit_for_bit():
    from pycocotools import mask as independent

    found = masks(4)
    track = Track((30, 41), {})
    for index, mask in zip((1, 2, 5, 6), found, strict=True):
        track[index] = mask
    track[3] = np.zeros((30, 41), bool)
    names = [f"a/{index:05d}.png" for index in range(8)]
    value = json.loads(json.dumps(youtube_vis([item(2, "dog", track)], (30, 41), names)))
    video, annotation = value["videos"][0], value["annotations"][0]
    assert (video["length"], video["file_names"]) == (8, names)
    assert annotation["video_id"] == video["id"]
    assert annotation["category_id"] == value["categories"][0]["id"]
    for key in ("segmentations", "bboxes", "areas"):
        assert [index for index, one in enumerate(annotation[key]) if one] == [1, 2, 5, 6]
        assert len(annotation[key]) == 8
    for index, mask in zip((1, 2, 5, 6), found, strict=True):
        assert (independent.decode(annotation["segmentations"][index]) == mask).all()
        assert annotation["areas"][index] == mask.sum()


def read_yolo(line, shape):
    """Class and mask of one line."""
    number, *values = line.split()
    corners = np.array(values, float).reshape(-1, 2) * [shape[1], shape[0]]
    return int(number), filled([corners.tolist()], shape)


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_yolo_reads_back_bit_for_bit(mask):
    line = yolo_line(mask, 4)
    if not mask.any():
        assert line is None
        return
    number, read = read_yolo(line, mask.shape)
    assert number == 4
    assert (read == mask).all()
    assert all(0 <= float(value) <= 1 for value in line.split()[1:])


def test_bridges_do_not_meet_the_centres_of_pixels():
    mask = np.ones((7, 9), bool)
    mask[2, 1] = False  # the straight way to this hole, there and back, rounds differently
    assert (read_yolo(yolo_line(mask, 0), mask.shape)[1] == mask).all()


def test_yolo_is_exact_at_full_size():
    shape = (1079, 1917)
    mask = np.hypot(*np.ogrid[-540:539, -900:1017]) < 500
    mask &= np.hypot(*np.ogrid[-600:479, -800:1117]) > 170
    assert (read_yolo(yolo_line(mask, 0), shape)[1] == mask).all()


def test_items():
    found = masks(1)
    track = Track((30, 41), {})
    track[4] = found[0]
    dog = item(3, "dog", track)
    assert dog.mark(0) is None
    assert (dog.mark(4).mask == found[0]).all()
    assert (dog.mark(4).label, dog.mark(4, label=False).label) == ("dog", "")
    assert dog.paint == colour_of(3)
    assert item(3, "x", track, colour=(1, 2, 3)).mark(4).paint == (1, 2, 3)
    assert names_of([item(1, "b", track), item(2, "a", track), item(3, "b", track)]) == ["b", "a"]
