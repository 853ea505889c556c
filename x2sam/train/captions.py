"""Descriptions of a scene, with or without a mask for every phrase.

The largest things come first; equal things are one phrase; a relation, a place or a movement
is told where it is beyond doubt. The wording is plain and always the same for the same
facts, so that a small model can learn to say it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from x2sam.language import wordings
from x2sam.language.prompts import grounded
from x2sam.train import facts as f
from x2sam.train.motion import EVENTS
from x2sam.train.phrases import NUMBERS
from x2sam.train.vocabulary import countable, many, plural, with_article

if TYPE_CHECKING:
    from x2sam.train.facts import Facts, Thing

MOST_PHRASES = 6
_TOLD = ("right", "left", "up", "down", "leaves", "arrives")


@dataclass(frozen=True, slots=True)
class Caption:
    """A description; `phrases` and the `things` each of them means, in their order."""

    text: str
    phrases: tuple[str, ...] = ()
    things: tuple[tuple[int, ...], ...] = ()


def describing(facts: Facts, *, tagged: bool) -> Caption | None:
    """Describe what is there; None where not all that can be seen is known.

    `tagged` puts `<p>…</p>` around every phrase and `<SEG>` at the end.
    """
    if not facts.complete:
        return None
    groups = groups_of(facts)[:MOST_PHRASES]
    names = [group_name(facts, group) for group in groups]
    clauses: list[tuple[str, tuple[int, ...], str]] = []  # lead, groups, end
    done: set[int] = set()
    for number, group in enumerate(groups):
        if number in done:
            continue
        partner = next(
            (
                (other, words)
                for other in range(number + 1, len(groups))
                if other not in done and (words := _relation(facts, group, groups[other]))
            ),
            None,
        )
        deed = _deed(facts, group)
        done.add(number)
        if deed:
            clauses.append(("", (number,), deed))
        elif partner and not facts.clip:
            done.add(partner[0])
            clauses.append(("", (number, partner[0]), partner[1]))
        else:
            several = plural_verb(facts, group)
            clauses.append(
                (f"There {'are' if several else 'is'} ", (number,), _place(facts, group))
            )
    return _written(names, groups, clauses, tagged=tagged)


def _written(
    names: list[str],
    groups: list[tuple[int, ...]],
    clauses: list[tuple[str, tuple[int, ...], str]],
    *,
    tagged: bool,
) -> Caption:
    """Join clauses into sentences, noting where every phrase stands."""
    text, spans, order = "", [], []
    for lead, numbers, words in clauses:
        text += (" " if text else "") + lead
        for place, number in enumerate(numbers):
            name = names[number] if lead or place else names[number][0].upper() + names[number][1:]
            text += f" {words} " if place else ""
            spans.append((len(text), len(text) + len(name)))
            order.append(number)
            text += name
        text += (f" {words}" if words and len(numbers) == 1 else "") + "."
    phrases = tuple(text[start:end] for start, end in spans)
    things = tuple(groups[number] for number in order)
    if not tagged:
        return Caption(text, phrases, things)
    return Caption(grounded(text, spans, wordings.DESCRIBING.answer), phrases, things)


def groups_of(facts: Facts) -> list[tuple[int, ...]]:
    """Put things of the same name together, the largest first."""
    groups: dict[str, list[Thing]] = {}
    for thing in facts.things:
        groups.setdefault(thing.noun.name, []).append(thing)
    ranked = sorted(groups.values(), key=lambda group: -sum(thing.area for thing in group))
    return [tuple(thing.index for thing in group) for group in ranked]


def group_name(facts: Facts, group: tuple[int, ...]) -> str:
    """Name some equal things: "two red apples", "a dog", "bread"."""
    things = [facts.things[index] for index in group]
    name = things[0].noun.name
    shades = {thing.colour for thing in things}
    shade = next(iter(shades)) if len(shades) == 1 else None
    full = f"{shade} {name}" if shade and shade not in name.split() else name
    if not countable(name):
        return full
    return with_article(full) if len(group) == 1 else f"{NUMBERS[len(group)]} {plural(full)}"


def plural_verb(facts: Facts, group: tuple[int, ...]) -> bool:
    """Whether a group takes "are"."""
    name = facts.things[group[0]].noun.name
    return many(name) or (len(group) > 1 and countable(name))


def _relation(facts: Facts, group: tuple[int, ...], other: tuple[int, ...]) -> str | None:
    """How one single thing stands to another, if that is beyond doubt."""
    if len(group) > 1 or len(other) > 1:
        return None
    a, b = facts.things[group[0]], facts.things[other[0]]
    ways = (
        ("in front of", f.in_front_of(facts, a, b)),
        ("behind", f.in_front_of(facts, b, a)),
        ("to the left of", f.left_of(a, b)),
        ("to the right of", f.left_of(b, a)),
        ("above", f.higher_than(a, b)),
        ("below", f.higher_than(b, a)),
    )
    way = next((way for way, holds in ways if holds), None)
    return way and f"{'are' if plural_verb(facts, group) else 'is'} {way}"


def _deed(facts: Facts, group: tuple[int, ...]) -> str | None:
    """What one single thing does in a clip."""
    if len(group) > 1 or not facts.clip or facts.panned or plural_verb(facts, group):
        return None
    thing = facts.things[group[0]]
    return next((EVENTS[name][1][0] for name in _TOLD if EVENTS[name][0](thing)), None)


def _place(facts: Facts, group: tuple[int, ...]) -> str:
    """Where one single thing of a picture is; nothing for several, or in a clip."""
    if len(group) > 1 or facts.clip:
        return ""
    return place_of(facts.things[group[0]]) or ""


def place_of(thing: Thing) -> str | None:
    """Say in which part of the picture it is, if that is beyond doubt."""
    column = _third(thing.x, ("left", "", "right"))
    line = _third(thing.y, ("top", "", "bottom"))
    if column is None or line is None:
        return None
    if line:
        return f"at the {line} {column}".strip()
    return f"on the {column}" if column else "in the middle"


def _third(value: float, names: tuple[str, str, str]) -> str | None:
    bounds = ((0.0, 0.35), (0.4, 0.6), (0.65, 1.0))
    inside = (name for name, (low, high) in zip(names, bounds, strict=True) if low <= value <= high)
    return next(inside, None)
