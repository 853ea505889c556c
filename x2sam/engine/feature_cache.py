"""What the mask encoder made of frames, kept while there is room.

The budget counts bytes, not entries, as a frame costs nano a hundred times less than the 4B.
Who passes through a clip again and again would find nothing if the oldest frames went first:
each is gone just before it comes round. Therefore:

- Room is made by the medium that holds most, so that everybody gets a fair share.
- It gives up the frame it used last, the one that a further pass comes back to last of all;
  but frames that two requests in a row had no use for go before.

Every kept number is rounded to half precision, and what was rounded is used from the first time
on: whether a frame was kept is not to be seen in its masks. Safe to use from several threads.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import torch
from torch import Tensor

from x2sam.model.mask_encoder import Features

Key = tuple[int, int]  # number of the medium, index of the frame

_IN_USE = 2  # requests, the present one included


@dataclass(slots=True)
class _Share:
    """What one medium holds."""

    request: int = 0
    bytes: int = 0
    # By frame, the one used last at the end: its features, and the request that used it.
    frames: OrderedDict[int, tuple[Features, int]] = field(default_factory=OrderedDict)


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

    def get(self, key: Key) -> Features | None:
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

    def put(self, key: Key, features: Features) -> None:
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

    def clear(self) -> None:
        """Drop everything."""
        with self._guard:
            self._shares.clear()
            self.bytes = 0

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

    def _drop(self, share: _Share, frame: int) -> None:
        size = size_of(share.frames.pop(frame)[0])
        share.bytes -= size
        self.bytes -= size


def size_of(features: Features) -> int:
    """Bytes of the features of a frame."""
    return sum(part.nbytes for part in (*features.maps, features.region_stage))


def packed(features: Features) -> Features:
    """Round what is float32 to half precision, half the bytes; not where a number is too large."""
    return Features(tuple(map(_halved, features.maps)), _halved(features.region_stage))


def unpacked(features: Features, dtype: torch.dtype) -> Features:
    """Write what was packed in the precision of the model again."""
    halves = (*features.maps, features.region_stage)
    *maps, region_stage = (p.to(dtype) if p.dtype is torch.float16 else p for p in halves)
    return Features(tuple(maps), region_stage)


def _halved(part: Tensor) -> Tensor:
    if part.dtype is not torch.float32:
        return part
    half = part.half()
    return half if bool(half.isfinite().all()) else part
