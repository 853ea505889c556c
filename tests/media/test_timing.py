"""Times of frames: kept as whole numbers, found again by time, for even and uneven clips."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from x2sam.media.timing import Timing

steps = st.lists(st.integers(1, 400), max_size=40)


@given(steps, st.integers(-5000, 5000), st.integers(1, 400))
def test_every_frame_is_found_by_its_own_time(steps, start, last):
    stamps = start + np.cumsum([0, *steps])
    timing = Timing(stamps, Fraction(1, 1000), last)
    assert [timing.at(second) for second in timing.seconds] == list(range(len(stamps)))
    assert timing.seconds[0] == 0
    assert timing.start == Fraction(start, 1000)
    assert timing.duration == Fraction(sum(steps) + last, 1000)
    assert timing.at(-1) == 0
    assert timing.at(1e9) == len(stamps) - 1


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30000, 1001), Fraction(5, 2)])
def test_a_regular_rate_is_exact(rate):
    timing = Timing.regular(200, rate)
    assert timing.rate == rate
    assert timing.duration == 200 / rate
    assert not timing.variable


@pytest.mark.parametrize(
    ("rate", "exact"),
    [
        (25, Fraction(25)),
        (12.5, Fraction(25, 2)),
        (0.1, Fraction(1, 10)),
        (29.97, Fraction(2997, 100)),
    ],
)
def test_a_rate_may_be_a_plain_number(rate, exact):
    timing = Timing.regular(50, rate)
    assert timing.unit == 1 / exact
    assert timing.duration == 50 / exact


def test_rounding_to_milliseconds_is_not_called_variable():
    stamps = np.rint(np.arange(100) * 1001 / 30).astype(np.int64)
    timing = Timing.stamped(stamps, Fraction(1, 1000), Fraction(30000, 1001))
    assert not timing.variable
    assert timing.last == 33
    assert float(timing.rate) == pytest.approx(29.97, rel=1e-3)


def test_a_single_frame_lasts_as_long_as_the_rate_says():
    timing = Timing.stamped(np.array([512]), Fraction(1, 12800), Fraction(25))
    assert float(timing.duration) == 0.04
    assert not timing.variable


def test_frames_have_to_ascend():
    with pytest.raises(AssertionError):
        Timing(np.array([0, 5, 5]), Fraction(1, 10), 1)
