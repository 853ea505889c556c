"""How long each kind of step takes here, learnt from the steps that were taken.

    >>> pace = Pace()
    >>> for seconds in (0.02, 0.03):
    ...     pace.add("segment", seconds)
    >>> low, high = pace.of("segment")
    >>> low < 0.025 < high
    True
    >>> pace.of("word") is None
    True

What is kept is a mean and a spread for each kind, in which recent steps count more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

Step = Literal["look", "read", "word", "features", "segment", "track", "propose", "decode"]
"""Show a frame to the language model; read a question; write a word; show a frame to the mask
encoder; segment a frame; let SAM 2 find things on a frame; let it try a batch of points; decode a
frame from its file."""

_MEMORY: Final = 30  # steps after which an old one hardly counts
_DOUBT: Final = 0.15  # of a mean, at the least, as a share of it


@dataclass(frozen=True, slots=True)
class _Mean:
    steps: int
    mean: float  # seconds
    spread: float  # mean distance from the mean, seconds


class Pace:
    """Seconds by kind of step; safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._kinds: dict[Step, _Mean] = {}
        self._guard = threading.Lock()

    @contextmanager
    def timed(self, kind: Step, count: int = 1) -> Iterator[None]:
        """Time a block that takes `count` such steps at once; not where it fails."""
        started = self._clock()
        yield
        self.add(kind, (self._clock() - started) / count)

    def add(self, kind: Step, seconds: float) -> None:
        """Take notice of a step. The first one of all warms things up, and is soon forgotten."""
        with self._guard:
            known = self._kinds.get(kind, _Mean(0, seconds, 0.0))
            steps = min(known.steps + 1, _MEMORY)
            new = 1 / max(2, steps) if known.steps else 1.0
            off = seconds - known.mean
            self._kinds[kind] = _Mean(
                steps, known.mean + new * off, known.spread + new * (abs(off) - known.spread)
            )

    def of(self, kind: Step) -> tuple[float, float] | None:
        """Tell what such a step takes: seconds at best and at worst; None if none was taken."""
        with self._guard:
            known = self._kinds.get(kind)
        if known is None:
            return None
        doubt = max(known.spread, _DOUBT * known.mean) * (1 + 2 / known.steps)
        return max(0.0, known.mean - doubt), known.mean + doubt
