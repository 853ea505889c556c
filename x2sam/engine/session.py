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
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from x2sam.engine.engine import Stopped, Work
from x2sam.engine.film import Film
from x2sam.engine.finding import find
from x2sam.engine.listening import Listener
from x2sam.engine.marks import area, check
from x2sam.engine.objects import History, Object, Objects, clean_name
from x2sam.engine.options import Options
from x2sam.engine.pointing import point
from x2sam.engine.running import Exchange, Running
from x2sam.errors import PromptError
from x2sam.language.prompts import question
from x2sam.language.router import route as route_request
from x2sam.language.tasks import TASKS, Answer
from x2sam.media.exports import Parcel, export
from x2sam.media.images import Picture
from x2sam.media.masks import Mask, Rle, union
from x2sam.media.videos import Clip
from x2sam.types import (
    Action,
    Box,
    Command,
    Done,
    Drawing,
    Event,
    Point,
    Route,
    Routed,
    TextDelta,
    Use,
)

if TYPE_CHECKING:
    from x2sam.engine.engine import Engine

UNNAMED: Final = "object"
_POINTED: Final = frozenset({Answer.MASK_OF_REGION, Answer.MASKLET_OF_REGION})


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

    @property
    def objects(self) -> Objects:
        """The list: `objects[0]`, `objects["the dog"]`, `objects.by_id(3)`."""
        return self.history.now

    @property
    def shown(self) -> tuple[int, ...]:
        """Indices of the frames by which the language model finds things."""
        return self._listener.shown("find")

    def ask(
        self, text: str, drawings: Sequence[Drawing] = (), task: str | None = None
    ) -> Generator[Event, None, None]:
        """Answer a request: words, marks, or both; the events come as it is answered.

        Args:
            text: what is wanted, in words.
            drawings: what was marked since the last request.
            task: a key of `TASKS`, for who knows better than the router.

        Raises:
            PromptError: it makes no sense, or speaks of what is not there.
            LimitError: the text is too long.
            DeviceFullError: the device is out of memory; what was found so far is kept.
        """
        started = time.monotonic()
        check(drawings, self.film.size, len(self.film))
        listed = [each.listed() for each in self.objects]
        route = route_request(text, drawings, media=self.film.media, objects=listed, task=task)
        run = self._begin()
        run.note = route.reason
        drawings = tuple(drawings)
        try:
            yield Routed(run.turn, route)
            events = (
                self._obey(run, route)
                if isinstance(route, Command)
                else self._respond(run, route, drawings)
            )
            try:
                for event in events:
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
            self.turns += (self._exchange(run, text, drawings, task),)

    def prompt(
        self,
        points: Sequence[Point] = (),
        labels: Sequence[int] | None = None,
        box: Box | None = None,
        mask: Mask | None = None,
        frame: int = 0,
        object: int | str | None = None,  # noqa: A002 (the word of the field)
    ) -> Generator[Event, None, None]:
        """Point at something: a new object, or a correction of one of the list.

        Args:
            points: x y pixels.
            labels: 1 or 0 for each point: this, or not this; all 1 by default.
            box: x0 y0 x1 y1 pixels, end exclusive.
            mask: (H, W) bool.
            frame: where it was marked.
            object: number or name of the object to correct; None begins a new one.

        Raises what `ask` raises.
        """
        target = None if object is None else self.objects.find(object).id
        labels = [1] * len(points) if labels is None else labels
        if len(labels) != len(points):
            raise PromptError(f"There are {len(points)} points, but {len(labels)} labels.")
        if frame < 0:
            raise PromptError(f"There is no frame {frame}; the first one is 0.")
        rest = {"frame": frame, "object": target}
        drawings = [
            Drawing.point(x, y, positive=bool(label), **rest)
            for (x, y), label in zip(points, labels, strict=True)
        ]
        if box is not None:
            drawings.append(Drawing(kind="box", box=box, frame=frame, object=target))
        if mask is not None:
            mask = np.asarray(mask, bool)
            drawings.append(Drawing(kind="mask", mask=mask, frame=frame, object=target))
        yield from self.ask("", drawings)

    # What needs no model

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

    def rename(self, which: int | str, name: str) -> None:
        """Give an object another name."""
        id_, name = self.objects.find(which).id, clean_name(name)

        def renamed(objects: Objects) -> Objects:
            others = objects.without([id_])
            return objects.put(replace(objects.by_id(id_), name=others.free_name(name)))

        self.history.edit(renamed)

    def delete(self, *which: int | str) -> None:
        """Take objects off the list."""
        ids = self._ids(which)
        self.history.edit(lambda objects: objects.without(ids))

    def merge(self, *which: int | str) -> None:
        """Make one object of several, by the name of the first."""
        ids = self._ids(which)
        if len(set(ids)) < 2:  # noqa: PLR2004
            raise PromptError("Name two objects or more to merge.")

        def merged(objects: Objects) -> Objects:
            first, *others = (objects.by_id(id_) for id_ in dict.fromkeys(ids))
            for other in others:
                first = first.merged(other)
            return objects.put(first).without(ids[1:])

        self.history.edit(merged)

    def show(self, *which: int | str) -> None:
        """Show objects again; all of them if none is named."""
        self._set_shown(self._ids(which) if which else tuple(self.objects.ids()), shown=True)

    def hide(self, *which: int | str) -> None:
        """Hide objects; they stay in the list."""
        self._set_shown(self._ids(which), shown=False)

    def only(self, *which: int | str) -> None:
        """Show these objects, and hide all others."""
        ids = self._ids(which)
        self.history.edit(
            lambda objects: Objects(replace(each, shown=each.id in ids) for each in objects)
        )

    def export(self, folder: str | Path, formats: Sequence[str] = ()) -> list[Path]:
        """Write what is shown into a folder, in some of `media.exports.FORMATS` or all.

        Raises `PromptError` for an unknown format, `MediaError` where it cannot be written.
        """
        items = [each.item() for each in self.objects if each.shown]
        turns = [turn.transcript() for turn in self.turns]
        parcel = Parcel(medium=self.medium, items=items, turns=turns)
        return list(export(parcel, Path(folder), formats))

    def save(self, file: str | Path) -> Path:
        """Write `session.json`: the turns, the objects, and a hash of the medium."""
        from x2sam.engine.replay import save  # noqa: PLC0415 (replay makes sessions)

        return save(self, Path(file))

    def restore(self, turns: Sequence[Exchange], history: History) -> None:
        """Go on from a saved conversation."""
        self.stop()
        self.turns, self.history = tuple(turns), history
        self._turn = max((turn.turn for turn in turns), default=0)

    def close(self) -> None:
        """Let go of the medium; the objects stay."""
        self.stop()
        self.film.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # How a request is answered

    def _begin(self) -> Running:
        self._work.stop()
        self._work = Work(self._engine)
        self._turn += 1
        said = [asked for turn in self.turns for asked in turn.said]
        return Running(
            turn=self._turn,
            work=self._work,
            film=self.film,
            listener=self._listener,
            history=self.history,
            options=self.options,
            earlier=said[max(0, len(said) - self.options.context) :],
        )

    def _respond(
        self, run: Running, route: Route, drawings: tuple[Drawing, ...]
    ) -> Iterator[Event]:
        answer = TASKS[route.task].answer
        if answer is Answer.TEXT:
            yield from self._talk(run, route, drawings)
        elif answer in _POINTED:
            yield from self._point(run, route, drawings)
        else:
            yield from find(run, route, drawings)

    def _talk(self, run: Running, route: Route, drawings: tuple[Drawing, ...]) -> Iterator[Event]:
        """Answer in words; a question about what was drawn is asked about that part alone."""
        spots = [d for d, use in zip(drawings, route.uses, strict=True) if use is Use.FOCUS]
        ids = self.objects.ids()
        new = [d for d in spots if d.object not in ids and d.frame == spots[0].frame]
        text = route.alone if spots and route.alone else route.text
        asked = question("chat", self._listener.media("talk"), text=text)
        if new:
            box = Rle.of(union((area(d, self.film.size) for d in new), self.film.size)).box
            assert box is not None, "marks are checked to cover something"
            yield from self._listener.ask_closely(run.work, asked, new[0].frame, box)
        else:
            yield from run.ask(asked, purpose="talk", follow_up=route.follow_up)

    def _point(self, run: Running, route: Route, drawings: tuple[Drawing, ...]) -> Iterator[Event]:
        """Make or correct one object for each group of marks."""
        groups: dict[int | None, list[Drawing]] = {}
        for drawing, use in zip(drawings, route.uses, strict=True):
            if use in (Use.REGION, Use.CORRECTION):
                groups.setdefault(drawing.object, []).append(drawing)
        names = iter(route.categories)
        for number, marks in groups.items():
            target = None
            if number is not None and number in self.objects.ids():
                target = self.objects.by_id(number)
            name = target.name if target else next(names, route.text or UNNAMED)
            yield from point(run, marks, target, name)

    def _obey(self, run: Running, command: Command) -> Iterator[Event]:
        """Change the list as the words say."""
        ids = command.objects
        actions: Mapping[Action, Callable[[], object]] = {
            "undo": self.history.undo,
            "redo": self.history.redo,
            "show": lambda: self.show(*ids),
            "hide": lambda: self.hide(*ids),
            "only": lambda: self.only(*ids),
            "delete": lambda: self.delete(*ids),
            "merge": lambda: self.merge(*ids),
            "rename": lambda: self.rename(ids[0], command.name),
            "select": lambda: self._mention(ids, run.turn),
        }
        if actions[command.action]() is False:
            raise PromptError(f"There is nothing to {command.action}.")
        run.touched = dict.fromkeys(ids)
        yield from ()

    def _mention(self, ids: Sequence[int], turn: int) -> None:
        changed = [replace(self.objects.by_id(id_), mentioned=turn) for id_ in ids]
        self.history.edit(lambda objects: objects.put(*changed))

    def _set_shown(self, ids: Sequence[int], *, shown: bool) -> None:
        changed: list[Object] = [replace(self.objects.by_id(id_), shown=shown) for id_ in ids]
        self.history.edit(lambda objects: objects.put(*changed))

    def _ids(self, which: Sequence[int | str]) -> tuple[int, ...]:
        return tuple(self.objects.find(each).id for each in which)

    def _exchange(
        self, run: Running, text: str, drawings: tuple[Drawing, ...], task: str | None
    ) -> Exchange:
        return Exchange(
            turn=run.turn,
            text=text,
            drawings=drawings,
            task=task,
            note=run.note,
            said=tuple(run.said),
            reply=run.reply,
            objects=tuple(run.touched),
            stopped=run.stopped,
        )
