"""Validation samples of the small model, and what a network makes of them.

Scenes come from streams that training never draws from (`x2sam.train.samples`). A sample is
shown as a person would show it, as 8-bit pictures; the language model sees of a clip what the
application shows it, and the last question is worded as the application words it. Earlier turns
of a conversation are given with their true answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from x2sam.eval.answering import Masks, ask, reader, shown, side_by_side
from x2sam.language.prompts import Turn, question
from x2sam.language.replies import Reply
from x2sam.language.wordings import Media
from x2sam.model.predictor import Drawing, Predictor
from x2sam.model.readout import Segments
from x2sam.train.batches import Example
from x2sam.train.photos import Photos
from x2sam.train.samples import Sample, Source, Stream, examples
from x2sam.train.sprites import Split, SpriteBank
from x2sam.train.texts import Draft, RegionKind
from x2sam.train.vocabulary import Noun

FRAMES = 6  # of a clip
BACKGROUNDS = 200  # photos to stand before
_PATIENCE = 100  # samples that may be passed over for one that is wanted

QUESTIONS = {  # how a plain question of each kind begins
    "count": ("How many",),
    "colour": ("What colo", "Which colo"),
    "presence": ("Is there", "Can you see", "Do you see"),
    "what": ("What is in", "What can you see", "What do you see", "List what"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Which samples: of these families in turn."""

    families: tuple[str, ...]
    source: Source = "picture"
    split: Split = "seen"
    region: RegionKind | None = None  # how things are pointed at, whatever the sample says
    asks: str | None = None  # a kind of `QUESTIONS`


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What validation scenes are made of."""

    bank: SpriteBank
    photos: Photos | None = None
    backgrounds: tuple[torch.Tensor, tuple[tuple[Noun, ...], ...]] | None = None
    seed: int = 0
    only: frozenset[str] = frozenset()  # names of the nouns that are shown; all if empty

    @classmethod
    def of(cls, bank: SpriteBank, photos: Photos | None, seed: int) -> Material:
        """Stand scenes before the photos, if there are any."""
        scenery = photos.backgrounds(BACKGROUNDS, bank.device) if photos else None
        return cls(bank, photos, scenery, seed)

    def stream(self, split: Split) -> Stream:
        """Draw validation samples from one part of the sprites."""
        return Stream(
            self.bank,
            seed=self.seed,
            name="validation",
            split=split,
            photos=self.photos,
            backgrounds=self.backgrounds,
            only=frozenset() if split == "unseen nouns" else self.only,
        )


def missing(draw: Draw, stream: Stream) -> str:
    """Say what keeps samples from being drawn; nothing if they can be."""
    if "photo" in draw.source:
        return "" if stream.photos else "no photos were given"
    return "" if stream.rows else f"no {draw.split} among the sprites"


def samples(draw: Draw, stream: Stream, limit: int) -> Iterator[Sample]:
    """Yield `limit` samples, always the same."""
    count = 0
    for index in range(limit * _PATIENCE):
        family = draw.families[index % len(draw.families)]
        sample = _fitting(stream.sample(index, draw.source, family, FRAMES), draw)
        if sample:
            yield sample
            count += 1
            if count == limit:
                return


def _fitting(sample: Sample, draw: Draw) -> Sample | None:
    draft = sample.draft
    if draw.asks and not draft.turns[-1].question.startswith(QUESTIONS[draw.asks]):
        return None
    if draw.region:
        regions = tuple(replace(region, kind=draw.region) for region in draft.regions)
        return replace(sample, draft=replace(draft, regions=regions))
    return sample


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What was shown and asked, what is true, and what the network said and marked."""

    sample: Sample
    frames: npt.NDArray[np.uint8]  # (T, H, W, 3)
    truth: Masks  # (T, N, H, W) of the targets
    drawn: Masks  # (R, H, W)
    turn: Turn  # the question as it was asked, and the true answer
    reply: Reply
    found: tuple[Segments, ...]  # per frame; none of them if nothing was marked

    def marked(self, label: int | None = None) -> Masks:
        """Unite what was marked, of one phrase or of all: (T, H, W)."""
        union = np.zeros(self.frames.shape[:3], bool)
        for frame, segments in enumerate(self.found):
            wanted = segments.masks if label is None else segments.masks[segments.labels == label]
            union[frame] = wanted.any(dim=0).cpu().numpy()
        return union

    def meant(self, label: int | None = None) -> Masks:
        """Unite what should have been marked: (T, H, W)."""
        labels = np.array(self.sample.draft.labels, int)
        wanted = np.ones(len(labels), bool) if label is None else labels == label
        return np.asarray(self.truth[:, wanted].any(axis=1))


def outcome(predictor: Predictor, sample: Sample, stream: Stream) -> Outcome:
    """Show a sample to the network and ask its question."""
    size = predictor.model.config.mask_encoder.image_size
    example = examples([sample], stream, size)[0]
    frames = _pixels(example)
    drawn = np.zeros((0, size, size), bool)
    if example.regions is not None:
        drawn = example.regions.cpu().numpy()
    draft, looked = sample.draft, [*shown(predictor, len(frames))]
    media: Media = "image" if len(looked) == 1 else sample.media
    turn = Turn(reworded(draft, media), draft.turns[-1].answer)
    turns = (*draft.turns[:-1], Turn(turn.question))
    features = predictor.features(frames)
    drawings = [Drawing(mask, features.frame(0)) for mask in drawn]
    expected = None if draft.task in ("gcgseg", "chat") else len(draft.phrases)
    times = example.times if len(looked) == len(frames) else None
    view = predictor.look(frames[looked], media, times)
    answer = ask(predictor, view, turns, drawings, expected)
    found: tuple[Segments, ...] = ()
    if answer.conditions is not None and draft.task != "chat":
        read = reader(predictor, draft.task, drawn if len(drawn) else None)
        each = ((features.frame(index), (size, size)) for index in range(len(frames)))
        seen = side_by_side(predictor, [answer.conditions], each)
        found = tuple(read(prediction) for (prediction,) in seen)
    truth = example.masks.cpu().numpy()
    return Outcome(sample, frames, truth, drawn, turn, answer.reply, found)


def reworded(draft: Draft, media: Media) -> str:
    """Word the last request as the application does; plain questions stay as they are."""
    if draft.task == "chat":
        return draft.turns[-1].question
    return question(
        "intseg" if draft.task == "objseg" and media == "image" else draft.task,
        media,
        text=draft.phrases[0] if draft.task in ("refseg", "reaseg") else "",
        categories=draft.phrases if draft.task == "genseg" else (),
        regions=len(draft.regions),
    )


def _pixels(example: Example) -> npt.NDArray[np.uint8]:
    """Turn pictures (T, 3, S, S) in 0..1 into (T, S, S, 3) uint8."""
    frames = (example.pictures * 255).round().byte().permute(0, 2, 3, 1)
    pixels: npt.NDArray[np.uint8] = frames.cpu().contiguous().numpy()
    return pixels
