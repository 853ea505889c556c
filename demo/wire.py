"""What travels between page and server, as plain values.

The page works at the *display* size, the engine at the size of the source: masks are scaled on
their way, in both directions, while points and boxes come in source pixels already.

    >>> shown(TextDelta("a dog"), (2, 3))
    {'kind': 'text', 'text': 'a dog'}
    >>> marks([{"kind": "point", "points": [[7, 2]]}], source=(4, 6), display=(2, 3))[0].points
    ((5.999, 2),)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from demo.display import grow, rle_json, shrink
from x2sam.engine.reach import Reach
from x2sam.errors import MediaError, PromptError
from x2sam.media.masks import Rle, Size
from x2sam.tracker.search import Segment
from x2sam.types import (
    Done,
    Drawing,
    Estimate,
    Event,
    MaskReady,
    NotFound,
    Phrase,
    Progress,
    Route,
    Routed,
    TextDelta,
    Waiting,
    Warning,  # noqa: A004 (an event)
)

TITLES: Final = {  # the tasks in plain words, for the person at the screen
    "chat": "Answer in words",
    "refseg": "Find what is described",
    "reaseg": "Find what fits the question",
    "gcgseg": "Describe with masks",
    "ovseg": "Find everything of these kinds",
    "genseg": "Sort the whole picture into these kinds",
    "intseg": "This very object",
    "objseg": "This very object, through the clip",
    "vgdseg": "All like this",
}
CHANGED: Final = "Change the list"

KINDS: Final[dict[type[Event], str]] = {  # of events, on the wire
    Routed: "routed",
    Waiting: "waiting",
    Progress: "progress",
    TextDelta: "text",
    Phrase: "phrase",
    MaskReady: "mask",
    NotFound: "notfound",
    Warning: "warning",
    Done: "done",
}

_MARKS: Final = 200  # in one request
_POINTS: Final = 20_000  # of all its scribbles
_EDGE: Final = 0.001  # pixels that a point stays away from the far edge
NONSENSE: Final = "The page sent something that makes no sense. Load it again."


def proposed(segment: Segment, number: int, display: Size) -> dict[str, Any]:
    """Write one of the things that a person may choose from."""
    rle = rle_json(shrink(segment.rle.mask(), display))
    return {"kind": "segment", "segment": number, "rle": rle, "score": round(segment.quality, 4)}


def shown(event: Event, display: Size) -> dict[str, Any]:
    """Write an event of the engine for a page of this display size."""
    told: dict[str, Any] = {"kind": KINDS[type(event)]}
    match event:
        case Routed(turn, route):
            task = route.task if isinstance(route, Route) else None
            chip = TITLES[task] if task else CHANGED
            return told | {"turn": turn, "task": task, "chip": chip, "reason": route.reason}
        case MaskReady():
            rle = rle_json(shrink(event.mask, display))
            seen = {"score": round(float(event.score), 4), "how": event.how.value}
            if event.visible is not None:
                seen["visible"] = round(float(event.visible), 4)
            return told | {"object": event.object, "frame": event.frame, "rle": rle, **seen}
        case _:
            return told | asdict(event)


def failed(text: str) -> dict[str, Any]:
    """Write what ends a request that cannot be answered."""
    return {"kind": "error", "text": text}


def estimated(event: Estimate) -> dict[str, Any]:
    """Write what a request will probably take."""
    return {
        "seconds": [round(seconds, 1) for seconds in event.seconds],
        "frames_shown": event.frames_shown,
        "frames_masked": event.frames_masked,
        "bytes": event.bytes,
    }


def marks(values: Any, *, source: Size, display: Size) -> list[Drawing]:
    """Read what was drawn on the page; raises `PromptError` where it is nothing of the kind.

    A point or box that leaves the picture by a little, as a fast hand does, is brought back.
    """
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise PromptError(NONSENSE)
    if len(values) > _MARKS:
        raise PromptError(f"These are {len(values)} marks; up to {_MARKS} can be used at once.")
    if sum(len(each.get("points") or ()) for each in values if isinstance(each, dict)) > _POINTS:
        raise PromptError("The scribbles are too long. Draw shorter ones.")
    return [_mark(each, source, display) for each in values]


def drawn(drawing: Drawing) -> dict[str, Any]:
    """Write a mark for the page, which sends it back as it is: what `marks` reads."""
    mask = drawing.mask
    return {
        "kind": drawing.kind,
        "positive": drawing.positive,
        "frame": drawing.frame,
        "object": drawing.object,
        "points": [list(point) for point in drawing.points],
        "width": drawing.width,
        "box": None if drawing.box is None else list(drawing.box),
        "rle": None if mask is None else Rle.of(mask).to_json(),
    }


def _mark(values: Any, source: Size, display: Size) -> Drawing:
    height, width = source
    try:
        # A kind says what matters; the page sends the rest as well, empty.
        kind = values["kind"]
        plain = {key: values.get(key) for key in ("kind", "frame", "object") if key in values}
        plain["positive"] = values.get("positive", True)
        if kind in ("point", "scribble"):
            plain["points"] = [[_near(x, width), _near(y, height)] for x, y in values["points"]]
            plain["width"] = values.get("width") or (1 if kind == "scribble" else 0)
        elif kind == "box":
            x0, y0, x1, y1 = values["box"]
            plain["box"] = [*_ordered(x0, x1, width), *_ordered(y0, y1, height)]
            plain["box"] = [plain["box"][place] for place in (0, 2, 1, 3)]
        elif kind == "mask":
            return _drawn_mask(values, source, display)
        return Drawing.from_json(plain)
    except (AttributeError, LookupError, TypeError, ValueError, PromptError, MediaError) as error:
        raise PromptError(NONSENSE) from error


def _drawn_mask(values: Mapping[str, Any], source: Size, display: Size) -> Drawing:
    if tuple(values["rle"]["size"]) not in (source, display):
        raise PromptError(NONSENSE)
    rle = Rle.from_json(values["rle"])
    target = values.get("object")
    return Drawing(
        kind="mask",
        positive=bool(values.get("positive", True)),
        frame=max(0, int(values.get("frame", 0))),
        object=None if target is None else int(target),
        mask=grow(rle.mask(), source),
    )


def _near(value: float, side: int) -> float:
    return min(max(value, 0), side - _EDGE)


def _ordered(one: float, other: float, side: int) -> tuple[float, float]:
    low, high = sorted((min(max(one, 0), side), min(max(other, 0), side)))
    return low, high


def reach(values: Any) -> Reach | None:
    """Read which frames a request is about; None if it does not say."""
    if values is None:
        return None
    if not isinstance(values, dict):
        raise PromptError(NONSENSE)
    return Reach.from_json(values)


def numbers(values: Any) -> list[int]:
    """Read numbers of objects; raises `PromptError` where there are none."""
    if not isinstance(values, list) or not values or not all(type(n) is int for n in values):
        raise PromptError(NONSENSE)
    return values


def whole(value: Any) -> int:
    """Read one whole number; raises `PromptError` for anything else."""
    if type(value) is not int:
        raise PromptError(NONSENSE)
    return value
