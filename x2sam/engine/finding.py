"""From words to objects: ask the model, find what it means, and write it into the list.

What is found may be in the list already, under another name or corrected by hand. A segment
that covers an object of the list is that object: its masks stay, it is only spoken of again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from x2sam.engine.handover import ANCHORS, anchored, further, hand_over
from x2sam.engine.identity import Identities
from x2sam.engine.marks import area, obeyed
from x2sam.engine.objects import Object, Objects
from x2sam.engine.reach import Reach
from x2sam.engine.running import Running
from x2sam.engine.tracking import Found, Look, follow, follow_streams
from x2sam.language import replies
from x2sam.language.names import singular
from x2sam.language.prompts import question
from x2sam.language.tasks import TASKS, Answer, Needs
from x2sam.media.masks import Mask, Rle, Track, union
from x2sam.model.conditions import Conditions
from x2sam.model.readout import READINGS, READOUTS, SEVERAL, Reader, Rules
from x2sam.types import (
    Drawing,
    Event,
    How,
    NotFound,
    Phrase,
    Progress,
    Region,
    Route,
    Use,
    Warning,  # noqa: A004 (an event)
)

SEGMENTING: Final = "segmenting frames"
CHOOSING: Final = "choosing a frame"
CANDIDATES: Final = 3  # objects of the list that are named where nothing was found
SAME: Final = 0.8  # overlap of a segment with an object of the list that makes them one
LIKE_THIS: Final = "one like this"

_LITTLE: Final = frozenset(
    ("a", "an", "the", "of", "to", "in", "on", "at", "it", "its", "one", "and", "with", "all")
)


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
    conditions, shown = reading.conditions, len(run.listener.shown("find"))
    # An answer that names other things, with phrases of its own, found nothing of these.
    other = conditions is not None and not spoken and conditions.classes.shape[1] - 1 != len(names)
    if conditions is None or other:
        if row.needs is Needs.NOTHING:
            yield Warning("The model described it without pointing at anything.")
        else:
            for name in dict.fromkeys(names.values()):
                yield NotFound(name, nearest(name, run.history.now), shown)
        return
    one = row.answer is Answer.ONE_MASK
    rules = Rules(absent=run.options.absent if one else 0.0)
    reader = partial(READOUTS[READINGS[route.task]], rules)
    minus = [d for d, use in zip(drawings, route.uses, strict=True) if use is Use.REFINEMENT]
    gathering = Gathering(
        run,
        names,
        minus,
        spoken,
        alias=route.text if one else "",
        identities=Identities() if READINGS[route.task] in SEVERAL else None,
    )
    yield from _gather(run, conditions, reader, gathering)


def _gather(
    run: Running, conditions: Conditions, reader: Callable[[], Reader], gathering: Gathering
) -> Iterator[Event]:
    """Segment all frames that were asked for, or the anchors, from which SAM 2 carries."""
    run.reach = yield from _started(run, conditions, reader)
    by_sam2, options = run.propagation == "sam2", run.options
    streams: Sequence[Sequence[int]] = run.reach.streams()
    if by_sam2:
        streams = anchored(run.reach, run.listener.shown("find"))
        options = replace(options, stride=1)
    total = sum(map(len, streams)) - len(streams) + 1
    looks = follow_streams(run.work, run.film, conditions, reader, streams, options)
    for done, look in enumerate(looks, start=1):
        yield Progress(SEGMENTING, done, total)
        yield from gathering.take(look)
    anchors = {frame for way in streams for frame in way}
    if by_sam2 and gathering.missing:
        anchors |= yield from _sought(run, conditions, reader(), gathering, anchors)
    yield from gathering.close()
    if by_sam2:
        yield from hand_over(run, gathering.ids, anchors)


def _sought(
    run: Running,
    conditions: Conditions,
    read: Reader,
    gathering: Gathering,
    looked: Collection[int],
) -> Generator[Event, None, set[int]]:
    """Look on more frames for what is missing, and take those where it is best to be seen.

    Each frame is looked at by itself. What is seen of other things on the frames taken counts too.
    """
    frames, looks = further(run.reach, looked), list[Look]()
    alone = replace(run.options, propagation="one_token", stride=1)
    for look in follow(run.work, run.film, conditions, read, frames, alone) if frames else ():
        looks.append(look)
        gathering.weigh(look)
        yield Progress(SEGMENTING, len(looked) + len(looks), len(looked) + len(frames))
    best: set[int] = set()
    for label in gathering.missing:
        seen = {
            look.frame: max(found.score for found in here)
            for look in looks
            if (here := [each for each in look.found if each.label == label and each.mask.any()])
        }
        best.update(sorted(seen, key=lambda frame: -seen[frame])[:ANCHORS])
    for look in looks:
        if look.frame in best:
            yield from gathering.take(look)
    return best


def nearest(what: str, objects: Objects) -> tuple[tuple[str, float], ...]:
    """Choose at most three objects of the list that may be meant: name, and share of the words.

    Where no object shares a word with what was asked for, those last spoken of are named,
    at 0.
    """
    asked = _words(what)
    shares: dict[str, float] = {}
    for each in sorted(objects, key=lambda each: -each.mentioned):
        known = [_words(name) for name in (each.name, *each.aliases)]
        shares[each.name] = max(len(asked & one) / max(1, len(asked | one)) for one in known)
    sharing = {name: share for name, share in shares.items() if share > 0}
    ranked = sorted(sharing, key=lambda name: -sharing[name]) or list(shares)
    return tuple((name, round(shares[name], 4)) for name in ranked[:CANDIDATES])


def _words(name: str) -> frozenset[str]:
    """The words of a name that say what it is, in the singular."""
    return frozenset(map(singular, re.findall(r"\w+", name.lower()))) - _LITTLE


def _started(
    run: Running, conditions: Conditions, reader: Callable[[], Reader]
) -> Generator[Event, None, Reach]:
    """Choose the frame to start from, if the best was asked for: where all is likeliest.

    Each frame is looked at by itself; their features are kept for the stream that follows.
    """
    frames = [frame for frame in run.listener.shown("find") if frame in run.reach]
    if not run.reach.best or not frames:
        return run.reach
    if len(frames) == 1:
        return run.reach.at(frames[0])
    alone = replace(run.options, propagation="one_token", stride=1)
    likely: dict[int, float] = {}
    for look in follow(run.work, run.film, conditions, reader(), frames, alone):
        likely[look.frame] = sum(look.likely)
        yield Progress(CHOOSING, len(likely), len(frames))
    return run.reach.at(max(likely, key=lambda frame: likely[frame]))


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
        identities: Identities | None = None,
    ) -> None:
        self._run = run
        self._names = names
        self._minus = minus
        self._spoken = dict(spoken or {})
        self._alias = alias  # what it was asked for by, if that is not its name
        self._identities = identities  # None: a condition is one thing, and its id says which
        self._objects: dict[int, int] = {}  # number of a thing -> id of its object
        self._likely = dict.fromkeys(names, 0.0)
        self._found: set[int] = set()  # conditions
        self._before: list[tuple[int, How]] = []  # frames that were written
        self._looked: set[int] = set()  # frames, those that were not written as well

    @property
    def ids(self) -> list[int]:
        """Numbers of the objects that were found."""
        return list(dict.fromkeys(self._objects.values()))

    @property
    def missing(self) -> list[int]:
        """Conditions of which nothing was found."""
        return [label for label in self._names if label not in self._found]

    def weigh(self, look: Look) -> None:
        """Note how likely everything was on a frame."""
        if look.how is How.SEEN:
            self._looked.add(look.frame)
        for label, likely in enumerate(look.likely):
            self._likely[label] = max(likely, self._likely.get(label, 0.0))

    def take(self, look: Look) -> Iterator[Event]:
        """Write what was found in a frame; what was not found there gets an empty mask."""
        self.weigh(look)
        minus = [drawing for drawing in self._minus if drawing.frame == look.frame]
        written: set[int] = set()
        numbers = [found.id for found in look.found]
        if self._identities is not None:
            numbers = self._identities.number(look.frame, look.found)
        for number, found in zip(numbers, look.found, strict=True):
            mask = obeyed(found.mask, minus, spare=False)
            if not mask.any():
                continue
            if number not in self._objects:
                self._objects[number] = self._begin(found, mask, look.frame)
                yield from self._spoken_of(found.label, self._objects[number])
            self._found.add(found.label)
            id_ = self._objects[number]
            if id_ not in written:
                written.add(id_)
                yield from self._run.write(id_, look.frame, mask, found.score, look.how)
        nothing = np.zeros(self._run.film.size, bool)
        for id_ in dict.fromkeys(self._objects.values()):
            if id_ not in written:
                yield from self._run.write(id_, look.frame, nothing, 0.0, look.how)
        self._before.append((look.frame, look.how))

    def close(self) -> Iterator[Event]:
        """Say what was not found in any frame, and how near it came."""
        for phrase in self._spoken.values():
            yield Phrase(phrase.text, phrase.start, phrase.end)
        said = {phrase.index for phrase in self._spoken.values()}
        for label in self.missing:
            if label not in said:
                name, likely = self._names[label], round(self._likely[label], 4)
                yield NotFound(name, ((name, likely),), len(self._looked))

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

    def _spoken_of(self, label: int, id_: int) -> Iterator[Event]:
        if phrase := self._spoken.pop(label, None):
            yield Phrase(phrase.text, phrase.start, phrase.end, (id_,))
