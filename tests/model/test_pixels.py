"""Pictures to patches, squares and square masks: sizes, order and values known by hand.

That the values are the official ones is compared in `tests/eval/test_golden.py`, on real
pictures and clips. Nothing is faked.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from x2sam.config import VisionConfig
from x2sam.errors import MediaError
from x2sam.model.pixels import clip_patches, fit, image_patches, square_masks, squares

VISION = VisionConfig()
UNIT = VISION.patch * VISION.merge


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((100, 400), (96, 384)),  # a panorama keeps its size, rounded
        ((16, 64), (32, 128)),  # too few pixels: grown
        ((3000, 4000), (864, 1152)),  # too many: shrunk
        ((1, 1), (64, 64)),
        ((1, 200), (32, 800)),
    ],
)
def test_a_picture_is_shown_near_its_size(shape, expected):
    assert fit(shape, UNIT, VISION.image_pixels) == expected


def test_the_frames_of_a_clip_share_a_budget():
    budget = (4096, 8 * 96 * 128)
    assert fit((96, 128), UNIT, budget, frames=8, temporal=2) == (96, 128)
    assert fit((96, 128), UNIT, budget, frames=32, temporal=2) == (32, 64)


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 64))
@example(2257, 2288, 5)  # two and a half pairs of frames, counted as two
def test_sizes_are_whole_tokens_within_the_budget(height, width, frames):
    if max(height, width) > 200 * min(height, width):
        with pytest.raises(MediaError, match="may be at most 200 times the shorter"):
            fit((height, width), UNIT, VISION.clip_pixels, frames, 2)
        return
    size = fit((height, width), UNIT, VISION.clip_pixels, frames, 2)
    assert all(side > 0 and side % UNIT == 0 for side in size)
    # At most one row or column of tokens beyond the budget, where a side cannot shrink. As Qwen
    # counts, a frame without a partner may count for nothing.
    counted = min(frames, 2 * round(frames / 2))
    assert (size[0] - UNIT) * (size[1] - UNIT) * counted <= VISION.clip_pixels[1]
    assert size[0] * size[1] * (frames + 1) >= VISION.clip_pixels[0]


def test_patches_of_a_token_follow_each_other():
    """A picture of 4 × 4 patches, each of its own grey: blocks of four, row by row."""
    greys = np.arange(16, dtype=np.uint8).reshape(4, 4)
    image = np.repeat(greys.repeat(16, 0).repeat(16, 1)[..., None], 3, axis=2)
    patches = image_patches(image, replace(VISION, image_pixels=(64, 4096)))
    seen = ((patches.values[:, 0] / 2 + 0.5) * 255).round().int().tolist()
    assert seen == [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]
    assert torch.equal(patches.values, patches.values[:, :1].expand(-1, 3 * 2 * 16 * 16))
    assert patches.grids.tolist() == [[1, 4, 4]]


def test_a_patch_holds_colours_then_frames_then_rows():
    frames = np.zeros((2, 64, 64, 3), np.uint8)
    frames[0, :, :, 1] = 255  # green in the first frame only
    frames[1, 3, 5, 2] = 255  # and one blue pixel in the second
    values = clip_patches(frames, VISION).values.view(-1, 3, 2, 16, 16)
    assert values[:, 1, 0].eq(1).all()
    assert values[:, 1, 1].eq(-1).all()
    assert values[0, 2, 1, 3, 5] == 1
    assert values[:, 2].eq(1).sum() == 1


def test_an_odd_clip_repeats_its_last_frame():
    frames = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((1, 64, 64, 3), np.uint8)
    patches = clip_patches(frames, VISION)
    assert patches.grid.t == 2
    last = patches.values[patches.grid.h * patches.grid.w :]
    assert last.eq(2 / 127.5 - 1).all()
    assert clip_patches(frames[:1], VISION).grid.t == 1


def test_squares_are_squashed_and_normalised():
    frame = np.zeros((2, 30, 20, 3), np.uint8)
    frame[1] = (124, 116, 104)  # the mean colour of ImageNet, nearly
    black, grey = squares(frame, 8)
    assert black.shape == (3, 8, 8)
    assert black[:, 0, 0].tolist() == pytest.approx([-2.1179, -2.0357, -1.8044], abs=1e-4)
    assert grey.abs().max() < 0.01


def test_masks_are_squashed_by_nearest_neighbours():
    left = np.zeros((1, 6, 4), bool)
    left[:, :, :2] = True
    assert square_masks(left, 8)[0].int().sum(dim=0).tolist() == [8, 8, 8, 8, 0, 0, 0, 0]


@given(st.integers(0, 299), st.integers(0, 399))
def test_no_click_is_lost(y, x):
    mask = np.zeros((1, 300, 400), bool)
    mask[0, y, x] = True
    ((row, column),) = square_masks(mask, 16)[0].nonzero().tolist()
    assert abs(row - y * 16 / 300) <= 1
    assert abs(column - x * 16 / 400) <= 1


def test_an_empty_mask_stays_empty():
    assert not square_masks(np.zeros((2, 5, 5), bool), 8).any()


def test_a_line_is_no_picture():
    with pytest.raises(MediaError, match="201 × 1 pixels"):
        image_patches(np.zeros((1, 201, 3), np.uint8), VISION)
