"""How long steps take: means, ranges and their bounds, by a clock that is faked."""

import pytest

from x2sam.engine.pace import Pace


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_a_block_is_timed_and_shared_by_alike_steps():
    clock = Clock()
    pace = Pace(clock)
    for _ in range(10):
        with pace.timed("look", 4):
            clock.now += 2
    low, high = pace.of("look")
    assert low < 0.5 < high < 0.65


def test_what_fails_is_not_timed():
    pace = Pace()
    with pytest.raises(ZeroDivisionError), pace.timed("word"):
        raise ZeroDivisionError
    assert pace.of("word") is None


def test_doubt_shrinks_with_experience_and_grows_with_chance():
    steady, wild = Pace(), Pace()
    steady.add("word", 1.0)
    once = steady.of("word")
    for number in range(40):
        steady.add("word", 1.0)
        wild.add("word", 0.5 + number % 2)
    often, uneven = steady.of("word"), wild.of("word")
    assert once[0] < often[0] < 1 < often[1] < once[1]
    assert uneven[1] - uneven[0] > often[1] - often[0]
    assert uneven[0] >= 0


def test_a_slow_first_step_is_soon_forgotten():
    pace = Pace()
    for seconds in (10.0, *[1.0] * 20):
        pace.add("features", seconds)
    low, high = pace.of("features")
    assert low < 2
    assert high < 4


def test_a_change_of_pace_is_noticed():
    pace = Pace()
    for seconds in (*[1.0] * 500, *[3.0] * 60):
        pace.add("segment", seconds)
    low, high = pace.of("segment")
    assert low < 3 < high
    assert low > 2
