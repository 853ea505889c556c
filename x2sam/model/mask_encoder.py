"""Mask encoder: SAM 2's Hiera with its feature pyramid, from transformers."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from transformers import Sam2VisionModel


@dataclass(frozen=True, slots=True)
class Features:
    """What the mask encoder sees in a batch of frames."""

    maps: tuple[Tensor, ...]  # fine to coarse, (B, D, h, w) each
    region_stage: Tensor  # the stage that drawn regions are read from, (B, h, w, C)

    def frame(self, index: int) -> Features:
        """One frame of the batch, as a batch of one."""
        one = slice(index, index + 1)
        return Features(tuple(level[one] for level in self.maps), self.region_stage[one])


class MaskEncoder(Sam2VisionModel):
    """`Sam2VisionModel` that also hands out the stage for regions."""

    region_stage: int

    def forward(self, pixels: Tensor) -> Features:
        """Encode normalised pictures (B, 3, S, S)."""
        stages = self.backbone(pixels).intermediate_hidden_states
        levels, _ = self.neck(stages)  # coarse to fine
        fine_to_coarse = tuple(levels[-self.num_feature_levels :][::-1])
        return Features(fine_to_coarse, stages[self.region_stage])
