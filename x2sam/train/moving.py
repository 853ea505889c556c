"""What a tracker learns from: short clips, and the masks of some of their objects.

Two kinds of clips take turns. Scenes are drawn: sprites that move, cross, leave and come back,
with exact masks. Photos are set in motion: the camera wanders and every frame is bent a little
differently, so that a thing keeps its looks and loses its outline, as real things do.

Clip `index` of a seed is always the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from x2sam.train.compose import compose
from x2sam.train.samples import Stream
from x2sam.train.scenes import draw_scene

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from x2sam.train.scenes import Layout, Moves

LEAST = 0.004  # share of the picture that an object covers where it is marked
LAYOUTS: tuple[Layout, ...] = ("varied", "varied", "twins", "colours")
_BENDS = 5  # knots of the field that bends a frame, along a side


@dataclass(frozen=True, slots=True, eq=False)
class Clips:
    """C clips of T frames, K objects of each; every object is to be seen on the first frame."""

    pictures: Tensor  # (C, T, 3, S, S) in 0..1
    masks: Tensor  # (C, T, K, S, S) bool


def draw_clips(
    stream: Stream,
    index: int,
    *,
    clips: int,
    frames: int,
    objects: int,
    size: int,
    photo: bool = False,
) -> Clips:
    """Draw batch number `index`; where a clip has fewer objects, some come twice."""
    pictures: list[Tensor] = []
    masks: list[Tensor] = []
    number = 0
    while len(pictures) < clips:
        rng = np.random.default_rng([stream.seed, 9, stream.name == "training", index, number])
        number += 1
        shown, things = (_photo if photo else _scene)(rng, stream, frames, size)
        areas = things[0].float().mean(dim=(1, 2))  # on the first frame
        clear = np.flatnonzero((areas >= LEAST).cpu().numpy())
        if not len(clear):
            continue
        chosen = np.resize(rng.permutation(clear), objects)
        pictures.append(shown)
        masks.append(things[:, torch.from_numpy(chosen)])
    return Clips(torch.stack(pictures), torch.stack(masks))


def with_shapes(clips: Clips, index: int, *, round_: bool) -> Clips:
    """Put discs or rectangles in the place of the objects, whatever the pictures show."""
    shape, size = clips.masks.shape[:3], clips.masks.shape[-1]
    device = clips.masks.device
    rng = np.random.default_rng([10, index])
    count = int(np.prod(shape))
    centre = torch.from_numpy(rng.uniform(0, size, (2, count, 1, 1))).to(device)
    extent = (
        rng.uniform(size / 20, size / 14, count)
        if round_
        else rng.uniform(size / 16, size / 4.5, (2, count))
    )
    half = torch.from_numpy(np.broadcast_to(extent, (2, count))[..., None, None].copy()).to(device)
    axis = torch.arange(size, device=device)
    away = torch.stack(
        [(axis - centre[0]).expand(-1, size, -1), (axis[:, None] - centre[1]).expand(-1, -1, size)]
    ).abs()
    inside = (away / half).square().sum(dim=0) < 1 if round_ else (away < half).all(dim=0)
    return Clips(clips.pictures, inside.view(clips.masks.shape))


def _scene(rng: Generator, stream: Stream, frames: int, size: int) -> tuple[Tensor, Tensor]:
    layout = LAYOUTS[rng.integers(len(LAYOUTS))]
    moves: Moves = "lively" if rng.random() < 0.7 else "calm"  # noqa: PLR2004
    scene = draw_scene(rng, stream.bank, stream.rows, layout=layout, frames=frames, moves=moves)
    photos = stream.backgrounds[0] if stream.backgrounds else None
    pictures, masks = compose([scene], stream.bank, size, photos)
    return pictures[0], masks[0]


def _photo(rng: Generator, stream: Stream, frames: int, size: int) -> tuple[Tensor, Tensor]:
    assert stream.photos is not None
    view = stream.photos.draw_view(rng, stream.photo_rows, frames)
    device = stream.bank.device
    pictures, masks = (part.to(device) for part in stream.photos.compose(view, size))
    if frames == 1:
        return pictures, masks
    grid = torch.from_numpy(bends(rng, frames, size)).to(device)
    pictures = F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)
    bent = F.grid_sample(masks.float(), grid, padding_mode="reflection", align_corners=False)
    return pictures.clamp(0, 1), bent > 0.5  # noqa: PLR2004


def bends(rng: Generator, frames: int, size: int) -> NDArray[np.float32]:
    """Where every frame of a clip looks, (T, S, S, 2) in -1..1: a turn, a shift and a bend.

    All grow from nothing on the first frame to their whole on the last, on a way that wavers.
    """
    way = np.linspace(0, 1, frames) + 0.15 * np.sin(np.arange(frames) * rng.uniform(0.5, 3))
    way = (way * np.arange(frames).clip(max=1))[:, None, None, None]
    axis = ((np.arange(size) + 0.5) / size * 2 - 1).astype(np.float32)
    at = np.stack(np.meshgrid(axis, axis), axis=-1)[None]  # (1, S, S, 2)
    turn = rng.normal(0, 0.12) * way
    cos, sin = np.cos(turn), np.sin(turn)
    turned = np.concatenate(
        [cos * at[..., :1] - sin * at[..., 1:], sin * at[..., :1] + cos * at[..., 1:]], axis=-1
    )
    knots = torch.from_numpy(rng.normal(0, 0.08, (1, 2, _BENDS, _BENDS)).astype(np.float32))
    field = F.interpolate(knots, (size, size), mode="bicubic", align_corners=True)
    scale = 1 + rng.normal(0, 0.1) * way
    shift = rng.normal(0, 0.08, 2) * way
    moved: NDArray[np.float64] = scale * turned + shift + way * field.permute(0, 2, 3, 1).numpy()
    return moved.astype(np.float32)
