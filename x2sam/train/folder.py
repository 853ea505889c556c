"""Training examples from a folder of your own: a suite, as `x2sam eval folder` reads it.

Expressions become referring and reasoning requests, the class queries of a picture one request
for all of its categories, and every object is pointed at by a click, a box, a scribble or its
mask. Requests are worded as X2SAM was trained; an expression without a target is answered like
any other, and its mask is empty. Pictures keep their shape for the language model and are
squashed for the masks, exactly as in use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from x2sam.config import X2SAMConfig
from x2sam.errors import MediaError
from x2sam.language.prompts import Turn, question
from x2sam.language.tasks import TASKS, Needs, is_sentence
from x2sam.language.wordings import Media
from x2sam.media.suite import Sample, objects, read_suite
from x2sam.model.pixels import clip_patches, image_patches, square_masks, squash
from x2sam.train.batches import Example
from x2sam.train.objective import Learnt
from x2sam.train.pointing import draw_region
from x2sam.train.texts import LIKE_THIS, REGION_KINDS, Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request about a sample, and what it means."""

    sample: Sample
    task: str
    texts: tuple[str, ...] = ()  # an expression, or the names of categories
    targets: tuple[tuple[int, tuple[int, ...]], ...]  # per mask: its text, the ids it unites
    starts: tuple[int, ...]  # annotated frames at which a clip may begin

    @property
    def media(self) -> Media:
        """What the sample is called in a question."""
        return "image" if self.sample.type == "photo" else "video"


@dataclass(frozen=True, slots=True)
class FolderSource:
    """Batches of requests about one folder; a `loop.Source`."""

    asks: tuple[Ask, ...]
    config: X2SAMConfig
    batch_size: int = 4  # pictures; clips count their frames
    frames: int = 4  # of a clip, at most
    seed: int = 0

    @classmethod
    def read(cls, folder: Path, config: X2SAMConfig, **options: int) -> FolderSource:
        """Read a suite and all of its masks, so that no mistake in it waits for its step.

        Raises:
            MediaError: something is missing or damaged, or nothing is asked.
            PromptError: a request is for an object that no mask shows.
        """
        source = cls((), config, **options)
        asks = [ask for sample in read_suite(folder) for ask in _asks(sample, source.frames)]
        if not asks:
            raise MediaError(f"The suite in {folder} asks nothing and shows no object.")
        return replace(source, asks=tuple(asks))

    @property
    def nouns(self) -> tuple[str, ...]:
        """None: its masks do not say what all pixels show."""
        return ()

    def batch(self, step: int, progress: float) -> tuple[Sequence[Example], Learnt]:
        """Examples of a step, all of one length; words and masks are learnt from all."""
        del progress
        rng = np.random.default_rng([self.seed, step])
        first = self.asks[rng.integers(len(self.asks))]
        frames = min(self.frames, len(first.sample.masks))
        alike = [
            ask
            for ask in self.asks
            if ask.media == first.media and len(ask.sample.masks) >= frames and ask is not first
        ]
        count = min(max(1, self.batch_size // frames) - 1, len(alike))
        chosen = rng.choice(len(alike), count, replace=False) if count else ()
        asks = [first, *(alike[index] for index in chosen)]
        return [example(ask, frames, self.config, rng) for ask in asks], "words and masks"


def _asks(sample: Sample, frames: int) -> Iterator[Ask]:
    """List what can be asked about a sample in clips of so many frames."""
    ids = sample.ids()
    starts = tuple(range(len(ids) - min(frames, len(ids)) + 1))
    for request in sample.expressions:
        task = "reaseg" if request.kind.startswith("reason") else "refseg"
        targets = ((0, request.target),) if request.target else ()
        yield Ask(sample=sample, task=task, texts=(request.text,), targets=targets, starts=starts)
    if sample.class_queries:
        yield Ask(
            sample=sample,
            task="genseg",
            texts=tuple(request.text for request in sample.class_queries),
            targets=tuple(
                (label, (own,))
                for label, request in enumerate(sample.class_queries)
                for own in request.target
            ),
            starts=starts,
        )
    for own in objects(ids):
        shown = tuple(start for start in starts if (ids[start] == own).any())
        if shown:  # where a clip begins is where the object is pointed at
            task = "intseg" if sample.type == "photo" else "objseg"
            yield Ask(sample=sample, task=task, targets=((0, (own,)),), starts=shown)


def example(ask: Ask, frames: int, config: X2SAMConfig, rng: Generator) -> Example:
    """Show a request: `frames` frames of its sample, the conversation and the masks."""
    pictures, ids = _window(ask.sample, int(rng.choice(ask.starts)), frames)
    side = config.mask_encoder.image_size
    united = [square_masks(np.isin(ids, own), side) for _, own in ask.targets]
    pointed = None
    if TASKS[ask.task].needs is Needs.REGIONS:
        kind = REGION_KINDS[rng.integers(len(REGION_KINDS))]
        pointed = draw_region(Region(kind, 0, int(rng.integers(2**31))), united[0][0])[None]
    video = ask.media == "video"
    return Example(
        media=ask.media,
        pictures=squash(pictures, side),
        turns=[_turn(ask, rng)],
        labels=torch.tensor([label for label, _ in ask.targets], dtype=torch.int64),
        masks=(
            torch.stack(united, dim=1)
            if united
            else torch.zeros(frames, 0, side, side, dtype=torch.bool)
        ),
        regions=pointed,
        seen=(clip_patches if video else image_patches)(
            pictures if video else pictures[0], config.vision
        ),
    )


def _window(sample: Sample, start: int, frames: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read some annotated frames: pictures (T, H, W, 3) and object ids (T, H, W)."""
    part = slice(start, start + frames)
    window = replace(
        sample,
        frames=sample.frames[part],
        masks=sample.masks[part],
        expressions=(),  # which may be about objects that these frames do not show
        class_queries=(),
    )
    offset = start * sample.stride

    def decode(file: Path, numbers: Sequence[int]) -> Iterable[NDArray[np.uint8]]:
        from x2sam.media.videos import frames_at  # noqa: PLC0415 (FFmpeg, for clips alone)

        return frames_at(file, [number + offset for number in numbers])

    return np.stack(list(window.pictures(decode))), window.ids()


def _turn(ask: Ask, rng: Generator) -> Turn:
    """Word a request, every other time as we always do."""
    row, text = TASKS[ask.task], ask.texts[0] if ask.texts else ""
    wording = row.sentence if row.sentence and is_sentence(text) else row.wording
    lines = wording.all_questions(ask.media)
    usual = rng.random() < 0.5  # noqa: PLR2004
    # One line is kept for "all like this" (`texts`); no object is pointed at with it.
    free = [n for n in range(len(lines)) if n != LIKE_THIS or row.needs is not Needs.REGIONS]
    asked = question(
        ask.task,
        ask.media,
        text=text,
        categories=ask.texts,
        regions=int(row.needs is Needs.REGIONS),
        template=lines[wording.asked if usual else free[rng.integers(len(free))]],
    )
    return Turn(asked, wording.answer)
