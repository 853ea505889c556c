"""When each frame of a clip is shown.

A frame stays until the next one comes, so times are kept as the container keeps them: whole
numbers of a small unit. Nothing is rounded, and a clip whose frames come irregularly stays so:

    >>> timing = Timing(np.array([0, 40, 80, 200]), Fraction(1, 1000), last=40)
    >>> timing.seconds.tolist(), float(timing.duration), timing.at(0.199), timing.variable
    ([0.0, 0.04, 0.08, 0.2], 0.24, 2, True)
    >>> Timing.regular(50, Fraction(25)).rate
    Fraction(25, 1)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

_FINEST = 10_000  # of the parts of a frame per second that are told apart
JITTER = Fraction(2, 1000)  # containers round times to milliseconds, one up and one down


@dataclass(frozen=True, eq=False)
class Timing:
    """The frames of a clip in time; N frames, at least one."""

    stamps: NDArray[np.int64]  # (N,) ascending, in units; the first need not be 0
    unit: Fraction  # seconds
    last: int  # how long the last frame is shown, in units

    def __post_init__(self) -> None:
        assert len(self.stamps) > 0, "a clip has at least one frame"
        assert (np.diff(self.stamps) > 0).all(), "frames come one after the other"
        assert self.unit > 0, self.unit
        assert self.last > 0, self.last

    @classmethod
    def regular(cls, frames: int, rate: Fraction | float) -> Timing:
        """Show `rate` frames per second; a float is taken for the simple fraction it is near."""
        return cls(np.arange(frames), 1 / Fraction(rate).limit_denominator(_FINEST), 1)

    @classmethod
    def stamped(cls, stamps: NDArray[np.int64], unit: Fraction, rate: Fraction) -> Timing:
        """Show frames when they say; the last as long as `rate`, the average, lets expect."""
        return cls(stamps, unit, max(1, round(1 / (rate * unit))))

    @cached_property
    def seconds(self) -> NDArray[np.float64]:
        """When each frame comes, counted from the first: (N,)."""
        ticks: NDArray[np.float64] = (self.stamps - self.stamps[0]) * float(self.unit.numerator)
        return ticks / self.unit.denominator

    @property
    def start(self) -> Fraction:
        """When the first frame comes, on the container's own clock, which its sound shares."""
        return int(self.stamps[0]) * self.unit

    @property
    def duration(self) -> Fraction:
        """Seconds from the first frame to the end of the last."""
        return (int(self.stamps[-1] - self.stamps[0]) + self.last) * self.unit

    @property
    def rate(self) -> Fraction:
        """Frames per second on average."""
        return (len(self.stamps) / self.duration).limit_denominator(1001)

    @property
    def variable(self) -> bool:
        """Whether the time between two frames changes by more than rounding explains."""
        steps = np.diff(self.stamps)
        return len(steps) > 0 and int(np.ptp(steps)) * self.unit > JITTER

    def at(self, seconds: float) -> int:
        """Index of the frame that is shown at a time; the first or last one outside the clip.

        Half a unit early counts as in time, so that `at(seconds[i])` is `i`.
        """
        index = int(np.searchsorted(self.seconds, seconds + float(self.unit) / 2, side="right"))
        return max(0, index - 1)
