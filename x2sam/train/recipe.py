"""The recipe of nano: which samples at which moment, in what numbers.

Masks are the slow part to learn and words the fast one, so a run begins with mostly
class-agnostic batches, which skip the language model; a constant share stays to the end.
Clips come in once pictures are understood, and the last part is trained on larger pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

import numpy as np

from x2sam.train.batches import Example
from x2sam.train.samples import Source, Stream, examples


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """When to show what; `progress` runs from 0 to 1 over the budget of the run."""

    batch: int = 16  # pictures; clips count their frames
    size: int = 128
    last_size: int = 192
    last_part: float = 0.15  # of the run, on larger pictures
    masks_first: float = 0.12  # of the run, when most batches are class-agnostic
    agnostic: tuple[float, float] = (0.8, 0.1)  # share of such batches, then and later
    clips_from: float = 0.3
    clips: float = 0.25  # share of the batches from then on
    frames: tuple[int, ...] = (4, 6)
    photos: float = 0.1  # share of the batches
    shares: Mapping[str, float] = field(default_factory=dict)  # of families, if not their own
    everyday: bool = False  # only the nouns of nouns/everyday.txt


@dataclass(frozen=True, slots=True)
class RecipeSource:
    """Batches of a stream, chosen by a recipe; the source of a training run."""

    stream: Stream
    recipe: Recipe

    def batch(self, step: int, progress: float) -> tuple[Sequence[Example], bool]:
        """Examples of a step, and whether they are class-agnostic."""
        recipe = self.recipe
        rng = np.random.default_rng([self.stream.seed, 77, step])
        agnostic = rng.random() < recipe.agnostic[int(progress >= recipe.masks_first)]
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
        count = max(2, round(budget))
        family = "objects" if agnostic and not real else None
        samples = [
            self.stream.sample(step * recipe.batch + number, source, family, frames)
            for number in range(count)
        ]
        return examples(samples, self.stream, size), agnostic and not real


def everyday() -> frozenset[str]:
    """Name the two hundred things that a short run learns."""
    text = files("x2sam.train").joinpath("nouns/everyday.txt").read_text("utf-8")
    return frozenset(word.replace("_", " ") for word in text.split())
