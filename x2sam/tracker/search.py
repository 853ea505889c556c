"""How thoroughly a picture is searched for everything in it, and what is found.

>>> Search(points_per_side=8).points
64
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from x2sam.errors import PromptError
from x2sam.media.masks import Box, Rle
from x2sam.types import Point

_MOST: Final = 128  # points per side: sixteen thousand in all, an hour on a laptop
_SHARES: Final = ("quality", "stability", "box_overlap")


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

    def __post_init__(self) -> None:
        if self.points_per_side < 1 or self.points_per_batch < 1:
            raise PromptError(
                "A search for everything needs at least one point per side and batch."
            )
        if self.points_per_side > _MOST:
            raise PromptError(f"A search for everything takes at most {_MOST} points per side.")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _SHARES and not 0 <= value <= 1:
                raise PromptError(f"“{field.name}” should be from 0 to 1, not {value:g}.")
            if value < 0:
                raise PromptError(f"“{field.name}” should be at least 0, not {value:g}.")

    @property
    def points(self) -> int:
        """How many places are looked at."""
        return self.points_per_side**2


@dataclass(frozen=True, slots=True)
class Segment:
    """One thing on a picture."""

    rle: Rle
    box: Box
    quality: float
    stability: float
    point: Point  # that it was found from
