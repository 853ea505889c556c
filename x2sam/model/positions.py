"""Where a feature sits: sine codes and two-dimensional rotation tables.

Tables are made from the size of the map when it first comes, so that no module is tied to one
picture size and no table is ever stored in a checkpoint. Those of the sizes in use are kept: of the
4B 130 MB in bfloat16, which would else be computed for every frame.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import torch
from torch import Tensor
from transformers.models.mask2former.modeling_mask2former import Mask2FormerSinePositionEmbedding

_KEPT: Final = 16  # tables of a kind


def sine_positions(features: Tensor) -> Tensor:
    """Sine code of every cell of a map (B, D, h, w): (1, D, h, w), in the map's dtype.

    Others use the same one: it is not to be written to.
    """
    _, channels, height, width = features.shape
    return _sines(channels, height, width, features.device, features.dtype)


def rotation(
    height: int, width: int, channels: int, theta: float, like: Tensor
) -> tuple[Tensor, Tensor]:
    """Cosines and sines of axial rotary positions, (h * w, D) each, in the dtype of `like`.

    The first half of the channels turns with x, the second with y; neighbours turn together.
    Others use the same tables: they are not to be written to.
    """
    return _turns(height, width, channels, theta, like.device, like.dtype)


def forget() -> None:
    """Let go of all tables."""
    _sines.cache_clear()
    _turns.cache_clear()


@lru_cache(_KEPT)
def _sines(
    channels: int, height: int, width: int, device: torch.device, dtype: torch.dtype
) -> Tensor:
    with torch.inference_mode(mode=False):  # training may meet it too
        code: Tensor = Mask2FormerSinePositionEmbedding.build_sine_position_embedding(
            torch.Size((1, channels, height, width)),
            device,
            dtype,
            channels // 2,
            normalize=True,
            scale=2 * torch.pi,
        )
        return code.contiguous()


@lru_cache(_KEPT)
def _turns(
    height: int,
    width: int,
    channels: int,
    theta: float,
    device: torch.device,
    dtype: torch.dtype,
) -> tuple[Tensor, Tensor]:
    with torch.inference_mode(mode=False):
        quarter = channels // 4
        frequency = theta ** (-torch.arange(quarter, device=device) / quarter)
        y, x = torch.meshgrid(
            torch.arange(height, device=device),
            torch.arange(width, device=device),
            indexing="ij",
        )
        angle = torch.cat([x.reshape(-1, 1) * frequency, y.reshape(-1, 1) * frequency], dim=-1)
        angle = angle.repeat_interleave(2, dim=-1)  # (h * w, D)
        return angle.cos().to(dtype), angle.sin().to(dtype)


def rotate(x: Tensor, tables: tuple[Tensor, Tensor]) -> Tensor:
    """Turn pairs of neighbouring channels of (B, N, D) by their token's angles."""
    cos, sin = tables
    pairs = x.float().unflatten(-1, (-1, 2))
    turned = torch.stack([-pairs[..., 1], pairs[..., 0]], dim=-1).flatten(-2)
    return (x.float() * cos + turned * sin).to(x.dtype)
