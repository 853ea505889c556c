"""From words to objects: ask the model, find what it means, and write it into the list.

What is found may be in the list already, under another name or corrected by hand. A segment
that covers an object of the list is that object: its masks stay, it is only spoken of again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from x2sam.engine.marks import area, obeyed
from x2sam.engine.objects import Object
from x2sam.engine.running import Running
from x2sam.engine.tracking import Found, Look, follow
from x2sam.language import replies
from x2sam.language.prompts import question
from x2sam.language.tasks import TASKS, Answer, Needs
from x2sam.media.masks import Mask, Rle, Track, union
from x2sam.model.readout import READINGS, READOUTS, Rules
from x2sam.types import (
    Drawing,
    Event,
    How,
    MaskReady,
    NotFound,
    Phrase,
    Progress,
    Region,
    Route,
    Use,
    Warning,  # noqa: A004 (an event)
)

SEGMENTING: Final = "segmenting frames"
SAME: Final = 0.8  # overlap of a segment with an object of the list that makes them one
AGAIN: Final = 0.2  # overlap with where a thing was last seen that makes it the same thing
LIKE_THIS: Final = "one like this"


def find(run: Running, route: Route, drawings: Sequence[Drawing]) -> Iterator[Event]:
    """Answer a request whose words say what to look for, or things like what was drawn."""
    row = TASKS[route.task]
    regions, names = _regions(run, route, drawings)
    follow_up = route.follow_up and bool(run.earlier)
    refers = Use.REFERENCE in route.uses or (route.follow_up and not follow_up)
    text = route.alone if refers and route.alone else route.text
    asked = question(
        route.task,
        run.listener.media(),
        text=text,
        categories=route.categories,
        regions=len(regions),
        explain=route.explain,
    )
    reading = yield from run.ask(asked, regions, follow_up=follow_up)
    spoken: dict[int, replies.Phrase] = {}
    if row.needs is Needs.NOTHING:
        spoken = {phrase.index: phrase for phrase in reading.reply.phrases}
        names = {label: phrase.text for label, phrase in spoken.items()}
    elif row.needs is not Needs.REGIONS:
        # "The one to its left" would be a poor name a turn later.
        names = dict(enumerate(route.categories or (route.alone or text,)))
    conditions = reading.conditions
    # An answer that names other things, with phrases of its own, found nothing of these.
    other = conditions is not None and not spoken and conditions.classes.shape[1] - 1 != len(names)
    if conditions is None or other:
        if row.needs is Needs.NOTHING:
            yield Warning("The model described it without pointing at anything.")
        else:
            yield from (NotFound(name) for name in dict.fromkeys(names.values()))
        return
    one = row.answer is Answer.ONE_MASK
    read = READOUTS[READINGS[route.task]](Rules(absent=run.options.absent if one else 0.0))
    minus = [d for d, use in zip(drawings, route.uses, strict=True) if use is Use.REFINEMENT]
    frames = range(len(run.film))
    gathering = Gathering(run, names, minus, spoken, alias=route.text if one else "")
    for number, look in enumerate(
        follow(run.work, run.film, conditions, read, frames, run.options), start=1
    ):
        yield Progress(SEGMENTING, number, len(frames))
        yield from gathering.take(look)
    yield from gathering.close()


def _regions(
    run: Running, route: Route, drawings: Sequence[Drawing]
) -> tuple[list[Region], dict[int, str]]:
    """Collect what the model is shown as examples, and their names; none for other tasks."""
    if TASKS[route.task].needs is not Needs.REGIONS:
        return [], {}
    regions: list[Region] = []
    names: dict[int, str] = {}
    for id_ in route.objects:
        known = run.history.now.by_id(id_)
        if known.first is not None:
            names[len(regions)] = known.name
            regions.append(Region(known.masks[known.first], known.first))
    marks: dict[tuple[int | None, int], list[Drawing]] = {}
    for drawing, use in zip(drawings, route.uses, strict=True):
        if use is Use.REGION and drawing.positive:
            marks.setdefault((drawing.object, drawing.frame), []).append(drawing)
    for (_, frame), group in marks.items():
        names[len(regions)] = route.text or LIKE_THIS
        drawn = union((area(drawing, run.film.size) for drawing in group), run.film.size)
        regions.append(Region(drawn, frame))
    return regions, names


class Gathering:
    """Writes the segments of one answer into the list, frame after frame."""

    def __init__(
        self,
        run: Running,
        names: Mapping[int, str],  # by condition
        minus: Sequence[Drawing] = (),
        spoken: Mapping[int, replies.Phrase] | None = None,  # by condition
        alias: str = "",
    ) -> None:
        self._run = run
        self._names = names
        self._minus = minus
        self._spoken = dict(spoken or {})
        self._alias = alias  # what it was asked for by, if that is not its name
        self._objects: dict[int, int] = {}  # id of a segment -> id of its object
        self._likely = dict.fromkeys(names, 0.0)
        self._found: set[int] = set()  # conditions
        self._before: list[tuple[int, How]] = []  # frames that were looked at
        self._last: dict[int, tuple[int, Rle]] = {}  # of an object: condition, mask last seen

    def take(self, look: Look) -> Iterator[Event]:
        """Write what was found in a frame; what was not found there gets an empty mask."""
        for label, likely in enumerate(look.likely):
            self._likely[label] = max(likely, self._likely.get(label, 0.0))
        minus = [drawing for drawing in self._minus if drawing.frame == look.frame]
        written: set[int] = set()
        present = {self._objects[found.id] for found in look.found if found.id in self._objects}
        for found in look.found:
            mask = obeyed(found.mask, minus, spare=False)
            if not mask.any():
                continue
            if found.id not in self._objects:
                lost = {id_: last for id_, last in self._last.items() if id_ not in present}
                self._objects[found.id] = _seen_again(found.label, mask, lost) or self._begin(
                    found, mask, look.frame
                )
                present.add(self._objects[found.id])
                yield from self._spoken_of(found)
            self._found.add(found.label)
            id_ = self._objects[found.id]
            if id_ not in written:
                written.add(id_)
                self._last[id_] = found.label, Rle.of(mask)
                yield from self._write(id_, look, mask, found.score)
        nothing = np.zeros(self._run.film.size, bool)
        for id_ in dict.fromkeys(self._objects.values()):
            if id_ not in written:
                yield from self._write(id_, look, nothing, 0.0)
        self._before.append((look.frame, look.how))

    def close(self) -> Iterator[Event]:
        """Say what was not found in any frame, and how near it came."""
        for phrase in self._spoken.values():
            yield Phrase(phrase.text, phrase.start, phrase.end)
        said = {phrase.index for phrase in self._spoken.values()}
        for label, name in self._names.items():
            if label not in self._found and label not in said:
                yield NotFound(name, ((name, round(self._likely[label], 4)),))

    def _begin(self, found: Found, mask: Mask, frame: int) -> int:
        """Find the object of the list that a segment shows, or begin a new one: its id."""
        run, name = self._run, self._names.get(found.label, LIKE_THIS)
        runs = Rle.of(mask)
        for known in run.history.now:
            if frame in known.masks and known.masks.rle(frame).iou(runs) >= SAME:
                same = known if known.id in run.touched else known.copy(mentioned=run.turn)
                aliases = dict.fromkeys(filter(None, (*same.aliases, name, self._alias)))
                run.keep(replace(same, aliases=tuple(aliases)))
                return known.id
        new = Object(
            id=run.history.new_id(),
            name=run.history.now.free_name(name),
            masks=Track(run.film.size),
            aliases=(self._alias,) if self._alias not in ("", name) else (),
            mentioned=run.turn,
        )
        nothing = np.zeros(run.film.size, bool)
        for earlier, how in self._before:
            new.put(earlier, nothing, 0.0, how, run.turn)
        run.keep(new)
        return new.id

    def _spoken_of(self, found: Found) -> Iterator[Event]:
        if phrase := self._spoken.pop(found.label, None):
            yield Phrase(phrase.text, phrase.start, phrase.end, (self._objects[found.id],))

    def _write(self, id_: int, look: Look, mask: Mask, score: float) -> Iterator[Event]:
        """Write a mask unless the frame has a better one: seen or corrected in another turn."""
        listed = self._run.listed(id_)
        if listed is None:
            return
        how, turn = listed.origins.get(look.frame, (How.CARRIED, 0))
        if how is How.CARRIED or (how is look.how and turn == self._run.turn):
            listed.put(look.frame, mask, score, look.how, self._run.turn)
        yield MaskReady(
            id_,
            look.frame,
            listed.masks[look.frame],
            listed.scores[look.frame],
            listed.origins[look.frame][0],
        )


def _seen_again(label: int, mask: Mask, lost: Mapping[int, tuple[int, Rle]]) -> int | None:
    """Find which of the lost objects of a condition a new segment is; None if it is new."""
    runs = Rle.of(mask)
    overlaps = {id_: last.iou(runs) for id_, (kind, last) in lost.items() if kind == label}
    best = max(overlaps, key=lambda id_: overlaps[id_], default=None)
    return best if best is not None and overlaps[best] >= AGAIN else None
