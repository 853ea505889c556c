"""What a page asks the model for, read from plain values.

ask        words, marks, or both, about the frames of `reach`
mark       the mask of what is marked on one frame, at once
propagate  the mask that an object has on a frame, carried to others
everything what there is on a frame, for the person to choose from
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from demo import wire
from x2sam.engine.reach import Reach
from x2sam.errors import PromptError
from x2sam.language.tasks import TASKS
from x2sam.media.masks import Size
from x2sam.tracker.search import Search, Segment
from x2sam.types import Drawing, Event

if TYPE_CHECKING:
    from x2sam.engine.session import Session

Heard = Event | Segment  # while a request is answered
KINDS = ("ask", "mark", "propagate", "everything")
_SEARCHED: Final = {"points_per_side", "quality", "stability", "box_overlap", "min_area"}
_FINEST: Final = 64  # points per side, for the model is everybody's


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One wish of the page."""

    kind: str  # one of `KINDS`
    text: str = ""
    drawings: tuple[Drawing, ...] = ()
    task: str | None = None  # a key of `TASKS`, where the person knows better than the router
    object: int | None = None
    frame: int = 0
    reach: Reach | None = None
    search: Search | None = None

    def answer(self, session: Session) -> Generator[Heard, None, None]:
        """Have it answered."""
        if self.kind == "everything":
            return session.everything(self.frame, self.search)
        if self.kind == "propagate":
            assert self.object is not None
            return session.propagate(self.object, self.frame, self.reach)
        return session.ask(self.text, self.drawings, self.task, self.reach)


def read(values: dict[str, Any], *, source: Size, display: Size) -> Request:
    """Read a request about a medium; raises `PromptError` where it makes no sense."""
    kind, text, task = values.get("kind"), values.get("text") or "", values.get("task")
    number = values.get("object")
    if kind not in KINDS or not isinstance(text, str) or (task and task not in TASKS):
        raise PromptError(wire.NONSENSE)
    request = Request(
        kind=kind,
        text=text,
        drawings=tuple(wire.marks(values.get("drawings") or [], source=source, display=display)),
        task=task or None,
        object=None if number is None else wire.whole(number),
        frame=wire.whole(values.get("frame", 0)),
        reach=wire.reach(values.get("reach")),
        search=_search(values.get("search") or {}) if kind == "everything" else None,
    )
    if kind == "propagate" and number is None:
        raise PromptError("Choose the object that should be followed.")
    return _marked(request) if kind == "mark" else request


def _search(values: Any) -> Search:
    """Read how thoroughly to look for everything."""
    if not isinstance(values, dict) or not _SEARCHED.issuperset(values):
        raise PromptError(wire.NONSENSE)
    if not all(type(value) in (int, float) for value in values.values()):
        raise PromptError(wire.NONSENSE)
    whole = {name: int(values[name]) for name in ("points_per_side", "min_area") if name in values}
    search = Search(**{**values, **whole})
    if search.points_per_side > _FINEST:
        raise PromptError(f"Up to {_FINEST} points per side can be tried here.")
    return search


def _marked(request: Request) -> Request:
    """Keep the marks of the one frame that is looked at, for the object they are made on."""
    drawings = tuple(
        replace(each, object=request.object)
        for each in request.drawings
        if each.frame == request.frame
    )
    if not drawings:
        raise PromptError("Mark something first.")
    return replace(request, text="", drawings=drawings, reach=Reach.only(request.frame))
