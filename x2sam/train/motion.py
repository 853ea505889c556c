"""Phrases about what happens in a clip: who moves where, who comes, leaves and grows.

Each row of `_EVENTS` is a statement about one thing and the ways to say it; a phrase is
written when the statement is true of some of the things it could mean, and false, beyond
doubt, of all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from x2sam.train import facts as f
from x2sam.train.phrases import Phrase, a_set, called, pick, some_word
from x2sam.train.vocabulary import countable, plural

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator

    from x2sam.train.facts import Facts, Thing, Verdict

EVENTS: dict[str, tuple[Callable[[Thing], Verdict], tuple[str, ...]]] = {
    "right": (
        lambda thing: f.moves(thing, (1, 0)),
        ("moves right", "moves to the right", "goes to the right", "is moving right"),
    ),
    "left": (
        lambda thing: f.moves(thing, (-1, 0)),
        ("moves left", "moves to the left", "goes to the left", "is moving left"),
    ),
    "up": (lambda thing: f.moves(thing, (0, -1)), ("moves up", "goes up", "rises")),
    "down": (lambda thing: f.moves(thing, (0, 1)), ("moves down", "goes down", "sinks")),
    "stays": (f.stays, ("stays in place", "does not move", "stays where it is", "stands still")),
    "grows": (f.grows, ("grows", "gets bigger", "becomes larger")),
    "shrinks": (lambda thing: f.grows(thing, -1), ("shrinks", "gets smaller", "becomes smaller")),
    "turns": (f.turns, ("turns", "spins", "rotates")),
    "arrives": (
        f.arrives,
        ("appears later", "comes into the picture", "is not there at first", "enters the frame"),
    ),
    "leaves": (f.leaves, ("leaves the frame", "leaves the picture", "disappears at the end")),
    "returns": (f.returns, ("leaves and comes back", "goes away and comes back")),
}
_PANNED = ("arrives", "leaves", "grows", "shrinks", "turns")  # true whatever the camera does


def motion(facts: Facts, rng: Generator) -> Phrase | None:
    """Say "the car that moves left", "the thing that leaves the frame"."""
    names = [name for name in EVENTS if name in _PANNED or not facts.panned]
    if rng.random() < 0.15:  # noqa: PLR2004
        return last_to_appear(facts, rng)
    holds, sayings = EVENTS[pick(rng, names)]
    word, base = "thing", tuple(thing.index for thing in facts.things)
    if not facts.complete or rng.random() < 0.7:  # noqa: PLR2004
        found = a_set(facts, rng) if rng.random() < 0.7 else None  # noqa: PLR2004
        word = found[0] if found else some_word(facts, rng)
        base = found[1] if found else called(facts, word)
    verdicts = [holds(facts.things[index]) for index in base]
    if not base or None in verdicts or True not in verdicts or not countable(word):
        return None
    things = tuple(index for index, verdict in zip(base, verdicts, strict=True) if verdict)
    saying = pick(rng, sayings)
    if len(things) == 1:
        leads = (
            ["the thing that", "the one that", "what"] if word == "thing" else [f"the {word} that"]
        )
        return Phrase(f"{pick(rng, leads)} {saying}", things, word)
    if " it " in saying:
        return None
    return Phrase(f"the {plural(word)} that {_many(saying)}", things, word)


def last_to_appear(facts: Facts, rng: Generator) -> Phrase | None:
    """Say "the thing that appears last"."""
    if not facts.complete or len(facts.things) < 2:  # noqa: PLR2004
        return None
    firsts = [first for thing in facts.things if (first := f.first_seen(thing)) is not None]
    last = max(firsts, default=0)
    if len(firsts) < len(facts.things) or firsts.count(last) > 1:
        return None
    thing = facts.things[firsts.index(last)]
    if not f.arrives(thing) or any(f.arrives(other) is None for other in facts.things):
        return None
    text = pick(rng, ["the thing that appears last", "what appears last", "the last one to appear"])
    return Phrase(text, (thing.index,), "thing")


def _many(saying: str) -> str:
    """Put a saying's verb into the plural: "moves left" -> "move left"."""
    verb, space, rest = saying.partition(" ")
    verb = {"is": "are", "does": "do", "goes": "go"}.get(verb, verb.removesuffix("s"))
    rest = rest.replace("and comes", "and come")
    return verb + space + rest
