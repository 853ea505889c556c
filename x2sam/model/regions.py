"""Region sampler: a drawn mask becomes tokens that the language model can read.

Points inside the mask are drawn, the region map of the frame it was drawn on is read there,
and neighbouring points are averaged (X2SAM, region sampler g_r). The points come from a
generator seeded by the mask itself, so the same drawing always means the same thing; the
official code takes them from the global generator.

    >>> mask = torch.zeros(8, 8, dtype=torch.bool)
    >>> mask[2, 3] = True
    >>> draw_points(mask, 2)
    tensor([[0.2500, 0.3750],
            [0.2500, 0.3750]])
"""

from __future__ import annotations

import zlib

import torch
import torch.nn.functional as F
from torch import Tensor

from x2sam.errors import PromptError


def draw_points(mask: Tensor, count: int) -> Tensor:
    """Draw `count` points of a mask (H, W): (count, 2), as (y, x) fractions of its size.

    A larger mask is sampled without repetition; a smaller one gives all of its pixels in
    reading order and then repeats some.

    Raises:
        PromptError: the mask is empty.
    """
    mask = mask.cpu() != 0
    pixels = mask.nonzero()  # (N, 2)
    if len(pixels) == 0:
        message = "The marked region is empty. Draw or click on the thing you mean."
        raise PromptError(message)
    generator = torch.Generator().manual_seed(zlib.crc32(mask.numpy().tobytes()))
    if len(pixels) > count:
        pixels = pixels[torch.randperm(len(pixels), generator=generator)[:count]]
    elif len(pixels) < count:
        extra = torch.randint(len(pixels), (count - len(pixels),), generator=generator)
        pixels = torch.cat([pixels, pixels[extra]])
    return pixels / torch.tensor(mask.shape)


def read_points(maps: Tensor, points: Tensor, pooling: int) -> Tensor:
    """Read each region's map (R, C, h, w) at its points (R, P, 2): tokens (R, P / pooling, C).

    Points are fractions (y, x); 0 and 1 are the centres of the first and last cell, which
    shifts a drawing by less than half a cell and is how the weights were trained.
    """
    grid = 2 * points.flip(-1).to(maps.dtype) - 1  # (R, P, 2) as x, y
    values = F.grid_sample(maps.float(), grid.float()[:, None], align_corners=True)
    return F.avg_pool1d(values[:, :, 0], pooling).mT.to(maps.dtype)  # (R, P / pooling, C)


def unshuffle(stage: Tensor, factor: int) -> Tensor:
    """Move each `factor` × `factor` block into the channels: (B, H, W, C) -> (B, h, w, C')."""
    batch, height, width, channels = stage.shape
    blocks = stage.view(batch, height // factor, factor, width // factor, factor, channels)
    return blocks.transpose(2, 3).flatten(3)  # (B, h, w, factor * factor * C)
