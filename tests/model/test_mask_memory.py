"""What a memory keeps, hands out and forgets. Nothing is faked; the tokens are their frame."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from x2sam.model.mask_memory import MaskMemory, age_code


def tokens(frame):
    return torch.full((1, 2, 4), float(frame))


def filled(size, frames):
    memory = MaskMemory(size)
    for frame in frames:
        memory.write(frame, [tokens(frame), -tokens(frame)], torch.zeros(1, 2, 4))
    return memory


@given(st.integers(1, 6), st.integers(0, 12))
def test_the_last_frames_stay(size, count):
    memory = filled(size, range(count))
    assert memory.frames == tuple(range(count))[-size:]
    assert len(memory) == min(size, count)


def test_reading_joins_the_frames_of_a_scale_oldest_first():
    content, position = filled(2, [3, 5, 6]).read(now=9, scale=1)
    assert content[0, :, 0].tolist() == [-5, -5, -6, -6]
    assert torch.equal(position[0, 1], age_code(4, 4))
    assert torch.equal(position[0, 2], age_code(3, 4))


def test_an_age_is_a_sinusoid_with_the_sines_first():
    assert age_code(0, 6).tolist() == [0, 0, 0, 1, 1, 1]
    assert age_code(3, 4).tolist() == pytest.approx(
        [0.14112, 0.0299955, -0.98999, 0.99955], abs=1e-4
    )


def test_an_empty_memory_is_false_and_frames_come_in_order():
    assert not MaskMemory(1)
    memory = filled(3, [4])
    assert memory
    with pytest.raises(AssertionError, match="frame 4 comes too late"):
        memory.write(4, [], torch.zeros(1, 2, 4))
    with pytest.raises(AssertionError, match="0 frames"):
        MaskMemory(0)
