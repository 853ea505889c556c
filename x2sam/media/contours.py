"""Outlines of masks as polygons, and without loss.

The outline runs along the edges between pixels, so its corners are whole numbers and filling it
by pixel centres gives the mask back, bit for bit:

    >>> mask = np.zeros((3, 4), bool)
    >>> mask[1, 1:3] = True
    >>> rings(mask)
    [[(1, 1), (3, 1), (3, 2), (1, 2)]]

A format that allows one polygon per object, as YOLO does, cannot say where a part ends and a
hole begins. `polygon` then walks from ring to ring over bridges of no width. Filling by pixel
centres, even-odd, still gives the mask back; a program that also draws the outline itself, as
OpenCV does, adds up to a pixel around it and along the bridges.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from x2sam.media.masks import Mask

Point = tuple[int, int]
Ring = list[Point]
"""Corners x y of a closed outline; the last is joined to the first."""


def rings(mask: Mask) -> list[Ring]:
    """Trace all outlines, of parts and of holes: parts run clockwise on screen, holes against it.

    Pixels that touch only at a corner have rings of their own, or one that touches itself there.
    """
    following = _edges(mask)
    found = []
    while following:
        corner = next(iter(following))
        ring = [corner]
        before = None
        while True:
            step = _leave(following, corner, before)
            before, corner = corner, step
            if corner == ring[0]:
                break
            ring.append(corner)
        found.append(_corners(ring))
    return found


def polygon(mask: Mask) -> Ring:
    """Join all rings of a mask into one outline over bridges of no width; empty if it is empty.

    Bridges keep to the edges between pixels: a slanted one could meet the centre of a pixel,
    which rounding might then put on one side on the way there and on the other on the way back.
    """
    whole: Ring = []
    bridges: Ring = []
    for ring in rings(mask):
        if bridges:
            bridges.append((ring[0][0], bridges[-1][1]))
            whole.append(bridges[-1])
        bridges.append(ring[0])
        whole += [*ring, ring[0]]
    return whole + bridges[-2::-1] if len(bridges) > 1 else whole[:-1]


def _edges(mask: Mask) -> dict[Point, list[Point]]:
    """Find the pixel edges between inside and outside, directed with the inside to the right."""
    padded = np.pad(mask, 1).astype(np.int8)
    following: dict[Point, list[Point]] = {}
    for start, stop in _directed(np.diff(padded, axis=0)[:, 1:-1], horizontal=True):
        following.setdefault(start, []).append(stop)
    for start, stop in _directed(np.diff(padded, axis=1)[1:-1], horizontal=False):
        following.setdefault(start, []).append(stop)
    return following


def _directed(change: NDArray[np.int8], *, horizontal: bool) -> Iterator[tuple[Point, Point]]:
    """Yield edges of one direction; `change` is 1 where the inside begins, and -1 where it ends."""
    rows, columns = np.nonzero(change)
    for y, x, value in zip(
        rows.tolist(), columns.tolist(), change[rows, columns].tolist(), strict=True
    ):
        one, other = (x, y), ((x + 1, y) if horizontal else (x, y + 1))
        forward = (value > 0) == horizontal  # along the top to the right, down the right side
        yield (one, other) if forward else (other, one)


def _leave(following: dict[Point, list[Point]], corner: Point, before: Point | None) -> Point:
    """Take an edge away from a corner; where two leave, the one that turns."""
    ways = following[corner]
    straight = before and (2 * corner[0] - before[0], 2 * corner[1] - before[1])
    way = ways.pop(1 if len(ways) > 1 and ways[0] == straight else 0)
    if not ways:
        del following[corner]
    return way


def _corners(ring: Ring) -> Ring:
    """Leave out points on straight lines."""
    return [
        point
        for before, point, after in zip([ring[-1], *ring], ring, [*ring[1:], ring[0]], strict=False)
        if not (before[0] == point[0] == after[0] or before[1] == point[1] == after[1])
    ]
