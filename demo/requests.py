"""What a page asks the model for, read from plain values.

ask        words, marks, or both, about the frames of `reach`
mark       the mask of what is marked on one frame, at once
propagate  the mask that an object has on a frame, carried to others
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from demo import wire
from x2sam.engine.reach import Reach
from x2sam.errors import PromptError
from x2sam.language.tasks import TASKS
from x2sam.media.masks import Size
from x2sam.types import Drawing, Event

if TYPE_CHECKING:
    from x2sam.engine.session import Session

KINDS = ("ask", "mark", "propagate")


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

    def answer(self, session: Session) -> Generator[Event, None, None]:
        """Have it answered."""
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
    )
    if kind == "propagate" and number is None:
        raise PromptError("Choose the object that should be followed.")
    return _marked(request) if kind == "mark" else request


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
