"""Clips that are pictures: numbered files in a folder or zip, an animated picture, an array.

Files are put in natural order, so that `9.png` comes before `10.png`:

    >>> sorted(["10.png", "9.png"], key=natural)
    ['9.png', '10.png']

An archive is never unpacked to disk: its entries are read one by one, so their names lead
nowhere, and what they claim to unpack to is checked before the first byte is.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from x2sam.errors import LimitError, MediaError
from x2sam.media.images import Pixels, count_frames, open_picture, to_rgb
from x2sam.media.limits import Limits
from x2sam.media.timing import Timing

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".avif", ".gif", ".ppm"}
ANIMATED = ("GIF", "PNG", "WEBP", "AVIF")
SHORTEST = 10  # milliseconds; browsers show frames that claim no more for 100
USUAL = 100
_ORIENTATION = 0x0112
_SIDEWAYS = {5, 6, 7, 8}

Opener = Callable[[int], tuple[Image.Image, str]]
"""Opens picture number `index` without decoding it, and names it."""


class PictureFiles:
    """Numbered picture files of one size; `rate` is assumed, since files do not say."""

    codec = "pictures"
    has_sound = False

    def __init__(self, opener: Opener, files: int, rate: Fraction) -> None:
        self._opener = opener
        self.timing = Timing.regular(files, rate)
        self.notes: tuple[str, ...] = (f"{rate} frames per second are assumed.",)
        self.size = _one_size(opener, files)

    def read(self, index: int) -> Pixels:
        """Read frame `index`: (H, W, 3)."""
        image, name = self._opener(index)
        with image:
            try:
                return to_rgb(image)[0]
            except Exception as error:  # a decoder given hostile bytes may raise anything
                raise MediaError(f"{name} is damaged.") from error

    def close(self) -> None:
        """Nothing is held open between two frames."""


class AnimatedPicture:
    """An animated GIF, PNG, WebP or AVIF."""

    has_sound = False

    def __init__(self, source: Path | bytes, name: str, limits: Limits) -> None:
        self._name = name
        self._open = partial(_open_frame, source, name, limits)
        self._image = self._open()
        try:
            self._examine(limits)
        except BaseException:
            self.close()
            raise

    def _examine(self, limits: Limits) -> None:
        """Look at all frames: only decoding says how long each is shown."""
        self.codec = str(self._image.format).lower()
        frames = count_frames(self._image)
        if frames == 1:
            raise MediaError(f"{self._name} is a still picture, not a clip.")
        limits.check_clip_length(self._name, frames, 0)
        shown = [self._milliseconds(index) for index in range(frames)]
        stamps = np.cumsum([0, *shown[:-1]], dtype=np.int64)
        self.timing = Timing(stamps, Fraction(1, 1000), shown[-1])
        limits.check_clip_length(self._name, frames, float(self.timing.duration))
        self.size = self.read(0).shape[:2]
        varies = "The time between its frames varies; it is kept."
        self.notes = (varies,) * self.timing.variable

    def read(self, index: int) -> Pixels:
        """Decode frame `index`: (H, W, 3)."""
        if index < self._image.tell():  # going back is where Pillow's readers have their faults
            self._image.close()
            self._image = self._open()
        canvas = self._image.size
        try:
            self._image.seek(index)
            same = self._image.size == canvas  # a frame of a GIF may enlarge all that follow
            pixels = to_rgb(self._image)[0] if same else None
        except Exception as error:  # a decoder given hostile bytes may raise anything
            raise MediaError(f"Frame {index} of {self._name} is damaged.") from error
        if pixels is None:
            raise MediaError(f"Frame {index} of {self._name} is larger than the first.")
        return pixels

    def close(self) -> None:
        """Let go of the file."""
        self._image.close()

    def _milliseconds(self, index: int) -> int:
        """How long a frame is shown."""
        self.read(index)
        claimed = round(float(self._image.info.get("duration", 0)))
        return claimed if claimed > SHORTEST else USUAL


class ArrayFrames:
    """Frames that are in memory already: (T, H, W, 3) uint8."""

    codec = "array"
    has_sound = False

    def __init__(self, frames: NDArray[np.generic], rate: Fraction, limits: Limits) -> None:
        match frames.shape:
            case (count, height, width, 3) if frames.dtype == np.uint8 and frames.size:
                limits.check_frame_size("The array", width, height)
                limits.check_clip_length("The array", count, float(count / rate))
                self.size = (height, width)
                self.timing = Timing.regular(count, rate)
            case _:
                raise MediaError(
                    f"An array of shape {frames.shape} and type {frames.dtype} is not a clip; "
                    "it should be (frames, height, width, 3) of uint8."
                )
        self._frames = frames
        self.notes: tuple[str, ...] = (f"{rate} frames per second are assumed.",)

    def read(self, index: int) -> Pixels:
        """Copy frame `index`: (H, W, 3)."""
        return np.array(self._frames[index], np.uint8)

    def close(self) -> None:
        """Nothing is held open."""


def open_folder(folder: Path, rate: Fraction, limits: Limits) -> PictureFiles:
    """Read the pictures of a folder, but not of folders in it."""
    paths = [path for path in folder.iterdir() if _is_frame(path.name) and path.is_file()]
    paths.sort(key=lambda path: natural(path.name))
    _check(folder.name, [path.stat().st_size for path in paths], rate, limits)

    def opener(index: int) -> tuple[Image.Image, str]:
        path = paths[index]
        return _open_frame(path, path.name, limits), path.name

    return PictureFiles(opener, len(paths), rate)


class ZippedPictures(PictureFiles):
    """Pictures in a zip archive, which stays open."""

    def __init__(self, source: Path | bytes, name: str, rate: Fraction, limits: Limits) -> None:
        try:
            self._archive = zipfile.ZipFile(
                io.BytesIO(source) if isinstance(source, bytes) else source
            )
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise MediaError(f"{name} is not a zip archive that can be read.") from error
        try:
            entries = _frames_of(self._archive, name)
            _check(name, [entry.file_size for entry in entries], rate, limits)

            def opener(index: int) -> tuple[Image.Image, str]:
                entry = entries[index]
                inner = f"{PurePosixPath(entry.filename).name} in {name}"
                return _open_frame(self._unpack(entry, inner), inner, limits), inner

            super().__init__(opener, len(entries), rate)
        except BaseException:
            self._archive.close()
            raise

    def close(self) -> None:
        """Let go of the archive."""
        self._archive.close()

    def _unpack(self, entry: zipfile.ZipInfo, inner: str) -> bytes:
        """Unpack one entry in memory; never more than the size that was checked."""
        if entry.flag_bits & 1:
            raise MediaError(f"{inner} is locked with a password.")
        try:
            with self._archive.open(entry) as file:
                return file.read(entry.file_size)
        except Exception as error:  # an unpacker given hostile bytes may raise anything
            raise MediaError(f"{inner} is damaged.") from error


def _frames_of(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """List the pictures of an archive in order; they have to lie in one folder."""
    entries = [entry for entry in archive.infolist() if _is_frame(entry.filename)]
    folders = sorted({str(PurePosixPath(entry.filename).parent) for entry in entries})
    if len(folders) > 1:
        raise MediaError(
            f"{name} holds pictures in several folders ({folders[0]}, {folders[1]}); "
            "pack the frames of one clip only."
        )
    return sorted(entries, key=lambda entry: natural(entry.filename))


def natural(name: str) -> list[tuple[int, int, str]]:
    """Make a key that sorts numbers in names by value, and before letters."""
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def _is_frame(name: str) -> bool:
    """Whether a file is a picture and no hidden file, as macOS puts beside each real one."""
    path = PurePosixPath(name)
    return (
        path.suffix.lower() in ENDINGS
        and not path.name.startswith(".")
        and "__MACOSX" not in path.parts
    )


def _check(name: str, sizes: Sequence[int], rate: Fraction, limits: Limits) -> None:
    if not sizes:
        raise MediaError(f"{name} holds no pictures, so it is no clip.")
    limits.check_clip_length(name, len(sizes), float(len(sizes) / rate))
    limits.check_clip_bytes(name, sum(sizes))


def _open_frame(source: Path | bytes, name: str, limits: Limits) -> Image.Image:
    image = open_picture(source, name, limits)
    try:
        limits.check_frame_size(name, *image.size)
    except LimitError:
        image.close()
        raise
    return image


def _one_size(opener: Opener, files: int) -> tuple[int, int]:
    """Read the headers of all pictures; their height and width, which have to be the same."""
    first: tuple[tuple[int, int], str] | None = None
    for index in range(files):
        image, name = opener(index)
        with image:
            size = _upright_size(image)
        if first is None:
            first = size, name
        elif size != first[0]:
            raise MediaError(
                f"All frames of a clip have one size, but {first[1]} is {first[0][1]} × "
                f"{first[0][0]} and {name} is {size[1]} × {size[0]}."
            )
    assert first is not None, "a clip has at least one frame"
    return first[0]


def _upright_size(image: Image.Image) -> tuple[int, int]:
    """Height and width after turning as EXIF asks."""
    try:
        sideways = image.getexif().get(_ORIENTATION) in _SIDEWAYS
    except Exception:  # noqa: BLE001 (EXIF is parsed in Python and fails in many ways)
        sideways = False
    return (image.width, image.height) if sideways else (image.height, image.width)
