"""What an answer in words claims, checked on the masks: one row per question."""

import re

from deeds import deed, goes, is_deed, leaves, returns, stays
from seeing import placed, relation

from x2sam.train.colours import NAMES as COLOURS
from x2sam.train.phrases import NUMBERS
from x2sam.train.vocabulary import kinds, nouns, plural


def named(seen, phrase):
    """The things that "two red apples" names: all of that name, of that number and colour."""
    words = re.sub(r"^(an?|the) ", "", phrase.lower())
    number, _, rest = words.partition(" ")
    count = NUMBERS.index(number) if number in NUMBERS and rest else None
    words = rest if count else words
    ways = {words: None, words.partition(" ")[2]: words.partition(" ")[0]}
    for name, shade in ways.items():
        things = [i for i, n in enumerate(seen.nouns) if name in (n.name, plural(n.name))]
        if things and shade in (None, *COLOURS):
            assert count is None or len(things) == count, phrase
            assert not shade or all(seen.colours[i] in (shade, None) for i in things), phrase
            return things
    raise AssertionError(phrase)


_RELATED = r"(to the left of|to the right of|above|below|in front of|behind)"


def caption(seen, text):
    """Every sentence of a description."""
    for sentence in text.removesuffix(".").split(". "):
        if found := re.fullmatch(r"There (?:is|are) (.+?)( (?:at|on|in) the .+)?", sentence):
            things = named(seen, found[1])
            assert not found[2] or placed(seen, things[0], found[2])
        elif found := re.fullmatch(rf"(.+?) (?:is|are) {_RELATED} (.+)", sentence):
            (a,), (b,) = named(seen, found[1]), named(seen, found[3])
            assert relation(seen, found[2], a, b), sentence
        else:
            name = next(
                words
                for at in range(1, len(sentence.split()))
                if is_deed(" ".join(sentence.split()[at:]))
                for words in [" ".join(sentence.split()[:at])]
            )
            (thing,) = named(seen, name)
            assert deed(sentence.removeprefix(name).strip())[0](seen, thing), sentence


def _singular(several):
    words = {word for noun in nouns().values() for word in (noun.name, *noun.also, *noun.kinds)}
    return next(word for word in sorted(words | set(kinds())) if plural(word) == several)


def _count(seen, answer, several):
    told = re.match(r"There (?:is|are) (\w+) ", answer)[1]
    word = _singular(several)
    assert NUMBERS.index(told) == sum(noun.is_a(word) is True for noun in seen.nouns)


def _presence(seen, answer, word):
    assert any(noun.is_a(word) for noun in seen.nouns) == answer.startswith("Yes")


def _of_colour(seen, answer, word):
    said = re.search(r"(\w+)\.$", answer)[1]
    assert seen.colours[seen.the(word)] in (said, None)


def _where(seen, answer, word):
    assert placed(seen, seen.the(word), re.search(r" ((?:at|on|in) the [a-z ]+)\.$", answer)[1])


def _beside(seen, answer, words, anchor):
    name = re.match(rf"(.+) (?:is|are) {words} the ", answer)[1]
    others = seen.everything - {seen.the(anchor)}
    there = [thing for thing in others if relation(seen, words, thing, seen.the(anchor))]
    assert len(there) == 1
    assert there[0] in named(seen, name)


def _bigger(seen, answer, word, first, second):
    a, b = seen.the(first), seen.the(second)
    bigger = first if seen.area[a] > seen.area[b] else second
    told = re.match(r"The (.+) is ", answer)[1]
    assert (told == bigger) == (word == "bigger")


def _listed(seen, answer):
    names = re.split(", | and ", answer.removeprefix("I see ").removesuffix("."))
    assert sorted(thing for name in names for thing in named(seen, name)) == sorted(seen.everything)


def _which_way(seen, answer, word):
    assert goes(seen, seen.the(word), re.search(r"(\w+)\.$", answer)[1]) > 0.02


def _moves(seen, answer, word):
    thing = seen.the(word)
    ways = [goes(seen, thing, side) > 0.02 for side in ("left", "right", "up", "down")]
    assert any(ways) if answer.startswith("Yes") else stays(seen, thing)


def _does_leave(seen, answer, word):
    thing = seen.the(word)
    gone = leaves(seen, thing)
    assert gone if answer.startswith("Yes") else not gone and not returns(seen, thing)


def _when(seen, answer, word):
    first = int(seen.there[:, seen.the(word)].argmax())
    told, times = float(re.search(r"([\d.]+) seconds", answer)[1]), seen.scene.times
    assert first > 0
    assert times[first] - 1e-6 <= told <= times[first] + 0.051


GREETINGS = r"Hello.?|Hi.*|What can you do\?|Who are you\?|How does this work\?|Help"
ANSWERS = {
    r"How many (.+?) (?:are there|can you see)\?": _count,
    r"(?:Is there|Can you see|Do you see) (?:an? )?(.+?)(?: here)?\?": _presence,
    r"(?:What|Which) colou?r (?:is|are) the (.+)\?": _of_colour,
    r"Where (?:is|are) the (.+)\?": _where,
    r"What is (to the left of|to the right of|above|below) the (.+)\?": _beside,
    r"Which is (bigger|smaller), the (.+) or the (.+)\?": _bigger,
    r"What is in this image\?|What can you see\?|What do you see in.+|List what.+": _listed,
    r"Describe this.+|Please describe.+|What happens.+": caption,
    r"Which way does the (.+) move\?": _which_way,
    r"Does the (.+) move\?": _moves,
    r"Does the (.+) leave the frame\?": _does_leave,
    r"(?:When does|At what time can you first see) the (.+?)(?: appear)?\?": _when,
    GREETINGS: lambda *_: None,
}


def spoken(seen, turn):
    """Check an answer in words; returns the row of the table that did."""
    for pattern, check in ANSWERS.items():
        if found := re.fullmatch(pattern, turn.question):
            check(seen, turn.answer, *found.groups())
            return pattern
    raise AssertionError(turn)
