"""From descriptions to pictures: scenes are drawn in batches, on whatever device there is.

Things are laid over each other in a known order, so the mask of each is exact: where more
than half of what one sees is that thing. Everything is tensor arithmetic on the whole batch;
the few choices that depend on a scene were made on the host, so nothing waits for the device.

Shapes: B scenes, T frames, N things, S pixels of a side; F = B * T pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from x2sam.train.colours import hue_matrix
from x2sam.train.scenes import BACKDROPS
from x2sam.train.sprites import SIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from x2sam.train.scenes import Backdrop, Scene
    from x2sam.train.sprites import SpriteBank

LEAST_SHOWN = 0.05  # of a thing; what is hidden more is not there
_BLOCK = 8
# The luminance quantisation table of JPEG (ITU-T T.81, Annex K), as coarse as it falls off.
_QUANTA = (torch.arange(_BLOCK)[:, None] + torch.arange(_BLOCK)[None] + 1.0) * 0.04


@torch.no_grad()
def compose(
    scenes: Sequence[Scene], bank: SpriteBank, size: int, photos: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Draw scenes of equally many frames.

    `photos` (P, 3, h, w) uint8 are backgrounds; without any, noise takes their place.

    Returns:
        pictures (B, T, 3, S, S) in 0..1 and visible masks (B, T, N, S, S) bool, where N is
        the largest number of things; the masks of things a scene does not have are empty.
    """
    frames, device = scenes[0].frames, bank.device
    assert all(scene.frames == frames for scene in scenes), [scene.frames for scene in scenes]
    assert size % _BLOCK == 0, size
    layers = _layers(scenes, bank, size)  # (F, N, 4, S, S)
    picture = _backdrops(scenes, size, photos, device)  # (F, 3, S, S)
    alphas = layers[:, :, 3]
    picture = picture * _shadows(scenes, alphas)
    for layer in layers.unbind(dim=1):
        picture = picture * (1 - layer[:, 3:]) + layer[:, :3]
    masks = _visible(alphas)
    picture = _finish(scenes, picture.clamp(0, 1))
    count = len(scenes)
    return picture.unflatten(0, (count, frames)), masks.unflatten(0, (count, frames))


def _visible(alphas: Tensor) -> Tensor:
    """Masks of what can be seen of every layer, back to front: (F, N, S, S)."""
    through = torch.ones_like(alphas[:, 0])
    seen = []
    for alpha in alphas.flip(1).unbind(dim=1):
        seen.append(through * alpha > 0.5)  # noqa: PLR2004
        through = through * (1 - alpha)
    masks = torch.stack(seen[::-1], dim=1)
    least = LEAST_SHOWN * (alphas > 0.5).sum(dim=(2, 3))  # noqa: PLR2004
    return masks & (masks.sum(dim=(2, 3)) >= least)[..., None, None]


def _layers(scenes: Sequence[Scene], bank: SpriteBank, size: int) -> Tensor:
    """Draw every thing by itself, premultiplied: (F, N, 4, S, S)."""
    frames, most = scenes[0].frames, max(len(scene.rows) for scene in scenes)
    slots, rows, hues, poses, flips = [], [], [], [], []
    for number, scene in enumerate(scenes):
        for frame in range(frames):
            slots.append((number * frames + frame) * most + np.arange(len(scene.rows)))
            rows.append(scene.rows)
            hues.append(scene.hues)
            poses.append(scene.poses[frame])
            flips.append(scene.flips)
    slot, row, hue = np.concatenate(slots), np.concatenate(rows), np.concatenate(hues)
    pose, flip = np.concatenate(poses), np.concatenate(flips)
    matrices = np.stack([hue_matrix(float(angle)) for angle in hue])
    theta = _placements(pose, flip)
    # A sprite is read at the size nearest to the one it is drawn at, or it would flicker.
    wanted = np.log2(SIDE / np.maximum(pose[:, 2] * size, 1))
    level_of = np.clip(np.round(wanted), 0, len(bank.levels) - 1).astype(int)
    layers = torch.zeros(len(scenes) * frames * most, 4, size, size, device=bank.device)
    inside = (np.abs(pose[:, :2] - 0.5) < 0.5 + pose[:, 2:3]).all(axis=1)
    for level, pixels in enumerate(bank.levels):
        here = np.flatnonzero((level_of == level) & inside)
        if not len(here):
            continue
        index, at, turn, place = (
            torch.from_numpy(part).to(bank.device, non_blocking=True)
            for part in (row[here], slot[here], matrices[here], theta[here])
        )
        sprites = pixels[index].float() / 255
        colours = torch.einsum("nij,njyx->niyx", turn, sprites[:, :3])
        sprites = torch.cat([colours.clamp_min(0).minimum(sprites[:, 3:]), sprites[:, 3:]], dim=1)
        grid = F.affine_grid(place, [len(here), 4, size, size], align_corners=False)
        layers[at] = F.grid_sample(sprites, grid, align_corners=False)
    return layers.view(len(scenes) * frames, most, 4, size, size)


def _placements(pose: NDArray[np.float32], flip: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Affine maps (M, 2, 3) from the picture's coordinates to the sprite's, both in -1..1."""
    x, y, size, angle = (2 * pose[:, 0] - 1, 2 * pose[:, 1] - 1, pose[:, 2], pose[:, 3])
    cos, sin = np.cos(angle) / size, np.sin(angle) / size
    mirror = np.where(flip, -1.0, 1.0)
    first = mirror * np.stack([cos, sin, -cos * x - sin * y])
    second = np.stack([-sin, cos, sin * x - cos * y])
    return np.stack([first.T, second.T], axis=1).astype(np.float32)


def _column(values: Sequence[float], device: torch.device) -> Tensor:
    return torch.tensor(values, dtype=torch.float32, device=device)[:, None, None, None]


def _backdrops(
    scenes: Sequence[Scene], size: int, photos: Tensor | None, device: torch.device
) -> Tensor:
    """Draw what is behind the things, (F, 3, S, S)."""
    backs = [scene.backdrop for scene in scenes for _ in range(scene.frames)]
    seeds = [scene.seed for scene in scenes for _ in range(scene.frames)]
    shift = np.concatenate([scene.backdrop.shift for scene in scenes])
    axis = (torch.arange(size, device=device) + 0.5) / size
    x = axis[None, None, None, :] + _column(shift[:, 0].tolist(), device)
    y = axis[None, None, :, None] + _column(shift[:, 1].tolist(), device)
    cos = _column([float(np.cos(back.angle)) for back in backs], device)
    sin = _column([float(np.sin(back.angle)) for back in backs], device)
    wave = 6.2832 * _column([back.frequency for back in backs], device)
    along, across = cos * x + sin * y, cos * y - sin * x  # (F, 1, S, S)
    clouds = _clouds(seeds, x, y)
    ripple, cross = (torch.sigmoid(8 * torch.sin(wave * way)) for way in (along, across))
    patterns = torch.stack(
        [
            torch.zeros_like(along),
            (along * 0.7 + 0.15).clamp(0, 1),
            ripple,
            ripple * cross + (1 - ripple) * (1 - cross),
            clouds[:, :1],
            clouds[:, 1:2],
        ]
    )  # (kinds, F, 1, S, S)
    kind = torch.tensor([BACKDROPS.index(back.kind) for back in backs], device=device)
    pattern = patterns[kind, torch.arange(len(backs), device=device)]
    colours = torch.from_numpy(np.stack([back.colours for back in backs])).to(device)
    low, high = colours[:, 0, :, None, None], colours[:, 1, :, None, None]
    rough = _column([back.rough for back in backs], device)
    picture = low + (high - low) * pattern + rough * (clouds[:, 2:] - 0.5)
    pictured = [i for i, back in enumerate(backs) if back.kind == "photo"]
    if photos is not None and pictured:
        at = torch.tensor(pictured, device=device)
        picture[at] = _photographs([backs[i] for i in pictured], photos, x[at], y[at])
    return picture.clamp(0, 1)


def _clouds(seeds: Sequence[int], x: Tensor, y: Tensor) -> Tensor:
    """Smooth noise with values in 0..1, five channels: (F, 5, S, S)."""
    total = torch.zeros((), device=x.device)
    grid = torch.stack(torch.broadcast_tensors(2 * x[:, 0] - 1, 2 * y[:, 0] - 1), dim=-1)
    for cells, weight in ((4, 0.5), (11, 0.3), (32, 0.2)):
        lattice = hash_noise(seeds, (5, cells, cells), x.device, salt=cells)
        total = total + weight * F.grid_sample(
            lattice, grid, padding_mode="reflection", align_corners=False
        )
    return ((total - 0.5) * 1.8 + 0.5).clamp(0, 1)


def _photographs(backs: Sequence[Backdrop], photos: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Cut out of photos, some of them too blurred to show anything: (F, 3, S, S)."""
    index = torch.tensor([back.photo % len(photos) for back in backs], device=x.device)
    soft = _column([float(back.soft) for back in backs], x.device)
    zoom = _column([back.zoom for back in backs], x.device)
    grid = torch.stack(torch.broadcast_tensors((2 * x - 1) * zoom, (2 * y - 1) * zoom), dim=-1)
    sharp = photos[index].float() / 255
    blurred = F.avg_pool2d(sharp, photos.shape[-1] // 8)
    views = (
        F.grid_sample(view, grid[:, 0], padding_mode="reflection", align_corners=False)
        for view in (sharp, blurred)
    )
    clear, dim = views
    return clear + soft * (dim - clear)


def _shadows(scenes: Sequence[Scene], alphas: Tensor) -> Tensor:
    """How much light the things leave to what is behind them: (F, 1, S, S) in 0..1."""
    finishes = [scene.finish for scene in scenes for _ in range(scene.frames)]
    cast = alphas.amax(dim=1, keepdim=True)  # (F, 1, S, S)
    size = cast.shape[-1]
    small = F.interpolate(cast, scale_factor=0.25, mode="area")
    small = F.avg_pool2d(small, 3, stride=1, padding=1)
    theta = torch.eye(2, 3, device=cast.device).repeat(len(finishes), 1, 1)
    moved = [(-2 * finish.shadow_x, -2 * finish.shadow_y) for finish in finishes]
    theta[:, :, 2] = torch.tensor(moved, device=cast.device)
    grid = F.affine_grid(theta, [len(finishes), 1, size, size], align_corners=False)
    shade = F.grid_sample(small, grid, align_corners=False)
    return 1 - _column([finish.shadow for finish in finishes], cast.device) * shade


def _finish(scenes: Sequence[Scene], picture: Tensor) -> Tensor:
    """Blur, grain, light, and the blocks of a compressed file: (F, 3, S, S) in 0..1."""
    finishes = [scene.finish for scene in scenes for _ in range(scene.frames)]
    device, size = picture.device, picture.shape[-1]
    soft = [i for i, finish in enumerate(finishes) if finish.blur]
    if soft:
        at = torch.tensor(soft, device=device)
        picture[at] = _blur(picture[at], [finishes[i].blur * size for i in soft])
    picture = (picture - 0.5) * _column([f.contrast for f in finishes], device) + 0.5
    picture = picture * _column([f.gain for f in finishes], device)
    grainy = [i for i, finish in enumerate(finishes) if finish.noise]
    if grainy:
        frames = scenes[0].frames
        seeds = [scenes[i // frames].seed + i % frames for i in grainy]
        # Two uniform draws make a triangle, near enough to the grain of a sensor.
        grain = sum(hash_noise(seeds, (3, size, size), device, salt=k) for k in (1, 2))
        amount = _column([3 * finishes[i].noise for i in grainy], device)
        picture[torch.tensor(grainy, device=device)] += amount * (grain - 1)
    blocky = [i for i, finish in enumerate(finishes) if finish.jpeg]
    if blocky:
        at = torch.tensor(blocky, device=device)
        picture[at] = _quantise(picture[at], [finishes[i].jpeg for i in blocky])
    return picture.clamp(0, 1)


def _blur(picture: Tensor, sigmas: Sequence[float]) -> Tensor:
    """Blur every picture by its own Gaussian; standard deviations in pixels."""
    reach = 4
    steps = torch.arange(-reach, reach + 1, device=picture.device)
    sigma = torch.tensor(sigmas, device=picture.device).clamp_min(0.3)
    kernel = torch.exp(-0.5 * (steps / sigma[:, None]) ** 2)
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(3, dim=0)
    planes = F.pad(picture, (reach,) * 4, mode="replicate").flatten(0, 1)[None]
    planes = F.conv2d(planes, kernel[:, None, None, :], groups=len(kernel))
    planes = F.conv2d(planes, kernel[:, None, :, None], groups=len(kernel))
    return planes[0].view_as(picture)


def _quantise(picture: Tensor, strengths: Sequence[float]) -> Tensor:
    """Round the cosine transform of every 8×8 block, as JPEG does."""
    count, channels, height, width = picture.shape
    k = torch.arange(_BLOCK, device=picture.device)
    basis = torch.cos((2 * k[None] + 1) * k[:, None] * torch.pi / (2 * _BLOCK)) * 0.5
    basis[0] *= 0.5**0.5
    quanta = _QUANTA.to(picture.device) * _column(strengths, picture.device)[..., None, None]
    blocks = picture.view(count, channels, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK)
    blocks = blocks.transpose(3, 4)  # (F, 3, rows, columns, 8, 8)
    waves = basis @ blocks @ basis.T
    blocks = basis.T @ (torch.round(waves / quanta) * quanta) @ basis
    return blocks.transpose(3, 4).reshape(picture.shape)


def hash_noise(
    seeds: Sequence[int], shape: tuple[int, int, int], device: torch.device, *, salt: int = 0
) -> Tensor:
    """Uniform noise in 0..1 (F, *shape) that depends on the seeds alone, not on the device.

    Integers are scrambled by multiplying and shifting; no state is kept.
    """
    count = shape[0] * shape[1] * shape[2]
    seed = torch.tensor(seeds, dtype=torch.int64, device=device)[:, None]
    value = torch.arange(count, device=device)[None] * 2_654_435_761 + (seed + salt) * 40_503
    for shift in (15, 13):
        value = ((value ^ (value >> shift)) * 2_246_822_519) & 0x7FFF_FFFF
    return (value.float() / 2.0**31).view(len(seeds), *shape)
