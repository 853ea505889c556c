"""Colours as people name them, and turning one into another.

Every colour has a nearest name, but a thing is called red only when nobody would call it
orange: most of it must have that name, and its mean must be clear of the next name.

    >>> [name_of(rgb) for rgb in ((200, 30, 30), (120, 72, 40), (250, 250, 250), (20, 20, 30))]
    ['red', 'brown', 'white', 'black']
    >>> clear((200, 30, 30)), clear((220, 75, 20))  # the second is half orange
    (True, False)
    >>> turned = np.array([200.0, 60.0, 40.0]) @ hue_matrix(2.1).T
    >>> name_of(tuple(turned))
    'blue'
"""

from __future__ import annotations

import colorsys
from bisect import bisect
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

NAMES = (
    *("red", "orange", "yellow", "green", "blue", "purple", "pink"),
    *("brown", "black", "white", "gray"),
)
SWATCHES = 10  # colours kept of a sprite
_MOST = 0.55  # share of a thing that must have the colour it is named by
_RIVAL = 0.3  # share above which a second colour makes the name doubtful

# Where each hue ends, in degrees, and how far from that end it is beyond doubt.
_ENDS = (17, 44, 68, 168, 252, 300, 344, 360)
_HUES = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "red")
_MARGIN = 6
_DARK, _PALE, _GREY, _VIVID = 0.2, 0.42, 0.14, 0.3  # of value and saturation

RGB = tuple[float, float, float]


def name_of(rgb: RGB) -> str | None:
    """Name a colour given as 0–255 values; None for beige and other pale mixtures."""
    hue, saturation, value = _hsv(rgb)
    if value < _DARK:
        return "black"
    if saturation < _GREY:
        return "white" if value > 1 - _DARK else "gray"
    name = _HUES[bisect(_ENDS[:-1], hue)]
    if name in ("red", "pink") and saturation < _PALE:
        return "pink" if value > 1 - _DARK and saturation > _VIVID else None
    if name in ("red", "orange", "yellow") and hue >= 10 and value < 2 / 3:  # noqa: PLR2004
        return "brown"
    if saturation < _VIVID:
        return "gray" if value < 1 / 2 else None
    return None if name in ("orange", "yellow") and saturation < _PALE else name


def clear(rgb: RGB) -> bool:
    """Tell whether a colour keeps its name when it is changed a little."""
    hue, saturation, value = _hsv(rgb)
    return len({name_of(_rgb(*near)) for near in _around(hue, saturation, value)}) == 1


def _around(hue: float, saturation: float, value: float) -> list[tuple[float, float, float]]:
    turns = [(hue + turn, saturation, value) for turn in (-_MARGIN, 0, _MARGIN)]
    return [*turns, (hue, saturation - 0.04, value), (hue, saturation, value - 0.04)]


def _hsv(rgb: RGB) -> tuple[float, float, float]:
    red, green, blue = (min(max(part / 255, 0.0), 1.0) for part in rgb)
    hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
    return hue * 360, saturation, value


def _rgb(hue: float, saturation: float, value: float) -> RGB:
    red, green, blue = colorsys.hsv_to_rgb(hue / 360 % 1, max(saturation, 0), max(value, 0))
    return red * 255, green * 255, blue * 255


def dominant(swatches: NDArray[np.float32], shares: NDArray[np.float32]) -> str | None:
    """Name the colour of a thing: swatches (K, 3) in 0–255 and the share of each (K,).

    Returns None where people would not agree.
    """
    colours = [(float(red), float(green), float(blue)) for red, green, blue in swatches]
    names = [name_of(colour) for colour in colours]
    totals: dict[str | None, float] = {}
    for name, share in zip(names, shares, strict=True):
        totals[name] = totals.get(name, 0.0) + float(share)
    best = max(totals, key=lambda name: totals[name])
    rival = max([0.0, *(total for name, total in totals.items() if name != best)])
    if best is None or totals[best] < _MOST or rival > _RIVAL:
        return None
    of_it = np.array([name == best for name in names])
    mean = np.average(swatches[of_it], axis=0, weights=shares[of_it])
    mean_rgb = (float(mean[0]), float(mean[1]), float(mean[2]))
    return best if name_of(mean_rgb) == best and clear(mean_rgb) else None


def hue_matrix(angle: float) -> NDArray[np.float32]:
    """Return the 3×3 matrix that turns hues by `angle` radians and keeps the luma (YIQ)."""
    to_yiq = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    matrix: NDArray[np.float32] = (np.linalg.inv(to_yiq) @ turn @ to_yiq).astype(np.float32)
    return matrix


def swatches_of(picture: Image.Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Reduce an RGBA picture to its main colours (K, 3) in 0–255 and their shares (K,)."""
    pixels = np.asarray(picture.resize((32, 32)), np.float32).reshape(-1, 4)
    solid = pixels[pixels[:, 3] > 127, :3]  # noqa: PLR2004
    colours, shares = np.zeros((SWATCHES, 3), np.float32), np.zeros(SWATCHES, np.float32)
    if not len(solid):
        return colours, shares
    cells, owner, counts = np.unique(
        (solid // 32).astype(np.int64) @ np.array([64, 8, 1]),
        return_inverse=True,
        return_counts=True,
    )
    sums = np.zeros((len(cells), 3), np.float32)
    np.add.at(sums, owner, solid)
    best = np.argsort(-counts, kind="stable")[:SWATCHES]
    colours[: len(best)] = sums[best] / counts[best, None]
    shares[: len(best)] = counts[best] / counts[best].sum()
    return colours, shares
