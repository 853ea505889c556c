"""What travels across the border of the engine: arrays, text and plain values.

Requests go in as text and `Drawing`s. The router turns them into a `Route` or a `Command`, and
the engine answers with `Event`s, in the order in which things become known. All of it is frozen;
what a saved session needs also knows its JSON.

    >>> here = Drawing.point(412, 230, frame=40)
    >>> here.to_json()
    {'kind': 'point', 'positive': True, 'frame': 40, 'points': [[412, 230]]}
    >>> Drawing.from_json(here.to_json()).points
    ((412, 230),)

Pixels: x to the right and y down from the corner of the picture, boxes x0 y0 x1 y1 with the end
exclusive, masks (H, W) bool at the size of the medium. A picture has one frame, number 0.
"""

from __future__ import annotations

import base64
import math
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Any, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from x2sam.errors import PromptError

Media = Literal["image", "video"]
Point = tuple[float, float]
Box = tuple[float, float, float, float]
Mask = NDArray[np.bool_]
Kind = Literal["point", "box", "scribble", "mask"]

_MASK_BITS: Final = 1 << 28  # of a mask in JSON; sixteen times a 4096 x 4096 picture


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawing:
    """One mark that a person made on a frame; a positive one says "this", a negative "not this".

    Marks with the same `object` belong together. The number of an object in the list corrects
    that object; any other number begins a new one, and so do, together, marks without a number.
    """

    kind: Kind
    positive: bool = True
    frame: int = 0
    object: int | None = None
    points: tuple[Point, ...] = ()  # of a point, or along a scribble
    width: float = 0  # of a scribble, in pixels
    box: Box | None = None
    mask: Mask | None = None  # (H, W)

    def __post_init__(self) -> None:
        given = {
            "point": len(self.points) == 1,
            "scribble": bool(self.points) and self.width > 0,
            "box": self.box is not None,
            "mask": self.mask is not None,
        }
        assert given[self.kind], self
        assert self.frame >= 0, self.frame

    @classmethod
    def point(cls, x: float, y: float, **rest: Any) -> Self:
        """Click at a pixel."""
        return cls(kind="point", points=((x, y),), **rest)

    def to_json(self) -> dict[str, Any]:
        """Write the mark as plain values, those left out that say nothing."""
        values: dict[str, Any] = {
            "kind": self.kind,
            "positive": self.positive,
            "frame": self.frame,
            "object": self.object,
            "points": [list(point) for point in self.points] or None,
            "width": self.width or None,
            "box": self.box and list(self.box),
            "mask": None if self.mask is None else _pack(self.mask),
        }
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read a mark back; raises `PromptError` where the values describe none."""
        try:
            box, mask = values.get("box"), values.get("mask")
            drawing = cls(
                kind=values["kind"],
                positive=bool(values.get("positive", True)),
                frame=int(values.get("frame", 0)),
                object=None if values.get("object") is None else int(values["object"]),
                points=tuple((_number(x), _number(y)) for x, y in values.get("points", ())),
                width=_number(values.get("width", 0)),
                box=None if box is None else _four(box),
                mask=None if mask is None else _unpack(mask),
            )
        except (
            AssertionError,
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
            OverflowError,
            zlib.error,
        ) as error:
            raise PromptError("A saved drawing is damaged and cannot be read.") from error
        return drawing


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """What the marks of one object amount to on one frame, as the model is shown it."""

    mask: Mask  # (H, W)
    frame: int = 0


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object as the router knows it; the list is in the order that a person sees."""

    id: int
    name: str
    box: Box | None = None  # where it is now
    mentioned: int = 0  # the turn in which it was last spoken of or pointed at


class Use(Enum):
    """What a drawing is for."""

    REGION = "a region that the model is shown"
    CORRECTION = "a correction of the object it was drawn on"
    REFINEMENT = "a correction of what the words will find"
    REFERENCE = "says which object of the list the words speak of"
    FOCUS = "the part of the picture that the question is about"
    UNUSED = "not used"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What the model is asked to do, and why."""

    task: str  # a key of `language.tasks.TASKS`
    rule: str  # which rule decided
    reason: str  # for the person at the screen
    text: str = ""  # what was asked for, or the name of what was drawn
    alone: str = ""  # the same without "it" and "one", if it leaned on an earlier turn
    follow_up: bool = False  # to be read after the earlier turns
    explain: bool = False
    categories: tuple[str, ...] = ()  # or the names of several drawn things
    objects: tuple[int, ...] = ()  # ids spoken of; the regions, if the task needs some
    uses: tuple[Use, ...] = ()  # one for each drawing


Action = Literal["undo", "redo", "show", "hide", "only", "delete", "merge", "rename", "select"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A change of the list of objects, which needs no model."""

    action: Action
    reason: str
    objects: tuple[int, ...] = ()  # ids
    name: str = ""  # the new one


class How(Enum):
    """How the mask of a frame came about."""

    SEEN = "seen"  # decoded by the model on this frame
    CARRIED = "carried"  # from its neighbours
    CORRECTED = "corrected"  # marked by hand


@dataclass(frozen=True, slots=True)
class Span:
    """Frames `first` to `last`, the last included, that came about in the same way."""

    first: int
    last: int
    how: How
    turn: int


@dataclass(frozen=True, slots=True)
class Provenance:
    """How the masks of one object came about, frame by frame and by which turn.

    >>> made = Provenance.of({0: (How.SEEN, 1), 1: (How.CARRIED, 1), 2: (How.CARRIED, 1)})
    >>> made.to_json()
    [[0, 0, 'seen', 1], [1, 2, 'carried', 1]]
    >>> made.at(2), made.at(3)
    ((<How.CARRIED: 'carried'>, 1), None)
    """

    spans: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        assert all(span.first <= span.last for span in self.spans), self.spans
        assert all(a.last < b.first for a, b in pairwise(self.spans)), self.spans

    @classmethod
    def of(cls, frames: Mapping[int, tuple[How, int]]) -> Self:
        """Join frames (how, and by which turn) that follow each other."""
        spans: list[Span] = []
        for frame in sorted(frames):
            how, turn = frames[frame]
            last = spans[-1] if spans else None
            if last and (last.last, last.how, last.turn) == (frame - 1, how, turn):
                spans[-1] = Span(last.first, frame, how, turn)
            else:
                spans.append(Span(frame, frame, how, turn))
        return cls(tuple(spans))

    def frames(self) -> Iterator[tuple[int, How, int]]:
        """Yield every frame that has a mask, how it came about, and by which turn."""
        for span in self.spans:
            for frame in range(span.first, span.last + 1):
                yield frame, span.how, span.turn

    def at(self, frame: int) -> tuple[How, int] | None:
        """Tell how the mask of a frame came about and by which turn; None if it has none."""
        place = bisect_right(self.spans, frame, key=lambda span: span.first) - 1
        if place < 0 or frame > self.spans[place].last:
            return None
        return self.spans[place].how, self.spans[place].turn

    def to_json(self) -> list[list[Any]]:
        """Write one list for every span: first, last, how, turn."""
        return [[span.first, span.last, span.how.value, span.turn] for span in self.spans]

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """Read spans back; raises `PromptError` where the values are none."""
        try:
            spans = [Span(int(a), int(b), How(how), int(turn)) for a, b, how, turn in values]
            return cls(tuple(spans))
        except (AssertionError, TypeError, ValueError) as error:
            raise PromptError("The saved history of an object is damaged.") from error


@dataclass(frozen=True, slots=True)
class Routed:
    """The request was understood; this is what will be done."""

    turn: int
    route: Route | Command


@dataclass(frozen=True, slots=True)
class Waiting:
    """The model is busy: so many requests are before yours, which goes on by itself."""

    ahead: int


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` steps of one stage, for instance "segmenting frames"."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The answer goes on."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """The characters `start` to `end` (exclusive) of the answer speak of objects."""

    text: str
    start: int
    end: int
    objects: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class MaskReady:
    """An object has a new mask on a frame; an empty one says that it is not visible there."""

    object: int
    frame: int
    mask: Mask  # (H, W)
    score: float  # 0 to 1
    how: How = How.SEEN
    visible: float | None = None  # how sure SAM 2 is that it is to be seen, 0 to 1


@dataclass(frozen=True, slots=True)
class NotFound:
    """What was asked for is not there; `candidates` came nearest: name, and score 0 to 1.

    The thing itself with how likely it was at best; or where the model answered in words only,
    objects of the list with the share of words they have in common with what was asked for.
    """

    what: str
    candidates: tuple[tuple[str, float], ...] = ()
    frames: int = 1  # that were looked at


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001 (an event; whoever wants the builtin imports this module by name)
    """Something the person should know, though the answer goes on."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The turn is over; what it made is in the list."""

    turn: int
    text: str = ""  # the whole answer
    objects: tuple[int, ...] = ()  # made or changed
    seconds: float = 0
    stopped: bool = False  # before its end, by the person


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a request will take, told before it is made."""

    task: str  # a key of `language.tasks.TASKS`, or the action of a command
    reason: str  # for the person at the screen
    frames_shown: int = 0  # to the language model
    frames_masked: int = 0  # that get a mask
    seconds: tuple[float, float] = (0.0, 0.0)  # at best, and at worst
    bytes: int = 0  # of memory that it will take beyond what is in use


Event = Routed | Waiting | Progress | TextDelta | Phrase | MaskReady | NotFound | Warning | Done


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(value)
    return value


def _four(values: Any) -> Box:
    x0, y0, x1, y1 = map(_number, values)
    return x0, y0, x1, y1


def _pack(mask: Mask) -> dict[str, Any]:
    bits = zlib.compress(np.packbits(mask).tobytes())
    return {"size": list(mask.shape), "bits": base64.b64encode(bits).decode()}


def _unpack(values: Mapping[str, Any]) -> Mask:
    height, width = map(int, values["size"])
    count = height * width
    if min(height, width) < 1 or count > _MASK_BITS:
        raise ValueError(values["size"])
    packed = base64.b64decode(values["bits"], validate=True)
    # Whatever was packed, no more is unpacked than the size allows.
    size = (count + 7) // 8
    raw = zlib.decompressobj().decompress(packed, size)
    if len(raw) < size:
        raise ValueError(len(raw))
    return np.unpackbits(np.frombuffer(raw, np.uint8), count=count).reshape(height, width) > 0
