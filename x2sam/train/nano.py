"""Training nano from nothing: sprites and photos in, a model folder out.

The vocabulary is learnt first, from the texts that the network will read, then the network.
Everything a run needs besides its sources lies in its folder, so the same call goes on with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from accelerate import PartialState

from x2sam.config import X2SAMConfig
from x2sam.language.tokens import Vocabulary
from x2sam.train.losses import LossConfig
from x2sam.train.objective import Objective
from x2sam.train.packs import read_sources
from x2sam.train.presets import NANO, NANO_GPU
from x2sam.train.recipe import Recipe, RecipeSource, everyday
from x2sam.train.samples import Stream
from x2sam.train.tokens import corpus, learn_vocabulary

# 512 points, because masks are small.
OBJECTIVE = Objective(losses=LossConfig(points=512), spread=1.0, naming=2.0, looking=0.5)
_BACKGROUNDS = 1200
_CONVERSATIONS = 12_000  # that the vocabulary is learnt from


# In batches of words alone, most answers take reading and seeing: "Sure, it is <SEG>." is learnt
# at once, and is four of five answers where masks are learnt.
_ANSWERS = {
    "chat": 20,
    "describe": 4,
    "noun": 6,
    "kind": 2,
    "colour": 4,
    "position": 1,
    "reason": 1,
    "close": 5,
    "dialogue": 1,
}


# What an hour or two on two cores can learn: fewer things, seen more often. Categories name several
# in one prompt and are the cheapest lesson of nouns. Where things are is learnt slowest, and is a
# fifth of all requests; it has a third of the shares, as many scenes have nothing of it to say.
SHORT = Recipe(
    batch=10,
    asked=2,
    words=0.3,
    sight_first=0.2,
    masks_first=0.2,
    names=(0.9, 0.1),
    clips_from=0.4,
    clips=0.1,
    photos=0.15,
    last_part=0.15,
    everyday=True,
    shares={
        "noun": 14,
        "kind": 5,
        "colour": 12,
        "size": 2,
        "position": 13,
        "corner": 8,
        "relation": 14,
        "between": 6,
        "ordinal": 11,
        "motion": 6,
        "absence": 10,
        "unread": 1,
        "categories": 18,
        "objects": 2,
        "reason": 5,
        "pointing": 15,
        "exemplars": 4,
        "describe": 8,
        "dialogue": 2,
    },
    word_shares=_ANSWERS,
)


@dataclass(frozen=True, slots=True)
class Preset:
    """A network and how it is trained."""

    config: X2SAMConfig
    recipe: Recipe


PRESETS: dict[str, Preset] = {
    "nano": Preset(NANO, SHORT),
    "nano-gpu": Preset(
        NANO_GPU,
        Recipe(
            batch=32,
            asked=2,
            size=192,
            last_size=256,
            sight_first=0.1,
            words=0.15,
            word_shares=_ANSWERS,
        ),
    ),
}


def prepare(
    preset: Preset,
    out: Path,
    *,
    sprites: Sequence[Path] | None,
    photos: Path | None = None,
    seed: int = 0,
    conversations: int = _CONVERSATIONS,
) -> tuple[RecipeSource, Vocabulary]:
    """Make the stream of examples and the vocabulary of a run.

    What has to be made for it is made once, in the run's folder, by the main process.

    Args:
        preset: what is trained.
        out: the run's folder.
        sprites: see `read_sources`.
        photos: likewise.
        seed: of the stream.
        conversations: how many to learn the vocabulary from.

    Raises:
        MediaError: a source is missing or is not what it should be.
    """
    processes = PartialState(cpu=not torch.accelerator.is_available())
    recipe = preset.recipe
    only = everyday() if recipe.everyday else frozenset()
    stream = scenes(out, sprites, photos, seed=seed)
    file = out / "tokenizer.json"
    with processes.main_process_first():
        if not file.exists():
            plain = Stream(stream.bank, seed, "preview", photos=stream.photos)
            learn_vocabulary(corpus(plain, conversations), preset.config.language.vocab_size, file)
    stream = replace(stream, shares=recipe.shares, only=only)
    return RecipeSource(stream, recipe), Vocabulary.load(file)


def scenes(
    out: Path, sprites: Sequence[Path] | None, photos: Path | None = None, *, seed: int = 0
) -> Stream:
    """Make the stream of scenes and photos of a run; packs are made in its folder.

    Raises:
        MediaError: a source is missing or is not what it should be.
    """
    processes = PartialState(cpu=not torch.accelerator.is_available())
    with processes.main_process_first():
        out.mkdir(parents=True, exist_ok=True)
        bank, shown = read_sources(sprites, photos, out, processes.device)
    scenery = shown.backgrounds(_BACKGROUNDS, processes.device) if shown else None
    return Stream(bank, seed, photos=shown, backgrounds=scenery)
