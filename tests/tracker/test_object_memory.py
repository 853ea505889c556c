"""What of an object is kept and what is dropped, with a network that finds nothing.

Covered: what is left after long and short clips, marks that settle with a walk, outlines that come
back as masks, walks that go on. The network is faked: it gives empty masks, at once.
"""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.tracker.moving import MICRO, Moving
from x2sam.tracker.network import Decoded, Remembered
from x2sam.tracker.object_memory import ObjectMemory
from x2sam.tracker.prompts import Prompt
from x2sam.tracker.tracker import Tracker

CPU = torch.device("cpu")


def decoded(logits):
    return Decoded(logits, torch.zeros(1, 4), torch.tensor(0.5), torch.zeros(1, 1))


class Blank(SimpleNamespace):
    config, device, backend = MICRO, CPU, "blank"

    def encode(self, pixels):
        return None

    def decode(self, features, memory, place, **prompt):
        return decoded(torch.full((1, 1, 8, 8), -1.0))

    def remember(self, features, decoded, *, marked):
        return torch.zeros(1)


def left_after(frames):
    """Frames remembered of two objects after a walk both ways."""
    tracking = Tracker(Blank()).open(Moving(frames, size=(8, 8)))
    tracking.add(1, 20, points=[(1, 1)])
    tracking.add(2, 40, points=[(1, 1)])
    most = 0
    for _ in tracking.propagate(20, "both"):
        most = max(most, sum(len(memory.carried) for memory in tracking._memories.values()))
    memories = tracking._memories.values()
    return most, [sorted(memory.carried) for memory in memories], [m.marked for m in memories]


def test_a_tenfold_clip_leaves_as_much():
    (most, carried, marked), (most_long, carried_long, _) = left_after(64), left_after(640)
    assert carried == carried_long
    assert carried[0] == [*range(20), *range(21, 36)]  # around the start and the end of the walk
    assert most == most_long
    assert [list(table) for table in marked] == [[20], [40]]


@pytest.fixture
def memory():
    return ObjectMemory(50)


def remembered(logits=None):
    return Remembered(decoded(torch.ones(1, 1, 8, 8) if logits is None else logits), torch.zeros(1))


def test_marks_are_seen_by_other_frames_from_the_next_walk_on(memory):
    one = remembered()
    memory.mark(3, Prompt(points=((1, 1),)), one)
    assert not memory.marked
    assert memory.shown(3) is one
    assert memory.previous(3, CPU) is one.decoded.logits
    assert memory.is_initial(3)
    memory.begin(3, 2)
    assert memory.marked == {3: one}
    assert memory.is_initial(3)
    memory.reach(3, reverse=True)
    assert not memory.is_initial(3)
    assert memory.came_backward(3)


def test_an_outline_comes_back_as_a_mask(memory):
    logits = torch.randn(1, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    memory.mark(0, Prompt(), remembered())
    memory.begin(0, -1)
    memory.carry(9, remembered(logits))
    memory.reach(9, reverse=False)
    assert torch.equal(memory.previous(9, CPU), logits)
    memory.drop_beyond(15, 40)
    assert not memory.carried
    back = memory.previous(9, CPU)
    assert np.array_equal(back > 0, logits > 0)
    assert {*back.unique().tolist()} == {-10, 10}
    assert memory.previous(10, CPU) is None


def test_only_a_walk_that_goes_on_uses_what_was_carried(memory):
    memory.mark(4, Prompt(), remembered())
    memory.begin(4, 3)
    memory.carry(5, remembered())
    memory.begin(6, 5)
    assert list(memory.carried) == [5]
    memory.begin(8, 7)
    assert not memory.carried


def test_unmarking_forgets_what_came_of_the_marks(memory):
    memory.mark(4, Prompt(), remembered())
    memory.begin(4, 3)
    memory.carry(5, remembered())
    memory.unmark(4)
    assert not memory.prompts
    assert not memory.marked
    assert not memory.carried
    assert memory.is_initial(4)
