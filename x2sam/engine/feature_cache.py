"""What the mask encoder made of frames, kept while there is room.

The budget counts bytes, not entries, as a frame costs nano a hundred times less than the 4B.
The least recently used go first. Safe to use from several threads.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from x2sam.model.mask_encoder import Features

Key = tuple[int, int]  # number of the medium, index of the frame


class FeatureCache:
    """Features by medium and frame, at most `limit` bytes of them."""

    def __init__(self, limit: int) -> None:
        assert limit >= 0, limit
        self.limit = limit
        self.bytes = 0
        self._entries: OrderedDict[Key, Features] = OrderedDict()
        self._guard = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Features | None:
        """Find the features of a frame, which are then the newest."""
        with self._guard:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)

    def put(self, key: Key, features: Features) -> None:
        """Keep the features of a frame if they fit at all; the oldest make room."""
        with self._guard:
            self._drop(key)
            if size_of(features) > self.limit:
                return
            self._entries[key] = features
            self.bytes += size_of(features)
            while self.bytes > self.limit:
                self._drop(next(iter(self._entries)))

    def forget(self, medium: int) -> None:
        """Drop all frames of a medium."""
        with self._guard:
            for key in [key for key in self._entries if key[0] == medium]:
                self._drop(key)

    def clear(self) -> None:
        """Drop everything."""
        with self._guard:
            self._entries.clear()
            self.bytes = 0

    def _drop(self, key: Key) -> None:
        if (features := self._entries.pop(key, None)) is not None:
            self.bytes -= size_of(features)


def size_of(features: Features) -> int:
    """Bytes of the features of a frame."""
    return sum(part.nbytes for part in (*features.maps, features.region_stage))
