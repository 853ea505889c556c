"""From examples to what the network is trained on: one padded batch.

An example is what is asked and answered about some frames, and where the answer lies in
them. All examples of a batch share the number of frames and the size of a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from x2sam.config import X2SAMConfig
from x2sam.language.encoding import Encoded, encode_chat
from x2sam.language.prompts import Turn
from x2sam.language.tokens import IGNORED, Vocabulary
from x2sam.language.wordings import Media
from x2sam.model.pixels import Patches, normalise, patchify
from x2sam.model.regions import draw_points
from x2sam.train.matcher import Targets


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One training sample of T frames, S pixels square."""

    media: Media
    pictures: Tensor  # (T, 3, S, S) in 0..1
    turns: Sequence[Turn]
    labels: Tensor  # (N,) int64: which phrase of the last request each target belongs to
    masks: Tensor  # (T, N, S, S) bool
    regions: Tensor | None = None  # (R, S, S) bool, drawn on the first frame
    times: Sequence[float] | None = None  # of the temporal patches, in seconds
    seen: Patches | None = None  # what the language model sees, if not the same pictures
    names: Tensor | None = None  # (T, S, S) int64: the noun of every pixel, see `naming.py`


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Padded tensors; those marked CPU steer the computation and never visit the device.

    B examples are about V clips or pictures: what several have in common is there once.
    """

    ids: Tensor  # (B, L)
    labels: Tensor  # (B, L), CPU
    phrases: Tensor  # (B, L), CPU
    segs: Tensor  # (B, L), CPU
    views: tuple[int, ...]  # which of the V each example is about; B entries
    patches: Tensor  # of all V, (P, 3 * t * p * p)
    grids: Tensor  # (V, 3), CPU
    pixels: Tensor  # (V, T, 3, S, S), normalised for the mask encoder
    points: Tensor | None  # (R, points, 2)
    owners: Tensor | None  # (R,): the example each region belongs to
    targets: list[list[tuple[Tensor, Tensor]]]  # per frame, per example: (N,), (N, S, S)
    names: Tensor | None = None  # (V, T, S, S): the noun of every pixel; None if not known of all


def collate(
    examples: Sequence[Example], vocabulary: Vocabulary, config: X2SAMConfig, device: torch.device
) -> Batch:
    """Pad and stack. Examples that hold the same tensor of pictures share it in the batch.

    Raises:
        PromptError: a region is empty.
    """
    keys = [(id(example.pictures), id(example.seen)) for example in examples]
    different = dict(zip(keys, examples, strict=True))
    views = tuple(list(different).index(key) for key in keys)
    pictures = torch.stack([example.pictures for example in different.values()]).to(device)
    seen = _seen(list(different.values()), pictures, config)
    names = [example.names for example in different.values() if example.names is not None]
    encoded = [
        last_request(
            encode_chat(
                example.turns,
                vocabulary,
                example.media,
                grid=seen[view].grid,
                times=example.times,
                region_tokens=config.regions.tokens,
            )
        )
        for example, view in zip(examples, views, strict=True)
    ]
    drawn = [
        (owner, draw_points(mask, config.regions.points))
        for owner, example in enumerate(examples)
        for mask in (example.regions if example.regions is not None else ())
    ]
    return Batch(
        ids=_pad([item.ids for item in encoded], 0).to(device),
        labels=_pad([item.labels for item in encoded], IGNORED),
        phrases=_pad([item.phrases for item in encoded], -1),
        segs=_pad([item.segs for item in encoded], -1),
        views=views,
        patches=torch.cat([patches.values for patches in seen]).to(device),
        grids=torch.cat([patches.grids for patches in seen]),
        pixels=normalise(pictures),
        points=torch.stack([points for _, points in drawn]).to(device) if drawn else None,
        owners=torch.tensor([owner for owner, _ in drawn], device=device) if drawn else None,
        targets=visible(examples),
        names=torch.stack(names).to(device) if len(names) == len(different) else None,
    )


def _seen(examples: Sequence[Example], pictures: Tensor, config: X2SAMConfig) -> list[Patches]:
    """What the language model sees of each view, of its pictures (V, T, 3, S, S) if need be."""
    given = [example.seen for example in examples if example.seen is not None]
    if given:
        assert len(given) == len(examples), "patches are given for all examples or for none"
        return given
    cut = patchify(2 * pictures - 1, config.vision)
    return [Patches(own, cut.grid) for own in cut.values.chunk(len(examples))]


def last_request(encoded: Encoded) -> Encoded:
    """Keep only the phrases and the `<SEG>` of the last turn; what came before is context.

    As in use, phrases of the answer replace those of the question, and an answer without
    `<SEG>` asks for nothing.
    """
    learnt = np.flatnonzero(encoded.labels != IGNORED)  # answers; what is between them is not
    ends = np.flatnonzero(np.diff(learnt) > 1)
    turn = learnt[ends[-1]] + 1 if len(ends) else 0
    answer = learnt[ends[-1] + 1] if len(ends) else learnt[0]
    place = np.arange(len(encoded))
    segs = np.where(place >= answer, encoded.segs, -1)
    named_there = bool((encoded.phrases[answer:] >= 0).any())
    phrases = np.where(place >= (answer if named_there else turn), encoded.phrases, -1)
    if segs.max() < 0:
        phrases = np.full_like(phrases, -1)
    else:
        assert phrases.max() >= 0, "a <SEG> without a phrase"
    return Encoded(
        ids=encoded.ids,
        phrases=_renumbered(phrases),
        segs=_renumbered(segs),
        labels=encoded.labels,
    )


def _renumbered(indices: np.ndarray) -> np.ndarray:
    """Count from 0 again; -1 stays."""
    first = indices[indices >= 0].min(initial=len(indices))
    return np.where(indices >= 0, indices - first, -1)


def visible(examples: Sequence[Example]) -> list[list[tuple[Tensor, Tensor]]]:
    """Targets per frame and example, without what cannot be seen in that frame."""
    masks = torch.cat([example.masks for example in examples], dim=1)  # (T, all N, S, S)
    counts = [len(example.labels) for example in examples]
    shown = masks.flatten(2).any(dim=2).cpu().split(counts, dim=1)  # one wait for the device
    return [
        [
            (example.labels[own[frame]], example.masks[frame][own[frame]])
            for example, own in zip(examples, shown, strict=True)
        ]
        for frame in range(len(masks))
    ]


def join(targets: Sequence[tuple[Tensor, Tensor]], device: torch.device) -> Targets:
    """Lay the targets of all frames and examples end to end, on the device."""
    joined = Targets.join(targets)
    return Targets(joined.labels.to(device), joined.masks.to(device), joined.counts)


def _pad(rows: Sequence[np.ndarray], value: int) -> Tensor:
    return pad_sequence([torch.from_numpy(row) for row in rows], True, value)
