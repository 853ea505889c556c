"""Mask memory: what the model still knows of the frames it has segmented.

One `MaskMemory` serves one clip. It never holds more than `size` frames, so a long clip
costs no more than a short one (X2SAM, section 3, Mask Memory; the first frame in is the
first out, and nothing else is kept).

    >>> memory = MaskMemory(size=2)
    >>> for frame in range(4):
    ...     memory.write(frame, [torch.zeros(1, 6, 8)], torch.zeros(1, 6, 8))
    >>> memory.frames
    (2, 3)
    >>> content, position = memory.read(now=4, scale=0)
    >>> content.shape
    torch.Size([1, 12, 8])
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor


class MaskMemory:
    """The last `size` frames of one clip; the oldest makes room for the newest."""

    def __init__(self, size: int) -> None:
        assert size > 0, f"a memory of {size} frames remembers nothing"
        self._entries: deque[tuple[int, Sequence[Tensor], Tensor]] = deque(maxlen=size)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def frames(self) -> tuple[int, ...]:
        """Indices of the remembered frames, oldest first."""
        return tuple(frame for frame, _, _ in self._entries)

    def write(self, frame: int, scales: Sequence[Tensor], position: Tensor) -> None:
        """Remember a frame: its tokens at each scale and where they sit, (B, N, D) each."""
        assert not self._entries or frame > self._entries[-1][0], f"frame {frame} comes too late"
        self._entries.append((frame, scales, position))

    def read(self, now: int, scale: int) -> tuple[Tensor, Tensor]:
        """All tokens of one scale and their positions, age included: (B, N * frames, D) each."""
        content = [scales[scale] for _, scales, _ in self._entries]
        position = [
            position + _kept_code(now - frame, position.shape[-1], position.device, position.dtype)
            for frame, _, position in self._entries
        ]
        return torch.cat(content, dim=1), torch.cat(position, dim=1)


@lru_cache(64)
def _kept_code(age: int, width: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Keep the few codes in use on the device: bringing them there would wait for it."""
    with torch.inference_mode(mode=False):  # training may meet them too
        return age_code(age, width).to(device, dtype)


def age_code(age: int, width: int) -> Tensor:
    """Sinusoidal code of an age in frames: (D,), sines first."""
    half = width // 2
    angle = age * torch.exp(torch.arange(half) * (-math.log(10_000) / half))
    return torch.cat([angle.sin(), angle.cos()])
