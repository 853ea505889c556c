"""Which frames of a clip are looked at.

`uniform` picks a few frames for the whole clip. `spans` and `strides` cut a clip into
smaller ones, which are segmented one after the other: a span is spread over the whole
clip, a stride covers a stretch of it.

    >>> uniform(30, 8)
    (0, 4, 8, 12, 16, 20, 24, 29)
    >>> spans(8, 4)
    [(0, 2, 4, 6), (1, 3, 5, 7)]
    >>> strides(10, 4)
    [(0, 1, 2, 3), (4, 5, 6, 7), (8, 9)]
"""

from __future__ import annotations

import numpy as np


def uniform(frames: int, count: int) -> tuple[int, ...]:
    """Choose `count` frame indices from first to last; all frames when there are fewer."""
    assert frames > 0, frames
    assert count > 0, count
    if count >= frames:
        return tuple(range(frames))
    return tuple(int(index) for index in np.linspace(0, frames - 1, count))


def glimpses(frames: int, count: int) -> tuple[int, ...]:
    """Choose frame indices as `uniform` does, but one alone from the middle.

    >>> glimpses(30, 1)
    (15,)
    """
    return uniform(frames, count) if count > 1 else (frames // 2,)


def middles(frames: int, count: int) -> tuple[int, ...]:
    """Choose the middle of each of `count` equal parts; all frames when there are fewer.

    >>> middles(40, 4)
    (5, 15, 25, 35)
    """
    assert frames > 0, frames
    assert count > 0, count
    count = min(count, frames)
    return tuple((2 * part + 1) * frames // (2 * count) for part in range(count))


def uniform_at(frames: int, frame_rate: float, samples_per_second: float) -> tuple[int, ...]:
    """Choose frame indices at about `samples_per_second` of a clip with `frame_rate`."""
    assert frame_rate > 0, frame_rate
    assert samples_per_second > 0, samples_per_second
    return uniform(frames, max(1, int(frames / frame_rate * samples_per_second)))


def spans(frames: int, count: int) -> list[tuple[int, ...]]:
    """Cut into clips of at most `count` frames, each spread over the whole.

    Where `frames` is no multiple of `count`, some frames repeat and some of the last are in
    no clip; X2SAM was evaluated so.
    """
    assert frames > 0, frames
    assert count > 0, count
    step = max(1, frames // count)
    clips = -(-frames // count)
    return [tuple(range(frames)[start::step][:count]) for start in range(clips)]


def strides(frames: int, count: int, stride: int = 1) -> list[tuple[int, ...]]:
    """Cut into clips of at most `count` frames that are `stride` apart.

    A clip of one frame is left out, as in X2SAM's evaluation.
    """
    assert frames > 0, frames
    assert count > 0, count
    assert stride > 0, stride
    block = count * stride
    clips = [
        tuple(range(first + offset, min(first + block, frames), stride))
        for first in range(0, frames, block)
        for offset in range(stride)
    ]
    return [clip for clip in clips if len(clip) > 1]
