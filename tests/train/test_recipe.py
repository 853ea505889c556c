"""What a run is shown at which moment."""

from collections import Counter
from dataclasses import replace

import pytest
import torch

from x2sam.train.naming import UNKNOWN
from x2sam.train.nano import SHORT
from x2sam.train.recipe import Recipe, RecipeSource
from x2sam.train.texts import FAMILIES

PHASES = Recipe(
    batch=4,
    size=32,
    last_size=32,
    sight_first=0.25,
    words=0.3,
    word_shares={"chat": 1},
    masks_first=0.25,
    names=(1.0, 0.0),
    clips=0.0,
    shares={"noun": 1},
)


def learnt(source, progress, steps=40):
    return Counter(source.batch(step, progress)[1] for step in range(steps))


def test_sight_comes_first_and_masks_next(stream):
    source = RecipeSource(stream, PHASES)
    assert learnt(source, 0.1) == {"cells": 40}
    assert learnt(source, 0.4).keys() == {"words", "names"}
    assert learnt(source, 0.6).keys() == {"words", "words and masks"}


def test_batches_of_words_are_twice_as_large_and_of_their_own_kind(stream):
    source = RecipeSource(stream, PHASES)
    step = next(step for step in range(40) if source.batch(step, 0.6)[1] == "words")
    examples, _ = source.batch(step, 0.6)
    assert len(examples) == 8
    assert all("<SEG>" not in example.turns[-1].answer for example in examples)
    step = next(step for step in range(40) if source.batch(step, 0.6)[1] != "words")
    assert len(source.batch(step, 0.6)[0]) == 4


def test_several_conversations_are_about_each_picture(stream):
    shares = {"noun": 1, "categories": 1, "pointing": 1}
    source = RecipeSource(stream, replace(PHASES, asked=3, shares=shares))
    step = next(step for step in range(40) if source.batch(step, 0.6)[1] != "words")
    examples, _ = source.batch(step, 0.6)
    pictures = [id(example.pictures) for example in examples]
    assert len(set(pictures)) == 4
    assert 8 < len(examples) <= 12
    assert pictures == sorted(pictures, key=pictures.index)


@pytest.mark.parametrize(("progress", "learnt"), [(0.1, "cells"), (0.4, "names")])
def test_where_nothing_is_read_nothing_is_asked_twice(stream, progress, learnt):
    source = RecipeSource(stream, replace(PHASES, asked=3))
    step = next(step for step in range(40) if source.batch(step, progress)[1] == learnt)
    examples, _ = source.batch(step, progress)
    assert len({id(example.pictures) for example in examples}) == len(examples) == 8
    assert all(example.names is not None for example in examples)


def test_where_every_object_is_to_be_found_every_pixel_is_known(stream):
    """Nothing that a photo in the background shows may be taught to be nothing."""
    photos = torch.zeros(1, 3, 160, 160, dtype=torch.uint8)
    dog = stream.bank.sprites[stream.rows["dog"][0]].noun
    source = RecipeSource(replace(stream, backgrounds=(photos, ((dog,),))), PHASES)
    unknown = {"cells": False, "names": False}
    for step in range(12):
        for progress in (0.1, 0.4):
            shown, learnt = source.batch(step, progress)
            if learnt in unknown:
                unknown[learnt] |= any(bool((each.names == UNKNOWN).any()) for each in shown)
    assert unknown == {"cells": True, "names": False}


def test_a_batch_depends_on_its_step_and_the_moment_alone(stream):
    one, other = (RecipeSource(stream, PHASES).batch(7, 0.6)[0] for _ in range(2))
    assert [each.turns for each in one] == [each.turns for each in other]


def test_where_things_are_is_a_fifth_of_what_a_short_run_is_asked(stream):
    """It is the slow task; photos and clips, of which little or none of it is asked, count too."""
    places = ("position", "corner", "relation", "between", "ordinal")
    short = replace(stream, shares=SHORT.shares)
    drawn = Counter(
        sample.family for index in range(300) for sample in short.about(index, SHORT.asked)
    )
    pictures = sum(drawn[name] for name in places) / drawn.total()
    of_photos = {name: part for name, part in SHORT.shares.items() if FAMILIES[name].photo}
    photos = sum(of_photos.get(name, 0) for name in places) / sum(of_photos.values())
    still = (1 - SHORT.photos) * pictures + SHORT.photos * photos
    assert (1 - SHORT.clips) * still >= 0.2
    assert SHORT.sight_first + SHORT.masks_first <= SHORT.clips_from < 0.6
