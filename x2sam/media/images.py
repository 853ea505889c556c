"""Pictures from anything Pillow reads, as plain RGB.

However a picture is stored, it arrives upright, as `H W 3 uint8 RGB`; what had to be decided
on the way is said in `notes`:

    >>> grey = np.full((2, 3), 65535, np.uint16)
    >>> picture = read_image(grey)
    >>> picture.size, picture.pixels[0, 0].tolist()
    ((2, 3), [255, 255, 255])
    >>> clear = Image.new("RGBA", (1, 1), (255, 0, 0, 0))
    >>> read_image(clear).notes
    ('Transparent parts are shown on white.',)
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from x2sam.errors import LimitError, MediaError
from x2sam.media.limits import Limits

Pixels = NDArray[np.uint8]
"""A picture: H W 3 uint8 RGB."""

Source = str | Path | bytes | BinaryIO | NDArray[np.generic] | Image.Image
"""Where a picture may come from."""

OPAQUE = 255
_PROGRAMS = {"EPS", "WMF"}  # Pillow would start another program to draw these
_CLIPS = {"MPEG"}  # Pillow knows their header, but cannot read them


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture, and what had to be decided to get it."""

    pixels: Pixels  # (H, W, 3)
    name: str = "picture"
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.pixels.shape[0], self.pixels.shape[1]


def read_image(source: Source, limits: Limits | None = None, *, name: str | None = None) -> Picture:
    """Read a picture from a path, bytes, an open file, an array or a Pillow image.

    Arrays are (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), of bool, 8 or 16 bits, or of floats
    from 0 to 1. `name` is what messages call it, if not as its file is called.

    Raises:
        MediaError: there is no picture, it is damaged, or it is of a kind nobody can read.
        LimitError: it has too many bytes or pixels.
    """
    limits = limits or Limits()
    name = name or name_of(source, "picture")
    if isinstance(source, Image.Image):
        return _from_pillow(source, name, limits)
    if isinstance(source, np.ndarray):
        limits.check_picture_size("The array", *_array_size(source))
        return _from_pillow(_from_array(source), name, limits)
    with open_picture(source, name, limits) as image:
        return _from_pillow(image, name, limits)


def open_picture(source: str | Path | bytes | BinaryIO, name: str, limits: Limits) -> Image.Image:
    """Open a picture file without decoding it: size, format and number of frames are known.

    Raises `MediaError` and `LimitError` as `read_image` does.
    """
    try:
        file = _file(source, name, limits)
        image = Image.open(file, formats=picture_formats())
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        allowed = limits.picture_pixels // 1_000_000
        raise LimitError(
            f"{name} has too many pixels; a picture may have {allowed} million."
        ) from error
    except (MediaError, LimitError):
        raise
    except Exception as error:  # a parser given hostile bytes may raise anything
        raise MediaError(f"{name} is not a picture that can be read, or it is damaged.") from error
    try:
        limits.check_picture_size(name, image.width, image.height)
    except LimitError:
        image.close()
        raise
    return image


def count_frames(image: Image.Image) -> int:
    """Count frames or pages; a file that is broken after its first has one."""
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # noqa: BLE001 (a parser given hostile bytes may raise anything)
        return 1


def picture_formats() -> tuple[str, ...]:
    """Names of the formats that Pillow reads by itself."""
    Image.init()
    return tuple(name for name in Image.OPEN if name not in _PROGRAMS | _CLIPS)


def name_of(source: object, fallback: str) -> str:
    """Name a source for a sentence: its file name, if it has one.

    >>> name_of("holiday/dog.png", "picture"), name_of(b"GIF89a", "picture")
    ('dog.png', 'picture')
    """
    if isinstance(source, (str, Path)):
        return Path(source).name or str(source)
    name = getattr(source, "name", None) or getattr(source, "filename", None)
    return Path(name).name if isinstance(name, str) and name else fallback


def existing_file(path: str | Path) -> Path:
    """Check that a path is a file with something in it."""
    path = Path(path)
    try:
        if path.is_dir():
            raise MediaError(f"{path} is a folder, not a file.")
        if not path.is_file():
            raise MediaError(f"There is no file {path}.")
        if path.stat().st_size == 0:
            raise MediaError(f"{path.name} is empty.")
    except (OSError, ValueError) as error:  # too long, not allowed, a NUL character
        raise MediaError(f"{str(path)[:80]!r} cannot be opened.") from error
    return path


def read_bytes(source: bytes | BinaryIO, name: str, limit: int) -> bytes:
    """Read what is in memory or in an open file: at most one byte more than `limit`."""
    if not isinstance(source, bytes):
        try:
            source = source.read(limit + 1)
        except (OSError, ValueError) as error:
            raise MediaError(f"{name} cannot be read: {error}.") from error
    if not source:
        raise MediaError(f"{name} is empty.")
    return source


def _file(source: str | Path | bytes | BinaryIO, name: str, limits: Limits) -> Path | io.BytesIO:
    if isinstance(source, (str, Path)):
        path = existing_file(source)
        limits.check_picture_bytes(name, path.stat().st_size)
        return path
    content = read_bytes(source, name, limits.picture_bytes)
    limits.check_picture_bytes(name, len(content))
    return io.BytesIO(content)


def _from_pillow(image: Image.Image, name: str, limits: Limits) -> Picture:
    limits.check_picture_size(name, image.width, image.height)
    notes = []
    if (frames := count_frames(image)) > 1:
        notes.append(f"It has {frames} frames; this is the first.")
    try:
        upright, said = to_rgb(image)
    except MemoryError as error:
        raise LimitError(f"There is not enough memory to decode {name}.") from error
    except Exception as error:  # a decoder given hostile bytes may raise anything
        reason = "ends too early" if "truncated" in str(error) else "is damaged"
        raise MediaError(f"{name} {reason}, so it cannot be read as a picture.") from error
    return Picture(upright, name, (*notes, *said))


def to_rgb(image: Image.Image) -> tuple[Pixels, tuple[str, ...]]:
    """Decode the current frame: upright RGB (H, W, 3), and what has to be said about it."""
    notes = []
    upright = _upright(image)
    if upright.mode == "CMYK":
        notes.append("Its print colours (CMYK) are converted without a colour profile.")
    if upright.mode == "F" or upright.mode.startswith("I"):
        upright = _eight_bits(upright)
        notes.append("Its brightness has more than 8 bits; it is reduced to 8.")
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        if np.asarray(upright.getchannel("A")).min() < OPAQUE:
            notes.append("Transparent parts are shown on white.")
            white = Image.new("RGBA", upright.size, "white")
            upright = Image.alpha_composite(white, upright)
    return np.array(upright.convert("RGB")), tuple(notes)


def _upright(image: Image.Image) -> Image.Image:
    """Turn as EXIF asks; a damaged EXIF block costs the turn, not the picture."""
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 (EXIF is parsed in Python and fails in many ways)
        return image


def _eight_bits(image: Image.Image) -> Image.Image:
    """Reduce to 8 bits by the range of the smallest usual type that holds what is there."""
    levels = np.nan_to_num(np.asarray(image).astype(np.float64), posinf=0, neginf=0)
    brightest = float(levels.max())
    ranges = {"F": (1, 255, 65535), "I": (255, 65535, 2**31 - 1)}.get(image.mode, (65535,))
    full = next((top for top in ranges if brightest <= top), brightest)
    return Image.fromarray(np.rint(levels.clip(0) / full * 255).astype(np.uint8))


def _array_size(array: NDArray[np.generic]) -> tuple[int, int]:
    """Width and height of an array that looks like a picture."""
    match array.shape:
        case (height, width) | (height, width, 1 | 3 | 4) if array.size:
            return width, height
    raise MediaError(
        f"An array of shape {array.shape} is not a picture; it should be (height, width, 3)."
    )


def _from_array(array: NDArray[np.generic]) -> Image.Image:
    """Make a Pillow image of an array with 1, 3 or 4 channels."""
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    elif array.dtype == np.uint16:
        array = np.rint(array.astype(np.float64) / 257).astype(np.uint8)
    elif np.issubdtype(array.dtype, np.floating):
        values = array.astype(np.float64)
        if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
            raise MediaError("A picture of floats should have values from 0 to 1.")
        array = np.rint(values * 255).astype(np.uint8)
    elif array.dtype != np.uint8:
        raise MediaError(f"A picture cannot be made of {array.dtype}; it should be uint8.")
    if array.shape[2:] == (1,):
        array = array[:, :, 0]
    return Image.fromarray(np.ascontiguousarray(array))
