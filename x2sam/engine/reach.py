"""Which frames of a clip a request is about, and in which order they pass by.

Masks are carried from a start: forward to the last frame, then, in a stream of its own,
backward to the first. The start comes first in both, so that the second stream remembers it.

    >>> Reach(start=3, first=1, last=6).streams()
    (range(3, 7), range(3, 0, -1))
    >>> Reach(first=4).within(10).streams()
    (range(4, 10),)
    >>> Reach.only(5).streams()
    (range(5, 6),)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, Self, get_args

from x2sam.errors import PromptError

Direction = Literal["both", "forward", "backward"]

DIRECTIONS: Final[tuple[Direction, ...]] = get_args(Direction)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Frames `first` to `last`, the last included; a whole clip if nothing is said.

    What is marked, or carried on, starts on its own frame, whatever `start` and `best` say.
    """

    start: int | None = None  # None: the first of them, or going backward the last
    first: int = 0
    last: int | None = None  # None: the last one of the clip
    direction: Direction = "both"  # from the start
    best: bool = False  # start where words fit best, of the frames the language model is shown

    @classmethod
    def only(cls, frame: int) -> Self:
        """One frame alone."""
        return cls(start=frame, first=frame, last=frame)

    def within(self, frames: int) -> Reach:
        """Fit it to a clip of so many frames; raises `PromptError` where it does not make sense."""
        last = frames - 1 if self.last is None else self.last
        for frame in (self.first, last):
            if not 0 <= frame < frames:
                raise PromptError(f"There is no frame {frame}; there are 0 to {frames - 1}.")
        if self.first > last:
            raise PromptError(f"Frame {self.first} comes after frame {last}. Swap the two.")
        if self.direction not in DIRECTIONS:
            raise PromptError(f"Masks are carried {', '.join(DIRECTIONS[1:])} or both ways.")
        if self.best and self.start is not None:
            raise PromptError("Name the frame to start from, or ask for the best one; not both.")
        fitted = replace(self, last=last)
        return fitted if self.start is None else fitted.at(self.start)

    def at(self, frame: int) -> Reach:
        """Start from this frame; raises `PromptError` if it is not among them."""
        if frame not in self:
            raise PromptError(
                f"Frame {frame} is not among frames {self.first} to {self.last}, which were asked "
                "for. Choose one of these, or ask for more."
            )
        return replace(self, start=frame, best=False)

    def __contains__(self, frame: int) -> bool:
        return self.first <= frame and (self.last is None or frame <= self.last)

    def streams(self) -> tuple[range, ...]:
        """The frames in order, one range or two that begin with the same frame."""
        assert self.last is not None, "fitted to a clip"
        backward = self.direction == "backward"
        start = self.start
        if start is None:
            start = self.last if backward else self.first
        ahead = range(start, start + 1 if backward else self.last + 1)
        back = range(start, start - 1 if self.direction == "forward" else self.first - 1, -1)
        return tuple(way for way in (ahead, back) if len(way) > 1) or (ahead,)

    def to_json(self) -> dict[str, Any]:
        """Write as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; raises `PromptError` if it is something else."""
        try:
            direction = DIRECTIONS[DIRECTIONS.index(values.get("direction", "both"))]
            start, last = values.get("start"), values.get("last")
            return cls(
                start=None if start is None else int(start),
                first=int(values.get("first", 0)),
                last=None if last is None else int(last),
                direction=direction,
                best=bool(values.get("best", False)),
            )
        except (AttributeError, TypeError, ValueError) as error:
            raise PromptError("The saved frames of a request are damaged.") from error
