"""What is asked about a scene and what the right answer is: families of texts.

A family writes a `Draft`, a conversation and what its last request means, from the facts of
a scene, or returns None when nothing can be said beyond doubt. Questions are worded as X2SAM
was trained (`x2sam.language.wordings`); half of them use the line that inference uses, and
answers always do. What is not there is answered like what is, and its mask is empty.

What the masks of the last request are to be, by task:

    refseg, reaseg    one mask, the union of what the phrase means
    genseg            one mask per thing, labelled with its phrase
    gcgseg            one mask per phrase of the answer
    intseg, objseg    one mask, the thing under the region
    vgdseg            one mask per thing of the same name as the one under the region

The regions of "this one" and "all like this" are asked about with the same official lines,
so one of the six is set apart for the latter (`LIKE_THIS`), or nothing would tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from x2sam.language import wordings
from x2sam.language.prompts import Turn
from x2sam.language.tasks import category_name
from x2sam.train.captions import describing
from x2sam.train.followups import follow_up
from x2sam.train.motion import motion
from x2sam.train.phrases import RULES, Phrase, absent, absentee, called, in_vain, pick
from x2sam.train.questions import chatting, closely
from x2sam.train.vocabulary import countable, kinds, plural, with_article

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

    from x2sam.language.wordings import Media, Wording
    from x2sam.train.facts import Facts
    from x2sam.train.scenes import Layout

RegionKind = Literal["click", "box", "scribble", "mask"]
REGION_KINDS: tuple[RegionKind, ...] = ("click", "box", "scribble", "mask")
LIKE_THIS = wordings.LIKE_REGIONS.asked
MOST_CATEGORIES = 10
# Where letters of other languages begin and how many there are: Han, Hiragana, Hangul, Arabic,
# Devanagari, Cyrillic. Capitals are left out, as phrases are in small letters.
_LETTERS = (
    *[(0x4E00, 20_000)] * 4,
    *((0x3041, 86), (0xAC00, 11_000), (0x0620, 43), (0x0904, 54), (0x0430, 32)),
)


@dataclass(frozen=True, slots=True)
class Region:
    """A visual prompt on one thing of the first frame."""

    kind: RegionKind
    thing: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A conversation, and what its last request means."""

    task: str
    turns: tuple[Turn, ...]
    phrases: tuple[str, ...] = ()  # of the last request (of the answer, for gcgseg)
    labels: tuple[int, ...] = ()  # for every target mask, the phrase it belongs to
    groups: tuple[tuple[int, ...], ...] = ()  # for every target mask, the things it unites
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What a family may use: the facts, the words that exist, and chance."""

    facts: Facts
    names: tuple[str, ...]  # of things that might have been there
    rng: Generator

    @property
    def media(self) -> Media:
        """What the medium is called in a question."""
        return "video" if self.facts.clip else "image"


Family = Callable[[Context], Draft | None]


def worded(context: Context, wording: Wording, what: str) -> str:
    """Put a request into an official line, every other time into the one we always use."""
    usual = context.rng.random() < 0.5  # noqa: PLR2004
    lines = wording.all_questions(context.media)
    line = lines[wording.asked] if usual else pick(context.rng, lines)
    if "the {what}" in line:  # which has room for "the dog" only
        if not what.startswith("<p>the "):
            return worded(context, wording, what)
        what = what.replace("<p>the ", "<p>", 1)
    return line.replace("{what}", what)


def refer(context: Context, phrase: Phrase | None, turns: Sequence[Turn] = ()) -> Draft | None:
    """One phrase, one mask; the mask of what is not there is empty."""
    if phrase is None:
        return None
    text = phrase.text.lower()
    question = worded(context, wordings.REFERRING, f"<p>{text}</p>")
    return Draft(
        task="refseg",
        turns=(*turns, Turn(question, wordings.REFERRING.answer)),
        phrases=(text,),
        labels=(0,) if phrase.things else (),
        groups=(phrase.things,) if phrase.things else (),
    )


def referring(rule: str) -> Family:
    """Make the family of one rule."""
    return lambda context: refer(context, RULES[rule](context.facts, context.rng))


def moving(context: Context) -> Draft | None:
    """Refer to something by what it does."""
    return refer(context, motion(context.facts, context.rng))


def absence(context: Context) -> Draft | None:
    """Ask for what is not there: another noun, or a known one in another colour."""
    rng, facts = context.rng, context.facts
    if rng.random() < 0.7 or not facts.whole:  # noqa: PLR2004
        return refer(context, absentee(facts, rng, context.names))
    thing = facts.things[rng.integers(len(facts.things))]
    word = thing.noun.name
    shades = {facts.things[index].colour for index in called(facts, word)}
    other = pick(rng, ("red", "yellow", "green", "blue", "purple", "pink"))
    if not shades or None in shades or other in shades or not countable(word):
        return None
    return refer(context, Phrase(f"the {other} {word}", (), f"{other} {word}"))


def unread(context: Context) -> Draft | None:
    """Ask in letters that are not read: what is most to be seen is marked, and nothing is said."""
    if not context.facts.complete:
        return None
    rng = context.rng
    start, count = _LETTERS[rng.integers(len(_LETTERS))]
    text = "".join(chr(start + int(at)) for at in rng.integers(count, size=rng.integers(2, 8)))
    thing = max(context.facts.things, key=lambda thing: thing.area)
    return refer(context, Phrase(text, (thing.index,), text))


def categories(context: Context) -> Draft | None:
    """Name several categories, some of them not there; every thing of each is wanted."""
    rng, facts = context.rng, context.facts
    listed: dict[str, tuple[int, ...]] = {}
    taken: set[int] = set()
    for index in rng.permutation(len(facts.things))[: int(rng.integers(1, 7))]:
        noun = facts.things[index].noun
        options = [
            noun.name,
            noun.name,
            noun.name,
            *noun.also,
            *sorted(set(noun.kinds) & set(kinds())),
        ]
        word = pick(rng, options)
        things = called(facts, word)
        if things and not taken & set(things):
            listed[word] = things
            taken |= set(things)
    for word in rng.choice(context.names, size=int(rng.integers(0, 6))):
        if len(listed) < MOST_CATEGORIES and absent(facts, str(word)):
            listed.setdefault(str(word), ())
    words = [list(listed)[i] for i in rng.permutation(len(listed))]
    return _listed(context, words, [listed[word] for word in words]) if words else None


def objects(context: Context) -> Draft | None:
    """Ask for every object, whatever it is; only where all of them are known."""
    everything = tuple(thing.index for thing in context.facts.things)
    return _listed(context, ["object"], [everything]) if context.facts.complete else None


def _listed(context: Context, words: Sequence[str], things: Sequence[tuple[int, ...]]) -> Draft:
    names = [category_name(word) for word in words]
    what = ", ".join(f"<p>{name}</p>" for name in names)
    pairs = [(label, (thing,)) for label, group in enumerate(things) for thing in group]
    return Draft(
        task="genseg",
        turns=(Turn(worded(context, wordings.CATEGORIES, what), wordings.CATEGORIES.answer),),
        phrases=tuple(names),
        labels=tuple(label for label, _ in pairs),
        groups=tuple(group for _, group in pairs),
    )


def reasoning(context: Context) -> Draft | None:
    """Ask for what a need calls for, as a phrase or as a sentence."""
    phrase = RULES["reason"](context.facts, context.rng)
    if phrase is None:
        phrase = in_vain(context.facts, context.rng)
    if phrase is None:
        return None
    wording = wordings.REASONING_SENTENCE if phrase.sentence else wordings.REASONING_PHRASE
    answer = wording.answer
    if phrase.sentence and phrase.things and context.rng.random() < 0.2:  # noqa: PLR2004
        wording = wordings.REASONING_EXPLAINED
        answer = f"{_naming(context.facts, phrase.things)} {wording.answer}"
    question = worded(context, wording, f"<p>{phrase.text}</p>")
    return Draft(
        task="reaseg",
        turns=(Turn(question, answer),),
        phrases=(phrase.text,),
        labels=(0,) if phrase.things else (),
        groups=(phrase.things,) if phrase.things else (),
    )


def _naming(facts: Facts, things: tuple[int, ...]) -> str:
    """Answer in words: "That is a bird and a bee."."""
    names: dict[str, int] = {}
    for index in things:
        name = facts.things[index].noun.name
        names[name] = names.get(name, 0) + 1
    parts = [with_article(name) if n == 1 else f"the {plural(name)}" for name, n in names.items()]
    listed = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
    return f"That is {listed}."


def pointing(context: Context) -> Draft | None:
    """Point at one thing: that thing, in every frame."""
    region = a_region(context)
    if region is None:
        return None
    lines = wordings.REGIONS.all_questions(context.media)
    usual = context.rng.random() < 0.5  # noqa: PLR2004
    free = [number for number in range(len(lines)) if number != LIKE_THIS]
    line = lines[wordings.REGIONS.asked if usual else free[context.rng.integers(len(free))]]
    return Draft(
        task="objseg" if context.facts.clip else "intseg",
        turns=(Turn(line.replace("{what}", "<p><region></p>"), wordings.REGIONS.answer),),
        phrases=("<region>",),
        labels=(0,),
        groups=((region.thing,),),
        regions=(region,),
    )


def exemplars(context: Context) -> Draft | None:
    """Point at one to three things of different names: all things like each of them."""
    facts = context.facts
    regions: list[Region] = []
    pairs: list[tuple[int, tuple[int, ...]]] = []
    taken: set[int] = set()
    for _ in range(int(context.rng.integers(1, 4))):
        region = a_region(context)
        things = called(facts, facts.things[region.thing].noun.name) if region else ()
        if region and things and not taken & set(things):
            pairs += [(len(regions), (thing,)) for thing in things]
            regions.append(region)
            taken |= set(things)
    if not regions:
        return None
    line = wordings.REGIONS.all_questions(context.media)[LIKE_THIS]
    what = ", ".join("<p><region></p>" for _ in regions)
    return Draft(
        task="vgdseg",
        turns=(Turn(line.replace("{what}", what), wordings.REGIONS.answer),),
        phrases=("<region>",) * len(regions),
        labels=tuple(label for label, _ in pairs),
        groups=tuple(group for _, group in pairs),
        regions=tuple(regions),
    )


def a_region(context: Context) -> Region | None:
    """Choose something that the first frame shows, and how it is pointed at."""
    rng = context.rng
    visible = [thing.index for thing in context.facts.things if thing.there[0]]
    if not visible:
        return None
    kind = REGION_KINDS[rng.choice(4, p=(0.4, 0.25, 0.2, 0.15))]
    return Region(kind, int(rng.choice(visible)), int(rng.integers(2**31)))


def describe(context: Context) -> Draft | None:
    """Describe everything, with a mask for every phrase."""
    caption = describing(context.facts, tagged=True)
    if caption is None:
        return None
    return Draft(
        task="gcgseg",
        turns=(Turn(worded(context, wordings.DESCRIBING, ""), caption.text),),
        phrases=caption.phrases,
        labels=tuple(range(len(caption.phrases))),
        groups=caption.things,
    )


def chat(context: Context) -> Draft | None:
    """Ask one or two things that are answered in words."""
    turns: list[Turn] = []
    for _ in range(1 + (context.rng.random() < 0.3)):  # noqa: PLR2004
        turn = chatting(context.facts, context.rng, context.names)
        if turn and all(turn.question != other.question for other in turns):
            turns.append(turn)
    return Draft(task="chat", turns=tuple(turns)) if turns else None


def close(context: Context) -> Draft | None:
    """Ask what the one thing is that fills the picture."""
    turn = closely(context.facts, context.rng)
    return Draft(task="chat", turns=(turn,)) if turn else None


def dialogue(context: Context) -> Draft | None:
    """Refer to something, then to something else by means of it."""
    rng, facts = context.rng, context.facts
    first = RULES[pick(rng, ("noun", "position", "noun", "colour", "size"))](facts, rng)
    if first is None:
        return None
    draft = refer(context, first)
    second = follow_up(facts, rng, first)
    if draft is None or second is None:
        return None
    lead = pick(rng, ("", "", "now ", "and "))
    following = replace(second, text=lead + second.text)
    if rng.random() < 0.2:  # noqa: PLR2004
        turn = chatting(facts, rng, context.names)
        if turn:
            # Not between them, or "it" would be what that turn spoke of.
            return refer(context, following, (turn, *draft.turns))
    return refer(context, following, draft.turns)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A family, the layouts it wants, and its share of pictures, clips and photos."""

    write: Family
    layouts: tuple[Layout, ...]
    picture: float
    clip: float = 0.0
    photo: float = 0.0


_ALL: tuple[Layout, ...] = ("varied", "twins", "colours", "kind")

FAMILIES: dict[str, Recipe] = {
    # What is there and what is not are asked for in the same scenes, or the scene would tell.
    "noun": Recipe(referring("noun"), _ALL, 6, 8, 14),
    "absence": Recipe(absence, _ALL, 5, 4, 5),
    "kind": Recipe(referring("kind"), ("kind", "varied"), 4, 4, 4),
    "colour": Recipe(referring("colour"), ("colours",), 7, 8),
    "size": Recipe(referring("size"), ("twins",), 3),
    "position": Recipe(referring("position"), ("twins",), 8, 0, 4),
    "corner": Recipe(referring("corner"), ("varied",), 2),
    "relation": Recipe(referring("relation"), ("twins", "twins", "varied"), 7),
    "between": Recipe(referring("between"), ("varied", "twins"), 2),
    "ordinal": Recipe(referring("ordinal"), ("twins",), 5),
    "motion": Recipe(moving, ("twins", "varied"), 0, 16),
    "unread": Recipe(unread, ("varied", "twins", "colours"), 0.5),
    "categories": Recipe(categories, ("varied", "kind", "twins"), 15, 12, 20),
    "objects": Recipe(objects, ("varied", "twins"), 3, 2),
    "reason": Recipe(reasoning, ("kind", "varied"), 8, 6),
    "pointing": Recipe(pointing, ("varied", "twins", "kind"), 10, 16, 25),
    "exemplars": Recipe(exemplars, ("twins", "varied"), 6, 8, 8),
    "describe": Recipe(describe, ("varied", "twins", "colours"), 8, 6),
    "chat": Recipe(chat, ("varied", "twins", "colours"), 8, 8),
    "close": Recipe(close, ("close",), 2),
    "dialogue": Recipe(dialogue, ("twins", "colours"), 4),
}


def check(draft: Draft) -> None:
    """Assert what every draft must be: one `<SEG>` in the last answer, unless it only talks."""
    last = draft.turns[-1]
    assert last.answer is not None
    wanted = 0 if draft.task == "chat" else 1
    assert last.answer.count("<SEG>") == wanted, draft
    tagged = last.answer if draft.task == "gcgseg" else last.question
    assert tagged.count("<p>") == len(draft.phrases), draft
    assert all(0 <= label < len(draft.phrases) for label in draft.labels), draft
    assert len(draft.labels) == len(draft.groups) and all(draft.groups), draft  # noqa: PT018
    assert np.all([text.strip() == text and text for text in draft.phrases]), draft
