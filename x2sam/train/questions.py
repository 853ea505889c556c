"""Plain questions about a scene, and their answers in words.

The answer to a kind of question is always worded the same way, so that "right" can be told
from "wrong" by comparing texts. Times are those of frames, in seconds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from x2sam.language.prompts import Turn
from x2sam.train import facts as f
from x2sam.train.captions import describing, place_of
from x2sam.train.motion import EVENTS
from x2sam.train.phrases import NUMBERS, a_set, absent, called, pick, some_word, unique_thing
from x2sam.train.vocabulary import countable, many, plural, with_article

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.random import Generator

    from x2sam.train.facts import Facts

    Question = Callable[[Facts, Generator, Sequence[str]], Turn | None]


def chatting(facts: Facts, rng: Generator, names: Sequence[str]) -> Turn | None:
    """Ask one question of the table."""
    if rng.random() < 0.02:  # noqa: PLR2004
        return greeting(facts, rng, names)
    table: tuple[Question, ...] = (*_ANYWHERE, *(_IN_CLIPS if facts.clip else _IN_PICTURES))
    return table[rng.integers(len(table))](facts, rng, names)


def _is_are(word: str) -> str:
    return "are" if many(word) else "is"


def greeting(facts: Facts, rng: Generator, names: Sequence[str]) -> Turn | None:
    """Say hello, or ask what can be asked."""
    del names
    media = "video" if facts.clip else "image"
    if rng.random() < 0.5:  # noqa: PLR2004
        return Turn(
            pick(rng, ("Hello!", "Hi.", "Hello", "Hi there!")), f"Hello! Ask me about this {media}."
        )
    question = pick(rng, ("What can you do?", "Who are you?", "How does this work?", "Help"))
    return Turn(question, f"I can find, count and describe things in this {media}.")


def what(facts: Facts, rng: Generator, names: Sequence[str]) -> Turn | None:
    """List everything, from left to right."""
    del names
    if not facts.complete or facts.clip:
        return None
    groups: dict[str, list[int]] = {}
    for thing in sorted(facts.things, key=lambda thing: thing.x):
        groups.setdefault(thing.noun.name, []).append(thing.index)
    parts = [_counted(name, len(group)) for name, group in groups.items()]
    listed = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
    question = ("What is in this image?", "What can you see?", "What do you see in this picture?")
    return Turn(pick(rng, (*question, "List what is in this image.")), f"I see {listed}.")


def closely(facts: Facts, rng: Generator) -> Turn | None:
    """Name the one thing that fills the picture, as where somebody pointed at it."""
    if not facts.complete:
        return None
    areas = sorted((thing.area for thing in facts.things), reverse=True)
    thing = max(facts.things, key=lambda thing: thing.area)
    if thing.area < 0.12 or sum(areas[1:]) > thing.area / 2:  # noqa: PLR2004
        return None
    question = pick(rng, ("What is this?", "What is this?", "What is it?", "What is that?"))
    word = thing.noun.name
    return Turn(question, f"{'They are' if many(word) else 'It is'} {with_article(word)}.")


def _counted(name: str, count: int) -> str:
    if not countable(name):
        return name
    return with_article(name) if count == 1 else f"{NUMBERS[count]} {plural(name)}"


def how_many(facts: Facts, rng: Generator, names: Sequence[str]) -> Turn | None:
    """Count things of one name, of one kind, or none."""
    if not facts.whole:
        return None
    chance = rng.random()
    if chance < 0.15:  # noqa: PLR2004
        word, count = pick(rng, list(names)), 0
        if not absent(facts, word):
            return None
    elif chance < 0.7 and (found := a_set(facts, rng)):  # noqa: PLR2004
        word, count = found[0], len(found[1])
    else:
        word = some_word(facts, rng)
        count = len(called(facts, word))
        if not count:
            return None
    if not countable(word) or plural(word) == word:
        return None
    several = plural(word)
    question = pick(rng, (f"How many {several} are there?", f"How many {several} can you see?"))
    answer = f"There is one {word}." if count == 1 else f"There are {NUMBERS[count]} {several}."
    return Turn(question, answer)


def which_colour(facts: Facts, rng: Generator, names: Sequence[str]) -> Turn | None:
    """Name the colour of the only thing of a name."""
    del names
    found = unique_thing(facts, rng)
    if not found or not found[1].colour or found[1].colour in found[0].split():
        return None
    word, verb = found[0], _is_are(found[0])
    spelt = pick(rng, ("What colour", "What color", "Which colour", "Which color"))
    return Turn(f"{spelt} {verb} the {word}?", f"The {word} {verb} {found[1].colour}.")


def is_there(facts: Facts, rng: Generator, names: Sequence[str]) -> Turn | None:
    """Ask whether something is there, with equal chances."""
    if rng.random() < 0.5:  # noqa: PLR2004
        word = some_word(facts, rng)
        if not called(facts, word) or not countable(word):
            return None
        many = len(called(facts, word)) > 1
        answer = f"Yes, there {'are' if many else 'is'} {_counted(word, len(called(facts, word)))}."
        if not facts.whole:
            answer = f"Yes, there is {with_article(word)}."
    else:
        word = pick(rng, list(names))
        if not absent(facts, word) or not countable(word):
            return None
        answer = f"No, there is no {word}."
    thing = with_article(word)
    return Turn(
        pick(rng, (f"Is there {thing}?", f"Can you see {thing}?", f"Do you see {thing} here?")),
        answer,
    )


def where(facts: Facts, rng: Generator, names: Sequence[str]) -> Turn | None:
    """Say in which part of the picture the only thing of a name is."""
    del names
    found = unique_thing(facts, rng)
    place = place_of(found[1]) if found else None
    if not found or not place:
        return None
    word, verb = found[0], _is_are(found[0])
    return Turn(f"Where {verb} the {word}?", f"The {word} {verb} {place}.")


def beside(facts: Facts, rng: Generator, names: Sequence[str]) -> Turn | None:
    """Ask what stands to the left or right of, above or below something."""
    del names
    found = unique_thing(facts, rng)
    if not found or not facts.complete:
        return None
    word, anchor = found
    others = [thing for thing in facts.things if thing is not anchor]
    side = pick(rng, ("to the left of", "to the right of", "above", "below"))
    compare = f.left_of if side.startswith("to") else f.higher_than
    ahead = side in ("to the left of", "above")
    verdicts = [compare(thing, anchor) if ahead else compare(anchor, thing) for thing in others]
    if None in verdicts or verdicts.count(True) != 1:
        return None
    name = with_article(others[verdicts.index(True)].noun.name)
    verb = _is_are(others[verdicts.index(True)].noun.name)
    answer = f"{name[0].upper()}{name[1:]} {verb} {side} the {word}."
    return Turn(f"What is {side} the {word}?", answer)


def bigger(facts: Facts, rng: Generator, names: Sequence[str]) -> Turn | None:
    """Compare the sizes of two things."""
    del names
    pair = [unique_thing(facts, rng), unique_thing(facts, rng)]
    if not pair[0] or not pair[1] or pair[0][1] is pair[1][1]:
        return None
    first, second = pair[0], pair[1]
    if min(first[1].shown, second[1].shown) < 0.7:  # noqa: PLR2004
        return None
    best, other = (first, second) if first[1].area > second[1].area else (second, first)
    if best[1].area < 1.6 * other[1].area or not countable(first[0]) or not countable(second[0]):
        return None
    small = bool(rng.random() < 0.5)  # noqa: PLR2004
    word, answer = ("smaller", other[0]) if small else ("bigger", best[0])
    return Turn(f"Which is {word}, the {first[0]} or the {second[0]}?", f"The {answer} is {word}.")


def described(facts: Facts, rng: Generator, names: Sequence[str]) -> Turn | None:
    """Describe everything in words."""
    del names
    caption = describing(facts, tagged=False)
    media = "video" if facts.clip else "image"
    questions = [f"Describe this {media}.", f"Please describe this {media}."]
    if facts.clip:
        questions += ["What happens in this video?"]
    return Turn(pick(rng, questions), caption.text) if caption else None


def which_way(facts: Facts, rng: Generator, names: Sequence[str]) -> Turn | None:
    """Say where something moves."""
    del names
    found = unique_thing(facts, rng)
    if not found or facts.panned or not countable(found[0]):
        return None
    ways = ("right", "left", "up", "down")
    way = next((way for way in ways if EVENTS[way][0](found[1])), None)
    if not way:
        return None
    told = f"to the {way}" if way in ("right", "left") else way
    return Turn(f"Which way does the {found[0]} move?", f"The {found[0]} moves {told}.")


def does_it(facts: Facts, rng: Generator, names: Sequence[str]) -> Turn | None:
    """Ask whether something moves, or leaves the frame."""
    del names
    found = unique_thing(facts, rng)
    if not found or not countable(found[0]):
        return None
    word, thing = found
    if rng.random() < 0.5:  # noqa: PLR2004
        moving = any(EVENTS[way][0](thing) for way in ("right", "left", "up", "down"))
        if facts.panned or not (moving or f.stays(thing)):
            return None
        answer = f"Yes, the {word} moves." if moving else f"No, the {word} does not move."
        return Turn(f"Does the {word} move?", answer)
    gone = f.leaves(thing)
    if gone is None:
        return None
    answer = f"Yes, the {word} leaves." if gone else f"No, the {word} does not leave."
    return Turn(f"Does the {word} leave the frame?", answer)


def when(facts: Facts, rng: Generator, names: Sequence[str]) -> Turn | None:
    """Say at what time something appears: that of the first frame that shows it."""
    del names
    found = unique_thing(facts, rng)
    if not found or not countable(found[0]) or not f.arrives(found[1]):
        return None
    first = f.first_seen(found[1])
    if first is None:
        return None
    # Rounded up: at an earlier time it is not there. The slack is for 0.6, which is 3 * 0.2.
    tenths = math.ceil(10 * facts.times[first] - 1e-6)
    answer = f"The {found[0]} appears at {tenths / 10:.1f} seconds."
    question = (
        f"When does the {found[0]} appear?",
        f"At what time can you first see the {found[0]}?",
    )
    return Turn(pick(rng, question), answer)


# Whether a thing is there is what the other answers stand on, so it is asked most.
_ANYWHERE = (is_there,) * 6 + (how_many,) * 3 + (which_colour,) * 2
_IN_PICTURES = (what, where, beside, bigger, described, what)
_IN_CLIPS = (which_way, does_it, when, described, when)
