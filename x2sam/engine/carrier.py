"""SAM 2 on one medium: the device is held for one frame at a time, and frames are decoded before.

A `Carrier` holds marks for as long as it lives. The `Prompter` holds them from request to request,
for objects that a person pointed at. It takes nothing for granted: what SAM 2 knows of an object
counts only while the list shows the very masks that were made of it. After an undo, or any other
change, SAM 2 forgets the object and is given its masks that were marked by hand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from x2sam.engine.engine import Work
from x2sam.engine.marks import marked, obeyed
from x2sam.engine.objects import Object
from x2sam.media.images import Pixels
from x2sam.media.masks import Mask, Rle, Size
from x2sam.tracker.prompts import Prompt
from x2sam.tracker.tracker import Shape, Tracked, Tracking
from x2sam.types import Drawing, Point

if TYPE_CHECKING:
    from x2sam.engine.film import Film

_ALONG: Final = 5  # points that stand for a scribble
_BLOCK: Final = 16  # frames that are held to go backward, which video files cannot


class Reel:
    """A film as the tracker reads it; holds the one frame that it asks for next."""

    def __init__(self, film: Film) -> None:
        self._film = film
        self._held: dict[int, Pixels] = {}

    def __len__(self) -> int:
        return len(self._film)

    def hold(self, index: int, picture: Pixels) -> None:
        """Keep a frame that was decoded ahead, in place of the last one."""
        self._held = {index: picture}

    def fetch(self, index: int) -> None:
        """Decode a frame ahead, unless it is held."""
        if index not in self._held:
            self.hold(index, self._film.picture(index))

    def frame(self, index: int) -> Pixels:
        """Give a frame: (H, W, 3)."""
        held = self._held.get(index)
        return self._film.picture(index) if held is None else held

    def passing(self, frames: Sequence[int]) -> Iterator[Pixels]:
        """Decode frames in any order, one at a time."""
        for start in range(0, len(frames), _BLOCK):
            block = frames[start : start + _BLOCK]
            if block[0] <= block[-1]:
                yield from map(self._film.picture, block)
            else:
                held = {index: self._film.picture(index) for index in reversed(block)}
                for index in block:
                    yield held.pop(index)


class Carrier:
    """Marks on a medium, and the masks that SAM 2 carries from them."""

    def __init__(self, film: Film) -> None:
        assert film.engine.tracker is not None, "asked for only where there is one"
        self._film = film
        self._reel = Reel(film)
        self._tracking: Tracking = film.engine.tracker.open(self._reel)

    def begin(self, work: Work, object_: int, frame: int, mask: Mask) -> None:
        """Let an object be this mask (H, W), and forget what it was."""
        self._reel.fetch(frame)
        with work.step("track"):
            self._tracking.remove(object_)
            self._tracking.add(object_, frame, mask=mask)

    def carry(self, work: Work, objects: Collection[int], frames: range) -> Iterator[Tracked]:
        """Find objects on frames one after the other; those before `frames` are known."""
        direction = "backward" if frames.step < 0 else "forward"
        first, last = sorted((frames[0], frames[-1]))
        with work.alone():
            walk = self._tracking.propagate(
                frames[0],
                "backward" if direction == "backward" else "forward",
                first=first,
                last=last,
                objects=objects,
            )
        for frame, picture in zip(frames, self._reel.passing(frames), strict=True):
            self._reel.hold(frame, picture)
            with work.step("track"):
                tracked = next(walk)
            assert tracked.frame == frame, (tracked.frame, frame)
            yield tracked

    def close(self) -> None:
        """Let go of all marks."""
        self._tracking.close()


class Prompter(Carrier):
    """The objects of a list that a person pointed at, as SAM 2 knows them."""

    def __init__(self, film: Film) -> None:
        super().__init__(film)
        self._given: dict[int, dict[int, Rle]] = {}  # what the list shows of its marks

    def knows(self, object_: int) -> bool:
        """Tell whether there is anything to carry."""
        return object_ in self._tracking.prompts

    def settle(
        self, work: Work, target: Object, listed: Collection[int], also: int | None = None
    ) -> None:
        """Make SAM 2 know an object by its masks that were marked by hand.

        Args:
            work: of the request.
            target: the object.
            listed: numbers of the objects of the list; others are forgotten.
            also: a frame whose mask counts like one marked by hand.
        """
        masks = target.masks
        wanted = {f: masks.rle(f) for f in masks if target.is_corrected(f) or f == also}
        with work.alone():
            for gone in self._given.keys() - {*listed, target.id}:
                self._forget(gone)
            if self._given.get(target.id, {}) == wanted:
                return
            self._forget(target.id)
        # An object begins with a frame where it is to be seen.
        for frame in sorted(wanted, key=lambda frame: -wanted[frame].area):
            if wanted[frame].area or self.knows(target.id):
                self._reel.fetch(frame)
                with work.step("track"):
                    self._tracking.add(target.id, frame, mask=wanted[frame].mask())
                    self._given.setdefault(target.id, {})[frame] = wanted[frame]

    def mark(self, work: Work, target: Object, frame: int, marks: Sequence[Drawing]) -> Shape:
        """Find what marks on a frame mean, all of which are right about the result.

        Of an object that was settled, the mask in the list is corrected. Raises `PromptError`
        where they only say what is not meant.
        """
        tracking, id_, size = self._tracking, target.id, self._film.size
        known = None
        if frame in target.masks and target.masks.area(frame):
            known = target.masks[frame]
        asked = prompt_of(marks, size, known)
        self._reel.fetch(frame)
        with work.step("track"):
            old = tracking.prompts.get(id_, {}).get(frame)
            if old and known is not None and asked["mask"] is known:
                asked = _together(old, asked)
            shape = tracking.add(id_, frame, **asked)
            by_hand = all(drawing.kind == "mask" for drawing in marks)
            final = obeyed(asked["mask"] if by_hand else shape.mask, marks)
            if not final.any() and len(tracking.prompts[id_]) == 1:
                self._forget(id_)
            else:
                if (final != shape.mask).any():
                    tracking.add(id_, frame, mask=final)
                self._given.setdefault(id_, {})[frame] = Rle.of(final)
        return Shape(final, min(max(shape.score, 0.0), 1.0), shape.visible)

    def _forget(self, object_: int) -> None:
        self._given.pop(object_, None)
        self._tracking.remove(object_)


def prompt_of(marks: Sequence[Drawing], size: Size, known: Mask | None) -> dict[str, Any]:
    """Say marks of one object on one frame in what SAM 2 takes: arguments of `Tracking.add`.

    A scribble is a few points along it, several boxes are the one around them, and what was
    painted or erased changes the `known` mask (H, W) that points and box correct.

    >>> click, line = Drawing.point(4, 3), Drawing(kind="scribble", points=((1, 1),), width=2)
    >>> prompt_of([click, line], (8, 10), None)
    {'points': [(4, 3), (1, 1)], 'labels': [1, 1]}
    """
    places = [(point, int(drawing.positive)) for drawing in marks for point in _along(drawing)]
    boxes = [drawing.box for drawing in marks if drawing.box is not None and drawing.positive]
    painted = [d for d in marks if d.kind == "mask" or (d.kind == "box" and not d.positive)]
    asked: dict[str, Any] = {}
    if places:
        asked |= {"points": [p for p, _ in places], "labels": [label for _, label in places]}
    if boxes:
        low, high = np.min(boxes, axis=0)[:2], np.max(boxes, axis=0)[2:]
        asked["box"] = tuple(float(side) for side in (*low, *high))
    if painted and (known is not None or any(drawing.positive for drawing in painted)):
        asked["mask"] = marked(painted, size, known)
    elif known is not None:
        asked["mask"] = known
    return asked


def _together(old: Prompt, asked: dict[str, Any]) -> dict[str, Any]:
    """Add to marks of which a mask was made those that are new, if another box is not among them.

    Marks may be told again: a page says all of a frame each time, a program only the next one.
    """
    if asked.get("box", old.box) != old.box:
        return asked
    told = [*zip(old.points, old.labels, strict=True)]
    here = zip(asked.get("points", ()), asked.get("labels", ()), strict=True)
    every = [*told, *(each for each in here if each not in told)]
    points, labels = [point for point, _ in every], [label for _, label in every]
    return {"points": points, "labels": labels, "box": old.box}


def _along(drawing: Drawing) -> list[Point]:
    """Choose points of a mark, from end to end."""
    count = len(drawing.points)
    places = np.linspace(0, count - 1, min(count, _ALONG)).round().astype(int)
    return [drawing.points[place] for place in places]
