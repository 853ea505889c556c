"""What the mask encoder and the pixel decoder made of frames, kept while there is room.

That is all that a further request about a frame can save: what follows depends on the request.
The budget counts bytes, not entries, as a frame costs nano a hundred times less than the 4B.
Who passes through a clip again and again would find nothing if the oldest frames went first:
each is gone just before it comes round. Therefore:

- Room is made by the medium that holds most, so that everybody gets a fair share.
- It gives up the frame it used last, the one that a further pass comes back to last of all;
  but frames that two requests in a row had no use for go before.

A frame is kept in pages of memory of its own. Whatever lives long on the heap, be it the head of
a tensor, splits the room that each step of the model takes and gives back, so that the process
would grow by almost twice what is kept.

Every kept number is rounded to half precision, and what was rounded is used from the first time
on: whether a frame was kept is not to be seen in its masks. Safe to use from several threads.
"""

from __future__ import annotations

import mmap
import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor

from x2sam.model.x2sam import Decoded

Key = tuple[int, Hashable]  # number of the medium, and which of its frames

LEAST: Final = 88 << 20
"""Bytes, for a start: of nano's frames almost two hundred, of the 4B's one."""
MOST: Final = 8 << 30
"""Bytes, on the largest of GPUs: a hundred of the 4B's frames."""

_IN_USE = 2  # requests, the present one included


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """What is kept of a frame, all in one row of bytes."""

    first: bool  # as `Decoded.first`
    layout: tuple[tuple[torch.dtype, torch.Size], ...]  # maps, mask features, region stage
    data: mmap.mmap | Tensor  # a tensor (N,) uint8 where it is not in the memory of the CPU


@dataclass(slots=True)
class _Share:
    """What one medium holds."""

    request: int = 0
    bytes: int = 0
    # By frame, the one used last at the end: what was kept, and the request that used it.
    frames: OrderedDict[Hashable, tuple[Packed, int]] = field(default_factory=OrderedDict)


class FeatureCache:
    """Features by medium and frame, at most `limit` bytes of them."""

    def __init__(self, limit: int) -> None:
        assert limit >= 0, limit
        self.limit = limit
        self.bytes = 0
        self._shares: OrderedDict[int, _Share] = OrderedDict()  # the one used last at the end
        self._guard = threading.Lock()

    def __len__(self) -> int:
        return sum(len(share.frames) for share in list(self._shares.values()))

    def __contains__(self, key: Key) -> bool:
        with self._guard:
            medium, frame = key
            return medium in self._shares and frame in self._shares[medium].frames

    def request(self, medium: int) -> None:
        """Say that a request begins; frames that nobody asks for any more are told by that."""
        with self._guard:
            self._share(medium).request += 1

    def get(self, key: Key) -> Packed | None:
        """Find the features of a frame."""
        medium, frame = key
        with self._guard:
            share = self._share(medium)
            if frame not in share.frames:
                return None
            features, _ = share.frames[frame]
            share.frames[frame] = features, share.request
            share.frames.move_to_end(frame)
            return features

    def put(self, key: Key, features: Packed) -> None:
        """Keep the features of a frame if they fit at all; others make room."""
        medium, frame = key
        size = size_of(features)
        with self._guard:
            if size > self.limit:
                return
            share = self._share(medium)
            if frame in share.frames:
                self._drop(share, frame)
            while self.bytes + size > self.limit:
                self._make_room(share, size)
            share.frames[frame] = features, share.request
            share.bytes += size
            self.bytes += size

    def forget(self, medium: int) -> None:
        """Drop all frames of a medium."""
        with self._guard:
            if (share := self._shares.pop(medium, None)) is not None:
                self.bytes -= share.bytes

    def give_way(self) -> None:
        """Drop everything as memory ran out, and keep half as much from now on."""
        with self._guard:
            self._shares.clear()
            self.bytes = 0
            self.limit = max(self.limit // 2, min(self.limit, LEAST))

    def _share(self, medium: int) -> _Share:
        share = self._shares.setdefault(medium, _Share())
        self._shares.move_to_end(medium)
        return share

    def _make_room(self, asking: _Share, size: int) -> None:
        """Drop one frame of the medium that holds most, `asking` with what it wants to keep."""

        def holds(share: _Share) -> tuple[int, bool]:
            mine = share is asking
            return share.bytes + size * mine, mine

        giving = max((share for share in self._shares.values() if share.frames), key=holds)
        oldest, (_, used) = next(iter(giving.frames.items()))
        idle = used <= giving.request - _IN_USE
        self._drop(giving, oldest if idle else next(reversed(giving.frames)))

    def _drop(self, share: _Share, frame: Hashable) -> None:
        size = size_of(share.frames.pop(frame)[0])
        share.bytes -= size
        self.bytes -= size


def budget(free: int | None, work: int) -> int:
    """Say how much may be kept with CUDA: half of what is free beside a picture.

    The other half is for longer conversations, and for whoever else uses the GPU.

    Args:
        free: bytes there once everything is loaded; None where that is not known.
        work: bytes that looking at a picture takes.

    >>> [budget(free << 30, 4 << 30) >> 20 for free in (4, 14, 130)]
    [88, 5120, 8192]
    """
    return min(max(LEAST, ((free or 0) - work) // 2), MOST)


def size_of(features: Packed) -> int:
    """Bytes of what is kept of a frame."""
    return len(features.data)


def packed(features: Decoded) -> Packed:
    """Round what is float32 to half precision, half the bytes; not where a number is too large."""
    whole = (*features.maps, features.mask_features, features.region_stage)
    parts = [_halved(part) for part in whole]
    layout = tuple((part.dtype, part.shape) for part in parts)
    data = torch.cat([part.flatten().view(torch.uint8) for part in parts])
    return Packed(features.first, layout, _off_the_heap(data))


def unpacked(features: Packed, dtype: torch.dtype) -> Decoded:
    """Write what was packed in the precision of the model again."""
    data = features.data
    row = data if isinstance(data, Tensor) else torch.frombuffer(data, dtype=torch.uint8)
    sizes = [kind.itemsize * shape.numel() for kind, shape in features.layout]
    parts = []
    for piece, (kind, shape) in zip(row.split(sizes), features.layout, strict=True):
        part = piece.clone().view(kind).view(shape)  # a copy, as views must be aligned
        parts.append(part.to(dtype) if kind is torch.float16 else part)
    *maps, mask_features, region_stage = parts
    return Decoded(features.first, tuple(maps), mask_features, region_stage)


def _halved(part: Tensor) -> Tensor:
    if part.dtype is not torch.float32:
        return part
    half = part.half()
    return half if bool(half.isfinite().all()) else part


def _off_the_heap(data: Tensor) -> mmap.mmap | Tensor:
    if data.device.type != "cpu":
        return data
    pages = mmap.mmap(-1, len(data))
    torch.frombuffer(pages, dtype=torch.uint8).copy_(data)
    return pages
