"""A turn while it runs, and what is kept of it afterwards.

A `Running` turn is all that the ways of answering share: the request's `Work`, the medium, the
list of objects, and what has been said and changed so far. When it ends, however it ends, an
`Exchange` remains.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

import numpy as np

from x2sam.engine.engine import Work
from x2sam.engine.film import Film
from x2sam.engine.listening import Asked, Listener, Purpose
from x2sam.engine.objects import History, Object, Objects
from x2sam.engine.options import Options, Propagation
from x2sam.engine.reach import Reach
from x2sam.errors import MediaError
from x2sam.media.masks import Mask, Rle
from x2sam.media.transcript import Turn
from x2sam.model.predictor import Reading
from x2sam.tracker.tracker import Shape
from x2sam.types import Drawing, Event, How, MaskReady, Region

CARRYING: Final = "carrying masks"
_DEPTH: Final = 100  # turns that one can go back to


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exchange:
    """One turn that is over: what the person gave, and what came of it."""

    turn: int
    text: str
    drawings: tuple[Drawing, ...] = ()
    task: str | None = None  # the one the person chose
    reach: Reach | None = None  # the frames the person chose
    carried: tuple[int, int] | None = None  # or whose mask to carry on: object, frame
    note: str = ""  # how it was understood
    said: tuple[Asked, ...] = ()  # between engine and model
    reply: str = ""
    objects: tuple[int, ...] = ()  # made, changed or spoken of
    stopped: bool = False
    before: Objects | None = None  # the list when it began; not saved, and not for ever

    def transcript(self) -> Turn:
        """What is exported of it."""
        return Turn(request=self.text, reply=self.reply, objects=self.objects, note=self.note)

    def to_json(self) -> dict[str, Any]:
        """Write as plain values."""
        return {
            "turn": self.turn,
            "text": self.text,
            "drawings": [drawing.to_json() for drawing in self.drawings],
            "task": self.task,
            "reach": self.reach and self.reach.to_json(),
            "carried": self.carried and list(self.carried),
            "note": self.note,
            "said": [
                {
                    "question": asked.question,
                    "answer": asked.answer,
                    "purpose": asked.purpose,
                    "regions": [
                        {"frame": region.frame, "mask": Rle.of(region.mask).to_json()}
                        for region in asked.regions
                    ],
                }
                for asked in self.said
            ],
            "reply": self.reply,
            "objects": list(self.objects),
            "stopped": self.stopped,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; `MediaError` or `PromptError` if it is something else."""
        try:
            reach, carried = values.get("reach"), values.get("carried")
            return cls(
                turn=int(values["turn"]),
                text=str(values["text"]),
                drawings=tuple(map(Drawing.from_json, values["drawings"])),
                task=values["task"],
                reach=None if reach is None else Reach.from_json(reach),
                carried=None if carried is None else (int(carried[0]), int(carried[1])),
                note=str(values["note"]),
                said=tuple(map(_asked, values["said"])),
                reply=str(values["reply"]),
                objects=tuple(map(int, values["objects"])),
                stopped=bool(values["stopped"]),
            )
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise MediaError("A saved turn is damaged and cannot be read.") from error


@dataclass(slots=True, kw_only=True, eq=False)
class Running:
    """One turn that is being answered."""

    turn: int
    asked: Exchange  # all that is known of it at the beginning
    reach: Reach  # fitted to the medium
    work: Work
    film: Film
    listener: Listener
    history: History
    options: Options
    earlier: Sequence[Asked] = ()
    said: list[Asked] = field(default_factory=list)
    reply: str = ""
    note: str = ""
    touched: dict[int, None] = field(default_factory=dict)  # ids, in order
    stopped: bool = False

    @property
    def propagation(self) -> Propagation:
        """How masks get from frame to frame."""
        return self.film.carried_by(self.options, len(self.listener.shown("find")))

    def ask(
        self,
        question: str,
        regions: Sequence[Region] = (),
        *,
        purpose: Purpose = "find",
        follow_up: bool = False,
    ) -> Generator[Event, None, Reading]:
        """Ask the model: after the earlier turns if this one leans on them, else after talk."""
        earlier = [
            asked for asked in self.earlier if follow_up or asked.purpose == purpose == "talk"
        ]
        reading = yield from self.listener.ask(self.work, question, regions, earlier, purpose)
        self.said.append(Asked(question, reading.text, tuple(regions), purpose))
        return reading

    def in_line(self, events: Iterator[Event]) -> Iterator[Event]:
        """Hand events on, and say before a step whether others are before it."""
        while True:
            if (waiting := self.work.waiting()) is not None:
                yield waiting
            try:
                event = next(events)
            except StopIteration:
                return
            yield event

    def exchange(self) -> Exchange:
        """What is kept of it."""
        return replace(
            self.asked,
            note=self.note,
            said=tuple(self.said),
            reply=self.reply,
            objects=tuple(self.touched),
            stopped=self.stopped,
        )

    def keep(self, changed: Object) -> None:
        """Put an object into the list; all that a turn changes is one change to undo."""
        self.history.edit(lambda objects: objects.put(changed), step=self)
        self.touched[changed.id] = None

    def write(
        self,
        id_: int,
        frame: int,
        mask: Mask,
        score: float,
        how: How,
        visible: float | None = None,
    ) -> Iterator[MaskReady]:
        """Write a mask unless the frame has a better one: seen or corrected in another turn."""
        listed = self.listed(id_)
        if listed is None:
            return
        kept, turn = listed.origins.get(frame, (How.CARRIED, 0))
        if kept is How.CARRIED or (kept is how and turn == self.turn):
            listed.put(frame, mask, score, how, self.turn, visible)
        now, sure = listed.origins[frame][0], listed.visible.get(frame)
        yield MaskReady(id_, frame, listed.masks[frame], listed.scores[frame], now, sure)

    def listed(self, id_: int) -> Object | None:
        """Find an object that this turn works on; None if it was deleted meanwhile."""
        return next((each for each in self.history.now if each.id == id_), None)


def seen_at(shape: Shape, absent: float) -> tuple[Mask, float, float]:
    """What SAM 2 found on a frame: mask (H, W), score, and how sure it is that it is to be seen.

    Where it is less sure than `absent`, the mask is empty.
    """
    if shape.visible < absent:
        return np.zeros_like(shape.mask), 0.0, shape.visible
    return shape.mask, min(max(shape.score, 0.0), 1.0), shape.visible


def noted(turns: Sequence[Exchange], over: Exchange) -> tuple[Exchange, ...]:
    """Add a turn that is over; the lists of turns long ago are let go."""
    old, recent = turns[:-_DEPTH], turns[-_DEPTH:]
    forgotten = (each if each.before is None else replace(each, before=None) for each in old)
    return (*forgotten, *recent, over)


def _asked(values: Mapping[str, Any]) -> Asked:
    regions = tuple(
        Region(Rle.from_json(region["mask"]).mask(), int(region["frame"]))
        for region in values["regions"]
    )
    purpose: Purpose = "talk" if values["purpose"] == "talk" else "find"
    return Asked(str(values["question"]), str(values["answer"]), regions, purpose)
