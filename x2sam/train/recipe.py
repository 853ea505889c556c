"""The recipe of nano: which samples at which moment, in what numbers.

Sight comes first, then masks, where a step costs a fraction: what cells show, then mostly batches
of names, which skip the language model. Batches of names and of words alone stay to the end.
Clips come in once pictures are understood, and the last part is trained on larger pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.resources import files

import numpy as np

from x2sam.train.batches import Example
from x2sam.train.objective import Learnt
from x2sam.train.samples import Source, Stream, examples


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """When to show what; `progress` runs from 0 to 1 over the budget of the run."""

    batch: int = 16  # pictures, twice as many where half is learnt; clips count their frames
    asked: int = 1  # conversations about each
    size: int = 128
    last_size: int = 192
    last_part: float = 0.15  # of the run, on larger pictures
    sight_first: float = 0.0  # of the run, when nothing but what cells show is learnt
    words: float = 0.0  # share of batches of nothing but words later
    masks_first: float = 0.12  # of the run after that, when most others are of names
    names: tuple[float, float] = (0.8, 0.1)  # share of such batches, then and later
    clips_from: float = 0.3
    clips: float = 0.25  # share of the batches from then on
    frames: tuple[int, ...] = (4, 6)
    photos: float = 0.1  # share of the batches
    shares: Mapping[str, float] = field(default_factory=dict)  # of families; all of them if empty
    word_shares: Mapping[str, float] = field(default_factory=dict)  # the same, for words alone
    everyday: bool = False  # only the nouns of nouns/everyday.txt


@dataclass(frozen=True)
class RecipeSource:
    """Batches of a stream, chosen by a recipe; the source of a training run."""

    stream: Stream
    recipe: Recipe

    def batch(self, step: int, progress: float) -> tuple[Sequence[Example], Learnt]:
        """Examples of a step, and what is learnt from them."""
        recipe = self.recipe
        rng = np.random.default_rng([self.stream.seed, 77, step])
        learnt = self._learnt(rng, progress)
        moving = progress >= recipe.clips_from and rng.random() < recipe.clips
        real = self.stream.photos is not None and rng.random() < recipe.photos
        source: Source = "photo" if real else "picture"
        if moving:
            source = "photo clip" if real else "clip"
        frames = int(rng.choice(recipe.frames)) if moving else 1
        late = progress >= 1 - recipe.last_part
        size = recipe.last_size if late else recipe.size
        # A step costs about the same whatever its pictures are.
        budget = recipe.batch * recipe.size**2 / (frames * size**2)
        stream, apart = self.stream, recipe.batch
        if learnt == "names" and real:  # its objects are not all outlined
            learnt = "words and masks"
        if learnt != "words and masks":
            budget, apart = 2 * budget, 2 * apart
        if learnt == "words":
            stream = self._worded
        family = "objects" if learnt == "names" else None  # every object is to be found
        asked = 1 if learnt in ("cells", "names") else recipe.asked  # nothing is asked
        samples = [
            sample
            for number in range(max(2, round(budget)))
            for sample in stream.about(step * apart + number, asked, source, family, frames)
        ]
        return examples(samples, stream, size), learnt

    @property
    def nouns(self) -> tuple[str, ...]:
        """See `Source`."""
        return self.stream.nouns

    @cached_property
    def _worded(self) -> Stream:
        return replace(self.stream, shares=self.recipe.word_shares or self.stream.shares)

    def _learnt(self, rng: np.random.Generator, progress: float) -> Learnt:
        """Choose what is learnt from a batch."""
        recipe = self.recipe
        if progress < recipe.sight_first:
            return "cells"
        if rng.random() < recipe.words:
            return "words"
        later = progress >= recipe.sight_first + recipe.masks_first
        return "names" if rng.random() < recipe.names[int(later)] else "words and masks"


def everyday() -> frozenset[str]:
    """Name the two hundred things that a short run learns."""
    text = files("x2sam.train").joinpath("nouns/everyday.txt").read_text("utf-8")
    return frozenset(word.replace("_", " ") for word in text.split())
