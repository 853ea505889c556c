"""Words for things: nouns, what kinds they belong to, and what they are good for.

A picture of a poodle may be called "poodle" or "dog", is an animal and a pet, and may or may
not be meant by "something dangerous". So every word is asked three ways: `True`, `False`, or
`None` where people would argue, and a text is written only when nobody would.

    >>> poodle = nouns()["1f429"]
    >>> poodle.name, poodle.plural, poodle.is_a("dog"), poodle.is_a("cat")
    ('poodle', 'poodles', True, False)
    >>> nouns()["1f345"].is_a("fruit") is None  # a tomato
    True

The tables are `nouns/*.tsv` (code points of an emoji, name, other names, kinds; a kind with
a question mark is one that people would argue about; `voc-7` is class 7 of Pascal VOC) and
`reasons.toml`.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_HELD_OUT_SHARE = 0.09
_KIND_SIZE = 3  # names a kind must have to be spoken of
TOPICS = ("people", "nature", "food", "places", "activities", "objects", "photos")
_ODD_KINDS = ("office thing", "paper thing", "place", "writing tool", "sports gear", "kitchenware")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split("|"))


# Said without "a" and never counted.
_UNCOUNTED = _words(
    "bread|cheese|meat|corn|garlic|rice|popcorn|butter|bacon|sushi|spaghetti|"
    "noodles|salad|broccoli|wheat|lavender|soap|sheet music|toilet paper|fire|"
    "lightning|ice cream|shaved ice|yarn|food|fruit|clothing|furniture|cutlery|money|"
    "sports gear|kitchenware|gold|jewelry|office thing"
)
_PLURAL_ONLY = _words(
    "bags|banknotes|beer mugs|books|bricks|chains|chips|eyeglasses|notes|nuts|pants|"
    "peas|piano keys|shades|traffic lights|trousers|jeans|shorts|glasses|sunglasses|"
    "goggles|gloves|socks|skis|scales|scissors|"
    "headphones|grapes|cherries|blueberries|peanuts|fries|pancakes|chopsticks|"
    "two beers|champagne glasses|shopping bags|swords|ballet shoes|maracas|"
    "olives|music notes|fireworks"
)
_IRREGULAR = {
    "person": "people",
    "man": "men",
    "woman": "women",
    "child": "children",
    "mouse": "mice",
    "goose": "geese",
    "fish": "fish",
    "sheep": "sheep",
    "deer": "deer",
    "shrimp": "shrimps",
    "knife": "knives",
    "leaf": "leaves",
    "wolf": "wolves",
    "scarf": "scarves",
    "loaf": "loaves",
    "elf": "elves",
    "die": "dice",
    "ox": "oxen",
    "bison": "bison",
    "moose": "moose",
    "squid": "squid",
    "lotus": "lotus flowers",
    "cactus": "cacti",
    "santa claus": "santas",
    "paper thing": "paper things",
}
_COLOUR_WORDS = _words(
    "red|orange|yellow|green|blue|purple|pink|brown|black|white|gray|grey|gold|golden|"
    "silver|bronze|blond"
)


_Row = tuple[str, str, tuple[str, ...], tuple[str, ...], tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class Noun:
    """What one picture shows, in words."""

    code: str  # code points in hexadecimal, joined by "-"
    name: str
    also: tuple[str, ...]
    kinds: tuple[str, ...]
    maybe: tuple[str, ...]  # kinds that people would argue about
    topic: str  # the table it stands in
    held_out: bool = False

    @property
    def plural(self) -> str:
        """Several of it."""
        return plural(self.name)

    @property
    def countable(self) -> bool:
        """Whether "two of them" makes sense."""
        return countable(self.name)

    @property
    def tinted(self) -> bool:
        """Whether its colour is part of what it is, so that it must not be changed."""
        words = set(" ".join((self.name, *self.also)).replace("-", " ").split())
        return "person" in self.kinds or bool(words & _COLOUR_WORDS)

    def is_a(self, word: str) -> bool | None:
        """Tell whether it may be called `word`; None if people would argue.

        A more general word never denies a more special one: a dog that is drawn may well be
        a poodle, so "poodle" is undecided for it.
        """
        if word == self.name or word in self.also or word in self.kinds:
            return True
        if word in self.maybe:
            return None
        return None if self.name in _wider().get(word, ()) else False

    def is_like(self, word: str) -> bool:
        """Whether it may be taken for a `word`: both share a name, as all trains do."""
        return not _wider().get(word, frozenset()).isdisjoint((self.name, *self.also))


@dataclass(frozen=True, slots=True)
class Reason:
    """A need, how people put it, and what answers it."""

    phrases: tuple[str, ...]
    questions: tuple[str, ...]
    yes: frozenset[str]
    maybe: frozenset[str]
    no: frozenset[str]

    def holds(self, noun: Noun) -> bool | None:
        """Tell whether `noun` answers the need; None if people would argue."""
        for word in (noun.name, *noun.also):
            if word in self.yes:
                return True
            if word in self.no:
                return False
            if word in self.maybe:
                return None
        sure = frozenset(noun.kinds)
        if sure & self.yes:
            return True
        if sure & self.no:
            return False
        doubtful = sure & self.maybe or frozenset(noun.maybe) & (self.yes | self.maybe)
        return None if doubtful else False


def plural(name: str) -> str:
    """Several of `name`.

    >>> [plural(name) for name in ("box", "cherry", "glass of milk", "police officer", "toy")]
    ['boxes', 'cherries', 'glasses of milk', 'police officers', 'toys']
    """
    head, middle, rest = _split(name)
    front, space, last = head.rpartition(" ")
    if last in _PLURAL_ONLY or last in _UNCOUNTED or name in _PLURAL_ONLY | _UNCOUNTED:
        return name
    if head in _IRREGULAR:
        return _IRREGULAR[head] + middle + rest
    if last in _IRREGULAR:
        changed = _IRREGULAR[last]
    elif last.endswith(("man", "woman")) and last not in ("german", "human"):
        changed = last[:-3] + "men"
    elif last.endswith(("s", "x", "z", "ch", "sh")):
        changed = last + "es"
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        changed = last[:-1] + "ies"
    elif last in ("potato", "tomato", "mango", "dodo", "volcano", "mosquito"):
        changed = last + "es"
    else:
        changed = last + "s"
    return front + space + changed + middle + rest


def countable(name: str) -> bool:
    """Whether "two of them" makes sense for `name`."""
    return not _ways_to_look_up(name) & (_UNCOUNTED | _PLURAL_ONLY)


def many(name: str) -> bool:
    """Whether even one of it takes a plural verb: "the jeans are"."""
    return bool(_ways_to_look_up(name) & _PLURAL_ONLY)


def with_article(name: str) -> str:
    """Name one of it.

    >>> [with_article(name) for name in ("apple", "unicorn", "bread", "jeans", "orange cat")]
    ['an apple', 'a unicorn', 'bread', 'jeans', 'an orange cat']
    """
    if not countable(name):
        return name
    an = name[:1] in "aeiou" and not name.startswith(("uni", "ufo", "ukulele"))
    an |= name.startswith("hour")
    return f"{'an' if an else 'a'} {name}"


def _ways_to_look_up(name: str) -> set[str]:
    """Return a name and its head: that of "a ball of yarn" is "ball"."""
    head = _split(name)[0]
    return {name, head, head.rpartition(" ")[2]}


def _split(name: str) -> tuple[str, str, str]:
    """Part "glass of milk" after its head, which is what takes the plural."""
    first, space, rest = name.partition(" ")
    if first in ("man", "woman", "person"):
        return first, space, rest
    words = (" of ", " with ", " in ", " on ", " without ")
    places = [(name.find(word), word) for word in words]
    at, word = min(((at, word) for at, word in places if at > 0), default=(-1, ""))
    return (name, "", "") if at < 0 else (name[:at], word, name[at + len(word) :])


@cache
def nouns() -> dict[str, Noun]:
    """Every noun, by the code points of its emoji."""
    rows = []
    folder = files("x2sam.train") / "nouns"
    for topic in TOPICS:
        for line in (folder / f"{topic}.tsv").read_text("utf-8").splitlines()[1:]:
            code, name, also, kinds = line.split("\t")
            words = [word for word in kinds.split(",") if word]
            sure = tuple(word for word in words if not word.startswith("?"))
            maybe = tuple(word[1:] for word in words if word.startswith("?"))
            others = tuple(word for word in also.split(",") if word)
            rows.append((code, name, others, sure, maybe, topic))
    hidden = _hold_out([(name, topic) for _, name, _, _, _, topic in rows], _spoken(rows))
    return {row[0]: Noun(*row, held_out=row[1] in hidden) for row in rows}


def _spoken(rows: list[_Row]) -> set[str]:
    """Collect the names that must stay: other names, kinds, and what photos show."""
    words = {word for _, _, also, kinds, maybe, _ in rows for word in (*also, *kinds, *maybe)}
    return words | {row[1] for row in rows if row[5] == "photos"}


def _hold_out(names: list[tuple[str, str]], spoken: set[str]) -> set[str]:
    """Choose the names that training never sees: the same share of every topic, by hash."""
    hidden: set[str] = set()
    for topic in TOPICS:
        every = {name for name, where in names if where == topic}
        free = sorted(every - spoken, key=lambda name: hashlib.sha256(name.encode()).digest())
        hidden.update(free[: round(_HELD_OUT_SHARE * len(every))])
    return hidden


@cache
def _wider() -> dict[str, frozenset[str]]:
    """For every name, the other names and the kinds of what is called so."""
    wider: dict[str, set[str]] = {}
    for noun in nouns().values():
        for word in (noun.name, *noun.also):
            wider.setdefault(word, set()).update((noun.name, *noun.also, *noun.kinds))
    return {name: frozenset(words - {name}) for name, words in wider.items()}


@cache
def topics() -> dict[str, str]:
    """The table in which each name stands."""
    return {noun.name: noun.topic for noun in nouns().values()}


@cache
def kinds() -> tuple[str, ...]:
    """Every kind of which the table has at least three names."""
    counts: dict[str, set[str]] = {}
    for noun in nouns().values():
        for kind in noun.kinds:
            counts.setdefault(kind, set()).add(noun.name)
    return tuple(
        sorted(
            kind
            for kind, names in counts.items()
            if len(names) >= _KIND_SIZE and kind not in _ODD_KINDS
        )
    )


@cache
def reasons() -> tuple[Reason, ...]:
    """Every need that a thing can answer."""
    table = tomllib.loads((files("x2sam.train") / "reasons.toml").read_text("utf-8"))
    return tuple(
        Reason(
            tuple(row["phrases"]),
            tuple(row["questions"]),
            frozenset(row["yes"]),
            frozenset(row["maybe"]),
            frozenset(row["no"]),
        )
        for row in table["reason"]
    )
