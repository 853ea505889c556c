"""What can be done to a picture by its masks: colour it, darken what is around, blur, take away.

`EFFECTS` is the list: one row per effect, the parts of a picture it is offered for, and what draws
it. Most rows change the whole picture and need no mask for it; `draw` keeps the change to
the objects, taken as one, or to the background, and gives every other pixel back untouched.

    >>> choose("blur:background")
    Choice(effect='blur', target='background', colour=(255, 255, 255))
    >>> picture, mask = np.full((2, 4, 3), 90, np.uint8), np.eye(2, 4, dtype=bool)
    >>> draw(picture, [Mark(1, mask)], choose("cover:object:#ff0000"))[..., 0].tolist()
    [[255, 90, 90, 90], [90, 255, 90, 90]]

Strengths follow the longer side of the picture, so that a small preview looks like the large file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from scipy import ndimage

from x2sam.errors import PromptError
from x2sam.media.drawing import Colour, Mark, line_width, overlay
from x2sam.media.images import Pixels
from x2sam.media.masks import Mask

Target = Literal["object", "background"]

OBJECT: Final[tuple[Target, ...]] = ("object",)
BACKGROUND: Final[tuple[Target, ...]] = ("background",)

DARK: Final = 0.3  # of its brightness, around a spotlight
SOFT: Final = 1 / 64  # of the longer side: standard deviation of the blur
SQUARES: Final = 48  # along the longer side of what is pixelated, and of a checkerboard
WHITE, PALE = 255, 204  # its two greys


@dataclass(frozen=True, slots=True)
class Choice:
    """An effect, what it is done to, and the colour of what it covers."""

    effect: str = "overlay"
    target: Target = "object"
    colour: Colour = (255, 255, 255)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """What an effect sees of one frame."""

    picture: Pixels
    marks: Sequence[Mark]
    region: Mask  # (H, W): what may change
    colour: Colour
    opacity: float

    @property
    def side(self) -> int:
        """The longer side, in pixels."""
        return max(int(length) for length in self.picture.shape[:2])

    @property
    def image(self) -> Image.Image:
        """The picture as Pillow has it."""
        return Image.fromarray(self.picture)

    def only(self, kept: Mask) -> Image.Image:
        """The picture, transparent but for a mask (H, W)."""
        return Image.fromarray(np.dstack([self.picture, kept.astype(np.uint8) * 255]))


@dataclass(frozen=True, slots=True)
class Effect:
    """One row: the targets, the usual one first, and what draws it."""

    title: str
    targets: tuple[Target, ...]
    change: Callable[[Scene], Pixels]
    inside: bool = True  # the change holds in the region only; names reach beyond it


def draw(
    picture: Pixels, marks: Sequence[Mark], choice: Choice, *, opacity: float = 0.45
) -> Pixels:
    """Draw an effect on a picture (H, W, 3); where there is no mark, all is background."""
    effect = EFFECTS[choice.effect]
    assert choice.target in effect.targets, choice
    masks = [mark.mask for mark in marks]
    objects = np.logical_or.reduce(masks) if masks else np.zeros(picture.shape[:2], bool)
    region = objects if choice.target == "object" else ~objects
    scene = Scene(
        picture=picture, marks=marks, region=region, colour=choice.colour, opacity=opacity
    )
    changed = effect.change(scene)
    return np.where(region[..., None], changed, picture) if effect.inside else changed


def choose(text: str) -> Choice:
    """Read NAME[:object|background][:#RRGGBB]; what is left out is as usual for the effect.

    Raises `PromptError` for an effect, target or colour that there is not.
    """
    name, *rest = text.split(":")
    if name not in EFFECTS:
        raise PromptError(f"There is no effect “{name}”; there are {', '.join(EFFECTS)}.")
    targets = EFFECTS[name].targets
    choice = Choice(name, targets[0])
    for part in rest:
        if part in targets:
            choice = replace(choice, target=part)
        elif re.fullmatch("#[0-9a-fA-F]{6}", part):
            red, green, blue = bytes.fromhex(part[1:])
            choice = replace(choice, colour=(red, green, blue))
        else:
            raise PromptError(
                f"“{part}” says nothing to the effect “{name}”; write "
                f"{' or '.join(targets)} after it, or a colour like #1a9850."
            )
    return choice


def _overlay(scene: Scene) -> Pixels:
    return overlay(scene.picture, scene.marks, opacity=scene.opacity)


def _outline(scene: Scene) -> Pixels:
    return overlay(scene.picture, scene.marks, opacity=0)


def _tags(scene: Scene) -> Pixels:
    numbered = (replace(mark, label=str(mark.id)) for mark in scene.marks)
    return overlay(scene.picture, numbered, opacity=0, outline=False)


def _spotlight(scene: Scene) -> Pixels:
    return np.array(ImageEnhance.Brightness(scene.image).enhance(DARK))


def _grey(scene: Scene) -> Pixels:
    return np.array(ImageOps.grayscale(scene.image).convert("RGB"))


def _cover(scene: Scene) -> Pixels:
    return np.full_like(scene.picture, scene.colour)


def _checkered(scene: Scene) -> Pixels:
    """The checkerboard that stands for nothing in a file that has no transparency."""
    rows, columns = np.indices(scene.picture.shape[:2]) // max(1.0, scene.side / SQUARES)
    board = np.where((rows + columns) % 2, PALE, WHITE).astype(np.uint8)
    return np.repeat(board[..., None], 3, axis=-1)


def _blur(scene: Scene) -> Pixels:
    """Blur the region by itself, so that an object does not glow into the background.

    Thin parts, of which little is left by themselves, are blurred with what is around them.
    """
    soften = ImageFilter.GaussianBlur(scene.side * SOFT)
    alone = scene.only(scene.region).convert("RGBa").filter(soften).convert("RGBA")
    for _ in range(3):  # each time, what is half transparent is so by half
        alone = Image.alpha_composite(alone, alone)
    around = scene.image.filter(soften).convert("RGBA")
    return np.array(Image.alpha_composite(around, alone).convert("RGB"))


def _pixelate(scene: Scene) -> Pixels:
    image = scene.image
    square = scene.side / SQUARES
    small = image.resize(
        (max(1, round(image.width / square)), max(1, round(image.height / square))),
        Image.Resampling.BOX,
    )
    return np.array(small.resize(image.size, Image.Resampling.NEAREST))


def _erase(scene: Scene) -> Pixels:
    """Fill the region from around it.

    What is known is halved until one pixel is left; on the way back, each size fills what the
    next larger one lacks (the "push-pull" of Gortler and others, The Lumigraph, 1996).
    """
    # The rim of an object is seldom in its mask to the last pixel, and would smear.
    margin = ndimage.binary_dilation(scene.region, iterations=line_width(scene.picture))
    sizes = [scene.only(~margin)]
    while max(sizes[-1].size) > 1:
        sizes.append(sizes[-1].reduce(2))
    filled = sizes.pop()
    filled.putalpha(255)
    for size in reversed(sizes):
        twice = (0, 0, size.width / 2, size.height / 2)  # also where a side is odd
        below = filled.resize(size.size, Image.Resampling.BILINEAR, box=twice)
        filled = Image.alpha_composite(below, size)
    return np.array(filled.convert("RGB"))


EFFECTS: Final[dict[str, Effect]] = {
    "overlay": Effect("coloured masks", OBJECT, _overlay, inside=False),
    "outline": Effect("outlines only", OBJECT, _outline, inside=False),
    "tags": Effect("numbers only", OBJECT, _tags, inside=False),
    "spotlight": Effect("darkened around", BACKGROUND, _spotlight),
    "grey": Effect("without colour", BACKGROUND + OBJECT, _grey),
    "blur": Effect("blurred", OBJECT + BACKGROUND, _blur),
    "pixelate": Effect("in squares", OBJECT + BACKGROUND, _pixelate),
    "cover": Effect("of one colour", OBJECT + BACKGROUND, _cover),
    "transparent": Effect("cut out, on a checkerboard", BACKGROUND, _checkered),
    "erase": Effect("filled from around", OBJECT, _erase),
}
