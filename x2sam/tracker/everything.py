"""Segment everything on a picture: a grid of points, three masks each, and the good ones stay.

The method and its numbers are those of SAM's automatic masks (arXiv 2304.02643, section 5 and
appendix B) without its crops. Masks come best first, and those of equal quality in the order of the
grid, so the same picture always gives the same list.

    >>> grid(2, (100, 200)).tolist()
    [[50.0, 25.0], [150.0, 25.0], [50.0, 75.0], [150.0, 75.0]]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from x2sam.media.masks import Mask, Rle, box_iou
from x2sam.tracker.network import LIMIT, enlarged, pixels_of
from x2sam.tracker.search import Search, Segment
from x2sam.tracker.tracker import Tracker
from x2sam.types import Progress

STAGE: Final = "segmenting everything"
AT_ONCE: Final = 8  # masks at the size of the picture, to bound memory


def everything(
    tracker: Tracker, picture: NDArray[np.uint8], search: Search | None = None
) -> Iterator[Progress | Segment]:
    """Find all segments of a picture (H, W, 3).

    Yields `Progress` after every batch of points, and in the end the segments. Close it to stop.
    """
    search, found = search or Search(), list[Segment]()
    for progress, segments in candidates(tracker, picture, search):
        found += segments
        yield progress
    yield from distinct(found, search.box_overlap)


def candidates(
    tracker: Tracker, picture: NDArray[np.uint8], search: Search
) -> Iterator[tuple[Progress, list[Segment]]]:
    """Find the good masks of a picture (H, W, 3), batch of points by batch, doubles included."""
    network = tracker.network
    height, width = size = picture.shape[:2]
    side = network.config.trunk.image_size
    points = grid(search.points_per_side, size)
    scale = torch.tensor([side / width, side / height])
    features = network.encode(pixels_of(picture, side, network.device))
    for first in range(0, len(points), search.points_per_batch):
        batch = points[first : first + search.points_per_batch]
        logits, qualities = network.propose(features, (batch * scale).to(network.device))
        segments = list(_good(logits, qualities, batch, size, search))
        yield Progress(STAGE, first + len(batch), len(points)), segments


def grid(count: int, size: tuple[int, int]) -> Tensor:
    """Points x y in the middle of `count` by `count` cells of a picture, row by row: (N, 2)."""
    height, width = size
    middles = (torch.arange(count) + 0.5) / count
    y, x = torch.meshgrid(middles * height, middles * width, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=1)


def distinct(segments: Sequence[Segment], overlap: float) -> list[Segment]:
    """Keep of segments with nearly the same box the best; best first.

    Source: greedy non-maximum suppression, as for boxes of detectors.
    """
    kept: list[Segment] = []
    for segment in sorted(segments, key=lambda one: -one.quality):
        if all(box_iou(segment.box, other.box) <= overlap for other in kept):
            kept.append(segment)
    return kept


def _good(
    logits: Tensor, qualities: Tensor, points: Tensor, size: tuple[int, int], search: Search
) -> Iterator[Segment]:
    """Pick of (N, 3, s, s) masks those that the network trusts and that are stable."""
    trusted = (qualities > search.quality).nonzero()
    for chunk in trusted.split(AT_ONCE) if len(trusted) else ():
        at, which = chunk.unbind(1)
        large = enlarged(logits[at, which].clamp(-LIMIT, LIMIT)[None], size)[0]
        stable = _stability(large, search.offset)
        for index, mask in enumerate((large > 0).cpu().numpy()):
            if stable[index] < search.stability:
                continue
            rle = Rle.of(without_crumbs(mask, search.min_area))
            if (box := rle.box) is None:
                continue
            x, y = points[at[index]].tolist()
            quality = float(qualities[at[index], which[index]])
            yield Segment(rle, box, quality, float(stable[index]), (x, y))


def _stability(logits: Tensor, offset: float) -> list[float]:
    """Overlap of each mask (N, H, W) with itself at a lower threshold."""
    small = (logits > offset).sum((1, 2))
    large = (logits > -offset).sum((1, 2))
    return (small / large.clamp(min=1)).tolist()


def without_crumbs(mask: Mask, area: int) -> Mask:
    """Fill holes and remove parts of less than `area` pixels."""
    for inside in (False, True):
        labels, count = ndimage.label(mask == inside, np.ones((3, 3)))
        sizes = np.bincount(labels.ravel(), minlength=count + 1)
        small = sizes < area
        small[0] = False
        mask = mask ^ small[labels]
    return mask
