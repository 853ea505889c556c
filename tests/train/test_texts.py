"""Texts: a thousand samples hold what they say, measured on the masks. Nothing is faked.

The checks read the words of a request and compare them with what was composed; they share
no code with the rules that wrote them, except the table of nouns.
"""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pytest

from x2sam.train.colours import NAMES as COLOURS
from x2sam.train.colours import dominant
from x2sam.train.compose import compose
from x2sam.train.phrases import NUMBERS, ORDINALS
from x2sam.train.samples import examples
from x2sam.train.texts import FAMILIES, LIKE_THIS
from x2sam.train.vocabulary import kinds, nouns, plural

SIZE = 96
HELD_OUT = {noun.name for noun in nouns().values() if noun.held_out}
STILL = [name for name, recipe in FAMILIES.items() if recipe.picture]
MOVING = [name for name, recipe in FAMILIES.items() if recipe.clip]


class Seen:
    """A sample with its masks (T, N, S, S), and measurements of each thing."""

    def __init__(self, bank, sample, example, masks):
        self.sample, self.example, self.masks = sample, example, masks
        self.draft, self.scene = sample.draft, sample.scene
        self.nouns = [bank.sprites[row].noun for row in self.scene.rows]
        self.colours = [
            dominant(255 * self._pixels(thing), np.ones(1, np.float32))
            for thing in range(len(self.nouns))
        ]
        centres = [np.argwhere(mask).mean(axis=0) / SIZE for mask in masks[0] if mask.any()]
        if len(centres) == len(self.nouns):
            self.y, self.x = np.array(centres).T
        self.area = masks[0].mean(axis=(1, 2))

    def _pixels(self, thing):
        frames = self.masks[:, thing].any(axis=(1, 2))
        frame = int(frames.argmax())
        inside = self.masks[frame, thing]
        return np.median(self.example.pictures[frame].numpy()[:, inside], axis=1)[None]

    @property
    def text(self):
        return self.draft.phrases[-1] if self.draft.phrases else ""

    @property
    def target(self):
        (group,) = self.draft.groups
        return group

    def called(self, text):
        """Things whose noun, in the singular or plural, stands in a text."""
        return [i for i, noun in enumerate(self.nouns) if _mentions(text, noun)]


def look(stream, family, count, source="picture"):
    """Draw and compose samples of a family together."""
    samples = [stream.sample(index, source, family) for index in range(count)]
    shown = examples(samples, stream, SIZE)
    masks = compose([sample.scene for sample in samples], stream.bank, SIZE)[1].numpy()
    return [
        Seen(stream.bank, sample, example, mask[:, : len(sample.scene.rows)])
        for sample, example, mask in zip(samples, shown, masks, strict=True)
    ]


def _mentions(text, noun):
    words = {noun.name, *noun.also, *(set(noun.kinds) & set(kinds()))}
    words |= {plural(word) for word in words}
    return any(re.search(rf"\b{re.escape(word)}\b", text.lower()) for word in words)


@pytest.fixture(scope="module")
def many(stream):
    """Samples of every family of pictures, nearly a thousand in all."""
    return {name: look(stream, name, 120 if name == "chat" else 40) for name in STILL}


def test_every_picture_family_asks_for_what_is_there(many):
    for family, samples in many.items():
        for seen in samples:
            for group, mask in zip(seen.draft.groups, seen.example.masks[0], strict=True):
                assert mask.any(), (family, seen.draft)
                assert (mask.numpy() == seen.masks[0][list(group)].any(axis=0)).all()


@pytest.mark.parametrize("family", ["noun", "kind"])
def test_nouns_mean_everything_of_that_name(many, family):
    for seen in many[family]:
        assert sorted(seen.target) == seen.called(seen.text), seen.text


def test_colours_are_those_on_the_picture(many):
    for seen in many["colour"]:
        said = next(word for word in re.findall(r"\w+", seen.text) if word in (*COLOURS, "grey"))
        said = "gray" if said == "grey" else said
        for thing in seen.target:
            assert seen.colours[thing] in (said, None), (seen.text, seen.colours)
        rivals = set(range(len(seen.nouns))) - set(seen.target)
        if "thing" not in seen.text:
            rivals &= set(seen.called(seen.text))
        assert all(seen.colours[i] != said for i in rivals), (seen.text, seen.colours)


def test_sizes_are_extremes(many):
    for seen in many["size"]:
        base = seen.called(seen.text) or range(len(seen.nouns))
        areas = {i: seen.area[i] for i in base}
        small = re.search(r"small|tin|little", seen.text)
        best = (min if small else max)(areas, key=areas.get)
        assert seen.target == (best,), seen.text


def test_positions_are_extremes(many):
    for seen in many["position"]:
        base = seen.called(seen.text)
        assert len(base) > 1
        if "middle" in seen.text:
            continue
        words = {"left": (seen.x, 1), "right": (seen.x, -1), "top": (seen.y, 1)}
        words |= {"upper": (seen.y, 1), "bottom": (seen.y, -1), "low": (seen.y, -1)}
        axis, sign = next(value for word, value in words.items() if word in seen.text)
        assert seen.target == (min(base, key=lambda i: sign * axis[i]),), seen.text


def test_ordinals_count_off(many):
    for seen in many["ordinal"]:
        base = seen.called(seen.text)
        side = seen.text.rsplit(" ", 1)[1]
        axis, sign = {
            "left": (seen.x, 1),
            "right": (seen.x, -1),
            "top": (seen.y, 1),
            "bottom": (seen.y, -1),
        }[side]
        row = sorted(base, key=lambda i: sign * axis[i])
        place = next((k for k, word in enumerate(ORDINALS) if word in seen.text), len(row) - 1)
        if " number " in seen.text:
            place = NUMBERS.index(seen.text.split(" number ")[1].split()[0]) - 1
        assert seen.target == (row[place],), seen.text


def test_relations_hold_on_the_masks(many):
    checked = 0
    for seen in many["relation"]:
        found = re.search(r"(left of|right of|above|over|below|under) the (.+)$", seen.text)
        if not found:
            continue
        (anchor,) = [i for i, noun in enumerate(seen.nouns) if noun.name == found[2]]
        (thing,) = seen.target
        word = found[1].split()[0]
        ahead = {
            "left": seen.x[anchor] - seen.x[thing],
            "right": seen.x[thing] - seen.x[anchor],
            "above": seen.y[anchor] - seen.y[thing],
            "over": seen.y[anchor] - seen.y[thing],
        }
        gap = ahead.get(word, seen.y[thing] - seen.y[anchor])
        assert gap > 0.08, seen.text
        checked += 1
    assert checked > 15


def test_between_is_between(many):
    for seen in many["between"]:
        first, second = re.search(r"between the (.+) and the (.+)$", seen.text).groups()
        ends = [[n.name for n in seen.nouns].index(name) for name in (first, second)]
        (thing,) = seen.target
        middle = np.array([seen.x[ends].mean(), seen.y[ends].mean()])
        span = np.hypot(np.ptp(seen.x[ends]), np.ptp(seen.y[ends]))
        assert np.hypot(*(middle - (seen.x[thing], seen.y[thing]))) < 0.45 * span, seen.text


def test_what_is_absent_is_absent_and_has_an_empty_mask(many):
    singular = {plural(word): word for noun in nouns().values() for word in (noun.name, *noun.also)}
    singular |= {plural(word): word for word in kinds()}
    numbers = set()
    for seen in many["absence"]:
        assert not len(seen.example.labels)
        assert seen.draft.turns[-1].answer.count("<SEG>") == 1
        said = re.sub(r"^(the|an|a|all) ", "", seen.text)
        colour, _, rest = said.partition(" ")
        if colour in COLOURS and rest:
            named = [i for i, n in enumerate(seen.nouns) if n.name == rest]
            assert named
            assert all(seen.colours[i] != colour for i in named)
            continue
        word = singular.get(said, said)
        numbers.add(word == said)
        assert not [i for i, n in enumerate(seen.nouns) if n.is_a(word) is not False]
    assert len(numbers) == 2


def test_a_scene_does_not_tell_whether_a_noun_is_there():
    """Where only absent nouns were asked for, a look at the scene would be answer enough."""
    assert set(FAMILIES["noun"].layouts) == set(FAMILIES["absence"].layouts)


def test_what_cannot_be_read_means_what_is_most_to_be_seen(many):
    letters = set()
    for seen in many["unread"]:
        assert not re.search("[a-z]", seen.text)
        assert seen.text in seen.draft.turns[-1].question
        assert "<SEG>" in seen.draft.turns[-1].answer
        (thing,) = seen.target
        assert seen.area[thing] >= 0.8 * seen.area.max()
        letters |= {unicodedata.name(letter).split()[0] for letter in seen.text}
    assert len(letters) > 3


def test_categories_name_every_thing_of_theirs(many):
    for seen in many["categories"]:
        for label, word in enumerate(seen.draft.phrases):
            mine = [
                group[0]
                for k, group in zip(seen.draft.labels, seen.draft.groups, strict=True)
                if k == label
            ]
            assert sorted(mine) == [i for i, n in enumerate(seen.nouns) if n.is_a(word)], word
        things = list(seen.draft.groups)
        assert len(things) == len(set(things))


def test_reasons_are_answered_or_denied(many):
    answered = [seen for seen in many["reason"] if seen.draft.groups]
    denied = [seen for seen in many["reason"] if not seen.draft.groups]
    assert len(answered) > len(denied)
    assert all("<SEG>" in seen.draft.turns[-1].answer for seen in denied)
    for seen in answered:
        if "eat" in seen.text:
            assert all("food" in seen.nouns[i].kinds for i in seen.target)
        if "fly" in seen.text:
            assert {seen.nouns[i].name for i in seen.target} <= {
                "eagle",
                "duck",
                "butterfly",
                "airplane",
            }


def test_pointing_means_what_is_under_the_region(many):
    for seen in many["pointing"]:
        (region,) = seen.example.regions.numpy()
        mask = seen.example.masks[0, 0].numpy()
        assert (region & mask).sum() > 0.3 * region.sum() or seen.draft.regions[0].kind == "box"
        assert (region & mask).any()
        assert "highlight" not in seen.draft.turns[0].question


def test_exemplars_mean_all_of_the_same_name(many):
    line = "highlight"
    assert LIKE_THIS == 4
    for seen in many["exemplars"]:
        assert line in seen.draft.turns[0].question
        for label, region in enumerate(seen.draft.regions):
            name = seen.nouns[region.thing].name
            mine = [
                g[0]
                for k, g in zip(seen.draft.labels, seen.draft.groups, strict=True)
                if k == label
            ]
            assert sorted(mine) == [i for i, n in enumerate(seen.nouns) if n.name == name]


def test_descriptions_tie_phrases_to_things(many):
    for seen in many["describe"]:
        answer = seen.draft.turns[-1].answer
        assert answer.endswith("<SEG>.")
        assert re.findall(r"<p>(.+?)</p>", answer) == list(seen.draft.phrases)
        for phrase, group in zip(seen.draft.phrases, seen.draft.groups, strict=True):
            names = {seen.nouns[i].name for i in group}
            assert len(names) == 1
            assert _mentions(phrase, seen.nouns[group[0]])
            if len(group) > 1 and phrase.split()[0].lower() in NUMBERS:
                assert NUMBERS.index(phrase.split()[0].lower()) == len(group)


def test_counts_and_presence_are_right(many):
    checked = 0
    for seen in many["chat"]:
        for turn in seen.draft.turns:
            asked = re.match(r"How many (.+?) (?:are there|can you see)\?", turn.question)
            if asked:
                told = re.match(r"There (?:is|are) (\w+) ", turn.answer)[1]
                words = {w for n in nouns().values() for w in (n.name, *n.also, *n.kinds)}
                word = next(w for w in sorted(words) if plural(w) == asked[1])
                there = sum(noun.is_a(word) is True for noun in seen.nouns)
                assert NUMBERS.index(told) == there, turn
                checked += 1
            elif turn.answer.startswith(("Yes, there", "No, there")):
                word = re.search(r"(?:Is there|see) (?:an? )?(.+?)(?: here)?\?", turn.question)[1]
                there = any(noun.is_a(word) for noun in seen.nouns)
                assert there == turn.answer.startswith("Yes"), turn
                checked += 1
    assert checked > 40


def test_what_fills_the_picture_is_named(many):
    for seen in many["close"]:
        (turn,) = seen.draft.turns
        name = re.fullmatch(r"(?:It is|They are) (?:an? )?(.+)\.", turn.answer)[1]
        assert seen.nouns[int(seen.area.argmax())].name == name
        assert seen.area.max() > 0.1
        assert seen.area.sum() < 1.7 * seen.area.max()


def test_follow_ups_lean_on_the_first_turn(many):
    spoken = set()
    for seen in many["dialogue"]:
        assert len(seen.draft.turns) >= 2
        assert seen.draft.turns[0].answer.count("<SEG>") == 1
        text = re.sub(r"^(now|and) ", "", seen.text)
        if text == "the other one":
            asked = re.search(r"<p>(.+?)</p>", seen.draft.turns[0].question)[1]
            assert len(seen.called(asked)) == 2
            assert set(seen.target) < set(seen.called(asked))
        spoken.add(text.split()[1] if " " in text else text)
    assert len(spoken) > 5


def test_clips_ask_for_what_some_frame_shows(stream):
    for family in MOVING:
        samples = [stream.sample(index, "clip", family) for index in range(6)]
        for sample, shown in zip(samples, examples(samples, stream, 64), strict=True):
            assert shown.pictures.shape[0] == 4
            assert shown.masks.flatten(2).any(dim=2).any(dim=0).all(), sample.draft
            if sample.draft.regions:
                assert shown.regions.flatten(1).any(dim=1).all()
            assert (shown.times is not None) == (sample.draft.task == "chat")


def test_motion_is_measured_on_the_masks(stream):
    checked = 0
    for seen in look(stream, "motion", 60, "clip"):
        way = re.search(r"(right|left|up|down)$", seen.text)
        if not way or len(seen.target) > 1:
            continue
        masks = seen.masks[:, seen.target[0]]
        frames = [frame for frame in range(4) if masks[frame].sum() > 30]
        if len(frames) < 2:
            continue
        start, end = (np.argwhere(masks[frame]).mean(axis=0) for frame in (frames[0], frames[-1]))
        down, right = (end - start) / SIZE
        gain = {"right": right, "left": -right, "down": down, "up": -down}[way[1]]
        # Entering and leaving shorten the way of what is visible.
        assert gain > 0.02, (seen.text, gain)
        checked += 1
    assert checked > 8
