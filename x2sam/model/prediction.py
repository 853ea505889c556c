"""What the network says about one frame, and its masks at the size of the picture.

A `Prediction` holds masks on the network's grid, a quarter of the square the mask encoder
saw. On their way back they are enlarged to that square, lose the padding, and are resized
to the picture, each time bilinearly (as the official code does). Enlarged logits exist one
strip of rows at a time, so a large picture costs no more than the masks that are kept.

    >>> sizes = Sizes.squashed(side=8, original=(3, 6))
    >>> left = torch.tensor([5.0, -5.0]).expand(1, 2, 2)
    >>> seen = Prediction.from_logits(torch.tensor([[2.0, 0.0]]), left, sizes)
    >>> seen.masks(torch.tensor([0]))[0, 0].tolist()
    [True, True, True, False, False, False]

All arithmetic is float32 whatever the network ran in, so half precision works anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

STRIP = 2**24  # values in the largest tensor of a strip: 64 MB


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes a mask passes on its way back to the picture, (height, width) in pixels."""

    side: int  # of the square the mask encoder saw
    scaled: tuple[int, int]  # the picture inside it, at the top left; the rest is padding
    original: tuple[int, int]

    @classmethod
    def squashed(cls, side: int, original: tuple[int, int]) -> Sizes:
        """Fill the square with the picture, whatever its shape: the published way."""
        return cls(side, (side, side), original)


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """One frame: Q queries, each with a mask and its likelihood of C conditions."""

    probabilities: Tensor  # (Q, C) float32; the background is left out
    mask_logits: Tensor  # (Q, h, w)
    sizes: Sizes
    # (Q, D) float32 of length 1: the last state of each query, by which a thing is known again
    # in another frame; None where only logits were kept.
    embeddings: Tensor | None = None

    @classmethod
    def from_logits(
        cls,
        class_logits: Tensor,
        mask_logits: Tensor,
        sizes: Sizes,
        queries: Tensor | None = None,
    ) -> Prediction:
        """Read class logits (Q, C + 1), the background last, and mask logits (Q, h, w).

        `queries` (Q, D) are the states from which the classes were read.
        """
        assert class_logits.shape[1] > 1, "there is nothing to look for"
        assert len(class_logits) == len(mask_logits), (class_logits.shape, mask_logits.shape)
        probabilities = class_logits.float().softmax(dim=1)[:, :-1]
        embeddings = None if queries is None else F.normalize(queries.float(), dim=1)
        return cls(probabilities, mask_logits, sizes, embeddings)

    def strips(self, queries: Tensor) -> Iterator[tuple[slice, Tensor]]:
        """Enlarge the masks of some queries, a few rows of the picture at a time.

        Yields rows and their logits, (n, rows, W), which the caller may overwrite; nothing
        if n is 0. Bilinear resizing is separable: heights come first, at the width of the
        grid, and widths strip by strip.
        """
        if len(queries) == 0:
            return
        (height, width), (scaled_height, scaled_width) = self.sizes.original, self.sizes.scaled
        side = self.sizes.side
        grid = self.mask_logits[queries].float()  # (n, h, w)
        tall = _stretch(grid.transpose(1, 2), side, scaled_height, height)  # (n, w, H)
        layers = max(len(queries), self.probabilities.shape[1])
        step = max(1, STRIP // (layers * max(width, side)))
        for top in range(0, height, step):
            rows = slice(top, min(top + step, height))
            yield rows, _stretch(tall[..., rows].transpose(1, 2), side, scaled_width, width)

    def masks(self, queries: Tensor) -> Tensor:
        """Masks of some queries: (n, H, W) bool, where the sigmoid is above a half."""
        shape = (len(queries), *self.sizes.original)
        masks = torch.zeros(shape, dtype=torch.bool, device=self.mask_logits.device)
        for rows, logits in self.strips(queries):
            masks[:, rows] = logits > 0
        return masks

    def quality(self, queries: Tensor) -> Tensor:
        """Mean confidence of a query inside its own mask: (Q,), 0 for queries not asked for."""
        confidence = torch.zeros(len(queries), device=self.mask_logits.device)
        area = torch.zeros_like(confidence)
        for _, logits in self.strips(queries):
            mask = logits > 0
            confidence += (logits.sigmoid_() * mask).sum(dim=(1, 2))
            area += mask.sum(dim=(1, 2))
        quality = confidence.new_zeros(len(self.mask_logits))
        quality[queries] = confidence / (area + 1e-6)
        return quality


def _stretch(lines: Tensor, side: int, scaled: int, size: int) -> Tensor:
    """Resize the last axis, (n, m, w) -> (n, m, size); the others stay as they are."""
    square = F.interpolate(lines[None], (lines.shape[1], side), mode="bilinear")[..., :scaled]
    return F.interpolate(square, (lines.shape[1], size), mode="bilinear")[0]  # (n, m, size)
