"""Where a feature sits: sine codes and two-dimensional rotation tables.

Tables are made on the fly from the size of the map, so that no module is tied to one picture
size and no table is ever stored in a checkpoint.
"""

from __future__ import annotations

import torch
from torch import Tensor
from transformers.models.mask2former.modeling_mask2former import Mask2FormerSinePositionEmbedding


def sine_positions(features: Tensor) -> Tensor:
    """Sine code of every cell of a map (B, D, h, w): (1, D, h, w), in the map's dtype."""
    _, channels, height, width = features.shape
    code: Tensor = Mask2FormerSinePositionEmbedding.build_sine_position_embedding(
        torch.Size((1, channels, height, width)),
        features.device,
        features.dtype,
        channels // 2,
        normalize=True,
        scale=2 * torch.pi,
    )
    return code


def rotation(
    height: int, width: int, channels: int, theta: float, like: Tensor
) -> tuple[Tensor, Tensor]:
    """Cosines and sines of axial rotary positions, (h * w, D) each, in the dtype of `like`.

    The first half of the channels turns with x, the second with y; neighbours turn together.
    """
    quarter = channels // 4
    frequency = theta ** (-torch.arange(quarter, device=like.device) / quarter)
    y, x = torch.meshgrid(
        torch.arange(height, device=like.device),
        torch.arange(width, device=like.device),
        indexing="ij",
    )
    angle = torch.cat([x.reshape(-1, 1) * frequency, y.reshape(-1, 1) * frequency], dim=-1)
    angle = angle.repeat_interleave(2, dim=-1)  # (h * w, D)
    return angle.cos().to(like.dtype), angle.sin().to(like.dtype)


def rotate(x: Tensor, tables: tuple[Tensor, Tensor]) -> Tensor:
    """Turn pairs of neighbouring channels of (B, N, D) by their token's angles."""
    cos, sin = tables
    pairs = x.float().unflatten(-1, (-1, 2))
    turned = torch.stack([-pairs[..., 1], pairs[..., 0]], dim=-1).flatten(-2)
    return (x.float() * cos + turned * sin).to(x.dtype)
