"""Which frames a request is about: their order, what is refused, and the way to JSON and back.

Nothing is faked.
"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x2sam.engine.reach import DIRECTIONS, Reach
from x2sam.errors import PromptError


@pytest.mark.parametrize(
    ("reach", "streams"),
    [
        (Reach(), [[0, 1, 2, 3, 4, 5]]),
        (Reach(direction="forward"), [[0, 1, 2, 3, 4, 5]]),
        (Reach(direction="backward"), [[5, 4, 3, 2, 1, 0]]),
        (Reach(start=5), [[5, 4, 3, 2, 1, 0]]),
        (Reach(start=2), [[2, 3, 4, 5], [2, 1, 0]]),
        (Reach(start=2, first=1, last=3), [[2, 3], [2, 1]]),
        (Reach(start=2, first=1, direction="forward"), [[2, 3, 4, 5]]),
        (Reach(start=2, first=1, direction="backward"), [[2, 1]]),
        (Reach(first=4, direction="backward"), [[5, 4]]),
        (Reach(start=0, direction="backward"), [[0]]),
        (Reach.only(3), [[3]]),
    ],
)
def test_the_order_of_frames(reach, streams):
    assert [list(way) for way in reach.within(6).streams()] == streams


@pytest.mark.parametrize(
    ("reach", "says"),
    [
        (Reach(first=-1), "no frame -1"),
        (Reach(last=6), "no frame 6; there are 0 to 5"),
        (Reach(first=9), "no frame 9"),
        (Reach(first=4, last=2), "Swap"),
        (Reach(start=1, first=2), "Frame 1 is not among frames 2 to 5"),
        (Reach(start=9), "Frame 9 is not among"),
        (Reach(start=2, best=True), "not both"),
        (Reach(direction="up"), "forward, backward or both"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(reach, says):
    with pytest.raises(PromptError, match=says) as error:
        reach.within(6)
    assert str(error.value).endswith(".")


@given(frames=st.integers(1, 20), data=st.data())
def test_every_frame_once_and_the_start_first(frames, data):
    first = data.draw(st.integers(0, frames - 1))
    last = data.draw(st.integers(first, frames - 1))
    start = data.draw(st.integers(first, last))
    direction = data.draw(st.sampled_from(DIRECTIONS))
    reach = Reach(start=start, first=first, last=last, direction=direction).within(frames)
    assert Reach.from_json(json.loads(json.dumps(reach.to_json()))) == reach
    ways = [list(way) for way in reach.streams()]
    assert all(way[0] == start for way in ways)
    told = [start, *(frame for way in ways for frame in way[1:])]
    low = start if direction == "forward" else first
    high = start if direction == "backward" else last
    assert sorted(told) == list(range(low, high + 1))


@pytest.mark.parametrize("values", [{"direction": "up"}, {"first": "x"}, [], {"start": [1]}])
def test_damaged_json_is_a_sentence(values):
    with pytest.raises(PromptError, match="damaged"):
        Reach.from_json(values)


def test_json_may_leave_out_what_it_does_not_say():
    assert Reach.from_json({}) == Reach()
