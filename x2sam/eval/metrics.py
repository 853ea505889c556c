"""Measure masks and words, each metric in the definition its field uses.

Masks are compared as `Overlap`s, two pixel counts, from which every mean is taken: gIoU
averages the samples, cIoU adds up their pixels, mIoU averages classes.

    >>> square, half = np.ones((4, 4), bool), np.zeros((4, 4), bool)
    >>> half[:2] = True
    >>> pairs = [overlap(square, square), overlap(half[:, :2], square[:, :2])]
    >>> giou(pairs), ciou(pairs)
    (0.75, 0.8333333333333334)

Nothing drawn where nothing is meant is a perfect answer and counts 1 everywhere. A mean of
nothing is nan. Masks may have any shape, so a clip (T, H, W) is compared like a picture.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import distance_transform_edt
from scipy.optimize import linear_sum_assignment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

BOUNDARY_TOLERANCE = 0.008  # of the diagonal, as in DAVIS
_NUMBERS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen twenty
"""
_NUMBER_WORDS = {word: str(number) for number, word in enumerate(_NUMBERS.split())}
_ARTICLES = {"a", "an", "the"}


@dataclass(frozen=True, slots=True)
class Overlap:
    """How two masks lie on each other, in pixels."""

    intersection: int
    union: int

    @property
    def iou(self) -> float:
        """Intersection over union; 1 for two empty masks."""
        return self.intersection / self.union if self.union else 1.0


def overlap(predicted: Mask, truth: Mask, ignored: Mask | None = None) -> Overlap:
    """Compare two masks of one shape, leaving out the pixels of `ignored`."""
    assert predicted.shape == truth.shape, (predicted.shape, truth.shape)
    if ignored is not None:
        predicted, truth = predicted[~ignored], truth[~ignored]
    both = int(np.count_nonzero(predicted & truth))
    return Overlap(both, int(np.count_nonzero(predicted) + np.count_nonzero(truth)) - both)


def giou(overlaps: Iterable[Overlap]) -> float:
    """Mean IoU of the samples; one without target counts 1 or 0 (gRefCOCO, arXiv:2306.00968)."""
    return mean(pair.iou for pair in overlaps)


def ciou(overlaps: Iterable[Overlap]) -> float:
    """Cumulative IoU: the intersections of all samples over their unions."""
    pairs = list(overlaps)
    union = sum(pair.union for pair in pairs)
    return sum(pair.intersection for pair in pairs) / union if union else mean(p.iou for p in pairs)


def miou(classes: Iterable[Iterable[Overlap]]) -> float:
    """Mean of the cumulative IoU of every class; classes seen nowhere do not count."""
    seen = [[pair for pair in pairs if pair.union] for pairs in classes]
    return mean(ciou(pairs) for pairs in seen if pairs)


def matched_ious(predicted: Mask, truth: Mask) -> list[float]:
    """IoU of each true mask (M, H, W) with its own predicted one (N, H, W), one to one.

    The pairing is the one with the largest sum; a true mask left alone counts 0.
    """
    table = np.array([[overlap(p, t).iou for p in predicted] for t in truth])
    table = table.reshape(len(truth), len(predicted))
    rows, columns = linear_sum_assignment(table, maximize=True)
    found = np.zeros(len(truth))
    found[rows] = table[rows, columns]
    return [float(value) for value in found]


@dataclass(frozen=True, slots=True)
class RegionAndBoundary:
    """J and F of a clip: how well areas and outlines fit."""

    j: float
    f: float

    @property
    def jf(self) -> float:
        """Their mean, J&F."""
        return (self.j + self.f) / 2


def j_and_f(predicted: Mask, truth: Mask) -> RegionAndBoundary:
    """Score one object in a clip, (T, H, W) each, averaged over all frames given.

    As in DAVIS (Perazzi et al., CVPR 2016), but no frame is dropped: whoever prompts with a
    mask leaves that frame out.
    """
    assert predicted.shape == truth.shape, (predicted.shape, truth.shape)
    frames = list(zip(predicted, truth, strict=True))
    return RegionAndBoundary(
        j=mean(overlap(p, t).iou for p, t in frames), f=mean(boundary_f(p, t) for p, t in frames)
    )


def boundary_f(predicted: Mask, truth: Mask, tolerance: float = BOUNDARY_TOLERANCE) -> float:
    """F measure of the outlines of two masks (H, W); 1 if neither has one.

    An outline pixel is right if the other outline passes within `tolerance` of the picture's
    diagonal, rounded up to whole pixels.
    """
    reach = math.ceil(tolerance * math.hypot(*truth.shape))
    drawn, real = _outline(predicted), _outline(truth)
    if not drawn.any() or not real.any():
        return float(drawn.any() == real.any())
    precision = np.mean(distance_transform_edt(~real)[drawn] <= reach)
    recall = np.mean(distance_transform_edt(~drawn)[real] <= reach)
    total = float(precision + recall)
    return 2 * float(precision * recall) / total if total else 0.0


def _outline(mask: Mask) -> Mask:
    """Mark pixels that differ from the one to the right, below, or diagonally below."""
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    outline: Mask = (mask != padded[:-1, 1:]) | (mask != padded[1:, :-1]) | (mask != padded[1:, 1:])
    return outline


@dataclass(frozen=True, slots=True)
class Absence:
    """How "it is not there" was used (gRefCOCO's N-acc and T-acc)."""

    n_acc: float  # of the requests without target: how many were answered so
    t_acc: float  # of the requests with one: how many were not

    @property
    def false_not_found(self) -> float:
        """Fraction of the things that are there, but were said not to be."""
        return 1 - self.t_acc


def absence(said_absent: Sequence[bool], is_absent: Sequence[bool]) -> Absence:
    """Compare what was said about every request with what is true."""
    pairs = list(zip(said_absent, is_absent, strict=True))
    return Absence(
        n_acc=mean(said for said, truth in pairs if truth),
        t_acc=mean(not said for said, truth in pairs if not truth),
    )


def exact_match(answer: str, *accepted: str) -> bool:
    """Compare with the accepted answers, but for case, articles, marks and number words.

    >>> exact_match("The red apple.", "red apple"), exact_match("Three", "3")
    (True, True)
    >>> exact_match("not red", "red")
    False
    """
    return normalised(answer) in {normalised(text) for text in accepted}


def normalised(text: str) -> str:
    """Reduce an answer to what is compared: plain lower-case words and digits."""
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(_NUMBER_WORDS.get(word, word) for word in words if word not in _ARTICLES)


def mean(values: Iterable[float]) -> float:
    """Arithmetic mean; nan of nothing."""
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else math.nan
