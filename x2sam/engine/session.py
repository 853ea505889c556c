"""One conversation about one picture or clip.

    session = engine.open("street.mp4")
    for event in session.ask("the cyclist in red"):
        ...
    for event in session.prompt(points=[(412, 230)], frame=40, object="the cyclist in red"):
        ...
    session.objects["the cyclist in red"].masks[12]  # (H, W) bool

Words and marks edit one list of objects. A request is an iterator of events and runs while it
is read; closing it ends the turn between two steps and keeps what is done. A session answers
one request at a time: a new one ends the one before.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from x2sam.engine.answers import POINTED, propagate, respond
from x2sam.engine.engine import Stopped, Work
from x2sam.engine.estimate import estimate
from x2sam.engine.film import Film
from x2sam.engine.listening import Listener
from x2sam.engine.marks import check, drawn
from x2sam.engine.obeying import obey
from x2sam.engine.objects import History, Object, Objects
from x2sam.engine.options import Options
from x2sam.engine.pointing import anchor, onward
from x2sam.engine.proposing import NAME, Sighting, keep, propose
from x2sam.engine.reach import Reach
from x2sam.engine.running import Exchange, Running, noted
from x2sam.errors import PromptError
from x2sam.language.router import route as route_request
from x2sam.language.tasks import TASKS
from x2sam.media.exports import Parcel, export
from x2sam.media.images import Picture
from x2sam.media.masks import Mask
from x2sam.media.videos import Clip
from x2sam.tracker.search import Search, Segment
from x2sam.types import (
    Box,
    Command,
    Done,
    Drawing,
    Estimate,
    Event,
    Point,
    Route,
    Routed,
    TextDelta,
)

if TYPE_CHECKING:
    from x2sam.engine.engine import Engine


class Session:
    """A medium, the objects found in it, and what was said; made by `Engine.open`."""

    def __init__(self, engine: Engine, medium: Picture | Clip, options: Options) -> None:
        self.medium = medium
        self.options = options
        self.film = Film(engine, medium)
        self.turns: tuple[Exchange, ...] = ()
        self.history = History()
        self._engine = engine
        self._listener = Listener(self.film, options)
        self._work = Work(engine)
        self._turn = 0
        self._dropped = range(0)  # turns that are not kept when they end

    @property
    def objects(self) -> Objects:
        """The list: `objects[0]`, `objects["the dog"]`, `objects.by_id(3)`."""
        return self.history.now

    @property
    def shown(self) -> tuple[int, ...]:
        """Indices of the frames by which the language model finds things."""
        return self._listener.shown("find")

    def ask(
        self,
        text: str,
        drawings: Sequence[Drawing] = (),
        task: str | None = None,
        reach: Reach | None = None,
    ) -> Generator[Event, None, None]:
        """Answer a request: words, marks, or both; the events come as it is answered.

        Args:
            text: what is wanted, in words.
            drawings: what was marked since the last request; marks from before may be told again,
                which changes nothing.
            task: a key of `TASKS`, for who knows better than the router.
            reach: the frames of a clip that it is about; the masks of others stay as they are.

        Raises:
            PromptError: it makes no sense, or speaks of what is not there.
            LimitError: the text is too long.
            DeviceFullError: the device is out of memory; what was found so far is kept.
        """
        drawings = tuple(drawings)
        route, within = self._routed(text, drawings, task, reach)
        asked = Exchange(turn=0, text=text, drawings=drawings, task=task, reach=reach)
        run = self._begin(asked, within)
        events = (
            self._obey(run, route) if isinstance(route, Command) else respond(run, route, drawings)
        )
        yield from self._answer(run, route, events)

    def estimate(
        self,
        text: str = "",
        drawings: Sequence[Drawing] = (),
        task: str | None = None,
        reach: Reach | None = None,
    ) -> Estimate:
        """Tell what `ask` would do with a request, and what that takes, without doing it.

        Tries out a few steps on a black frame where none of their kind was taken yet. Raises
        what `ask` raises.
        """
        route, within = self._routed(text, drawings, task, reach)
        if isinstance(route, Command):
            return Estimate(task=route.action, reason=route.reason)
        return estimate(
            self.film, self._listener, self.objects, self.options, route, drawings, within
        )

    def propagate(
        self, which: int | str, frame: int | None = None, reach: Reach | None = None
    ) -> Generator[Event, None, None]:
        """Carry the mask of one frame to the others, up to those that were corrected by hand.

        Args:
            which: number or name of an object.
            frame: where its mask is right; the last one corrected by default, or if there is
                none, the one with the best score.
            reach: the frames that may get another mask.

        Raises what `ask` raises.
        """
        if self.film.media == "image":
            raise PromptError("A picture has no other frames to carry a mask to.")
        target = self.objects.find(which)
        frame = anchor(target, len(self.film), frame)
        within = (reach or Reach()).within(len(self.film)).at(frame)
        asked = Exchange(turn=0, text="", carried=(target.id, frame), reach=reach)
        run = self._begin(asked, within)
        yield from self._answer(run, onward(target, frame), propagate(run, target, frame))

    def prompt(
        self,
        points: Sequence[Point] = (),
        labels: Sequence[int] | None = None,
        box: Box | None = None,
        mask: Mask | None = None,
        frame: int = 0,
        object: int | str | None = None,  # noqa: A002 (the word of the field)
        reach: Reach | None = None,
    ) -> Generator[Event, None, None]:
        """Point at something: a new object, or a correction of one of the list.

        Args:
            points: x y pixels.
            labels: 1 or 0 for each point: this, or not this; all 1 by default.
            box: x0 y0 x1 y1 pixels, end exclusive.
            mask: (H, W) bool.
            frame: where it was marked.
            object: number or name of the object to correct; None begins a new one.
            reach: the frames of a clip that it is about; `Reach.only(frame)` is this one alone.

        Raises what `ask` raises.
        """
        target = None if object is None else self.objects.find(object).id
        drawings = drawn(points, labels, box, mask, frame=frame, target=target)
        yield from self.ask("", drawings, reach=reach)

    def everything(
        self, frame: int = 0, search: Search | None = None
    ) -> Generator[Sighting, None, None]:
        """Let SAM 2 find everything on a frame: progress, a `Segment` for each thing, `Done`.

        None of it is in the list; see `keep`. A search that is stopped tells what it has found.
        Raises what `ask` raises.
        """
        self._work.stop()
        self._work = Work(self._engine)
        return propose(self._work, self.film, frame, search or Search())

    # What needs no model

    def keep(self, segment: Segment, frame: int = 0, name: str = NAME) -> Object:
        """Put what `everything` found into the list."""
        return keep(self.history, segment, frame, self._turn, name)

    def stop(self) -> None:
        """End the request that is being answered, before its next step; may come from anywhere."""
        self._work.stop()

    def undo(self) -> bool:
        """Take the last change of the list back; False if there is none."""
        self.stop()
        return self.history.undo()

    def redo(self) -> bool:
        """Take the last undo back; False if there is none."""
        self.stop()
        return self.history.redo()

    def rewind(self, turn: int) -> None:
        """Go back to before a turn: what was said from then on is dropped.

        The list is as it was when the turn began, which is one change that can be undone.
        Raises `PromptError` if there is no such turn, or its list is not known any more.
        """
        going = [each for each in self.turns if each.turn >= turn]
        if not going or going[0].turn != turn:
            raise PromptError(f"There is no turn {turn} to go back to.")
        before = going[0].before
        if before is None:
            raise PromptError(
                f"What the list was before turn {turn} is not known any more: it is long ago, or "
                "was loaded from a file. Go back to a later turn, or begin a new conversation."
            )
        self._drop(turn)
        self.history.edit(lambda _: before)

    def forget(self) -> None:
        """Begin a new conversation about the same medium; emptying the list can be undone."""
        self._drop(0)
        self._listener.forget()
        self.history.edit(lambda _: Objects())

    def adjust(self, options: Options) -> None:
        """Look at the medium in another way from the next request on."""
        self.options, self._listener = self._engine.checked(options), Listener(self.film, options)

    def rename(self, which: int | str, name: str) -> None:
        """Give an object another name."""
        id_ = self.objects.find(which).id
        self.history.edit(lambda objects: objects.renamed(id_, name))

    def delete(self, *which: int | str) -> None:
        """Take objects off the list."""
        ids = self._ids(which)
        self.history.edit(lambda objects: objects.without(ids))

    def merge(self, *which: int | str) -> None:
        """Make one object of several, by the name of the first."""
        ids = self._ids(which)
        if len(set(ids)) < 2:  # noqa: PLR2004
            raise PromptError("Name two objects or more to merge.")
        self.history.edit(lambda objects: objects.merged(ids))

    def show(self, *which: int | str) -> None:
        """Show objects again; all of them if none is named."""
        ids = self._ids(which) if which else self.objects.ids()
        self.history.edit(lambda objects: objects.showing(ids, shown=True))

    def hide(self, *which: int | str) -> None:
        """Hide objects; they stay in the list."""
        ids = self._ids(which)
        self.history.edit(lambda objects: objects.showing(ids, shown=False))

    def only(self, *which: int | str) -> None:
        """Show these objects, and hide all others."""
        ids = self._ids(which)
        self.history.edit(lambda objects: objects.showing_only(ids))

    def export(
        self, folder: str | Path, formats: Sequence[str] = (), effect: str = "overlay"
    ) -> list[Path]:
        """Write some of `media.exports.FORMATS`, or all, of what is shown; see `effects.choose`.

        Raises `PromptError` for an unknown format or effect, `MediaError` if it cannot be written.
        """
        items = [each.item() for each in self.objects if each.shown]
        turns = [turn.transcript() for turn in self.turns]
        parcel = Parcel(medium=self.medium, items=items, turns=turns, effect=effect)
        return list(export(parcel, Path(folder), formats))

    def save(self, file: str | Path) -> Path:
        """Write `session.json`: the turns, the objects, and a hash of the medium."""
        from x2sam.engine.replay import save  # noqa: PLC0415 (replay makes sessions)

        return save(self, Path(file))

    def restore(self, turns: Sequence[Exchange], history: History) -> None:
        """Go on from a saved conversation."""
        self.stop()
        self.turns, self.history = tuple(turns), history
        mentioned = (each.mentioned for each in history.now)
        self._turn = max([0, *(turn.turn for turn in turns), *mentioned])

    def close(self) -> None:
        """Let go of the medium; the objects stay."""
        self.stop()
        self.film.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # How a request is answered

    def _routed(
        self, text: str, drawings: Sequence[Drawing], task: str | None, reach: Reach | None
    ) -> tuple[Route | Command, Reach]:
        """Understand a request: what is to be done, and with which frames."""
        check(drawings, self.film.size, len(self.film))
        within = (reach or Reach()).within(len(self.film))
        listed = [each.listed() for each in self.objects]
        route = route_request(text, drawings, media=self.film.media, objects=listed, task=task)
        if isinstance(route, Route) and TASKS[route.task].answer in POINTED:
            for drawing in drawings:
                within.at(drawing.frame)
        return route, within

    def _drop(self, turn: int) -> None:
        """Drop what was said from a turn on, a turn that has not ended yet included."""
        self.stop()
        self._dropped = range(turn, self._turn + 1)
        self.turns = tuple(each for each in self.turns if each.turn < turn)

    def _begin(self, asked: Exchange, reach: Reach) -> Running:
        self._work.stop()
        self._work = Work(self._engine)
        self._turn += 1
        said = [asked for turn in self.turns for asked in turn.said]
        return Running(
            turn=self._turn,
            asked=replace(asked, turn=self._turn, before=self.objects),
            reach=reach,
            work=self._work,
            film=self.film,
            listener=self._listener,
            history=self.history,
            options=self.options,
            earlier=said[max(0, len(said) - self.options.context) :],
        )

    def _answer(
        self, run: Running, route: Route | Command, events: Iterator[Event]
    ) -> Generator[Event, None, None]:
        """Hand events on, and keep what was said and done, however it ends."""
        started = time.monotonic()
        run.note = route.reason
        try:
            yield Routed(run.turn, route)
            try:
                for event in run.in_line(events):
                    if isinstance(event, TextDelta):
                        run.reply += event.text
                    yield event
            except Stopped:
                run.stopped = True
            yield Done(
                turn=run.turn,
                text=run.reply,
                objects=tuple(run.touched),
                seconds=time.monotonic() - started,
                stopped=run.stopped,
            )
        except GeneratorExit:
            run.stopped = True
            raise
        finally:
            run.work.stop()
            if run.turn not in self._dropped:
                self.turns = noted(self.turns, run.exchange())

    def _obey(self, run: Running, command: Command) -> Iterator[Event]:
        obey(self, command, run.turn)
        run.touched = dict.fromkeys(command.objects)
        yield from ()

    def _ids(self, which: Sequence[int | str]) -> tuple[int, ...]:
        return tuple(self.objects.find(each).id for each in which)
