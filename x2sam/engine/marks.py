"""What points, boxes and scribbles mean: which pixels the model is shown, and which must obey.

>>> click = Drawing.point(4, 3)
>>> marked([click], (8, 10)).sum()
np.int64(5)
>>> nothing = np.zeros((8, 10), bool)
>>> obeyed(nothing, [click])[3, 4]
np.True_
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from x2sam.errors import PromptError
from x2sam.media.masks import Mask, Size, union
from x2sam.types import Box, Drawing, Point

RADIUS: Final = 0.02
"""Of a click, as a share of the longer side; clicks of about this size were trained on."""

_HALF: Final = 0.5


def drawn(
    points: Sequence[Point],
    labels: Sequence[int] | None,
    box: Box | None,
    mask: Mask | None,
    *,
    frame: int,
    target: int | None,
) -> list[Drawing]:
    """Make marks on one frame of what was pointed at; all points are meant where none is labelled.

    Raises `PromptError` where labels are missing, or the frame is before the first one.
    """
    labels = [1] * len(points) if labels is None else labels
    if len(labels) != len(points):
        raise PromptError(f"There are {len(points)} points, but {len(labels)} labels.")
    if frame < 0:
        raise PromptError(f"There is no frame {frame}; the first one is 0.")
    drawings = [
        Drawing.point(x, y, positive=bool(label), frame=frame, object=target)
        for (x, y), label in zip(points, labels, strict=True)
    ]
    if box is not None:
        drawings.append(Drawing(kind="box", box=box, frame=frame, object=target))
    if mask is not None:
        mask = np.asarray(mask, bool)
        drawings.append(Drawing(kind="mask", mask=mask, frame=frame, object=target))
    return drawings


def check(drawings: Iterable[Drawing], size: Size, frames: int) -> None:
    """Raise `PromptError` where a mark is not on the picture."""
    height, width = size
    for drawing in drawings:
        if drawing.frame >= frames:
            raise PromptError(f"There is no frame {drawing.frame}; the last one is {frames - 1}.")
        for x, y in drawing.points:
            if not (0 <= x < width and 0 <= y < height):
                raise PromptError(
                    f"The point {x:g}, {y:g} is outside: the picture is {width} × {height} pixels."
                )
        if drawing.mask is not None and drawing.mask.shape != size:
            wrong = " × ".join(map(str, drawing.mask.shape[::-1]))
            raise PromptError(f"A drawn mask is {wrong} pixels; it should be {width} × {height}.")
        if not area(drawing, size).any():
            raise PromptError("The marked region is empty. Draw or click on the thing you mean.")


def area(drawing: Drawing, size: Size) -> Mask:
    """Pixels that a mark covers: (H, W)."""
    if drawing.mask is not None:
        return drawing.mask
    height, width = size
    canvas = Image.new("1", (width, height))
    pen = ImageDraw.Draw(canvas)
    if drawing.box is not None:
        x0, y0, x1, y1 = (round(side) for side in drawing.box)
        if x0 < x1 and y0 < y1:
            pen.rectangle((x0, y0, x1 - 1, y1 - 1), fill=1)
        return np.array(canvas)
    radius = max(1.0, drawing.width / 2 or RADIUS * max(size))
    for x, y in drawing.points:
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)
    if len(drawing.points) > 1:
        pen.line(drawing.points, fill=1, width=max(1, round(2 * radius)))
    return np.array(canvas)


def marked(drawings: Sequence[Drawing], size: Size, known: Mask | None = None) -> Mask:
    """The region that marks amount to, together with what is known of the object: (H, W).

    Raises `PromptError` if negative marks leave nothing of it.
    """
    plus = union((area(d, size) for d in drawings if d.positive), size)
    minus = union((area(d, size) for d in drawings if not d.positive), size)
    region = (plus if known is None else plus | known) & ~minus
    if not region.any():
        raise PromptError("Nothing is left of the marked region. Mark what you mean as well.")
    return region


def agreement(mask: Mask, drawings: Sequence[Drawing]) -> int:
    """Count the marks that a mask (H, W) agrees with; a box asks for nothing."""
    return sum(_agrees(mask, drawing) for drawing in drawings)


def obeyed(mask: Mask, drawings: Sequence[Drawing], *, spare: bool = True) -> Mask:
    """Change a mask (H, W), where it must be, so that every mark is right about it.

    A negative click takes away the whole part it hits, unless a positive one wants that part;
    with `spare`, also unless it is the only part.
    """
    size = (mask.shape[0], mask.shape[1])
    changed = mask.copy()
    wanted = [drawing for drawing in drawings if drawing.positive]
    for drawing in wanted:
        if not _agrees(changed, drawing):
            changed |= area(drawing, size)
    for drawing in drawings:
        if not drawing.positive and not _agrees(changed, drawing):
            changed &= ~_taken_away(changed, drawing, wanted, spare=spare)
    for sign in (True, False):
        for drawing in drawings:
            if drawing.positive is sign:
                for x, y in drawing.points:
                    changed[int(y), int(x)] = sign
    return changed


def _agrees(mask: Mask, drawing: Drawing) -> bool:
    if drawing.kind == "box":
        return drawing.positive or not mask[area(drawing, (mask.shape[0], mask.shape[1]))].any()
    if drawing.kind == "point":
        x, y = drawing.points[0]
        return bool(mask[int(y), int(x)]) == drawing.positive
    inside = mask[area(drawing, (mask.shape[0], mask.shape[1]))]
    if drawing.kind == "mask" or not drawing.positive:
        return bool(inside.all() if drawing.positive else not inside.any())
    return bool(inside.mean() > _HALF)


def _taken_away(mask: Mask, drawing: Drawing, wanted: Sequence[Drawing], *, spare: bool) -> Mask:
    """What a negative mark removes: the part that was clicked, or only the mark itself."""
    size = (mask.shape[0], mask.shape[1])
    own = area(drawing, size)
    if drawing.kind != "point":
        return own
    parts, count = ndimage.label(mask)
    x, y = drawing.points[0]
    part = np.asarray(parts == parts[int(y), int(x)], bool)
    if (spare and count == 1) or any((part & area(other, size)).any() for other in wanted):
        return own
    return part
