"""Noun phrases that pick out things: the words, and exactly which things they mean.

Every rule takes the facts of a picture and returns a `Phrase` or None when nothing can be
said beyond doubt. A phrase in the singular means one thing and no other; a phrase in the
plural means all of a set. `RULES` is the table of rules by family.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from x2sam.train import facts as f
from x2sam.train.vocabulary import countable, kinds, plural, reasons, topics, with_article

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.random import Generator

    from x2sam.train.facts import Facts, Thing, Verdict

_BIGGER = 1.6  # ratio of areas from which one thing is bigger beyond doubt
_PAIRS = 12  # of things tried as the ends of "between"
_STEP = 0.08  # distance between neighbours that are counted off
ORDINALS = ("first", "second", "third", "fourth", "fifth")
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words, and the things they mean; a phrase about what is not there means none."""

    text: str
    things: tuple[int, ...]
    word: str = ""  # the noun in it, by which later turns go on
    sentence: bool = False


def pick(rng: Generator, options: Sequence[str]) -> str:
    """Choose one of the options."""
    return options[int(rng.integers(len(options)))]


def meant(facts: Facts, verdicts: Sequence[Verdict]) -> tuple[int, ...]:
    """Indices of the things that are meant; nothing if any of them is in doubt."""
    if None in verdicts:
        return ()
    return tuple(
        thing.index for thing, verdict in zip(facts.things, verdicts, strict=True) if verdict
    )


def called(facts: Facts, word: str) -> tuple[int, ...]:
    """Indices of the things that may be called `word`; nothing if any could be argued about."""
    if any(noun.is_a(word) is not False for noun in facts.clutter):
        return ()
    return meant(facts, [thing.noun.is_a(word) for thing in facts.things])


def absent(facts: Facts, word: str) -> bool:
    """Whether nothing there can be called `word`."""
    nouns = [*(thing.noun for thing in facts.things), *facts.clutter]
    return all(noun.is_a(word) is False and not noun.is_like(word) for noun in nouns)


def some_word(facts: Facts, rng: Generator) -> str:
    """Choose a thing and one of its names, mostly the first."""
    noun = facts.things[rng.integers(len(facts.things))].noun
    if noun.also and rng.random() < 0.3:  # noqa: PLR2004
        return pick(rng, noun.also)
    return noun.name


def a_set(facts: Facts, rng: Generator, least: int = 2) -> tuple[str, tuple[int, ...]] | None:
    """Choose a word that at least so many things share."""
    words = {word for thing in facts.things for word in (thing.noun.name, *thing.noun.also)}
    words |= {kind for thing in facts.things for kind in thing.noun.kinds} & set(kinds())
    usable = [
        (word, things)
        for word in sorted(words)
        if countable(word) and len(things := called(facts, word)) >= least
    ]
    return usable[rng.integers(len(usable))] if usable else None


def name_phrase(
    word: str, things: tuple[int, ...], rng: Generator, *, counted: bool = True
) -> Phrase | None:
    """Say `word` for all that it means; where nobody counted, leave the number open."""
    if not things:
        return None
    if not counted and len(things) > 1:
        return Phrase(pick(rng, (f"the {plural(word)}", f"all {plural(word)}", word)), things, word)
    if len(things) == 1 or not countable(word):
        options = [f"the {word}", f"the {word}", word, with_article(word)]
        if len(things) > 1:
            options = [f"all the {word}", f"all {word}", f"the {word}", word]
        return Phrase(pick(rng, options), things, word)
    several = plural(word)
    options = [f"the {several}", f"all {several}", f"all the {several}", several]
    if len(things) == 2:  # noqa: PLR2004
        options += [f"both {several}", f"the two {several}"]
    if several == word:
        options = [f"all {several}", f"all the {several}"]
    return Phrase(pick(rng, options), things, word)


def noun(facts: Facts, rng: Generator) -> Phrase | None:
    """Say "the dog", "both apples"."""
    word = some_word(facts, rng)
    return name_phrase(word, called(facts, word), rng, counted=facts.whole)


def kind(facts: Facts, rng: Generator) -> Phrase | None:
    """Say "all fruit", "the animal"."""
    thing = facts.things[rng.integers(len(facts.things))]
    words = sorted(set(thing.noun.kinds) & set(kinds()))
    if not words:
        return None
    word = pick(rng, words)
    phrase = name_phrase(word, called(facts, word), rng, counted=facts.whole)
    if phrase and facts.whole and len(phrase.things) == 1 and rng.random() < 0.2:  # noqa: PLR2004
        return Phrase(f"the only {word}", phrase.things, word)
    return phrase


def absentee(facts: Facts, rng: Generator, names: Sequence[str]) -> Phrase | None:
    """Name something that is not there."""
    # A wrong noun is easy; one of the same sort as something there is what can be mistaken.
    sorts = {thing.noun.topic for thing in facts.things}
    words = [pick(rng, names) for _ in range(5)]
    word = next((word for word in words if topics().get(word) in sorts), words[0])
    if not absent(facts, word):
        return None
    options = [f"the {word}", f"the {word}", word, with_article(word)]
    if countable(word) and rng.random() < 0.2:  # noqa: PLR2004 - what is there may be several
        options = [f"the {plural(word)}", f"all {plural(word)}", plural(word)]
    return Phrase(pick(rng, options), (), word)


def colour(facts: Facts, rng: Generator) -> Phrase | None:
    """Say "the green apple", where every apple has a colour with a name."""
    if rng.random() < 0.15 and facts.complete:  # noqa: PLR2004
        word, base = "thing", tuple(thing.index for thing in facts.things)
    else:
        found = a_set(facts, rng, 2) if rng.random() < 0.75 else None  # noqa: PLR2004
        word, base = found or ("", ())
        if not base:
            word = some_word(facts, rng)
            base = called(facts, word)
    shades = {index: facts.things[index].colour for index in base}
    named = sorted({shade for shade in shades.values() if shade})
    if not base or None in shades.values() or not named or not countable(word):
        return None
    shade = pick(rng, named)
    things = tuple(index for index in base if shades[index] == shade)
    shade = "grey" if shade == "gray" and rng.random() < 0.5 else shade  # noqa: PLR2004
    if len(things) > 1:
        options = [f"the {shade} {plural(word)}", f"all {shade} {plural(word)}"]
    else:
        options = [f"the {shade} {word}", f"the {shade} {word}", f"the {word} that is {shade}"]
        options += [with_article(f"{shade} {word}"), f"{shade} {word}"]
    return Phrase(pick(rng, options), things, word)


def size(facts: Facts, rng: Generator) -> Phrase | None:
    """Say "the biggest apple" of several that are wholly visible."""
    found = a_set(facts, rng)
    everything = rng.random() < 0.15 and facts.complete  # noqa: PLR2004
    if everything and len(facts.things) > 2:  # noqa: PLR2004
        found = ("thing", tuple(thing.index for thing in facts.things))
    if not found:
        return None
    word, base = found
    things = sorted((facts.things[index] for index in base), key=lambda thing: thing.area)
    if min(thing.shown for thing in things) < 0.7:  # noqa: PLR2004
        return None
    small = bool(rng.random() < 0.5)  # noqa: PLR2004
    best, rival = (things[0], things[1]) if small else (things[-1], things[-2])
    low, high = sorted((best.area, rival.area))
    if high < _BIGGER * low:
        return None
    pair = len(things) == 2  # noqa: PLR2004
    adjective = pick(rng, _size_words(small=small, pair=pair))
    return Phrase(f"the {adjective} {word}", (best.index,), word)


def _size_words(*, small: bool, pair: bool) -> list[str]:
    most = ["smallest", "tiniest"] if small else ["biggest", "largest"]
    more = ["smaller", "little", "small"] if small else ["bigger", "larger", "big"]
    return most[:1] + more if pair else most


# The axis of a side and its direction, words for that half of the picture, and the superlative.
_SIDES = {
    "left": ("x", 1, ("on the left", "on the left side"), "leftmost"),
    "right": ("x", -1, ("on the right", "on the right side"), "rightmost"),
    "top": ("y", 1, ("at the top", "in the upper part"), "topmost"),
    "bottom": ("y", -1, ("at the bottom", "in the lower part"), "lowest"),
}


def position(facts: Facts, rng: Generator) -> Phrase | None:
    """Say "the left apple", "the apple at the top" of several."""
    found = a_set(facts, rng)
    if not found:
        return None
    word, base = found
    things = [facts.things[index] for index in base]
    if len(things) == 3 and rng.random() < 0.3:  # noqa: PLR2004
        row = sorted(things, key=lambda thing: thing.x)
        text = pick(rng, [f"the {word} in the middle", f"the middle {word}"])
        return Phrase(text, (row[1].index,), word) if f.between(row[1], row[0], row[2]) else None
    side = pick(rng, tuple(_SIDES))
    axis, sign, places, superlative = _SIDES[side]
    ranked = sorted(things, key=lambda thing: sign * getattr(thing, axis))
    if sign * (getattr(ranked[1], axis) - getattr(ranked[0], axis)) < f.FAR:
        return None
    options = [f"the {superlative} {word}"]
    if axis == "x":
        options += [f"the {word} furthest to the {side}"]
    there = [f.on_side(getattr(thing, axis), sign) for thing in ranked]
    if there == [True, *[False] * (len(ranked) - 1)]:
        options += [f"the {word} {place}" for place in places] * 2
    if len(things) == 2:  # noqa: PLR2004
        options += [
            f"the {'upper' if side == 'top' else 'lower' if side == 'bottom' else side} {word}"
        ] * 2
    return Phrase(pick(rng, options), (ranked[0].index,), word)


def corner(facts: Facts, rng: Generator) -> Phrase | None:
    """Say "the thing in the top left corner"."""
    if not facts.complete:
        return None
    down, right = rng.random() < 0.5, rng.random() < 0.5  # noqa: PLR2004
    verdicts = []
    for thing in facts.things:
        x, y = (1 - thing.x if right else thing.x), (1 - thing.y if down else thing.y)
        near = max(x, y)
        verdicts.append(True if near < 0.3 else False if near > 0.42 else None)  # noqa: PLR2004
    things = meant(facts, verdicts)
    where = f"{'bottom' if down else 'top'} {'right' if right else 'left'}"
    words = [f"the thing in the {where} corner", f"the object at the {where}", f"{where}"]
    return Phrase(pick(rng, words), things, "thing") if len(things) == 1 else None


_RELATIONS: dict[tuple[str, ...], Callable[[Facts, Thing, Thing], Verdict]] = {
    ("to the left of", "left of"): lambda _, a, b: f.left_of(a, b),
    ("to the right of", "right of"): lambda _, a, b: f.left_of(b, a),
    ("above", "over"): lambda _, a, b: f.higher_than(a, b),
    ("below", "under"): lambda _, a, b: f.higher_than(b, a),
    ("in front of",): f.in_front_of,
    ("behind",): lambda facts, a, b: f.in_front_of(facts, b, a),
    ("next to", "beside", "near"): lambda _, a, b: f.next_to(a, b),
}


def unique_thing(facts: Facts, rng: Generator) -> tuple[str, Thing] | None:
    """Choose a thing whose name means it alone."""
    thing = facts.things[rng.integers(len(facts.things))]
    word = thing.noun.name
    return (word, thing) if called(facts, word) == (thing.index,) else None


def relation(facts: Facts, rng: Generator) -> Phrase | None:
    """Say "the apple to the left of the dog", mostly with several apples."""
    anchor = unique_thing(facts, rng)
    if not anchor:
        return None
    found = a_set(facts, rng) if rng.random() < 0.9 else None  # noqa: PLR2004
    if rng.random() < 0.15 and facts.complete:  # noqa: PLR2004
        found = ("thing", tuple(thing.index for thing in facts.things))
    if not found:
        word = some_word(facts, rng)
        found = (word, called(facts, word))
    word, base = found
    names, holds = list(_RELATIONS.items())[rng.integers(len(_RELATIONS))]
    return _related(facts, rng, (word, base), names, [anchor], holds)


def _related(
    facts: Facts,
    rng: Generator,
    subject: tuple[str, tuple[int, ...]],
    names: tuple[str, ...],
    anchors: list[tuple[str, Thing]],
    holds: Callable[..., Verdict],
) -> Phrase | None:
    """Name the only one of `subject` for which a relation to the anchors holds."""
    word, base = subject
    ends = [thing for _, thing in anchors]
    others = [facts.things[i] for i in base if all(i != end.index for end in ends)]
    verdicts = [holds(facts, thing, *ends) for thing in others]
    if verdicts.count(True) != 1 or None in verdicts or not countable(word):
        return None
    thing = others[verdicts.index(True)]
    objects = " and ".join(f"the {name}" for name, _ in anchors)
    lead = pick(rng, [f"the {word}", f"the {word}", f"the {word} that is"])
    return Phrase(f"{lead} {pick(rng, names)} {objects}", (thing.index,), word)


def in_between(facts: Facts, rng: Generator) -> Phrase | None:
    """Say "the apple between the dog and the car"."""
    everything = tuple(thing.index for thing in facts.things)
    for _ in range(_PAIRS):
        ends = [end for _ in range(2) if (end := unique_thing(facts, rng))]
        if len(ends) < 2 or ends[0][1] is ends[1][1]:  # noqa: PLR2004
            continue
        word = some_word(facts, rng)
        subject = (word, called(facts, word))
        if facts.complete and rng.random() < 0.4:  # noqa: PLR2004
            subject = ("thing", everything)
        phrase = _related(facts, rng, subject, ("between",), ends, _between)
        if phrase:
            return phrase
    return None


def _between(facts: Facts, thing: Thing, a: Thing, b: Thing) -> Verdict:
    del facts
    return f.between(thing, a, b)


def ordinal(facts: Facts, rng: Generator) -> Phrase | None:
    """Say "the second apple from the left"."""
    found = a_set(facts, rng)
    if not found or len(found[1]) > len(ORDINALS):
        return None
    word, base = found
    side = pick(rng, ("left", "right", "left", "right", "top", "bottom"))
    axis, sign, _, _ = _SIDES[side]
    row = sorted((facts.things[i] for i in base), key=lambda thing: sign * getattr(thing, axis))
    steps = np.abs(np.diff([getattr(thing, axis) for thing in row]))
    if steps.min() < _STEP:
        return None
    place = int(rng.integers(len(row)))
    options = [f"the {ORDINALS[place]} {word} from the {side}"]
    if side == "left":
        options += [f"{word} number {NUMBERS[place + 1]} from the left"]
    if place == len(row) - 1 and side in ("left", "right"):
        options += [f"the last {word} from the {side}"]
    return Phrase(pick(rng, options), (row[place].index,), word)


def reason(facts: Facts, rng: Generator) -> Phrase | None:
    """Say "something I could eat", "Which of these can fly?"."""
    return _needed(facts, rng, vain=False)


def in_vain(facts: Facts, rng: Generator) -> Phrase | None:
    """Speak of a need that nothing there answers."""
    return _needed(facts, rng, vain=True) if facts.whole and rng.random() < 0.3 else None  # noqa: PLR2004


def _needed(facts: Facts, rng: Generator, *, vain: bool) -> Phrase | None:
    known = [*(thing.noun for thing in facts.things), *facts.clutter]
    count = len(facts.things)
    usable = []
    for need in reasons():
        verdicts = [need.holds(noun) for noun in known]
        if None not in verdicts and True not in verdicts[count:] and (True in verdicts) != vain:
            usable.append((need, meant(facts, verdicts[:count])))
    if not usable:
        return None
    need, things = usable[rng.integers(len(usable))]
    question = bool(rng.random() < 0.6)  # noqa: PLR2004
    text = pick(rng, need.questions if question else need.phrases)
    return Phrase(text, things, sentence=question)


RULES: dict[str, Callable[[Facts, Generator], Phrase | None]] = {
    "noun": noun,
    "kind": kind,
    "colour": colour,
    "size": size,
    "position": position,
    "corner": corner,
    "relation": relation,
    "between": in_between,
    "ordinal": ordinal,
    "reason": reason,
}
