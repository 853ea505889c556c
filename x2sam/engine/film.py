"""The frames of a picture or clip, and what was made of them before anything is asked.

A picture is a film of one frame. Frames are decoded when they are wanted and never kept; of
what the model made of them the engine's cache keeps what it has room for. The first frame of a
stream is decoded unlike the others, so that one frame may be kept twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from x2sam.engine.carrier import Prompter
from x2sam.engine.engine import Engine, Work
from x2sam.engine.feature_cache import packed, size_of, unpacked
from x2sam.engine.options import Options, Propagation
from x2sam.media.images import Picture, Pixels
from x2sam.media.videos import Clip
from x2sam.model.mask_encoder import Features
from x2sam.model.x2sam import Decoded
from x2sam.types import Media

Place = tuple[int, bool]  # index of a frame, and whether a stream begins with it

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
        self._prompter: Prompter | None = None  # once somebody pointed

    def __len__(self) -> int:
        return len(self.medium) if isinstance(self.medium, Clip) else 1

    @property
    def prompter(self) -> Prompter | None:
        """SAM 2, for what is pointed at here; None where there is none."""
        if self._prompter is None and self.engine.tracker is not None:
            self._prompter = Prompter(self)
        return self._prompter

    def carried_by(self, options: Options, shown: int) -> Propagation:
        """Settle how masks get from frame to frame, if the language model is shown so many."""
        tracker = self.engine.tracker is not None
        return options.carried_by(tracker=tracker, frames=len(self), shown=shown)

    def seconds(self, index: int) -> float:
        """When a frame is shown."""
        return float(self.medium.timing.seconds[index]) if isinstance(self.medium, Clip) else 0.0

    def picture(self, index: int) -> Pixels:
        """Decode a frame: (H, W, 3)."""
        if not isinstance(self.medium, Clip):
            return self.medium.pixels
        with self.engine.pace.timed("decode"):
            return self.medium.frame(index)

    def pictures(self, places: Sequence[Place]) -> Iterator[Pixels | None]:
        """Decode frames in any order, one at a time; None where the rest is there already."""
        for start in range(0, len(places), _BLOCK):
            block = places[start : start + _BLOCK]
            if block[0] <= block[-1]:
                yield from map(self._unknown, block)
            else:
                held = {place: self._unknown(place) for place in reversed(block)}
                for place in block:
                    yield held.pop(place)

    def decoded(self, work: Work, place: Place, picture: Pixels | None = None) -> Decoded:
        """Show a frame to the mask encoder and pixel decoder, in one step, unless they know it."""
        cache, predictor, key = self.engine.cache, self.engine.predictor, (self._key, place)
        if work is not self._work:
            self._work = work
            cache.request(self._key)
        kept = cache.get(key)
        if kept is None:
            index, first = place
            picture = self.picture(index) if picture is None else picture
            with work.step("features"):
                features = predictor.features(picture[None])
                kept = packed(predictor.decode(features, first=first))
            self.engine.frame_bytes = size_of(kept)
            cache.put(key, kept)
        return unpacked(kept, predictor.dtype)

    def regions(self, work: Work, index: int) -> Features:
        """Give what drawn regions of a frame are read from, without the maps, which are large."""
        first = (self._key, (index, False)) not in self.engine.cache
        return Features((), self.decoded(work, (index, first)).region_stage)

    def unknown(self, frames: Iterable[int]) -> int:
        """Count the frames of which nothing is kept."""
        cache, key = self.engine.cache, self._key
        return sum(
            all((key, (index, first)) not in cache for first in (False, True)) for index in frames
        )

    def fingerprint(self) -> str:
        """Hash its size, length and three of its frames; the same for the same medium."""
        digest = hashlib.sha256(f"{self.size} {len(self)}".encode())
        for index in sorted({0, len(self) // 2, len(self) - 1}):
            digest.update(np.ascontiguousarray(self.picture(index)).tobytes())
        return digest.hexdigest()

    def close(self) -> None:
        """Let go of the file and of what was kept of it."""
        self.engine.cache.forget(self._key)
        if self._prompter is not None:
            self._prompter.close()
        if isinstance(self.medium, Clip):
            self.medium.close()

    def _unknown(self, place: Place) -> Pixels | None:
        return None if (self._key, place) in self.engine.cache else self.picture(place[0])
