"""Masks frame after frame: what the model looks for, found again in every frame.

Frames pass by one at a time, forward or backward, and what is kept is the model's mask memory,
which has a fixed size. With a stride only every so many frames are looked at; those between
carry the masks of the one before.

    >>> [(look, between) for look, between in strides([4, 5, 6, 7, 8], 2)]
    [(4, [5]), (6, [7]), (8, [])]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from x2sam.engine.engine import Work
from x2sam.engine.film import Film
from x2sam.engine.options import Options
from x2sam.media.masks import Mask
from x2sam.model.conditions import Conditions
from x2sam.model.prediction import Prediction
from x2sam.model.readout import Reader, Segments
from x2sam.model.x2sam import Decoded
from x2sam.types import How


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """One segment of one frame."""

    id: int  # as the reading counts; of the same condition in all frames, if it has but one
    label: int  # which condition
    mask: Mask  # (H, W)
    score: float
    embedding: NDArray[np.float32] | None = None  # (D,) of length 1, of the query that drew it


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What was found in one frame, and how likely each condition was at best."""

    frame: int
    how: How
    found: tuple[Found, ...]
    likely: tuple[float, ...]


def strides(frames: Sequence[int], stride: int) -> Iterator[tuple[int, Sequence[int]]]:
    """Group frames: one to be looked at, and those that carry its masks."""
    for start in range(0, len(frames), stride):
        yield frames[start], list(frames[start + 1 : start + stride])


def follow(
    work: Work,
    film: Film,
    conditions: Conditions,
    read: Reader,
    frames: Sequence[int],
    options: Options,
) -> Iterator[Look]:
    """Look for something in frames, in the order given, one step of the device for each."""
    predictor = film.engine.predictor
    alone = options.propagation == "one_token"
    pulled: list[Decoded] = []

    def stream() -> Iterator[Prediction]:
        return predictor.segment(conditions, ((pulled.pop(), film.size) for _ in frames))

    segmented = stream()
    groups = list(strides(frames, options.stride))
    places = [(frame, frame == frames[0] or alone) for frame, _ in groups]
    pictures = film.pictures(places)
    for (frame, between), place, picture in zip(groups, places, pictures, strict=True):
        decoded = film.decoded(work, place, picture)
        if alone:
            segmented = stream()
        with work.step("segment"):
            pulled.append(decoded)
            prediction = next(segmented)
            found = _plain(read(prediction))
            likely = tuple(prediction.probabilities.amax(dim=0).tolist())
        yield Look(frame, How.SEEN, found, likely)
        for carried in between:
            yield Look(carried, How.CARRIED, found, likely)


def follow_streams(
    work: Work,
    film: Film,
    conditions: Conditions,
    reader: Callable[[], Reader],
    streams: Sequence[Sequence[int]],
    options: Options,
) -> Iterator[Look]:
    """Look for something in one stream of frames after another, each with a memory of its own.

    All begin with the same frame, which is looked at for each memory and told of once.
    """
    for number, frames in enumerate(streams):
        for look in follow(work, film, conditions, reader(), frames, options):
            if number == 0 or look.frame != frames[0]:
                yield look


def _plain(segments: Segments) -> tuple[Found, ...]:
    """Bring segments off the device."""
    masks = segments.masks.cpu().numpy()
    values = (segments.ids, segments.labels, segments.scores)
    known = segments.embeddings
    embeddings = [None] * len(masks) if known is None else list(known.cpu().numpy())
    rows = zip(*(value.tolist() for value in values), masks, embeddings, strict=True)
    return tuple(Found(id_, label, mask, score, like) for id_, label, score, mask, like in rows)
