"""Visual prompts, drawn on what they point at: clicks, boxes, scribbles and masks.

Each is a mask of the picture's size, as a person would have drawn it: a disc somewhere on
the thing, a rectangle that nearly fits, a stroke across, or the thing itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from numpy.random import Generator

    from x2sam.train.texts import Region

_SPOTS = 3  # points that a scribble runs through


def draw_region(region: Region, mask: Tensor) -> Tensor:
    """Draw a prompt on the visible mask (S, S) of its thing; returns (S, S) bool."""
    rng = np.random.default_rng(region.seed)
    if region.kind == "mask":
        return mask
    size, device = mask.shape[-1], mask.device
    inside = mask.nonzero()  # (M, 2) y x
    assert len(inside), region
    axis = torch.arange(size, device=device)
    if region.kind == "box":
        low, high = inside.amin(dim=0).tolist(), inside.amax(dim=0).tolist()
        y0, x0, y1, x1 = _about(rng, (*low, *high), size)
        rows, columns = (axis >= y0) & (axis <= y1), (axis >= x0) & (axis <= x1)
        return rows[:, None] & columns[None]
    thickness = max(1.0, size * float(rng.uniform(0.012, 0.035)))
    spots = [inside[int(rng.integers(len(inside)))].tolist() for _ in range(_SPOTS)]
    if region.kind == "click":
        if rng.random() < 0.5:  # noqa: PLR2004 - the middle, or rather the point of it next to it
            middle = inside.float().mean(dim=0)
            spots = [inside[int((inside - middle).square().sum(dim=1).argmin())].tolist()]
        spots = spots[:1]
    y, x = axis[:, None].float(), axis[None].float()
    stroke = torch.zeros(size, size, dtype=torch.bool, device=device)
    for start, end in zip(spots, spots[1:] or spots, strict=False):
        stroke |= _distance(y, x, start, end) <= thickness
    return stroke & mask if region.kind == "scribble" else stroke


def _about(rng: Generator, box: tuple[int, int, int, int], size: int) -> tuple[int, int, int, int]:
    """Miss the corners of a box by a few per cent, as a hand does."""
    y0, x0, y1, x1 = box
    slack = 0.05 * max(y1 - y0, x1 - x0, 4)
    off = rng.uniform(-slack, slack, size=4).round().astype(int)
    low = (max(0, y0 + off[0]), max(0, x0 + off[1]))
    return *low, min(size - 1, max(low[0], y1 + off[2])), min(size - 1, max(low[1], x1 + off[3]))


def _distance(y: Tensor, x: Tensor, start: list[int], end: list[int]) -> Tensor:
    """Distance of every pixel from a line between two points (y, x)."""
    down, across = end[0] - start[0], end[1] - start[1]
    length = max(down**2 + across**2, 1)
    along = (((y - start[0]) * down + (x - start[1]) * across) / length).clamp(0, 1)
    return torch.hypot(y - start[0] - along * down, x - start[1] - along * across)
