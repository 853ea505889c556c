"""Panoptic quality: everything found, named, and cut out once.

A predicted and a true segment of one class match if their IoU is above one half; there can
be only one such partner. Of every class,

    SQ = mean IoU of the matches,   RQ = matches / (matches + ½ missed + ½ invented),

and PQ = SQ · RQ (Kirillov et al., arXiv:1801.00868). The result is the mean over the classes
that occur. Tubes of a clip, (T, H, W), are segments like any other: that is VPQ over its length.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from x2sam.eval.metrics import mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

VOID = 255  # where nobody knows what there is; nothing is right or wrong there


@dataclass(frozen=True, slots=True)
class Segments:
    """A picture cut into segments: ids (H, W), and the class of each id.

    Pixels whose id has no class are background.
    """

    ids: NDArray[np.integer]
    classes: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class PanopticQuality:
    """Means over classes, and PQ class by class."""

    pq: float
    sq: float
    rq: float
    classes: Mapping[str, float]


@dataclass(slots=True)
class _Tally:
    """What happened to one class, over all pictures."""

    ious: list[float] = field(default_factory=list)  # of the matches
    missed: int = 0
    invented: int = 0

    @property
    def sq(self) -> float:
        return mean(self.ious) if self.ious else 0.0

    @property
    def rq(self) -> float:
        matches = len(self.ious)
        return matches / (matches + (self.missed + self.invented) / 2)


def panoptic_quality(pairs: Iterable[tuple[Segments, Segments]]) -> PanopticQuality:
    """Score (predicted, true) pictures or clips; true pixels of id `VOID` are left out."""
    tallies: dict[str, _Tally] = defaultdict(_Tally)
    for predicted, truth in pairs:
        _count(predicted, truth, tallies)
    return PanopticQuality(
        pq=mean(tally.sq * tally.rq for tally in tallies.values()),
        sq=mean(tally.sq for tally in tallies.values()),
        rq=mean(tally.rq for tally in tallies.values()),
        classes={name: tally.sq * tally.rq for name, tally in sorted(tallies.items())},
    )


def _count(predicted: Segments, truth: Segments, tallies: dict[str, _Tally]) -> None:
    """Add one picture to the tallies of its classes."""
    assert predicted.ids.shape == truth.ids.shape, (predicted.ids.shape, truth.ids.shape)
    assert VOID not in truth.classes, f"id {VOID} is void and cannot be a {truth.classes[VOID]}"
    shared = _areas(predicted.ids, truth.ids)
    drawn: dict[int, int] = defaultdict(int)
    real: dict[int, int] = defaultdict(int)
    for (own, other), area in shared.items():
        drawn[own] += area
        real[other] += area

    found, used = set(), set()
    for (own, other), both in shared.items():
        name = predicted.classes.get(own)
        if name is None or name != truth.classes.get(other):
            continue
        union = drawn[own] - shared.get((own, VOID), 0) + real[other] - both
        if 2 * both > union:
            tallies[name].ious.append(both / union)
            used.add(own)
            found.add(other)
    for own in drawn.keys() & predicted.classes.keys() - used:
        # A segment that lies mostly in the void may be right; nobody knows.
        if 2 * shared.get((own, VOID), 0) <= drawn[own]:
            tallies[predicted.classes[own]].invented += 1
    for other in real.keys() & truth.classes.keys() - found:
        tallies[truth.classes[other]].missed += 1


def _areas(first: NDArray[np.integer], second: NDArray[np.integer]) -> dict[tuple[int, int], int]:
    """Pixels that every pair of ids has in common, where it has any."""
    one, index_one = np.unique(first, return_inverse=True)
    two, index_two = np.unique(second, return_inverse=True)
    codes, areas = np.unique(index_one * len(two) + index_two, return_counts=True)
    return {
        (int(one[code // len(two)]), int(two[code % len(two)])): int(area)
        for code, area in zip(codes, areas, strict=True)
    }
