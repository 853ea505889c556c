"""How thoroughly a picture is searched for everything in it, and what is found.

>>> Search(points_per_side=8).points
64
>>> Search(points_per_side=8, crop_layers=1, crop_downscale=2).points  # four crops of 4 by 4
128
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Final

from x2sam.errors import PromptError
from x2sam.media.masks import Box, Rle
from x2sam.types import Point

_MOST: Final = 128  # points per side: sixteen thousand in all, an hour on a laptop
_DEEPEST: Final = 4  # layers of crops: 256 crops in the last
_SHARES: Final = ("quality", "stability", "box_overlap", "crop_overlap", "crop_box_overlap")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What SAM's automatic masks can be told: where to look, and what to keep."""

    points_per_side: int = 32
    points_per_batch: int = 64
    quality: float = 0.8  # least intersection over union that the network expects of its mask
    stability: float = 0.95  # least overlap of the masks at thresholds `offset` below and above 0
    offset: float = 1.0  # logits
    box_overlap: float = 0.7  # intersection over union of boxes from which on two masks are one
    min_area: int = 0  # pixels; smaller parts and holes are removed
    threshold: float = 0.0  # the logit from which on a pixel is in a mask
    crop_layers: int = 0  # layer n looks at 2ⁿ by 2ⁿ crops as well, for what is small
    crop_overlap: float = 512 / 1500  # of crops of layer 1, in short sides of the picture
    crop_downscale: int = 1  # a crop of layer n has so many times fewer points a side, to the n-th
    crop_box_overlap: float = 0.7  # as `box_overlap`, for masks from different crops

    def __post_init__(self) -> None:
        if self.points_per_side < 1 or self.points_per_batch < 1:
            raise PromptError(
                "A search for everything needs at least one point per side and batch."
            )
        if self.points_per_side > _MOST:
            raise PromptError(f"A search for everything takes at most {_MOST} points per side.")
        for field in fields(self):
            value = getattr(self, field.name)
            least = {"threshold": -math.inf, "crop_downscale": 1}.get(field.name, 0)
            if field.name in _SHARES and not 0 <= value <= 1:
                raise PromptError(f"“{field.name}” should be from 0 to 1, not {value:g}.")
            if not value >= least:
                raise PromptError(f"“{field.name}” should be at least {least:g}, not {value:g}.")
        if self.crop_layers > _DEEPEST or self.points > _MOST**2:
            raise PromptError(
                f"A search for everything takes at most {_DEEPEST} layers of crops and "
                f"{_MOST**2} points in all."
            )

    def points_in(self, layer: int) -> int:
        """Count the points on each side of a crop of a layer; layer 0 is the whole picture."""
        return max(1, int(self.points_per_side / self.crop_downscale**layer))

    @property
    def points(self) -> int:
        """How many places are looked at."""
        layers = range(self.crop_layers + 1)
        return sum(4**layer * self.points_in(layer) ** 2 for layer in layers)


@dataclass(frozen=True, slots=True)
class Segment:
    """One thing on a picture."""

    rle: Rle
    box: Box
    quality: float
    stability: float
    point: Point  # that it was found from
    crop: Box | None = None  # that it was found in; None for the whole picture
