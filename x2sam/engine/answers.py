"""The three ways to answer a request: talk, point, or find what the words say.

What is only pointed at, without words, is for SAM 2 where there is one: it answers at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from x2sam.engine import pointing, prompting
from x2sam.engine.carrier import Prompter
from x2sam.engine.film import Film
from x2sam.engine.finding import find
from x2sam.engine.marks import area
from x2sam.engine.objects import Object
from x2sam.engine.options import Options
from x2sam.engine.running import Running
from x2sam.language.prompts import question
from x2sam.language.tasks import TASKS, Answer
from x2sam.media.masks import Rle, union
from x2sam.types import Drawing, Event, Route, Use

UNNAMED: Final = "object"
POINTED: Final = frozenset({Answer.MASK_OF_REGION, Answer.MASKLET_OF_REGION})


def respond(run: Running, route: Route, drawings: tuple[Drawing, ...]) -> Iterator[Event]:
    """Answer in the way that the task wants."""
    answer = TASKS[route.task].answer
    if answer is Answer.TEXT:
        yield from _talk(run, route, drawings)
    elif answer in POINTED:
        yield from _point(run, route, drawings)
    else:
        yield from find(run, route, drawings)


def propagate(run: Running, target: Object, frame: int) -> Iterator[Event]:
    """Carry the mask that an object has on a frame to the others that were asked for."""
    if (prompter := prompter_of(run.film, run.options)) is not None:
        return prompting.propagate(run, prompter, target, frame)
    return pointing.propagate(run, target, frame)


def prompter_of(film: Film, options: Options, route: Route | None = None) -> Prompter | None:
    """SAM 2, if there is one, nothing else was asked for, and the route has no words."""
    wordless = route is None or not (route.text or route.categories)
    return film.prompter if wordless and options.propagation in ("auto", "sam2") else None


def _talk(run: Running, route: Route, drawings: tuple[Drawing, ...]) -> Iterator[Event]:
    """Answer in words; a question about what was drawn is asked about that part alone."""
    spots = [d for d, use in zip(drawings, route.uses, strict=True) if use is Use.FOCUS]
    ids = run.history.now.ids()
    new = [d for d in spots if d.object not in ids and d.frame == spots[0].frame]
    text = route.alone if spots and route.alone else route.text
    asked = question("chat", run.listener.media("talk"), text=text)
    if new:
        box = Rle.of(union((area(d, run.film.size) for d in new), run.film.size)).box
        assert box is not None, "marks are checked to cover something"
        yield from run.listener.ask_closely(run.work, asked, new[0].frame, box)
    else:
        yield from run.ask(asked, purpose="talk", follow_up=route.follow_up)


def _point(run: Running, route: Route, drawings: tuple[Drawing, ...]) -> Iterator[Event]:
    """Make or correct one object for each group of marks."""
    groups: dict[int | None, list[Drawing]] = {}
    for drawing, use in zip(drawings, route.uses, strict=True):
        if use in (Use.REGION, Use.CORRECTION):
            groups.setdefault(drawing.object, []).append(drawing)
    prompter = prompter_of(run.film, run.options, route)
    names = iter(route.categories)
    for number, marks in groups.items():
        known = run.history.now
        target = known.by_id(number) if number is not None and number in known.ids() else None
        name = target.name if target else next(names, route.text or UNNAMED)
        if prompter is not None:
            yield from prompting.point(run, prompter, marks, target, name)
        else:
            yield from pointing.point(run, marks, target, name)
