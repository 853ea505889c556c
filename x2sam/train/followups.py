"""What people say next: "the other one", "the one to its left", "all of them".

A follow-up leans on the turn before it: `before` says which noun was spoken of and which
thing was found. Like every phrase it is written only when it can mean one thing alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from x2sam.train import facts as f
from x2sam.train.phrases import ORDINALS, RULES, Phrase, called, pick

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator

    from x2sam.train.facts import Facts, Thing, Verdict

_BIGGER = 1.6
_STEP = 0.08

_BESIDE: dict[str, Callable[[Facts, Thing, Thing], Verdict]] = {
    "the one to its left": lambda _, it, other: f.left_of(other, it),
    "the one to its right": lambda _, it, other: f.left_of(it, other),
    "the one above it": lambda _, it, other: f.higher_than(other, it),
    "the one below it": lambda _, it, other: f.higher_than(it, other),
    "the one in front of it": lambda facts, it, other: f.in_front_of(facts, other, it),
    "the one behind it": f.in_front_of,
    "the one next to it": lambda _, it, other: f.next_to(it, other),
}


def follow_up(facts: Facts, rng: Generator, before: Phrase) -> Phrase | None:
    """Go on from a phrase in one of the ways below."""
    ways = (_other, _others, _beside, _beside, _shade, _sized, _counted, _something_new)
    return ways[rng.integers(len(ways))](facts, rng, before)


def _other(facts: Facts, rng: Generator, before: Phrase) -> Phrase | None:
    """Say "the other one" of two."""
    rest = set(called(facts, before.word)) - set(before.things)
    if len(before.things) != 1 or len(rest) != 1:
        return None
    return Phrase(
        pick(rng, ("the other one", f"the other {before.word}")), tuple(rest), before.word
    )


def _others(facts: Facts, rng: Generator, before: Phrase) -> Phrase | None:
    """Say "all of them" after one of several."""
    everyone = called(facts, before.word)
    if len(before.things) != 1 or len(everyone) < 2:  # noqa: PLR2004
        return None
    rest = tuple(index for index in everyone if index not in before.things)
    if len(rest) > 1 and rng.random() < 0.5:  # noqa: PLR2004
        return Phrase(pick(rng, ("the others", "the other ones")), rest, before.word)
    text = pick(rng, ("all of them", "both of them" if len(everyone) == 2 else "all of them"))  # noqa: PLR2004
    return Phrase(text, everyone, before.word)


def _beside(facts: Facts, rng: Generator, before: Phrase) -> Phrase | None:
    """Say "the one to its left": the only thing there, whatever it is."""
    if len(before.things) != 1 or not facts.complete:
        return None
    it = facts.things[before.things[0]]
    text, holds = list(_BESIDE.items())[rng.integers(len(_BESIDE))]
    others = [thing for thing in facts.things if thing is not it]
    verdicts = [holds(facts, it, thing) for thing in others]
    if verdicts.count(True) != 1 or None in verdicts:
        return None
    found = others[verdicts.index(True)]
    if rng.random() < 0.3:  # noqa: PLR2004
        text = text.replace("the one", "what is")
    return Phrase(text, (found.index,), found.noun.name)


def _shade(facts: Facts, rng: Generator, before: Phrase) -> Phrase | None:
    """Say "the blue one" of several."""
    base = called(facts, before.word)
    shades = [facts.things[index].colour for index in base]
    if len(base) < 2 or None in shades:  # noqa: PLR2004
        return None
    shade = str(shades[rng.integers(len(shades))])
    things = tuple(i for i, other in zip(base, shades, strict=True) if other == shade)
    if things == before.things:
        return None
    return Phrase(f"the {shade} {'one' if len(things) == 1 else 'ones'}", things, before.word)


def _sized(facts: Facts, rng: Generator, before: Phrase) -> Phrase | None:
    """Say "the smaller one" of two."""
    pair = sorted(
        (facts.things[i] for i in called(facts, before.word)), key=lambda thing: thing.area
    )
    if len(pair) != 2 or pair[1].area < _BIGGER * pair[0].area:  # noqa: PLR2004
        return None
    if min(thing.shown for thing in pair) < 0.7:  # noqa: PLR2004
        return None
    small = bool(rng.random() < 0.5)  # noqa: PLR2004
    word = pick(rng, ("smaller",) if small else ("bigger", "larger"))
    return Phrase(f"the {word} one", (pair[0 if small else 1].index,), before.word)


def _counted(facts: Facts, rng: Generator, before: Phrase) -> Phrase | None:
    """Say "the second one from the left"."""
    row = sorted((facts.things[i] for i in called(facts, before.word)), key=lambda thing: thing.x)
    if not 2 <= len(row) <= len(ORDINALS):  # noqa: PLR2004
        return None
    if np.diff([thing.x for thing in row]).min() < _STEP:
        return None
    place = int(rng.integers(len(row)))
    text = f"the {ORDINALS[place]} one from the left"
    if rng.random() < 0.3:  # noqa: PLR2004
        text = f"only the {ORDINALS[place]} one from the left"
    return Phrase(text, (row[place].index,), before.word)


def _something_new(facts: Facts, rng: Generator, before: Phrase) -> Phrase | None:
    """Speak of another thing by its name."""
    phrase = RULES["noun"](facts, rng)
    return phrase if phrase and phrase.things != before.things else None
