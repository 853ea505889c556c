"""Deformable attention by hand, and the whole against transformers' own in float32.

Nothing is faked; the weights are the recorded network's.
"""

import pytest
import torch
from recording import network
from transformers.models.mask2former.modeling_mask2former import Mask2FormerPixelDecoder

from x2sam.model.build import mask2former_config
from x2sam.model.pixel_decoder import sample

SHAPES = [(2, 3), (4, 6)]


def levels(dtype=torch.float32):
    """One channel per head: the first head's is x, the second's y, of the finer level."""
    coarse = torch.full((1, 6, 2, 1), 100.0)
    y, x = torch.meshgrid(torch.arange(4.0), torch.arange(6.0), indexing="ij")
    fine = torch.stack([x.flatten(), y.flatten()], dim=-1)[None, ..., None]
    return torch.cat([coarse, fine], dim=1).to(dtype)


def read(values, places, weights):
    """Read one token: places (levels, points, 2) and weights (levels * points) for both heads."""
    places = torch.tensor(places).expand(1, 1, 2, -1, -1, -1)
    return sample(values, SHAPES, places, torch.tensor(weights).expand(1, 1, 2, -1))[0, 0].tolist()


def test_a_sample_is_the_bilinear_value_between_cells():
    centre = [[[0.5, 0.5]], [[2.5 / 6, 1.5 / 4]]]  # the coarse level's middle; fine cell (2, 1)
    assert read(levels(), centre, [0.0, 1.0]) == pytest.approx([2, 1])
    assert read(levels(), centre, [0.5, 0.5]) == pytest.approx([51, 50.5])
    between = [[[0.5, 0.5]], [[3 / 6, 1.75 / 4]]]
    assert read(levels(), between, [0.0, 1.0]) == pytest.approx([2.5, 1.25])


def test_outside_is_nothing():
    assert read(levels(), [[[-1.0, 0.5]], [[0.5, 2.0]]], [0.5, 0.5]) == [0, 0]


def test_half_precision_is_only_rounded_at_the_end():
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(1, 30, 2, 4, generator=generator).bfloat16()
    places = torch.rand(1, 30, 2, 2, 4, 2, generator=generator).bfloat16()
    weights = torch.rand(1, 30, 2, 8, generator=generator).softmax(-1).bfloat16()
    exact = sample(values.float(), SHAPES, places.float(), weights.float())
    ours = sample(values, SHAPES, places, weights)
    assert ours.dtype == torch.bfloat16
    assert torch.equal(ours, exact.bfloat16())


def test_in_single_precision_it_is_transformers_own():
    ours = network().pixel_decoder
    config = mask2former_config(network().config)
    theirs = Mask2FormerPixelDecoder(config, config.feature_channels).eval()
    theirs.load_state_dict(ours.state_dict())
    generator = torch.Generator().manual_seed(0)
    maps = [torch.randn(2, 32, side, side, generator=generator) for side in (16, 8, 4)]
    with torch.inference_mode():
        multi_scale, mask_features = ours(maps)
        expected = theirs(maps)
    assert torch.allclose(mask_features, expected.mask_features, atol=1e-5)
    assert [level.shape[-1] for level in multi_scale] == [4, 8, 16]
    for level, other in zip(multi_scale, expected.multi_scale_features, strict=True):
        assert torch.allclose(level, other, atol=1e-5)
