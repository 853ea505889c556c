"""From text to tokens: ids, and what each of them stands for.

A slot becomes as many tokens as its picture, frame or region has features. Every token
also says which condition it belongs to (`<p>` to `</p>`), whether it is a `<SEG>`, and
whether the model is to learn it.

A conversation is encoded piece by piece and joined with `+`, so what was encoded once
stays a prefix of everything that follows; the engine's key/value cache relies on it.

    >>> VisualGrid(t=4, h=4, w=6).tokens
    24
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from x2sam.language.prompts import pieces
from x2sam.language.tokens import (
    IGNORED,
    IMAGE_SLOT,
    REGION,
    REGION_SLOT,
    VIDEO_SLOT,
    VISION_END,
    VISION_START,
    VISUAL,
    VISUAL_SLOT,
    Vocabulary,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from x2sam.language.prompts import Turn
    from x2sam.language.wordings import Media

    Ids = npt.NDArray[np.int64]

_VIDEO = VISION_START + VIDEO_SLOT + VISION_END
_SLOTS = re.compile(f"({re.escape(VISUAL_SLOT)}|{re.escape(REGION_SLOT)})")


@dataclass(frozen=True, slots=True)
class VisualGrid:
    """Patches of a picture or clip: temporal, rows, columns; `merge`² of them are a token.

    Before them come `means`, other temporal patches that are one token each.
    """

    t: int
    h: int
    w: int
    merge: int = 2
    means: int = 0

    @property
    def per_frame(self) -> int:
        """Visual tokens of one temporal patch (two merged frames)."""
        assert self.h % self.merge == self.w % self.merge == 0, self
        return self.h * self.w // self.merge**2

    @property
    def tokens(self) -> int:
        """Visual tokens altogether."""
        return sum(self.runs)

    @property
    def runs(self) -> tuple[int, ...]:
        """Visual tokens that stand together, one number for each visual slot."""
        return (*([self.means] if self.means else ()), *([self.per_frame] * self.t))


def patch_times(seconds: Sequence[float], temporal_patch: int = 2) -> list[float]:
    """Mean time of the frames that each temporal patch merges; the last frame is repeated.

    >>> patch_times([0.0, 0.5, 1.0])
    [0.25, 1.0]
    """
    padding = [seconds[-1]] * (-len(seconds) % temporal_patch)
    padded = np.array([*seconds, *padding]).reshape(-1, temporal_patch)
    return [float(time) for time in padded[:, [0, -1]].mean(axis=1)]


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Tokens and what they stand for; four int64 arrays of one length L.

    `ids`: vocabulary ids, `VISUAL` or `REGION`. `phrases`: index of the condition a token
    belongs to (its `<p>` and `</p>` included), else -1. `segs`: running number at `<SEG>`,
    else -1. `labels`: the id where the model is to learn it, else `IGNORED`.
    """

    ids: Ids
    phrases: Ids
    segs: Ids
    labels: Ids

    def __len__(self) -> int:
        return len(self.ids)

    def __add__(self, other: Encoded) -> Encoded:
        """Append, with the other's phrases and segs numbered on."""
        phrases = np.where(other.phrases < 0, -1, other.phrases + self.phrase_count)
        segs = np.where(other.segs < 0, -1, other.segs + self.seg_count)
        return Encoded(
            ids=np.concatenate([self.ids, other.ids]),
            phrases=np.concatenate([self.phrases, phrases]),
            segs=np.concatenate([self.segs, segs]),
            labels=np.concatenate([self.labels, other.labels]),
        )

    @property
    def phrase_count(self) -> int:
        """How many conditions the tokens name."""
        return int(self.phrases.max(initial=-1)) + 1

    @property
    def seg_count(self) -> int:
        """How many `<SEG>` there are."""
        return int(self.segs.max(initial=-1)) + 1


def encode(
    text: str,
    vocabulary: Vocabulary,
    *,
    grid: VisualGrid | None = None,
    times: Sequence[float] | None = None,
    region_tokens: int = 64,
    learn: bool = False,
) -> Encoded:
    """Tokenise one piece of a conversation.

    `grid` sizes the picture or clip if `text` has its slot. `times` are the seconds of a
    clip's temporal patches; without them patch k is said to be at k + 1 seconds, as
    in all of X2SAM's segmentation training. `learn` makes the tokens labels.
    """
    ids: list[int] = []
    runs = iter(() if grid is None else grid.runs)
    # Text between slots is tokenised by itself, and blanks between two slots are dropped.
    for chunk in _SLOTS.split(_with_visual_slots(text, grid, times)):
        if chunk == VISUAL_SLOT:
            ids += [VISUAL] * next(runs)
        elif chunk == REGION_SLOT:
            ids += [REGION] * region_tokens
        elif chunk.strip() or chunk == text:
            ids += vocabulary.encode(chunk)
    return encode_ids(ids, vocabulary, learn=learn)


def encode_ids(ids: Sequence[int], vocabulary: Vocabulary, *, learn: bool = False) -> Encoded:
    """Mark phrases, `<SEG>` and labels on ids, for instance on generated ones.

    A phrase runs from the last `<p>` before a `</p>` to that `</p>`; what is opened and
    never closed is none. `replies.read` numbers phrases in the same way.
    """
    array = np.array(ids, dtype=np.int64)
    phrases = np.full_like(array, -1)
    start, count = -1, 0
    for position, token in enumerate(ids):
        if token == vocabulary.phrase_open:
            start = position
        elif token == vocabulary.phrase_close and start >= 0:
            phrases[start : position + 1] = count
            start, count = -1, count + 1
    seg = array == vocabulary.seg
    return Encoded(
        ids=array,
        phrases=phrases,
        segs=np.where(seg, np.cumsum(seg) - 1, -1),
        labels=np.where(array < 0, IGNORED, array) if learn else np.full_like(array, IGNORED),
    )


def encode_chat(
    turns: Sequence[Turn],
    vocabulary: Vocabulary,
    media: Media | None = None,
    *,
    grid: VisualGrid | None = None,
    times: Sequence[float] | None = None,
    region_tokens: int = 64,
) -> Encoded:
    """Encode a conversation; answers are labels, each is followed by an unlearnt newline."""
    whole = encode_ids([], vocabulary)
    for text, learn in pieces(turns, media):
        whole += encode(
            text, vocabulary, grid=grid, times=times, region_tokens=region_tokens, learn=learn
        )
    return whole


def _with_visual_slots(text: str, grid: VisualGrid | None, times: Sequence[float] | None) -> str:
    """Replace the slot of the medium by one slot per frame, each frame of a clip timed."""
    if IMAGE_SLOT in text:
        assert grid is not None, text
        assert grid.t == 1, grid
        return text.replace(IMAGE_SLOT, VISUAL_SLOT)
    if VIDEO_SLOT not in text:
        return text
    assert grid is not None, text
    seconds = range(1, grid.t + 1) if times is None else times
    assert len(seconds) == grid.t, (times, grid)
    frame = VISION_START + VISUAL_SLOT + VISION_END
    timed = "".join(f"<{time:.1f} seconds>{frame}" for time in seconds)
    return text.replace(_VIDEO, (frame if grid.means else "") + timed)
