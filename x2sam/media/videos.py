"""Clips: frames by number or by time, whatever they come from.

    >>> frames = np.stack([np.full((2, 4, 3), level, np.uint8) for level in (0, 100, 200)])
    >>> with open_clip(frames, frame_rate=2) as clip:
    ...     print(len(clip), clip.size, clip.frame(1)[0, 0], clip.at(1.2)[0, 0], clip.duration)
    3 (2, 4) [100 100 100] [200 200 200] 1.5

A clip never holds more than a frame or two, so an hour of it costs no more memory than a
second. Frames asked for in ascending order are decoded one after the other; any other order
works as well, and gives the same frames.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from x2sam.errors import MediaError
from x2sam.media.images import (
    Picture,
    Pixels,
    Source,
    count_frames,
    existing_file,
    name_of,
    open_picture,
    read_bytes,
    read_image,
)
from x2sam.media.limits import Limits
from x2sam.media.picture_series import (
    ANIMATED,
    AnimatedPicture,
    ArrayFrames,
    ZippedPictures,
    open_folder,
)
from x2sam.media.timing import Timing
from x2sam.media.video_file import VideoFile

FRAME_RATE = 24.0
"""Frames per second of pictures that do not say."""

_ANY = Limits(clip_bytes=1 << 60, clip_seconds=float("inf"), clip_frames=1 << 60)
_HEAD = 12
_ZIP = re.compile(rb"PK(\x03\x04|\x05\x06)")
_MOVING = re.compile(rb"GIF8|\x89PNG|RIFF....WEBP|....ftypavi[fs]", re.DOTALL)
_STILL = re.compile(rb"\xff\xd8\xff|II\*\0|MM\0\*")


class FrameSource(Protocol):
    """What a clip needs to know about where its frames come from."""

    codec: str
    has_sound: bool
    size: tuple[int, int]
    timing: Timing
    notes: tuple[str, ...]

    def read(self, index: int) -> Pixels:
        """Decode frame `index`: (H, W, 3)."""

    def close(self) -> None:
        """Let go of files."""


class Clip:
    """A clip of N frames, all of one size; may be shared by threads, and closed by any."""

    def __init__(self, source: FrameSource, name: str, origin: Path | bytes | None = None) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._open = True
        self.name = name
        self.origin = origin  # where its sound can be read from, if it has any
        self.size = source.size  # height and width
        self.timing = source.timing
        self.codec = source.codec
        self.has_sound = source.has_sound
        self.notes = source.notes

    def __len__(self) -> int:
        return len(self.timing.stamps)

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return float(self.timing.duration)

    @property
    def frame_rate(self) -> float:
        """Frames per second, on average if it varies."""
        return float(self.timing.rate)

    def frame(self, index: int) -> Pixels:
        """Decode one frame, exactly: (H, W, 3).

        Raises:
            MediaError: there is no such frame, it is damaged, or the clip was closed.
        """
        if not 0 <= index < len(self):
            raise MediaError(f"{self.name} has frames 0 to {len(self) - 1}, but no frame {index}.")
        with self._lock:
            if not self._open:
                raise MediaError(f"{self.name} was closed.")
            return self._source.read(index)

    def at(self, seconds: float) -> Pixels:
        """Decode the frame that is shown at a time: (H, W, 3)."""
        return self.frame(self.timing.at(seconds))

    def frames(self, indices: Iterable[int] | None = None) -> Iterator[Pixels]:
        """Decode some frames, or all, one at a time: (H, W, 3) each."""
        return map(self.frame, range(len(self)) if indices is None else indices)

    def close(self) -> None:
        """Let go of the file; waits for a frame that is being decoded."""
        with self._lock:
            if self._open:
                self._open = False
                self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_clip(
    source: str | Path | bytes | BinaryIO | NDArray[np.generic],
    limits: Limits | None = None,
    *,
    name: str | None = None,
    frame_rate: float = FRAME_RATE,
) -> Clip:
    """Open a clip; only its first frame is decoded.

    `source` is a video file, an animated picture or a zip of numbered pictures, as a path, bytes
    or an open file; or a folder of numbered pictures; or an array (T, H, W, 3) of uint8.
    `name` is what messages call it, if not as its file is called.
    `frame_rate` is for pictures and arrays, which do not say how fast they follow each other.

    Raises:
        MediaError: there is no clip, it is damaged, or nobody can read it.
        LimitError: it is too large or too long; known before a frame is decoded.
    """
    limits = limits or Limits()
    assert frame_rate > 0, frame_rate
    rate = Fraction(frame_rate).limit_denominator(1001)
    name = name or name_of(source, "clip")
    if isinstance(source, np.ndarray):
        return Clip(ArrayFrames(source, rate, limits), name)
    if isinstance(source, (str, Path)) and Path(source).is_dir():
        return Clip(open_folder(Path(source), rate, limits), name)
    file, head = _file(source, name, limits)
    if _ZIP.match(head):
        return Clip(ZippedPictures(file, name, rate, limits), name)
    if _MOVING.match(head):
        return Clip(AnimatedPicture(file, name, limits), name)
    if _STILL.match(head):
        raise MediaError(f"{name} is a still picture, not a clip.")
    video = VideoFile(file, name, limits)
    return Clip(video, name, file if video.has_sound else None)


def frames_at(file: Path, indices: Iterable[int]) -> Iterator[Pixels]:
    """Decode some frames of a clip file, (H, W, 3) each; none for those beyond its end.

    Raises `MediaError` if it cannot be read, whatever its length.
    """
    with open_clip(file, _ANY) as clip:
        yield from clip.frames(index for index in indices if index < len(clip))


def open_medium(
    source: Source, limits: Limits | None = None, *, name: str | None = None
) -> Picture | Clip:
    """Open whatever a person gave: a still picture is read, anything that moves is opened.

    Raises `MediaError` and `LimitError` as `read_image` and `open_clip` do.
    """
    limits = limits or Limits()
    name = name or name_of(source, "upload")
    if isinstance(source, np.ndarray | Image.Image):
        moving = isinstance(source, np.ndarray) and source.shape[3:] != ()
    elif isinstance(source, (str, Path)) and Path(source).is_dir():
        moving = True
    else:
        source, _ = _file(source, name, limits)
        moving = not _is_still(source, name, limits)
    if moving and not isinstance(source, Image.Image):
        return open_clip(source, limits, name=name)
    return read_image(source, limits, name=name)


def _is_still(file: Path | bytes, name: str, limits: Limits) -> bool:
    """Whether Pillow knows a file, and it does not move; pages of a TIFF are no clip."""
    try:
        with open_picture(file, name, limits) as image:
            return image.format not in ANIMATED or count_frames(image) == 1
    except MediaError:
        return False


def _file(
    source: str | Path | bytes | BinaryIO, name: str, limits: Limits
) -> tuple[Path | bytes, bytes]:
    """Check that there is something to read, and look at its first bytes."""
    if isinstance(source, (str, Path)):
        path = existing_file(source)
        limits.check_clip_bytes(name, path.stat().st_size)
        try:
            with path.open("rb") as opened:
                return path, opened.read(_HEAD)
        except OSError as error:
            raise MediaError(f"{path} cannot be opened.") from error
    content = read_bytes(source, name, limits.clip_bytes)
    limits.check_clip_bytes(name, len(content))
    return content, content[:_HEAD]
