"""Room that grows keeps what is in it, and what was forgotten is written over. Nothing is faked."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from x2sam.model.key_values import ROOM, KeyValues


def tokens(first, count):
    """Keys of some tokens, (1, 2, count, 3), each of which is its number."""
    return torch.arange(first, first + count).float()[None, None, :, None].expand(1, 2, -1, 3)


def read(memory, first, count):
    """Let both layers read tokens: what the second of them then has."""
    for layer in range(2):
        keys, values = memory.update(tokens(first, count), -tokens(first, count), layer)
    memory.length += count
    assert torch.equal(keys, -values)
    return keys[0, 1, :, 2].tolist()


@given(st.lists(st.integers(1, 2 * ROOM), min_size=1, max_size=5))
def test_all_that_was_read_is_handed_out(counts):
    memory, length = KeyValues(layers=2), 0
    for count in counts:
        held = read(memory, length, count)
        length += count
        assert held == list(range(length))
        assert memory.length == length <= memory.room


def test_a_run_that_is_cut_off_counts_for_nothing():
    memory = KeyValues(layers=2)
    read(memory, 0, 3)
    memory.update(tokens(90, 2), tokens(90, 2), 0)  # the second layer never came to it
    assert memory.length == 3
    assert read(memory, 3, 2) == [0, 1, 2, 3, 4]


def test_what_is_forgotten_is_written_over():
    memory = KeyValues(layers=2)
    read(memory, 0, 5)
    memory.shorten(9)
    assert memory.length == 5
    memory.shorten(2)
    assert read(memory, 7, 2) == [0, 1, 7, 8]
