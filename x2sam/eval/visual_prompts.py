"""Prompts drawn from the truth: a click, a box and a scribble for every object of a sample.

They stand in for a person's hand, so they are drawn once per object, in the first frame that
shows it, and from a seed: the same sample always gets the same prompts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal
from zlib import crc32

import numpy as np
from scipy.ndimage import distance_transform_edt

from x2sam.media.suite import objects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

Point = tuple[int, int]
Box = tuple[int, int, int, int]

# Where a stroke turns when its way is blocked, in fractions of a full turn.
_TURNS = (0.0, 0.06, -0.06, 0.14, -0.14, 0.25, -0.25)
_STROKE_STEPS = 8  # in each of its two directions


@dataclass(frozen=True, slots=True, kw_only=True)
class VisualPrompt:
    """One object, shown by hand in one annotated frame."""

    kind: Literal["click", "box", "scribble", "mask"]
    object: int
    frame: int  # the index among the annotated frames
    points: tuple[Point, ...] = ()  # of a click or along a scribble, x y
    box: Box | None = None
    mask: Mask | None = None  # (H, W)


def visual_prompts(sample_id: str, ids: NDArray[np.uint8], seed: int = 0) -> Iterator[VisualPrompt]:
    """Yield the prompts of every object in masks (T, H, W), and for clips its first mask."""
    for own in objects(ids):
        frame = int(np.argmax((ids == own).any(axis=(1, 2))))
        mask = ids[frame] == own
        random = np.random.default_rng([seed, crc32(sample_id.encode()), own])
        prompt = partial(VisualPrompt, object=own, frame=frame)
        yield prompt(kind="click", points=(click(mask),))
        yield prompt(kind="box", box=bounding_box(mask))
        yield prompt(kind="scribble", points=scribble(mask, random))
        if len(ids) > 1:
            yield prompt(kind="mask", mask=mask)


def click(mask: Mask) -> Point:
    """Find the pixel x y that is farthest from the edge of a mask, the picture's edge included.

    >>> disk = np.hypot(*np.mgrid[-5:6, -5:6]) <= 4
    >>> click(disk)
    (5, 5)
    """
    y, x = np.unravel_index(np.argmax(_clearance(mask)), mask.shape)
    return int(x), int(y)


def bounding_box(mask: Mask) -> Box:
    """Enclose a mask tightly: x0 y0 x1 y1, the end exclusive."""
    assert mask.any(), "an empty mask has no box"
    rows, columns = mask.nonzero()
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def scribble(mask: Mask, random: np.random.Generator) -> tuple[Point, ...]:
    """Draw a curve that stays inside a mask, as points x y to be joined by lines.

    It starts where a click would be and wanders off in two opposite directions, each time by
    half of the largest clearance, until the mask leaves no way on.
    """
    start = np.array(click(mask), float)
    stride = max(1.0, float(_clearance(mask).max()) / 2)
    heading = random.uniform(0, 2 * math.pi)
    there = _walk(mask, start, heading, stride, random)
    back = _walk(mask, start, heading + math.pi, stride, random)
    return (*back[::-1], click(mask), *there)


def _walk(
    mask: Mask,
    start: NDArray[np.float64],
    heading: float,
    stride: float,
    random: np.random.Generator,
) -> list[Point]:
    """Take steps that stay in the mask, turning a little at each, more where it is blocked."""
    at, way = start, []
    for _ in range(_STROKE_STEPS):
        heading += random.normal(0, 0.3)
        for turn in _TURNS:
            angle = heading + 2 * math.pi * turn
            ahead = np.rint(at + stride * np.array([math.cos(angle), math.sin(angle)]))
            if (ahead != at).any() and _line_inside(mask, at, ahead):
                at, heading = ahead, angle
                way.append((int(at[0]), int(at[1])))
                break
        else:
            break
    return way


def _line_inside(mask: Mask, start: NDArray[np.float64], end: NDArray[np.float64]) -> bool:
    """Tell whether all pixels under a straight line x y to x y belong to the mask."""
    count = 2 * int(np.abs(end - start).max()) + 1
    x, y = np.rint(np.linspace(start, end, count)).astype(int).T
    height, width = mask.shape
    if x.min() < 0 or y.min() < 0 or x.max() >= width or y.max() >= height:
        return False
    return bool(mask[y, x].all())


def _clearance(mask: Mask) -> NDArray[np.float64]:
    """Distance of every pixel from the nearest one outside, beyond the picture included."""
    distance: NDArray[np.float64] = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    return distance
