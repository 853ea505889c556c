"""Facts, phrases and follow-ups on scenes laid out by hand, with known answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from x2sam.train import facts as f
from x2sam.train.facts import Facts, Thing
from x2sam.train.followups import follow_up
from x2sam.train.motion import EVENTS, motion
from x2sam.train.phrases import RULES, Phrase, absent
from x2sam.train.pointing import draw_region
from x2sam.train.questions import chatting, when
from x2sam.train.texts import FAMILIES, REGION_KINDS, Context, Region
from x2sam.train.vocabulary import nouns

BY_NAME = {noun.name: noun for noun in reversed(nouns().values())}


def thing(index, name, path, size=0.2, colour=None, inside=None, angles=None, sizes=None):
    path = np.array([path] if np.ndim(path) == 1 else path, float)
    frames = len(path)
    inside = np.ones(frames, bool) if inside is None else np.array(inside, bool)
    x, y = path[inside].mean(axis=0)
    half = size / 2
    return Thing(
        index=index,
        noun=BY_NAME[name],
        colour=colour,
        x=x,
        y=y,
        box=(x - half, y - half, x + half, y + half),
        area=size**2,
        shown=1.0,
        path=path,
        sizes=np.full(frames, size) if sizes is None else np.array(sizes),
        there=inside,
        inside=inside,
        angles=np.zeros(frames) if angles is None else np.array(angles),
    )


def scene(*things, frames=1, overlaps=None):
    count = len(things)
    overlaps = np.zeros((count, count)) if overlaps is None else overlaps
    return Facts(things, overlaps, (), tuple(0.5 * k for k in range(frames)), panned=False)


def said(rule, facts, tries=300):
    """Every phrase that a rule can say about a scene, and what it means."""
    rng = np.random.default_rng(0)
    made = [rule(facts, rng) for _ in range(tries)]
    return {phrase.text: phrase.things for phrase in made if phrase}


ROW = scene(
    thing(0, "apple", (0.15, 0.5), colour="red"),
    thing(1, "dog", (0.5, 0.5), size=0.3, colour="brown"),
    thing(2, "apple", (0.85, 0.5), size=0.1, colour="green"),
)


def test_two_apples_and_a_dog():
    assert said(RULES["noun"], ROW)["both apples"] == (0, 2)
    assert said(RULES["noun"], ROW)["the dog"] == (1,)
    assert said(RULES["colour"], ROW)["the green apple"] == (2,)
    assert said(RULES["size"], ROW)["the bigger apple"] == (0,)
    assert said(RULES["position"], ROW)["the right apple"] == (2,)
    assert said(RULES["ordinal"], ROW)["the second apple from the left"] == (2,)
    relations = said(RULES["relation"], ROW)
    assert relations["the apple to the left of the dog"] == (0,)
    assert "the dog to the left of the apple" not in relations
    assert said(RULES["between"], scene(*_fruit()))[
        "the thing between the banana and the pear"
    ] == (1,)
    fruit = scene(_fruit()[0], thing(1, "car", (0.5, 0.1)), _fruit()[2])
    assert said(RULES["reason"], fruit)["What could I eat?"] == (0, 2)


def _fruit():
    return (
        thing(0, "banana", (0.1, 0.5)),
        thing(1, "dog", (0.5, 0.52)),
        thing(2, "pear", (0.9, 0.5)),
    )


def test_near_ties_are_not_spoken_of():
    tie = scene(thing(0, "apple", (0.5, 0.3)), thing(1, "apple", (0.52, 0.7)))
    assert not any("left" in text or "right" in text for text in said(RULES["position"], tie))
    assert not said(RULES["size"], tie)
    assert not said(RULES["colour"], tie)  # no colour is known


@pytest.mark.parametrize(
    ("xs", "said_of"),
    [((0.2, 0.8), ("left", "right")), ((0.2, 0.4), ()), ((0.45, 0.8), ("right",))],
)
def test_a_half_of_the_picture_is_named_where_one_thing_alone_is(xs, said_of):
    facts = scene(*(thing(index, "apple", (x, 0.5)) for index, x in enumerate(xs)))
    phrases = said(RULES["position"], facts)
    for index, side in enumerate(("left", "right")):
        assert phrases[f"the {side}most apple"] == (index,)
        assert (f"the apple on the {side}" in phrases) == (side in said_of)


def test_the_middle_is_between_the_others():
    row, stairs = ((0.2, 0.5, 0.8), (0.5, 0.5, 0.5)), ((0.2, 0.4, 0.6), (0.2, 0.9, 0.5))
    for (xs, ys), is_said in ((row, True), (stairs, False)):
        places = enumerate(zip(xs, ys, strict=True))
        facts = scene(*(thing(index, "apple", place) for index, place in places))
        assert ("the middle apple" in said(RULES["position"], facts)) == is_said


def test_in_front_and_behind_need_an_overlap():
    overlaps = np.array([[1.0, 0.3, 0.0], [0.3, 1.0, 0.0], [0.0, 0.0, 1.0]])
    things = (thing(0, "car", (0.3, 0.5)), thing(1, "dog", (0.4, 0.5)), thing(2, "cat", (0.8, 0.5)))
    facts = scene(*things, overlaps=overlaps)
    assert f.in_front_of(facts, things[1], things[0])
    assert f.in_front_of(facts, things[0], things[1]) is False
    assert f.in_front_of(facts, things[2], things[0]) is False
    assert said(RULES["relation"], facts)["the car behind the dog"] == (0,)


def test_follow_ups_about_two_apples():
    before = Phrase("the left apple", (0,), "apple")
    spoken = said(lambda facts, rng: follow_up(facts, rng, before), ROW)
    assert spoken["the other one"] == (2,)
    assert spoken["all of them"] == (0, 2)
    assert spoken["the green one"] == (2,)
    assert spoken["the smaller one"] == (2,)
    assert spoken["the second one from the left"] == (2,)
    after = Phrase("the dog", (1,), "dog")
    spoken = said(lambda facts, rng: follow_up(facts, rng, after), ROW)
    assert spoken["the one to its left"] == (0,)
    assert spoken["the one to its right"] == (2,)
    assert "the other one" not in spoken


RIGHT = [(0.1, 0.5), (0.3, 0.5), (0.5, 0.5), (0.7, 0.5)]
STILL = [(0.5, 0.8)] * 4
LEAVES = [(0.5, 0.2), (0.8, 0.2), (1.1, 0.2), (1.4, 0.2)]


@pytest.mark.parametrize(
    ("event", "true", "false"),
    [
        ("right", {"path": RIGHT}, {"path": STILL}),
        ("left", {"path": RIGHT[::-1]}, {"path": RIGHT}),
        ("down", {"path": [(y, x) for x, y in RIGHT]}, {"path": RIGHT}),
        ("up", {"path": [(y, x) for x, y in RIGHT[::-1]]}, {"path": RIGHT}),
        ("stays", {"path": STILL}, {"path": RIGHT}),
        ("grows", {"path": STILL, "sizes": [0.2, 0.25, 0.3, 0.4]}, {"path": STILL}),
        ("shrinks", {"path": STILL, "sizes": [0.4, 0.3, 0.25, 0.2]}, {"path": STILL}),
        ("turns", {"path": STILL, "angles": [0.0, 0.5, 1.0, 1.5]}, {"path": STILL}),
        ("leaves", {"path": LEAVES, "inside": [1, 1, 0, 0]}, {"path": STILL}),
        ("arrives", {"path": LEAVES[::-1], "inside": [0, 0, 1, 1]}, {"path": STILL}),
        ("returns", {"path": STILL, "inside": [1, 0, 0, 1]}, {"path": STILL}),
    ],
)
def test_events(event, true, false):
    for fields, verdict in ((true, True), (false, False)):
        assert EVENTS[event][0](thing(0, "car", **fields)) is verdict


AWAY_AND_BACK = [(0.8, 0.5), (1.2, 0.5), (1.2, 0.5), (0.8, 0.5)]
COMES_LATE = {"path": STILL, "inside": [0, 1, 1, 1]}


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        ("right", {"path": AWAY_AND_BACK, "inside": [1, 0, 0, 1]}),
        ("leaves", {"path": AWAY_AND_BACK, "inside": [1, 0, 0, 1]}),
        ("arrives", {"path": AWAY_AND_BACK, "inside": [1, 0, 0, 1]}),
        ("stays", COMES_LATE),
    ],
)
def test_events_that_could_be_argued_about(event, fields):
    """What goes and comes back did leave; what comes late may stand still from then on."""
    assert EVENTS[event][0](thing(0, "car", **fields)) is None


def test_what_turns_out_of_sight_is_not_seen_to_turn():
    unseen = thing(0, "car", STILL, inside=[1, 1, 0, 0], angles=[0.0, 0.05, 1.0, 2.0])
    assert EVENTS["turns"][0](unseen) is False


def test_no_time_is_told_where_an_earlier_frame_may_show_a_little():
    peeps = replace(thing(0, "car", **COMES_LATE), there=np.array([0, 0, 1, 1], bool))
    assert when(scene(peeps, frames=4), np.random.default_rng(0), ()) is None


def test_a_clip_is_spoken_of_by_what_happens():
    facts = scene(thing(0, "car", RIGHT), thing(1, "car", STILL), thing(2, "dog", STILL), frames=4)
    spoken = said(motion, facts, 600)
    assert spoken["the car that moves to the right"] == (0,)
    assert spoken["the car that stands still"] == (1,)
    assert spoken["what moves right"] == (0,)
    assert not any("moves left" in text for text in spoken)
    assert not any("leaves" in text for text in spoken)


def test_what_the_background_shows_silences_its_words():
    facts = Facts(ROW.things, ROW.overlaps, (BY_NAME["dog"],), (0.0,), panned=False)
    spoken = said(RULES["noun"], facts)
    assert "both apples" in spoken
    assert not any("dog" in text for text in spoken)
    assert not absent(facts, "dog")
    assert absent(facts, "car")


@pytest.mark.parametrize("family", ["objects", "describe", "unread"])
def test_nothing_is_said_of_everything_before_a_photo_that_shows_more(family):
    rng, write = np.random.default_rng(0), FAMILIES[family].write
    assert write(Context(ROW, ("bus",), rng))
    assert write(Context(replace(ROW, clutter=(BY_NAME["cat"],)), ("bus",), rng)) is None


def test_questions_are_answered_the_same_way():
    rng = np.random.default_rng(0)
    turns = [chatting(ROW, rng, ("car", "bus")) for _ in range(2000)]
    answers = {turn.question: turn.answer for turn in turns if turn}
    assert answers["How many apples are there?"] == "There are two apples."
    assert "The dog is brown." in answers.values()
    assert answers["Where is the dog?"] == "The dog is in the middle."
    assert answers["Is there a car?"] == "No, there is no car."
    assert answers["What can you see?"] == "I see two apples and a dog."
    assert answers["What is to the left of the dog?"] == "An apple is to the left of the dog."
    assert len(answers) == len({(turn.question, turn.answer) for turn in turns if turn})


@pytest.mark.parametrize(
    ("first", "step", "said"), [(1, 0.5, "0.5"), (3, 0.2, "0.6"), (1, 0.25, "0.3"), (2, 1.0, "2.0")]
)
def test_a_thing_appears_with_the_first_frame_that_shows_it(first, step, said):
    """A prompt shows one time for two frames, between them: nothing need appear then."""
    facts = scene(thing(0, "car", STILL, inside=np.arange(4) >= first))
    facts = replace(facts, times=tuple(step * frame for frame in range(4)))
    turn = when(facts, np.random.default_rng(0), ())
    assert turn.answer == f"The car appears at {said} seconds."


@pytest.mark.parametrize("kind", REGION_KINDS)
def test_regions_are_drawn_where_the_thing_is(kind):
    torch = pytest.importorskip("torch")
    mask = torch.zeros(64, 64, dtype=torch.bool)
    mask[20:50, 10:30] = True
    mask[20:30, 10:50] = True
    for seed in range(20):
        region = draw_region(Region(kind, 0, seed), mask)
        assert region.shape == mask.shape
        assert region.any()
        inside = (region & mask).sum() / region.sum()
        assert inside > {"click": 0.2, "box": 0.45, "scribble": 0.99, "mask": 0.99}[kind]
        assert torch.equal(region, draw_region(Region(kind, 0, seed), mask))
        if kind == "box":
            assert (region & mask).sum() > 0.8 * mask.sum()
        if kind == "click":
            assert region.sum() < 40
