"""Segment everything on a picture: a grid of points, three masks each, and the good ones stay.

The method and its numbers are those of SAM's automatic masks (arXiv 2304.02643, section 5 and
appendix B), which may look at crops of the picture as well. Masks come best first, and those of
equal quality in the order of crops and grid, so the same picture always gives the same list.

    >>> grid(2, (100, 200)).tolist()
    [[50.0, 25.0], [150.0, 25.0], [50.0, 75.0], [150.0, 75.0]]
    >>> crops((100, 200), 1, overlap=0.2)
    [[(0, 0, 200, 100)], [(0, 0, 110, 60), (0, 40, 110, 100), (90, 0, 200, 60), (90, 40, 200, 100)]]
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, product
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from x2sam.media.masks import Box, Mask, Rle, box_iou
from x2sam.tracker.network import LIMIT, enlarged, pixels_of
from x2sam.tracker.search import Search, Segment
from x2sam.tracker.tracker import Tracker
from x2sam.types import Progress

STAGE: Final = "segmenting everything"
AT_ONCE: Final = 8  # masks at the size of the picture, to bound memory
_EDGE: Final = 20  # pixels from the edge of a crop within which a mask is held to be cut off


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
    yield from distinct(found, search)


def candidates(
    tracker: Tracker, picture: NDArray[np.uint8], search: Search
) -> Iterator[tuple[Progress, list[Segment]]]:
    """Find the good masks of a picture (H, W, 3), batch of points by batch, doubles included."""
    network, done = tracker.network, 0
    whole = (picture.shape[0], picture.shape[1])
    side = network.config.trunk.image_size
    layers = crops(whole, search.crop_layers, search.crop_overlap)
    for layer, crop in ((layer, crop) for layer, those in enumerate(layers) for crop in those):
        x0, y0, x1, y1 = crop
        size = (y1 - y0, x1 - x0)
        points = grid(search.points_in(layer), size)
        scale = torch.tensor([side / size[1], side / size[0]])
        features = network.encode(pixels_of(picture[y0:y1, x0:x1], side, network.device))
        for batch in points.split(search.points_per_batch):
            logits, qualities = network.propose(features, (batch * scale).to(network.device))
            good = list(_good(logits, qualities, batch, size, search))
            if layer:
                good = [one for found in good if (one := _placed(found, crop, whole)) is not None]
            done += len(batch)
            yield Progress(STAGE, done, search.points), good


def crops(size: tuple[int, int], layers: int, overlap: float) -> list[list[Box]]:
    """Divide a picture (H, W): itself, and for layer n its 2ⁿ by 2ⁿ crops, column by column.

    In layer 1 neighbours share `overlap` times the shorter side of the picture, in each further
    layer half as much. Source: `generate_crop_boxes` of the sam2 package.
    """
    height, width = size
    divided: list[list[Box]] = [[(0, 0, width, height)]]
    for count in (2**layer for layer in range(1, layers + 1)):
        shared = int(overlap * min(size) * 2 / count)
        wide, high = (
            math.ceil((shared * (count - 1) + whole) / count) for whole in (width, height)
        )
        corners = product(range(count), repeat=2)
        starts = [((wide - shared) * column, (high - shared) * row) for column, row in corners]
        divided.append(
            [
                (x, y, min(x + wide, width), min(y + high, height))
                for x, y in starts
                if x < width and y < height  # a picture may have fewer pixels than crops
            ]
        )
    return divided


def _placed(segment: Segment, crop: Box, size: tuple[int, int]) -> Segment | None:
    """Bring what was found in a crop to its place in the picture (H, W).

    None if it reaches an edge of the crop that is none of the picture's: it may be cut off there.
    """
    (x0, y0, x1, y1), (height, width) = crop, size
    left, top, right, bottom = segment.box
    box = (left + x0, top + y0, right + x0, bottom + y0)
    for at, edge, end in zip(box, crop, (0, 0, width, height), strict=True):
        if abs(at - edge) <= _EDGE < abs(at - end):
            return None
    mask = np.zeros(size, bool)
    mask[y0:y1, x0:x1] = segment.rle.mask()
    x, y = segment.point
    return replace(segment, rle=Rle.of(mask), box=box, point=(x + x0, y + y0), crop=crop)


def grid(count: int, size: tuple[int, int]) -> Tensor:
    """Points x y in the middle of `count` by `count` cells of a picture, row by row: (N, 2)."""
    height, width = size
    middles = (torch.arange(count) + 0.5) / count
    y, x = torch.meshgrid(middles * height, middles * width, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=1)


def distinct(segments: Sequence[Segment], search: Search) -> list[Segment]:
    """Keep of segments with nearly the same box the best, and of crops the smallest; best first.

    Source: greedy non-maximum suppression, as for boxes of detectors.
    """
    kept: list[Segment] = []
    for _, those in groupby(segments, key=lambda one: one.crop):
        kept += _apart(sorted(those, key=_best_first), search.box_overlap)
    if search.crop_layers:
        kept = _apart(sorted(kept, key=_closest_first), search.crop_box_overlap)
    return sorted(kept, key=_best_first)


def _apart(segments: Sequence[Segment], overlap: float) -> list[Segment]:
    """Keep those whose box none before overlaps."""
    kept: list[Segment] = []
    for segment in segments:
        if all(box_iou(segment.box, other.box) <= overlap for other in kept):
            kept.append(segment)
    return kept


def _best_first(segment: Segment) -> float:
    return -segment.quality


def _closest_first(segment: Segment) -> float:
    """How many pixels were looked at to find it."""
    if segment.crop is None:
        return math.inf
    x0, y0, x1, y1 = segment.crop
    return (x1 - x0) * (y1 - y0)


def _good(
    logits: Tensor, qualities: Tensor, points: Tensor, size: tuple[int, int], search: Search
) -> Iterator[Segment]:
    """Pick of (N, 3, s, s) masks those that the network trusts and that are stable."""
    trusted = (qualities > search.quality).nonzero()
    for chunk in trusted.split(AT_ONCE) if len(trusted) else ():
        at, which = chunk.unbind(1)
        large = enlarged(logits[at, which].clamp(-LIMIT, LIMIT)[None], size)[0] - search.threshold
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
