"""Prompts made from masks: each must lie on its object, and be the same every time.

Covered: hand-made shapes with known clicks and boxes, and properties on any mask. Nothing is
faked.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw

from x2sam.eval.visual_prompts import bounding_box, click, scribble, visual_prompts

masks = arrays(bool, (11, 14)).filter(np.any)


def drawn(points, shape):
    """Pixels of a polyline, as Pillow draws it."""
    image = Image.new("1", shape[::-1])
    ImageDraw.Draw(image).line(points, fill=1)
    ImageDraw.Draw(image).point(points, fill=1)
    return np.asarray(image)


def test_a_click_is_in_the_middle_of_the_thickest_part():
    mask = np.zeros((30, 40), bool)
    mask[5:16, 5:16] = True  # a square with a long tail
    mask[10, 16:38] = True
    assert click(mask) == (10, 10)


def test_the_edge_of_the_picture_is_an_edge():
    """Else the click on an object that fills the picture would be in its corner."""
    assert click(np.ones((11, 11), bool)) == (5, 5)


def test_a_box_ends_after_its_object():
    mask = np.zeros((30, 40), bool)
    mask[3, 4] = mask[20, 39] = True
    assert bounding_box(mask) == (4, 3, 40, 21)


@given(masks)
def test_a_click_and_a_box_fit_any_mask(mask):
    x, y = click(mask)
    assert mask[y, x]
    x0, y0, x1, y1 = bounding_box(mask)
    assert mask[y0:y1, x0:x1].sum() == mask.sum()
    for side in (mask[y0], mask[y1 - 1], mask[:, x0], mask[:, x1 - 1]):
        assert side.any(), "a tighter box would do"


@given(masks, st.integers(0, 1000))
def test_a_scribble_never_leaves_its_mask(mask, seed):
    points = scribble(mask, np.random.default_rng(seed))
    assert click(mask) in points
    assert all(mask[y, x] for x, y in points)
    assert points == scribble(mask, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(5))
def test_a_scribble_crosses_a_big_object(seed):
    mask = np.hypot(*np.mgrid[-40:41, -40:41]) <= 35
    points = scribble(mask, np.random.default_rng(seed))
    line = drawn(points, mask.shape)
    assert (line & mask).sum() >= 0.99 * line.sum()
    extent = np.ptp(np.array(points), axis=0)
    assert extent.max() > 35, "half of the disk's width"


def test_a_single_pixel_can_be_scribbled_on():
    mask = np.zeros((5, 5), bool)
    mask[2, 3] = True
    assert scribble(mask, np.random.default_rng(0)) == ((3, 2),)


def clip():
    """Object 1 is there from the start, object 4 comes later, 255 is nobody's."""
    ids = np.zeros((3, 20, 30), np.uint8)
    ids[:, 2:8, 2:8] = 1
    ids[1, 10:16, 10:16] = 4
    ids[:, :, 29] = 255
    return ids


def test_every_object_gets_every_prompt_where_it_first_appears():
    prompts = list(visual_prompts("pond", clip()))
    assert [(prompt.object, prompt.frame, prompt.kind) for prompt in prompts] == [
        (own, frame, kind)
        for own, frame in [(1, 0), (4, 1)]
        for kind in ("click", "box", "scribble", "mask")
    ]
    by_kind = {prompt.kind: prompt for prompt in prompts if prompt.object == 4}
    assert by_kind["box"].box == (10, 10, 16, 16)
    assert len(by_kind["click"].points) == 1
    assert (by_kind["mask"].mask == (clip()[1] == 4)).all()


def test_a_photo_is_not_prompted_with_its_mask():
    kinds = [prompt.kind for prompt in visual_prompts("street", clip()[:1])]
    assert kinds == ["click", "box", "scribble"]


def test_the_seed_and_the_name_decide_the_scribble():
    def strokes(name, seed):
        mask = np.zeros((1, 60, 60), np.uint8)
        mask[:, 5:55, 5:55] = 1
        prompts = visual_prompts(name, mask, seed)
        return next(prompt.points for prompt in prompts if prompt.kind == "scribble")

    assert strokes("pond", 0) == strokes("pond", 0)
    assert len({strokes("pond", 0), strokes("pond", 1), strokes("street", 0)}) == 3


def test_nothing_there_nothing_to_prompt():
    assert list(visual_prompts("empty", np.zeros((2, 8, 8), np.uint8))) == []
