"""Nouns and reasons: the tables are sound, and words mean what people mean. Nothing is faked."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from x2sam.train.vocabulary import TOPICS, kinds, many, nouns, plural, reasons, with_article

BY_NAME = {noun.name: noun for noun in reversed(nouns().values())}


def test_every_row_is_clean():
    for code, noun in nouns().items():
        assert re.fullmatch(r"[0-9a-f]+(-[0-9a-f]+)*|voc-\d+", code)
        words = (noun.name, *noun.also, *noun.kinds, *noun.maybe)
        assert all(re.fullmatch(r"[a-z0-9'’ -]+", word) and word == word.strip() for word in words)
        assert noun.name not in noun.also
        assert len(set(noun.also)) == len(noun.also)
        assert not set(noun.kinds) & set(noun.maybe)
        assert noun.topic in TOPICS


def test_the_same_share_of_every_topic_is_held_out():
    every = Counter(noun.topic for noun in BY_NAME.values())
    held = Counter(noun.topic for noun in BY_NAME.values() if noun.held_out)
    assert 50 <= sum(held.values()) <= 70
    for topic, count in every.items():
        if topic != "photos":
            assert abs(held[topic] / count - 0.09) < 0.05, topic
    spoken = {w for noun in nouns().values() for w in (*noun.also, *noun.kinds, *noun.maybe)}
    assert not {name for name, noun in BY_NAME.items() if noun.held_out} & spoken


def test_nothing_that_is_shown_is_named_after_what_is_held_out():
    held = {name for name, noun in BY_NAME.items() if noun.held_out}
    for noun in nouns().values():
        for name in (noun.name, *noun.also):
            for other in held - {noun.name}:
                assert noun.held_out or not name.endswith(f" {other}"), name


def test_all_pictures_of_a_name_are_held_out_together():
    for noun in nouns().values():
        assert noun.held_out == BY_NAME[noun.name].held_out


@pytest.mark.parametrize(
    ("name", "word", "verdict"),
    [
        ("dog", "dog", True),
        ("dog", "puppy", True),
        ("dog", "animal", True),
        ("dog", "poodle", None),  # it may be one
        ("poodle", "dog", True),
        ("dog", "cat", False),
        ("boy", "man", None),
        ("tomato", "vegetable", None),
        ("bird", "eagle", None),
        ("car", "vehicle", True),
        ("car", "boat", False),
    ],
)
def test_is_a(name, word, verdict):
    assert BY_NAME[name].is_a(word) is verdict


def test_what_shares_a_name_is_alike():
    assert BY_NAME["bullet train"].is_like("high-speed train")
    assert not BY_NAME["dog"].is_like("cat")


def test_every_reason_is_answered_by_something_and_names_known_words():
    known = {
        w for noun in nouns().values() for w in (noun.name, *noun.also, *noun.kinds, *noun.maybe)
    }
    for reason in reasons():
        assert (reason.yes | reason.maybe | reason.no) <= known
        assert any(reason.holds(noun) for noun in nouns().values()), reason.questions
        assert sum(reason.holds(noun) is False for noun in nouns().values()) > 200
        assert all(question[-1] in "?." for question in reason.questions)


@pytest.mark.parametrize(
    ("question", "yes", "no"),
    [
        ("What could I eat?", ("apple", "pizza"), ("hammer", "car")),
        ("Which of these can fly?", ("eagle", "airplane"), ("penguin", "dog")),
        ("What keeps the rain off?", ("umbrella",), ("apple", "dog")),
        ("What could I sit on?", ("chair", "sofa"), ("apple", "key")),
    ],
)
def test_reasons(question, yes, no):
    (reason,) = [reason for reason in reasons() if question in reason.questions]
    assert all(reason.holds(BY_NAME[name]) is True for name in yes)
    assert all(reason.holds(BY_NAME[name]) is False for name in no)


def test_grammar():
    assert [plural(w) for w in ("mouse", "computer mouse", "man with a cane", "bus", "leaf")] == [
        "mice",
        "computer mice",
        "men with a cane",
        "buses",
        "leaves",
    ]
    assert [plural(w) for w in ("police officer", "woman", "fish", "jeans", "wolf", "key")] == [
        "police officers",
        "women",
        "fish",
        "jeans",
        "wolves",
        "keys",
    ]
    assert plural("man lifting weights") == "men lifting weights"
    assert plural("ball of yarn") == "balls of yarn"
    assert with_article("hourglass") == "an hourglass"
    assert [with_article(w) for w in ("ufo", "umbrella", "rice")] == [
        "a ufo",
        "an umbrella",
        "rice",
    ]
    assert many("jeans")
    assert not many("rice")
    assert "animal" in kinds()
