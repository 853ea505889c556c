"""What did the person mean? From text, drawings and the list of objects to a task, and why.

Nobody chooses a task from a menu. `WORDS` is a table of rules that is read from the top: the
first rule that knows the words says what they want. `MARKS` is a second table: what becomes of
it when something was drawn. A rule never guesses by chance, so the same request always gets the
same answer, and its reason is shown to the person, who may overrule it by naming the task.

    >>> asked = route("Please find the red car in this picture")
    >>> asked.task, asked.text, asked.reason
    ('refseg', 'the red car', 'words for a thing → that thing')
    >>> route("sky, road, cars").categories
    ('sky', 'road', 'car')
    >>> route("all like this", [Drawing.point(4, 2)]).task
    'vgdseg'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from x2sam.errors import PromptError
from x2sam.language import router_words as w
from x2sam.language.commands import command
from x2sam.language.names import every, listed, names
from x2sam.language.references import Ids, last, name_of, resolve
from x2sam.language.said import MAX_MATCHED, Said
from x2sam.language.tasks import TASKS, Needs
from x2sam.types import Command, Drawing, ListedObject, Media, Route, Use

THIS: Final = "this"
_THIS: Final = {"image": "intseg", "video": "objseg"}
_COUNTS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ONLY: Final = re.compile(r"^(?:only|just|keep) (?=\S)", re.IGNORECASE)
_THIS_ONE: Final = re.compile(
    r"^(?:this|that|these|those) (?=\S)|^[这那][个只条辆位](?=.)| here$", re.IGNORECASE
)
_ITS_SIDE: Final = re.compile(r"\b(to|on|at) its (left|right|top|bottom)\b", re.IGNORECASE)
_ITS: Final = re.compile(r"\bits\b", re.IGNORECASE)
_IT: Final = re.compile(r"\b(?:it|(?:this|that)(?: one)?(?= *[?.!]?$))\b", re.IGNORECASE)
_HELP: Final = (
    "Say what you are looking for, for instance “the red car” or “what could I sit on?”, "
    "or draw on the picture."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """All that a rule may look at."""

    text: str  # as typed
    said: Said
    drawings: tuple[Drawing, ...]
    media: Media
    objects: tuple[ListedObject, ...]

    @property
    def pointed(self) -> Ids:
        """Ids of the objects of the list that were drawn on."""
        known = {each.id for each in self.objects}
        return tuple(dict.fromkeys(d.object for d in self.drawings if d.object in known))

    @property
    def new(self) -> dict[int | None, bool]:
        """Numbers of the things drawn anew, and whether any of their marks is positive."""
        things: dict[int | None, bool] = {}
        for drawing in self.drawings:
            if drawing.object not in self.pointed:
                things[drawing.object] = things.get(drawing.object, False) or drawing.positive
        return things

    @property
    def marks(self) -> str:
        """What was drawn, in a word: "new" things, only "minus" marks, a "touch" of known ones."""
        if self.new:
            return "new" if any(self.new.values()) else "minus"
        return "touch" if self.drawings else ""


When = Callable[[Request], object]


@dataclass(frozen=True, slots=True)
class Rule:
    """What some words want; the reason is for the person at the screen."""

    name: str
    when: When
    task: str
    reason: str


def _says(words: re.Pattern[str]) -> When:
    """Match with the order to show it, or without."""
    return lambda r: words.match(r.said.plain) or words.match(r.said.core)


def _asks(words: re.Pattern[str]) -> When:
    """Match where nothing is to be shown; "segment what is on the table" is no question."""
    return lambda r: not r.said.ordered and words.match(r.said.plain)


def _is_long(r: Request) -> bool:
    return len(r.said.plain) > MAX_MATCHED


def _leans(r: Request) -> object:
    return r.objects and w.LEANS.search(r.said.core)


WORDS: Final = (
    Rule("long list", lambda r: _is_long(r) and names(r.said.core), "ovseg", "names → every one"),
    Rule("long", _is_long, "chat", "a long text → an answer in words"),
    Rule(
        "everything",
        lambda r: (r.said.ordered and not r.said.core and not r.drawings)
        or w.EVERYTHING.match(r.said.core),
        "gcgseg",
        "everything → a caption with masks",
    ),
    Rule("this", lambda r: w.THIS.match(r.said.core), THIS, "drawing without words → this object"),
    Rule("like", _says(w.LIKE), "vgdseg", "“all like this” → everything like it"),
    Rule(
        "greeting", lambda r: w.GREETING.match(r.said.whole.rstrip(" .!?~")), "chat",
        "small talk → an answer in words",
    ),
    Rule("in words", _asks(w.IN_WORDS), "chat", "“in words” → an answer without masks"),
    Rule("describe", _says(w.DESCRIBE), "gcgseg", "“describe” → a caption with masks"),
    Rule("purpose", _says(w.PURPOSE), "reaseg", "a purpose → reasoning about what serves it"),
    Rule(
        "about", _asks(w.ABOUT_WORDS), "chat",
        "a question about number, colour, kind or yes and no → an answer in words",
    ),
    Rule("which", _says(w.WHICH), "reaseg", "question → reasoning with an answer"),
    Rule("need", _asks(w.NEED), "reaseg", "a wish → reasoning about what serves it"),
    Rule(
        "question", _asks(w.QUESTION), "chat",
        "a question about what there is → an answer in words",
    ),
    Rule("tell", _asks(w.TELL), "chat", "something to tell or write → an answer in words"),
    Rule(
        "list", lambda r: names(r.said.core), "ovseg",
        "{count} names, separated by commas or “and” → categories",
    ),
    Rule(
        "any question", lambda r: r.said.question and not r.said.ordered, "chat",
        "a question → an answer in words",
    ),
    Rule(
        "shown question", lambda r: w.QUESTION.match(r.said.core), "reaseg",
        "a question to be shown → reasoning with masks",
    ),
    Rule("remark", _asks(w.STATEMENT), "chat", "a remark → an answer in words"),
    Rule("follow-up", _leans, "refseg", "words that lean on an earlier turn → read after it"),
    Rule(
        "every", lambda r: every(r.said.core), "ovseg", "“all” or more than one → every single one",
    ),
    Rule("thing", lambda _: True, "refseg", "words for a thing → that thing"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MarkRule:
    """What becomes of a task when something was drawn, and what the drawings are for."""

    tasks: str
    marks: str
    task: str  # "" stays what it was
    new: Use = Use.UNUSED
    touch: Use = Use.UNUSED
    reason: str = ""  # "" stays what it was
    when: When = lambda _: True


def _points(r: Request) -> object:
    return w.POINTS.search(r.said.plain)


def _beside(r: Request) -> object:
    return w.BESIDE.search(r.said.core)


def _one_each(r: Request) -> bool:
    return len(names(r.said.core)) == sum(r.new.values()) == len(r.new)


MARKS: Final = (
    MarkRule("this", "new", "", Use.REGION, Use.CORRECTION),
    MarkRule(
        "this refseg", "touch", THIS, touch=Use.CORRECTION,
        reason="a mark on an object → that object is corrected",
        when=lambda r: not _beside(r),
    ),
    MarkRule("vgdseg", "new touch", "", Use.REGION, Use.REFERENCE),
    MarkRule(
        "ovseg", "new", THIS, Use.REGION, Use.CORRECTION,
        "as many names as drawings → one for each", _one_each,
    ),
    MarkRule(
        "ovseg", "new touch", "vgdseg", Use.REGION, Use.REFERENCE,
        "drawing + “all” or more than one → everything like it", lambda r: every(r.said.core),
    ),
    MarkRule(
        "gcgseg", "new touch", "chat", Use.FOCUS, Use.FOCUS,
        "“describe” + drawing → an answer about what was drawn", _points,
    ),
    MarkRule("chat", "new touch minus", "", Use.FOCUS, Use.FOCUS, when=_points),
    MarkRule("refseg reaseg", "touch", "", touch=Use.REFERENCE, when=_beside),
    MarkRule(
        "refseg", "new", THIS, Use.REGION, Use.CORRECTION,
        "drawing + a name → this object, by that name", lambda r: not _beside(r),
    ),
    MarkRule("refseg reaseg ovseg", "minus", "", Use.REFINEMENT, Use.UNUSED),
    MarkRule("chat refseg reaseg ovseg gcgseg", "new touch minus", ""),
)  # fmt: skip


def route(
    text: str,
    drawings: Sequence[Drawing] = (),
    *,
    media: Media = "image",
    objects: Sequence[ListedObject] = (),
    task: str | None = None,
) -> Route | Command:
    """Decide what a request asks for.

    Args:
        text: what was typed.
        drawings: what was marked since the last request.
        media: what it is about.
        objects: the list, in the order in which the person sees it.
        task: the task that the person chose; None lets the rules choose.

    Raises:
        PromptError: there is nothing to go by, or it speaks of what is not there.
    """
    request = Request(
        text=text, said=Said.of(text), drawings=tuple(drawings), media=media, objects=tuple(objects)
    )
    if task is not None:
        return _chosen(task, request)
    if not request.said.plain and not drawings:
        raise PromptError(_HELP)
    if order := _command(request):
        return order
    rule = next(rule for rule in WORDS if rule.when(request))
    mark = _mark_rule(request, rule.task, MARKS)
    return _route(request, mark.task or rule.task, rule.name, mark.reason or rule.reason, mark)


def _chosen(task: str, request: Request) -> Route:
    """Do what the person chose, with whatever was given."""
    if task not in TASKS:
        raise PromptError(f"There is no task “{task[:40]}”. There are: {', '.join(TASKS)}.")
    own = THIS if task in _THIS.values() else task
    rows = [row for row in MARKS if not row.task or row.task == own]
    return _route(request, own, "chosen", "chosen by you", _mark_rule(request, own, rows))


def _command(request: Request) -> Command | None:
    """Look for an order about the list; a drawing of something new is none."""
    said = request.said
    if _is_long(request) or not said.plain or request.new:
        return None
    if not all(drawing.positive for drawing in request.drawings):
        return None
    order = command(said.plain, request.objects, request.pointed)
    if order is None and said.ordered and said.core:
        order = command(said.core, request.objects, request.pointed)
    return None if order and order.action == "select" and request.drawings else order


def _mark_rule(request: Request, task: str, rows: Sequence[MarkRule]) -> MarkRule:
    """Find what the drawings are for; without any, nothing changes."""
    for row in rows:
        fits = request.marks in row.marks.split() and task in row.tasks.split()
        if fits and row.when(request):
            return row
    return MarkRule(task, request.marks, "")


def _route(request: Request, task: str, rule: str, reason: str, mark: MarkRule) -> Route:
    """Give a task what it needs, or say what is missing."""
    said, pointed = request.said, request.pointed
    name = _THIS[request.media] if task == THIS else task
    needs = TASKS[name].needs
    leans = bool(_leans(request)) and needs is Needs.TEXT
    meant = pointed or (_spoken_of(request) if leans else ())
    categories: tuple[str, ...] = ()
    if needs is Needs.REGIONS:
        meant = _regions(request, task)
        categories = names(said.core) if task == THIS and _one_each(request) else ()
    elif needs is Needs.CATEGORIES:
        categories = names(said.core) or tuple(filter(None, [every(said.core)]))
        categories = categories or listed(said.core)
        if not categories:
            raise PromptError("Name one category or more, for instance “sky, road, car”.")
    text, explain = _text(request, task)
    if needs is Needs.TEXT and not text:
        raise PromptError(_HELP)
    uses = tuple(mark.touch if d.object in pointed else mark.new for d in request.drawings)
    if Use.UNUSED in uses:
        reason += "; the drawing is not used"
    return Route(
        task=name,
        rule=rule,
        reason=reason.format(count=_count(len(categories))),
        text="" if categories else text,
        alone=_alone(text, request.objects, meant) if leans or _points(request) else "",
        follow_up=leans,
        explain=explain,
        categories=categories,
        objects=meant,
        uses=uses,
    )


def _spoken_of(request: Request) -> Ids:
    """Find whom "it" or "the second one" means within other words."""
    counted = w.ORDINAL.search(request.said.core)
    return (resolve(counted[0], request.objects) if counted else ()) or last(request.objects)


def _regions(request: Request, task: str) -> Ids:
    """Find the objects of the list whose masks are regions; raise if there is no region at all."""
    if request.marks == "minus":
        raise PromptError(
            "A negative mark takes away. Mark first what you mean, with a positive one."
        )
    if task == THIS:
        if not request.drawings:
            raise PromptError(_HELP)
        return request.pointed
    if request.drawings:
        return request.pointed
    found = w.LIKE.match(request.said.plain) or w.LIKE.match(request.said.core)
    groups = found.groupdict() if found else {}
    words = groups.get("what") or groups.get("zwhat") or "it"
    ids = resolve(words, request.objects, by_name=True) or last(request.objects)
    if not ids:
        raise PromptError("Like what? Draw on one of them first.")
    return ids


def _text(request: Request, task: str) -> tuple[str, bool]:
    """Word what the task is asked, and tell whether it is to say why."""
    said = request.said
    if task == "chat":
        return request.text.strip(), False
    if task in {"vgdseg", "gcgseg"} or (task == THIS and w.THIS.match(said.core)):
        return "", False
    core = _ONLY.sub("", said.core)
    if task == THIS:
        return _THIS_ONE.sub("", core), False
    if task != "reaseg":
        return core, False
    why = w.EXPLAIN.search(core)
    if why and why.start():
        core = core[: why.start()].rstrip(" ,;.")
    end = "?" if said.question and not said.ordered else "." if w.NEED.match(core) else ""
    return core + end, why is not None


def _alone(text: str, objects: Sequence[ListedObject], meant: Ids) -> str:
    """Put the name of the object meant for "it", so that the words stand by themselves."""
    if len(meant) != 1:
        return ""
    name = name_of(meant[0], objects)
    bare = re.match(r"(?:the|an?|my|his|her) ", name, re.IGNORECASE) or not name.isascii()
    the = name if bare else f"the {name}"
    if (counted := w.ORDINAL.search(text)) and resolve(counted[0], objects) == meant:
        return text[: counted.start()] + the + text[counted.end() :]
    if not name.isascii():
        return re.sub("它|[这那][个只条辆位]", lambda _: name, text)
    text = _ITS_SIDE.sub(lambda side: f"{side[1]} the {side[2]} of {the}", text)
    text = _ITS.sub(lambda _: f"{the}'s", text)
    return _IT.sub(lambda _: the, text)


def _count(number: int) -> str:
    return _COUNTS[number] if number < len(_COUNTS) else str(number)
