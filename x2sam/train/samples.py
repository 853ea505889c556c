"""The stream of training samples: number `index` of stream `seed` is always the same.

A sample is a picture or clip to be shown and a conversation about it. Drawing one costs a
millisecond on the host and touches no device; `examples` then shows a whole batch at once.

    stream = Stream(bank, seed=0)
    batch = examples([stream.sample(i) for i in range(16)], stream, size=128)

Training, validation and preview draw from different streams of the same seed, so no scene of
one is ever a scene of another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from x2sam.language.encoding import patch_times
from x2sam.train.batches import Example
from x2sam.train.compose import compose
from x2sam.train.facts import observe
from x2sam.train.naming import NOTHING, UNKNOWN
from x2sam.train.photos import View
from x2sam.train.pointing import draw_region
from x2sam.train.scenes import Scene, draw_scene
from x2sam.train.texts import FAMILIES, Context, Draft, check
from x2sam.train.vocabulary import countable, kinds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.random import Generator
    from torch import Tensor

    from x2sam.language.wordings import Media
    from x2sam.train.photos import Photos
    from x2sam.train.scenes import Layout, Moves
    from x2sam.train.sprites import Split, SpriteBank
    from x2sam.train.vocabulary import Noun

Source = Literal["picture", "clip", "photo", "photo clip"]
StreamName = Literal["training", "validation", "preview"]

_STREAMS: dict[StreamName, int] = {"training": 1, "validation": 2, "preview": 3}
_EVENTFUL = ("motion", "chat", "describe")  # families that want something to happen
_AT_ONCE = 16  # frames
_TRIES = 4  # texts tried on one scene before another is drawn
_PATIENCE = 300  # scenes tried for one family before another is drawn


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What is shown, and the conversation about it."""

    family: str
    source: Source
    scene: Scene | View
    draft: Draft

    @property
    def media(self) -> Media:
        """What the medium is called in a question."""
        return "video" if self.scene.frames > 1 else "image"


@dataclass(frozen=True, eq=False)
class Stream:
    """An endless numbered sequence of samples."""

    bank: SpriteBank
    seed: int = 0
    name: StreamName = "training"
    split: Split = "seen"
    photos: Photos | None = None
    backgrounds: tuple[Tensor, tuple[tuple[Noun, ...], ...]] | None = None
    shares: Mapping[str, float] = field(default_factory=dict)  # of families; their own if empty
    only: frozenset[str] = frozenset()  # names of the nouns that are shown; all if empty

    @cached_property
    def rows(self) -> dict[str, list[int]]:
        """The sprites that may be shown, by noun."""
        rows = self.bank.rows(self.split)
        return {name: own for name, own in rows.items() if not self.only or name in self.only}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The nouns that may be asked for in vain."""
        return (*sorted(self.rows), *(kind for kind in kinds() if countable(kind)))

    @cached_property
    def photo_names(self) -> tuple[str, ...]:
        """The nouns of which it is known whether a photo shows them."""
        assert self.photos is not None
        return tuple(sorted({noun.name for nouns in self.photos.classes for noun in nouns}))

    @cached_property
    def nouns(self) -> tuple[str, ...]:
        """All that may be shown, in the order in which names of pixels count them."""
        return tuple(sorted({*self.rows, *(self.photo_names if self.photos else ())}))

    @cached_property
    def numbers(self) -> dict[str, int]:
        """What a pixel of each noun holds."""
        return {name: number for number, name in enumerate(self.nouns, NOTHING + 1)}

    def named(self, scene: Scene | View, masks: Tensor) -> Tensor:
        """Tell the noun of every pixel of what is shown, (T, N, S, S) -> (T, S, S)."""
        if isinstance(scene, View):
            assert self.photos is not None
            known = self.photos.classes[scene.photo]
            things, besides = [known[number - 1] for number in scene.objects], UNKNOWN
        else:
            things = [self.bank.sprites[row].noun for row in scene.rows]
            besides = UNKNOWN if self._clutter(scene) else NOTHING
        names = torch.full_like(masks[:, 0], besides, dtype=torch.int64)
        for thing, noun in enumerate(things):
            names.masked_fill_(masks[:, thing], self.numbers[noun.name])
        return names

    @cached_property
    def photo_rows(self) -> list[int]:
        """The photos that may be shown."""
        assert self.photos is not None
        return self.photos.rows(validation=self.name != "training")

    def sample(
        self, index: int, source: Source = "picture", family: str | None = None, frames: int = 4
    ) -> Sample:
        """Draw sample number `index`; `family` None draws one by its share."""
        return self.about(index, 1, source, family, frames)[0]

    def about(
        self,
        index: int,
        count: int,
        source: Source = "picture",
        family: str | None = None,
        frames: int = 4,
    ) -> list[Sample]:
        """Draw up to `count` conversations about one scene; the first is sample number `index`.

        The others are of families that suit the scene, by their shares; one that has nothing to
        say of it is not replaced by an easier one, so that what is hard to say keeps its share.
        """
        rng = np.random.default_rng([self.seed, _STREAMS[self.name], index])
        # Chosen once: redrawn after a failure, what is hard to say would never be said.
        chosen = family or self._family(rng, source)
        tried = 0
        while True:
            drawn = self._try(rng, chosen, source, frames if "clip" in source else 1, count)
            if drawn:
                return drawn
            tried += 1
            if tried % _PATIENCE == 0:  # perhaps nothing can be absent, where all show the same
                chosen = family or self._family(rng, source)

    def _family(self, rng: Generator, source: Source, layout: Layout | None = None) -> str:
        """Choose a family by its share of this kind of source, perhaps one that wants a layout."""
        column = "photo" if "photo" in source else source
        shares = np.array(
            [
                (self.shares.get(name, 0.0) if self.shares else own)
                * (own > 0 and (layout is None or layout in recipe.layouts))
                for name, recipe in FAMILIES.items()
                for own in (getattr(recipe, column),)
            ]
        )
        return list(FAMILIES)[rng.choice(len(shares), p=shares / shares.sum())]

    def _try(
        self, rng: Generator, family: str, source: Source, frames: int, count: int
    ) -> list[Sample]:
        recipe = FAMILIES[family]
        scene: Scene | View
        layout: Layout | None = None
        if "photo" in source:
            assert self.photos is not None
            scene = self.photos.draw_view(rng, self.photo_rows, frames)
            facts, names = self.photos.observe(scene), self.photo_names
        else:
            layout = recipe.layouts[rng.integers(len(recipe.layouts))]
            eventful = family in _EVENTFUL or rng.random() < 0.3  # noqa: PLR2004
            moves: Moves = "lively" if eventful else "calm"
            scene = draw_scene(rng, self.bank, self.rows, layout=layout, frames=frames, moves=moves)
            facts, names = observe(scene, self.bank, self._clutter(scene)), self.names
        context, drawn = Context(facts, names, rng), list[Sample]()
        for number in range(count):
            if number:
                family = self._family(rng, source, layout)
            for _ in range(_TRIES):
                draft = FAMILIES[family].write(context)
                if draft and not any(_same(draft, sample.draft) for sample in drawn):
                    check(draft)
                    drawn.append(Sample(family, source, scene, draft))
                    break
            if not drawn:
                break
        return drawn

    def _clutter(self, scene: Scene) -> tuple[Noun, ...]:
        """What the background shows besides."""
        if self.backgrounds is None or scene.backdrop.kind != "photo" or scene.backdrop.soft:
            return ()
        known = self.backgrounds[1]
        return known[scene.backdrop.photo % len(known)]


def _same(one: Draft, other: Draft) -> bool:
    """Tell whether two ask alike for the same things: "what is this?" may point at two."""
    return one.turns == other.turns and one.groups == other.groups


def examples(samples: Sequence[Sample], stream: Stream, size: int) -> list[Example]:
    """Show samples of equally many frames: pictures, target masks and drawn prompts.

    A scene or view that several samples are about is shown once; they share its pictures.
    """
    different = {id(sample.scene): sample.scene for sample in samples}
    scenes = [scene for scene in different.values() if isinstance(scene, Scene)]
    photos = stream.backgrounds[0] if stream.backgrounds else None
    composed: Iterator[tuple[Tensor, Tensor]] = iter(())
    if scenes:
        # A CPU draws few at a time faster than many: they stay in its cache.
        cpu = stream.bank.device.type == "cpu"
        step = max(1, _AT_ONCE // scenes[0].frames) if cpu else len(scenes)
        composed = chain.from_iterable(
            zip(*compose(scenes[at : at + step], stream.bank, size, photos), strict=True)
            for at in range(0, len(scenes), step)
        )
    shown: dict[int, tuple[Tensor, Tensor]] = {}
    for key, scene in different.items():
        if isinstance(scene, View):
            assert stream.photos is not None
            pictures, masks = stream.photos.compose(scene, size)
            shown[key] = pictures.to(stream.bank.device), masks.to(stream.bank.device)
        else:
            shown[key] = next(composed)
    names = {key: stream.named(scene, shown[key][1]) for key, scene in different.items()}
    return [
        _example(sample, *shown[id(sample.scene)], names[id(sample.scene)]) for sample in samples
    ]


def _example(sample: Sample, pictures: Tensor, masks: Tensor, names: Tensor) -> Example:
    """Unite the masks of things (T, N, S, S) into those of the targets, and draw prompts."""
    scene, draft, size = sample.scene, sample.draft, masks.shape[-1]
    united = [masks[:, list(group)].any(dim=1) for group in draft.groups]
    empty = masks.new_zeros(len(masks), 0, size, size)
    drawn = [draw_region(region, masks[0, region.thing]) for region in draft.regions]
    times = patch_times(scene.times) if draft.task == "chat" and sample.media == "video" else None
    return Example(
        media=sample.media,
        pictures=pictures,
        turns=draft.turns,
        labels=torch.tensor(draft.labels, dtype=torch.int64),
        masks=torch.stack(united, dim=1) if united else empty,
        regions=torch.stack(drawn) if drawn else None,
        times=times,
        names=names,
    )
