"""The union of masks, the down-samplers' shapes, and what a memory entry depends on.

Recorded entries are compared in `tests/eval/test_golden.py`. Nothing is faked; networks are
small and random.
"""

import pytest
import torch

from x2sam.config import MemoryConfig
from x2sam.model.memory_encoder import DownSampler, MemoryEncoder, soft_union


def test_the_union_is_the_mask_of_the_surest_query():
    masks = torch.tensor([[4.0, -4.0], [-4.0, 4.0]]).view(1, 2, 1, 2)
    sure = torch.tensor([[[20.0, 0.0, 0.0], [0.0, 0.0, 20.0]]])  # the second is background
    assert soft_union(sure, masks)[0, 0, 0].tolist() == pytest.approx([0.98, 0.02], abs=0.005)
    both = torch.tensor([[[20.0, 0.0, 0.0], [0.0, 20.0, 0.0]]])
    assert soft_union(both, masks).min() > 0.97


def test_a_padded_class_does_not_count():
    masks = torch.randn(1, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    logits = torch.tensor([[[1.0, 0.5], [2.0, 0.0], [0.0, 3.0]]])
    padded = torch.cat([logits[..., :1], torch.full((1, 3, 2), -1e6), logits[..., 1:]], dim=-1)
    assert torch.allclose(soft_union(padded, masks), soft_union(logits, masks))


def test_hopeless_queries_leave_a_finite_union():
    everything_background = torch.tensor([[[-1e6, 0.0], [-1e6, 0.0]]])
    assert soft_union(everything_background, torch.zeros(1, 2, 2, 2)).tolist()[0][0][0][0] == 0.5


@pytest.mark.parametrize(
    ("strides", "grid", "sides"), [((16, 8, 4), 16, (4, 8, 16)), ((32, 16, 8), 32, (2, 4, 8))]
)
def test_all_scales_come_to_one_grid(strides, grid, sides):
    config = MemoryConfig(grid_stride=grid, growth=2, fuser_feed_forward=16)
    encoder = MemoryEncoder(8, config, strides).requires_grad_(False)
    maps = [torch.zeros(2, 8, side, side) for side in sides]
    entries, position = encoder(maps, torch.zeros(2, 5, 3), torch.zeros(2, 5, 16, 16))
    cells = sides[0] ** 2
    assert [entry.shape for entry in entries] == [(2, cells, 8)] * 3
    assert position.shape == (1, cells, 8)


def test_channels_grow_with_every_halving():
    sampler = DownSampler(8, 8, halvings=2, growth=3)
    assert [layer.conv.out_channels for layer in sampler.layers] == [24, 72]
    assert sampler.final_conv.in_channels == 72


def test_strides_that_cannot_meet_are_our_mistake():
    with pytest.raises(AssertionError, match="coarser than the memory's 16"):
        MemoryEncoder(8, MemoryConfig(), (32, 16, 8))
    with pytest.raises(AssertionError, match="power of two"):
        MemoryEncoder(8, MemoryConfig(), (12, 8, 4))
