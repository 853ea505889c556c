"""Which thing is which: segments of one answer keep their numbers from frame to frame.

Two things of one kind are told apart by where they are and by the state of the query that drew
them. All pairs of a segment and a thing known so far are scored, and the frame is matched as a
whole, so two that cross do not swap. A thing keeps its number while it is out of sight.

    >>> here, there = np.eye(4, dtype=bool), np.eye(4, dtype=bool)[::-1]
    >>> ones = np.float32([1, 0]), np.float32([0, 1])
    >>> known = Identities()
    >>> known.number(0, [Found(1, 0, here, 0.9, ones[0]), Found(2, 0, there, 0.9, ones[1])])
    [1, 2]
    >>> known.number(1, [Found(1, 0, here, 0.9, ones[1]), Found(2, 0, there, 0.9, ones[0])])
    [2, 1]

Of a thing are kept its last embedding and its masks in the first and last frame where it was
seen, of which the nearer is compared: a clip may be gone through from the middle both ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from x2sam.engine.tracking import Found
from x2sam.media.masks import Rle

AGAIN: Final = 0.2
"""The least score that makes a segment a known thing; between unknown embeddings, the overlap."""
LIKE: Final = 0.75
"""The cosine of two embeddings that says nothing. With nano in the clips of assets/ one query on
one thing has 0.96 and more from frame to frame, two queries on one thing 0.76 to 0.86, and two
on different things of a picture less than 0.54."""
WEIGHT: Final = 4.0
"""How much a cosine counts beside an overlap: 0.8 is enough without any."""


@dataclass(slots=True, eq=False)
class _Thing:
    """What is kept of a thing."""

    label: int  # which condition
    first: tuple[int, Rle]  # frame, mask
    last: tuple[int, Rle]
    embedding: NDArray[np.float32] | None

    def score(self, frame: int, found: Found, runs: Rle) -> float:
        """How well a segment continues it; below AGAIN it does not."""
        if found.label != self.label:
            return -np.inf
        _, mask = min(self.first, self.last, key=lambda seen: abs(seen[0] - frame))
        score = mask.iou(runs)
        if self.embedding is not None and found.embedding is not None:
            score += WEIGHT * (float(self.embedding @ found.embedding) - LIKE)
        return score

    def see(self, frame: int, found: Found, runs: Rle) -> None:
        """Remember where it is now."""
        self.first = min(self.first, (frame, runs), key=lambda seen: seen[0])
        self.last = max((frame, runs), self.last, key=lambda seen: seen[0])
        self.embedding = found.embedding


class Identities:
    """Numbers the segments of one answer, from 1; keeps three small things for each number."""

    def __init__(self) -> None:
        self._things: list[_Thing] = []

    def number(self, frame: int, found: Sequence[Found]) -> list[int]:
        """Give every segment of a frame the number of its thing; a new thing, a new number."""
        runs = [Rle.of(each.mask) for each in found]
        scores = np.array(
            [
                [thing.score(frame, each, mask) for thing in self._things]
                for each, mask in zip(found, runs, strict=True)
            ]
        ).reshape(len(found), len(self._things))
        # Above AGAIN, a pair is worth what it has more; below, no more than no pair.
        rows, columns = linear_sum_assignment(np.maximum(scores - AGAIN, 0), maximize=True)
        pairs = dict(zip(rows.tolist(), columns.tolist(), strict=True))
        numbers = []
        for index, (each, mask) in enumerate(zip(found, runs, strict=True)):
            known = pairs.get(index)
            if known is None or scores[index, known] < AGAIN:
                known = len(self._things)
                here = frame, mask
                self._things.append(_Thing(each.label, here, here, each.embedding))
            else:
                self._things[known].see(frame, each, mask)
            numbers.append(known + 1)
        return numbers
