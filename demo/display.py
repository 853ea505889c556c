"""What the page shows of a picture or clip: smaller, in kinds of file that browsers read.

A browser gets everything at the display size, which is the size of the medium unless that is
larger than a screen. A picture travels as one WebP. A clip travels twice: as single JPEG frames,
which are there at once, and as a *proxy*, an MP4 that is made in the background and then plays
and seeks without asking the server again. The proxy has the frames, the times and the sound of
its clip, and a key frame at least every twelve frames, so that any frame is found in a moment.

    >>> display_size((2160, 3840)), display_size((2160, 3840), moving=True), display_size((3, 5))
    ((720, 1280), (540, 960), (3, 5))

Masks are shrunk and grown by taking the nearest pixel. What is thinner than a pixel of the
display may vanish from it, never from the mask itself, which stays as large as its source.
"""

from __future__ import annotations

import io
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from x2sam.errors import MediaError
from x2sam.media.clip_writer import MP4, write_clip
from x2sam.media.images import Picture, Pixels
from x2sam.media.masks import Mask, Rle, Size, resized
from x2sam.media.videos import Clip

PICTURE_SIDE = 1280  # pixels of the longer side on the display
CLIP_SIDE = 960
LOSSLESS = 1 << 16  # pixels; smaller pictures are shown enlarged, where every pixel counts
STILLS_BYTES = 16_000_000

PREVIEW = replace(
    MP4,
    options={"preset": "superfast", "crf": "21", "g": "12", "keyint_min": "1", "bf": "0"},
)
"""How a proxy is encoded: short groups of pictures, in the order they are shown."""

_log = logging.getLogger(__name__)


def display_size(size: Size, *, moving: bool = False) -> Size:
    """Height and width on the page of a medium of `size`; a clip's are even, as H.264 wants."""
    longest = CLIP_SIDE if moving else PICTURE_SIDE
    scale = min(1.0, longest / max(size))
    step = 2 if moving else 1
    height, width = (max(step, round(side * scale / step) * step) for side in size)
    return height, width


def picture_bytes(picture: Picture) -> bytes:
    """Encode a picture at its display size as WebP; small ones without loss."""
    image = Image.fromarray(_scaled(picture.pixels, display_size(picture.size)))
    small = image.width * image.height <= LOSSLESS
    return _encoded(image, "WEBP", lossless=small, quality=75 if small else 90, method=2)


def frame_jpeg(clip: Clip, index: int) -> bytes:
    """Encode one frame of a clip at its display size as JPEG.

    Raises `MediaError` if there is no such frame, or the clip was closed.
    """
    pixels = _scaled(clip.frame(index), display_size(clip.size, moving=True))
    return _encoded(Image.fromarray(pixels), "JPEG", quality=88)


def shrink(mask: Mask, size: Size) -> Mask:
    """Scale a mask of the source to the display's (H, W)."""
    return mask if mask.shape == size else resized(mask, size)


def grow(mask: Mask, size: Size) -> Mask:
    """Scale a mask of the display to the source's (H, W)."""
    return mask if mask.shape == size else resized(mask, size)


def rle_json(mask: Mask) -> dict[str, Any]:
    """Write a mask (H, W) as the page reads it: {"size": [H, W], "counts": text}."""
    return Rle.of(mask).to_json()


class Stills:
    """JPEG frames of one clip, of which the latest are kept; any thread may ask.

    The clip should be opened for this alone: two readers that take turns send each other back
    to the last key frame.
    """

    def __init__(self, clip: Clip, size: int = STILLS_BYTES) -> None:
        self._clip = clip
        self._limit = size
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, index: int) -> bytes:
        """One frame as JPEG; raises `MediaError` as `frame_jpeg` does."""
        with self._lock:
            if index in self._kept:
                self._kept.move_to_end(index)
                return self._kept[index]
        content = frame_jpeg(self._clip, index)
        with self._lock:
            if index not in self._kept:
                self._kept[index] = content
                self._bytes += len(content)
            while self._bytes > self._limit and len(self._kept) > 1:
                self._bytes -= len(self._kept.popitem(last=False)[1])
        return content

    def close(self) -> None:
        """Close the clip, and forget its frames."""
        self._clip.close()
        with self._lock:
            self._kept.clear()
            self._bytes = 0


class Proxy:
    """An MP4 of a clip that is made by a thread of its own; until `ready`, `path` is not there.

    `open_source` opens the clip once more, for this thread alone. `close` stops the work, waits
    for that, and removes what was written.
    """

    def __init__(self, open_source: Callable[[], Clip], path: Path) -> None:
        self.path = path
        self.error: str | None = None
        """A sentence for the person at the screen, if it could not be made."""
        self._open_source = open_source
        self._part = path.with_name(path.name + ".part")
        self._done, self._total = 0, 0
        self._cancelled = threading.Event()
        self._finished = threading.Event()
        self._thread = threading.Thread(target=self._work, name="proxy", daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether the file is complete."""
        return self._finished.is_set() and self.error is None

    @property
    def progress(self) -> float:
        """How much of it is made, from 0 to 1."""
        return 1.0 if self.ready else self._done / self._total if self._total else 0.0

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is ready or has failed; whether it is ready."""
        self._finished.wait(seconds)
        return self.ready

    def close(self) -> None:
        """Stop making it, and remove the file."""
        self._cancelled.set()
        self._thread.join()
        self.path.unlink(missing_ok=True)

    def _work(self) -> None:
        try:
            with self._open_source() as clip:
                self._write(clip)
            self._part.replace(self.path)
        except _CancelledError:
            self.error = "The clip was closed."
        except Exception as error:  # noqa: BLE001 (a thread has nobody to raise to)
            if not isinstance(error, MediaError):
                _log.exception("A proxy failed")
            self.error = "This clip cannot be played here; its frames are shown one by one."
        finally:
            self._part.unlink(missing_ok=True)
            self._finished.set()

    def _write(self, clip: Clip) -> None:
        """Write the clip with its sound, or without it if its sound cannot be taken over."""
        try:
            write_clip(self._part, self._frames(clip), clip.timing, sound=clip.origin, kind=PREVIEW)
        except MediaError:
            if clip.origin is None:
                raise
            write_clip(self._part, self._frames(clip), clip.timing, kind=PREVIEW)

    def _frames(self, clip: Clip) -> Iterator[Pixels]:
        size = display_size(clip.size, moving=True)
        self._total = len(clip)
        for index, pixels in enumerate(clip.frames()):
            if self._cancelled.is_set():
                raise _CancelledError
            yield _scaled(pixels, size)
            self._done = index + 1


class _CancelledError(Exception):
    """Nobody wants the file any more."""


def _scaled(pixels: Pixels, size: Size) -> Pixels:
    """Scale to (H, W)."""
    if pixels.shape[:2] == size:
        return pixels
    height, width = size
    image = Image.fromarray(pixels)
    # `reducing_gap` first takes whole blocks: far quicker for a photograph, and not to be seen.
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=1.0))


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
