"""Marks on one frame, checked: what a person did to say "this object".

>>> prompt = Prompt.checked((480, 640), points=[(412, 230)])
>>> prompt.labels
(1,)
>>> Prompt.checked((480, 640), points=[(700, 230)])
Traceback (most recent call last):
...
x2sam.errors.PromptError: The point (700, 230) is outside of the picture, which is 640 × 480 pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch

from x2sam.errors import PromptError
from x2sam.tracker.network import Points
from x2sam.types import Box, Mask, Point


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """All marks of one object on one frame."""

    points: tuple[Point, ...] = ()
    labels: tuple[int, ...] = ()  # 1 on the object, 0 not on it
    box: Box | None = None
    mask: Mask | None = None  # (H, W); points and box, if any, correct it

    @classmethod
    def checked(
        cls,
        size: tuple[int, int],
        points: Sequence[Point] | None = None,
        labels: Sequence[int] | None = None,
        box: Box | None = None,
        mask: Mask | None = None,
    ) -> Self:
        """Make a prompt for a picture of `size` (H, W).

        Raises:
            PromptError: it makes no sense.
        """
        points = tuple((float(x), float(y)) for x, y in points or ())
        labels = (1,) * len(points) if labels is None else tuple(int(label) for label in labels)
        if len(labels) != len(points) or not {*labels} <= {0, 1}:
            raise PromptError("Every point needs a label: 1 on the object, 0 beside it.")
        if not points and box is None and mask is None:
            raise PromptError("Nothing is marked: set a point, draw a box or paint a mask.")
        for point in points:
            _check_point(point, size)
        if mask is not None:
            mask = _checked_mask(mask, size)
        return cls(points, labels, None if box is None else _checked_box(box, size), mask)

    @property
    def says_where(self) -> bool:
        """Tell whether it marks more than what is not the object."""
        painted = self.mask is not None and bool(self.mask.any())
        return 1 in self.labels or self.box is not None or painted

    @property
    def given(self) -> Mask | None:
        """The mask that is meant, where neither points nor a box correct it."""
        return None if self.points or self.box else self.mask

    def after(self, old: Prompt | None) -> Prompt:
        """Take over the mask of what stood there before, if this only adds points to it."""
        if old is None or self.mask is not None or not self._begins_like(old):
            return self
        return replace(self, mask=old.mask)

    def equals(self, other: Prompt) -> bool:
        """Tell whether it has the same marks."""
        return self._begins_like(other) and len(self.points) == len(other.points)

    def extends(self, other: Prompt) -> bool:
        """Tell whether it has the other's marks and more points."""
        return self._begins_like(other) and len(self.points) > len(other.points)

    def _begins_like(self, other: Prompt) -> bool:
        count = len(other.points)
        return (
            self.points[:count] == other.points
            and self.labels[:count] == other.labels
            and self.box == other.box
            and (self.mask is None or _same(self.mask, other.mask))
        )

    def scaled(self, size: tuple[int, int], side: int, device: torch.device) -> Points | None:
        """Points and corners on the network's picture; None if there are none."""
        corners = () if self.box is None else (self.box[:2], self.box[2:])
        if not corners and not self.points:
            return None
        height, width = size
        scale = torch.tensor([side / width, side / height], device=device)
        at = torch.tensor([*corners, *self.points], device=device, dtype=torch.float32) * scale
        kinds = (2, 3)[: len(corners)] + self.labels
        return Points(at[None], torch.tensor([kinds], device=device, dtype=torch.int32))


def _check_point(point: Point, size: tuple[int, int]) -> None:
    (x, y), (height, width) = point, size
    if not (0 <= x <= width and 0 <= y <= height):
        raise PromptError(
            f"The point ({x:g}, {y:g}) is outside of the picture, "
            f"which is {width} × {height} pixels."
        )


def _checked_box(box: Box, size: tuple[int, int]) -> Box:
    height, width = size
    x0, y0, x1, y1 = (float(side) for side in box)
    inside = (max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height)))
    if not (inside[0] < inside[2] and inside[1] < inside[3]):
        raise PromptError(
            f"The box ({x0:g}, {y0:g}) to ({x1:g}, {y1:g}) is empty: drag it from one corner of "
            "the object to the opposite one."
        )
    return inside


def _checked_mask(mask: Mask, size: tuple[int, int]) -> Mask:
    if mask.shape != size:
        shape = " × ".join(str(side) for side in reversed(mask.shape))
        raise PromptError(
            f"The mask is {shape} pixels and the picture {size[1]} × {size[0]}; "
            "they should have the same size."
        )
    return np.array(mask, bool)  # a copy: the caller may go on painting


def _same(one: Mask | None, other: Mask | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)
