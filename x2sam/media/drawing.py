"""Masks drawn on pictures: fills, outlines, names on plates, cut-outs.

An object keeps its colour for ever, since the colour follows from its id. The palette starts
with Okabe and Ito's colours, which stay apart for colour-blind people (jfly.uni-koeln.de/color,
2008), and goes on with others of Paul Tol's bright and muted schemes (SRON/EPS/TN/09-002):

    >>> colour_of(1), colour_of(1 + len(PALETTE)) == colour_of(1)
    ((230, 159, 0), True)

Everything here takes arrays and returns a new array.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from x2sam.media.images import Pixels
from x2sam.media.masks import Mask

Colour = tuple[int, int, int]

PALETTE: tuple[Colour, ...] = (
    (230, 159, 0),  # orange
    (86, 180, 233),  # sky blue
    (0, 158, 115),  # bluish green
    (240, 228, 66),  # yellow
    (0, 114, 178),  # blue
    (213, 94, 0),  # vermilion
    (204, 121, 167),  # reddish purple
    (136, 34, 85),  # wine
    (221, 204, 119),  # sand
    (51, 34, 136),  # indigo
    (170, 68, 153),  # purple
    (187, 187, 187),  # grey
)

FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansSC-Regular.otf",
    "wqy-zenhei.ttc",
    "wqy-microhei.ttc",
    "PingFang.ttc",
    "msyh.ttc",
    "Arial Unicode.ttf",
    "DejaVuSans.ttf",
)
"""Fonts of the usual systems, tried in turn for letters that Pillow's own font does not have."""

LONGEST = 40  # letters of a label
_BRIGHT = 140  # of 255: black letters from here on
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
Font = ImageFont.FreeTypeFont


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """One object to be drawn."""

    id: int
    mask: Mask  # (H, W)
    label: str = ""
    colour: Colour | None = None  # None: the object's own

    @property
    def paint(self) -> Colour:
        """Its colour in this drawing."""
        return self.colour or colour_of(self.id)


def colour_of(object_id: int) -> Colour:
    """Give the colour of an object, for ever the same; ids count from 1."""
    return PALETTE[(object_id - 1) % len(PALETTE)]


def overlay(
    picture: Pixels, marks: Iterable[Mark], *, opacity: float = 0.45, outline: bool = True
) -> Pixels:
    """Draw objects over a picture (H, W, 3): large ones first, so that none hides another.

    The outline's width and the letters' height follow the size of the picture. A mark without
    a label gets no plate.
    """
    assert 0 <= opacity <= 1, opacity
    drawn, line = picture.copy(), line_width(picture)
    ordered = sorted(marks, key=lambda mark: -np.count_nonzero(mark.mask))
    for mark in ordered:
        assert mark.mask.shape == picture.shape[:2], (mark.mask.shape, picture.shape)
        region = _around(mark.mask, line + 1)
        if region is None:
            continue
        part, inside = drawn[region], mark.mask[region]
        paint = np.array(mark.paint, np.float32)
        part[inside] = np.rint(part[inside] * (1 - opacity) + paint * opacity).astype(np.uint8)
        if outline:
            part[edge(inside, line)] = mark.paint
    return _labelled(drawn, [mark for mark in ordered if mark.label])


def solo(picture: Pixels, mask: Mask, *, dim: float = 0.3) -> Pixels:
    """Show one object in colour, and what is around it grey and dark."""
    grey = picture.astype(np.float32) @ np.array(_LUMA, np.float32) * dim  # (H, W)
    around = np.rint(grey).astype(np.uint8)[..., None]
    return np.where(mask[..., None], picture, around)


def cutout(picture: Pixels, mask: Mask) -> NDArray[np.uint8]:
    """Cut an object out: (H, W, 4), nothing but transparent black around it."""
    alpha = mask.astype(np.uint8) * 255
    return np.dstack([np.where(mask[..., None], picture, np.uint8(0)), alpha])


def edge(mask: Mask, width: int) -> Mask:
    """Find the pixels of a mask within `width` of its outside; the picture's rim is no edge."""
    inner = ndimage.binary_erosion(mask, iterations=width, border_value=1)
    return np.asarray(mask & ~inner, bool)


def line_width(picture: Pixels) -> int:
    """Width of outlines: 2 pixels at 640, 6 at 1920."""
    return max(1, round(max(int(side) for side in picture.shape[:2]) / 320))


def anchor(mask: Mask) -> tuple[int, int] | None:
    """Find the pixel x y deepest inside a mask, where a label surely lies on it."""
    region = _around(mask, 1)
    if region is None:
        return None
    depth = ndimage.distance_transform_edt(np.pad(mask[region], 1))[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(x) + region[1].start, int(y) + region[0].start


def font_for(text: str, size: int) -> Font | None:
    """Find a font that has every letter of a text; None if there is none."""
    for name in ("", *FONTS):
        font = _font(name, size)
        if font is not None and _has(font, text):
            return font
    return None


def _labelled(picture: Pixels, marks: Sequence[Mark]) -> Pixels:
    """Write names on plates of the objects' colours; plates do not cover each other."""
    if not marks:
        return picture
    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    size = max(10, round(max(picture.shape[:2]) / 40))
    taken: list[tuple[int, int, int, int]] = []
    for mark in marks:
        place = anchor(mark.mask)
        if place is None:
            continue
        text, font = _written(mark, size)
        pad = size // 4
        width, height = round(font.getlength(text)) + 2 * pad, size + 2 * pad
        plate = _free(place, (width, height), picture.shape, taken)
        taken.append(plate)
        pen.rounded_rectangle(plate, radius=pad, fill=mark.paint)
        brightness = sum(part * weight for part, weight in zip(mark.paint, _LUMA, strict=True))
        ink = "black" if brightness > _BRIGHT else "white"
        pen.text((plate[0] + pad, plate[1] + height // 2), text, ink, font, anchor="lm")
    return np.array(image)


def _written(mark: Mark, size: int) -> tuple[str, Font]:
    """Choose the text and font of a label.

    If no font has its letters they lose their accents; if that does not help, the object's
    number stands for its name.
    """
    text = " ".join(mark.label.split())
    text = text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()}..."
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", text) if sign.isascii())
    for version in (text, bare if len(bare) >= len(text) else "", f"#{mark.id}"):
        font = font_for(version, size)
        if version and font is not None:
            return version, font
    raise AssertionError("Pillow brings a font for plain letters")


def _free(
    centre: tuple[int, int],
    size: tuple[int, int],
    shape: tuple[int, ...],
    taken: Sequence[tuple[int, int, int, int]],
) -> tuple[int, int, int, int]:
    """Place a plate around a point, inside the picture, and below the plates in its way."""
    width, height = size
    x = max(0, min(centre[0] - width // 2, shape[1] - width))
    y = max(0, min(centre[1] - height // 2, shape[0] - height))
    for x0, y0, x1, y1 in sorted(taken, key=lambda plate: plate[1]):
        if x < x1 and x0 < x + width and y < y1 and y0 < y + height:
            y = y1 + 1
    y = max(0, min(y, shape[0] - height))
    return x, y, x + width, y + height


def _around(mask: Mask, margin: int) -> tuple[slice, slice] | None:
    """Rows and columns of a mask and `margin` pixels more; None if it is empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + 1 + margin),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + 1 + margin),
    )


@lru_cache(maxsize=64)
def _font(name: str, size: int) -> Font | None:
    """Load a font by its file name; Pillow's own has none."""
    try:
        font = ImageFont.truetype(name, size) if name else ImageFont.load_default(size)
    except OSError:
        return None
    return font if isinstance(font, Font) else None


def _has(font: Font, text: str) -> bool:
    """Whether a font draws every letter as something other than its sign for a missing one."""
    missing = bytes(font.getmask("\uffff"))
    return all(bytes(font.getmask(letter)) != missing for letter in set(text) if letter != " ")
