"""Clips for a tracker: objects that are there, photos set in motion, and plain shapes."""

import numpy as np
import pytest
import torch

from x2sam.train.moving import LEAST, bends, draw_clips, with_shapes


def drawn(stream, index=0, **more):
    how = {"clips": 2, "frames": 3, "objects": 4, "size": 64} | more
    return draw_clips(stream, index, **how)


def test_clips_show_their_objects_first(stream):
    for index in range(5):
        clips = drawn(stream, index)
        assert clips.pictures.shape == (2, 3, 3, 64, 64)
        assert clips.masks.shape == (2, 3, 4, 64, 64)
        assert clips.masks.dtype == torch.bool
        assert clips.pictures.min() >= 0
        assert clips.pictures.max() <= 1
        assert (clips.masks[:, 0].float().mean(dim=(2, 3)) >= LEAST).all()


def test_a_number_is_always_the_same_clip(stream):
    one, again, other = drawn(stream, 3), drawn(stream, 3), drawn(stream, 4)
    assert torch.equal(one.pictures, again.pictures)
    assert torch.equal(one.masks, again.masks)
    assert not torch.equal(one.pictures, other.pictures)


def test_a_bend_begins_with_nothing_and_stays_near():
    still = bends(np.random.default_rng(1), 1, 32)[0]
    axis = (np.arange(32) + 0.5) / 16 - 1
    np.testing.assert_allclose(still[..., 0], np.tile(axis, (32, 1)), atol=1e-6)
    np.testing.assert_allclose(still[..., 1], np.tile(axis, (32, 1)).T, atol=1e-6)
    for seed in range(20):
        moved = bends(np.random.default_rng(seed), 6, 32)
        steps = np.abs(np.diff(moved, axis=0)).max(axis=(1, 2, 3))
        assert 0 < steps.max() < 0.6  # of the half side


@pytest.mark.parametrize("round_", [True, False])
def test_shapes_take_the_place_of_objects(stream, round_):
    clips = drawn(stream, frames=1, objects=6, size=128)
    shapes = with_shapes(clips, 5, round_=round_)
    assert shapes.pictures is clips.pictures
    assert shapes.masks.shape == clips.masks.shape
    inside = shapes.masks.flatten(0, 2)
    filled = inside.float().mean(dim=(1, 2))
    assert (filled > 0).all()
    for mask in inside:  # a rectangle fills its box, a disc does not
        rows, columns = mask.any(dim=1), mask.any(dim=0)
        whole = mask[rows][:, columns].float().mean()
        assert whole == 1 if not round_ else whole < 1 or mask.sum() < 30
