"""The frames of a picture or clip, and what the mask encoder made of them.

A picture is a film of one frame. Frames are decoded when they are wanted and never kept; of
their features the engine's cache keeps what it has room for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from x2sam.engine.engine import Engine, Work
from x2sam.engine.feature_cache import packed, size_of, unpacked
from x2sam.media.images import Picture, Pixels
from x2sam.media.videos import Clip
from x2sam.model.mask_encoder import Features
from x2sam.types import Media

_BLOCK: Final = 16  # frames that are held to go backwards, which video files cannot


class Film:
    """A medium as the engine looks at it."""

    def __init__(self, engine: Engine, medium: Picture | Clip) -> None:
        self.medium = medium
        self.engine = engine
        self.media: Media = "video" if isinstance(medium, Clip) else "image"
        self.size = medium.size[0], medium.size[1]  # height and width
        self._key = engine.new_medium()
        self._work: Work | None = None  # the request that looked last

    def __len__(self) -> int:
        return len(self.medium) if isinstance(self.medium, Clip) else 1

    def seconds(self, index: int) -> float:
        """When a frame is shown."""
        return float(self.medium.timing.seconds[index]) if isinstance(self.medium, Clip) else 0.0

    def picture(self, index: int) -> Pixels:
        """Decode a frame: (H, W, 3)."""
        if not isinstance(self.medium, Clip):
            return self.medium.pixels
        with self.engine.pace.timed("decode"):
            return self.medium.frame(index)

    def pictures(self, indices: Sequence[int]) -> Iterator[Pixels | None]:
        """Decode frames in any order, one at a time; None where the features are there already."""
        for start in range(0, len(indices), _BLOCK):
            block = indices[start : start + _BLOCK]
            if block[0] <= block[-1]:
                yield from map(self._unknown, block)
            else:
                held = {index: self._unknown(index) for index in reversed(block)}
                for index in block:
                    yield held.pop(index)

    def features(self, work: Work, index: int, picture: Pixels | None = None) -> Features:
        """Show a frame to the mask encoder, in a step of its own, unless it knows it."""
        cache, key = self.engine.cache, (self._key, index)
        if work is not self._work:
            self._work = work
            cache.request(self._key)
        kept = cache.get(key)
        if kept is None:
            picture = self.picture(index) if picture is None else picture
            with work.step("features"):
                kept = packed(self.engine.predictor.features(picture[None]))
            self.engine.frame_bytes = size_of(kept)
            cache.put(key, kept)
        return unpacked(kept, self.engine.predictor.dtype)

    def unknown(self, frames: Iterable[int]) -> int:
        """Count the frames whose features are not kept."""
        return sum((self._key, index) not in self.engine.cache for index in frames)

    def fingerprint(self) -> str:
        """Hash its size, length and three of its frames; the same for the same medium."""
        digest = hashlib.sha256(f"{self.size} {len(self)}".encode())
        for index in sorted({0, len(self) // 2, len(self) - 1}):
            digest.update(np.ascontiguousarray(self.picture(index)).tobytes())
        return digest.hexdigest()

    def close(self) -> None:
        """Let go of the file and of what was kept of it."""
        self.engine.cache.forget(self._key)
        if isinstance(self.medium, Clip):
            self.medium.close()

    def _unknown(self, index: int) -> Pixels | None:
        return None if (self._key, index) in self.engine.cache else self.picture(index)
