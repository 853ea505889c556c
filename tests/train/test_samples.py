"""Streams of samples: repeatable, apart from each other, several conversations about a scene."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch

from tests.train.test_scenes import same
from x2sam.train.samples import Stream, examples
from x2sam.train.sprites import UNSEEN_STYLE
from x2sam.train.texts import FAMILIES
from x2sam.train.vocabulary import nouns

SIZE = 96
HELD_OUT = {noun.name for noun in nouns().values() if noun.held_out}


def test_samples_repeat_and_streams_differ(bank):
    one, two = Stream(bank, seed=3), Stream(bank, seed=3)
    for index in range(30):
        a, b = one.sample(index), two.sample(index)
        assert a.draft == b.draft
        assert same(a.scene, b.scene)
    other = Stream(bank, seed=3, name="validation")
    assert not any(same(one.sample(i).scene, other.sample(i).scene) for i in range(30))


def test_several_conversations_are_about_one_scene(stream):
    """The first is the sample of that number; the others differ, and suit the scene."""
    several = 0
    for index in range(40):
        first, *others = stream.about(index, 3)
        assert first.draft == stream.sample(index).draft
        assert all(other.scene is first.scene for other in others)
        asked = [(sample.draft.turns, sample.draft.groups) for sample in (first, *others)]
        assert all(asked.count(each) == 1 for each in asked)
        layouts = [set(FAMILIES[sample.family].layouts) for sample in (first, *others)]
        assert set.intersection(*layouts)
        several += len(others) == 2
    assert several > 30


def test_the_same_words_may_point_at_several_things(stream):
    """Two requests that differ in nothing but what is drawn are two."""
    pointing = replace(stream, shares={"pointing": 1})
    alike = 0
    for index in range(40):
        drafts = [sample.draft for sample in pointing.about(index, 4, family="pointing")]
        turns = [draft.turns for draft in drafts]
        alike += len(turns) - len(set(turns))
    assert alike


def test_conversations_about_one_scene_share_its_pictures(stream):
    samples = [sample for index in range(4) for sample in stream.about(index, 3)]
    together = examples(samples, stream, SIZE)
    for sample, example in zip(samples, together, strict=True):
        (alone,) = examples([sample], stream, SIZE)
        assert torch.equal(example.pictures, alone.pictures)
        assert torch.equal(example.masks, alone.masks)
    assert len({id(example.pictures) for example in together}) == 4


def test_training_never_meets_what_is_held_out(stream):
    assert HELD_OUT & {sprite.noun.name for sprite in stream.bank.sprites}
    for index in range(400):
        sample = stream.sample(index)
        for row in sample.scene.rows:
            sprite = stream.bank.sprites[row]
            assert sprite.style != UNSEEN_STYLE
            assert not sprite.noun.held_out
        words = " ".join(f"{turn.question} {turn.answer}" for turn in sample.draft.turns).lower()
        for name in HELD_OUT:
            assert not re.search(
                rf"(<p>|\b(?:a|an|the|no|two|three) ){re.escape(name)}(</p>|[.,?])", words
            )


@pytest.mark.parametrize("split", ["unseen style", "unseen nouns"])
def test_held_out_samples_can_be_drawn(bank, split):
    held = Stream(bank, seed=1, name="validation", split=split)
    for index in range(5):
        sample = held.sample(index, family="noun")
        for row in sample.scene.rows:
            sprite = bank.sprites[row]
            assert (sprite.style == UNSEEN_STYLE) == (split == "unseen style")
            assert sprite.noun.held_out == (split == "unseen nouns")
