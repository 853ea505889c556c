"""From pictures to what the two encoders want to be shown.

The language model sees a picture near its own size, cut into patches; a clip's frames share
one budget of pixels, and two neighbouring frames make a patch. The mask encoder sees every
frame squashed to a square, whatever its shape.

The rules are Qwen3-VL's and SAM 2's (SAM 2 as published with X2SAM: no padding). Their
processors in transformers are not used: which resampling one gets there depends on what
else is installed, and all they do is a resize and a permutation.

    >>> clip = np.zeros((3, 50, 100, 3), np.uint8)
    >>> patches = clip_patches(clip, VisionConfig())
    >>> patches.grid
    VisualGrid(t=2, h=4, w=6, merge=2, means=0)
    >>> patches.values.shape
    torch.Size([48, 1536])
    >>> squares(clip, 64).shape
    torch.Size([3, 3, 64, 64])
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from x2sam.config import VisionConfig
from x2sam.errors import MediaError
from x2sam.language.encoding import VisualGrid

Pixels = npt.NDArray[np.uint8]

MAX_ASPECT: Final = 200  # the longer side over the shorter; Qwen's rule is not meant for more
_IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
_IMAGENET_STD: Final = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """Pictures or clips of one size, as the language model's vision tower reads them."""

    values: Tensor  # (N * t * h * w, 3 * temporal_patch * patch * patch) float32, -1 to 1
    grid: VisualGrid  # of each

    @property
    def grids(self) -> Tensor:
        """The grid as the vision tower takes it for a single one, (1, 3)."""
        return torch.tensor([[self.grid.t, self.grid.h, self.grid.w]])


def image_patches(
    image: Pixels, config: VisionConfig, device: torch.device | None = None
) -> Patches:
    """Cut a picture (H, W, 3) into patches.

    Raises:
        MediaError: the picture is a line rather than a picture.
    """
    size = fit(image.shape[:2], config.patch * config.merge, config.image_pixels)
    resized = _resize(image, size, Image.Resampling.BICUBIC)
    return patchify((2 * _unit(resized.to(device)) - 1)[None, None], config)


def clip_patches(
    frames: Pixels, config: VisionConfig, device: torch.device | None = None
) -> Patches:
    """Cut the frames of a clip (T, H, W, 3) into patches of `temporal_patch` frames each.

    Raises:
        MediaError: the frames are lines rather than pictures.
    """
    size = fit(
        frames.shape[1:3],
        config.patch * config.merge,
        config.clip_pixels,
        frames=max(len(frames), config.temporal_patch),
        temporal=config.temporal_patch,
    )
    # Clips were resized by torch in training and pictures by PIL, which differ by a level or so.
    channels_first = torch.tensor(frames).permute(0, 3, 1, 2)  # (T, 3, H, W)
    resized = F.interpolate(channels_first, size, mode="bicubic", antialias=True)
    # The official processors round the last bit differently too: a long clip multiplies it.
    return patchify(((resized.to(device).float() - 127.5) / 127.5)[None], config)


def patchify(clips: Tensor, config: VisionConfig) -> Patches:
    """Cut clips (N, T, 3, H, W), values in -1..1; the last frame is repeated to fill a patch.

    Patches that become one token follow each other: blocks of merge × merge, row by row.
    """
    temporal, patch, merge = config.temporal_patch, config.patch, config.merge
    if missing := -clips.shape[1] % temporal:
        clips = torch.cat([clips, clips[:, -1:].expand(-1, missing, -1, -1, -1)], dim=1)
    x = clips.unflatten(4, (-1, merge, patch)).unflatten(3, (-1, merge, patch))
    x = x.unflatten(1, (-1, temporal))  # (N, t, T', 3, h, merge, patch, w, merge, patch)
    _, t, _, _, rows, _, _, columns, _, _ = x.shape
    x = x.permute(0, 1, 4, 7, 5, 8, 3, 2, 6, 9)  # (N, t, h, w, merge, merge, 3, T', patch, patch)
    values = x.flatten(6).flatten(0, 5)
    return Patches(values, VisualGrid(t, rows * merge, columns * merge, merge))


def squares(frames: Pixels, side: int, device: torch.device | None = None) -> Tensor:
    """Squash frames (T, H, W, 3) for the mask encoder: (T, 3, side, side) float32 on the device."""
    return normalise(squash(frames, side, device))


def squash(frames: Pixels, side: int, device: torch.device | None = None) -> Tensor:
    """Resize frames (T, H, W, 3) to squares, whatever their shape: (T, 3, side, side), 0..1."""
    resized = [_resize(frame, (side, side), Image.Resampling.BILINEAR) for frame in frames]
    return _unit(torch.stack(resized).to(device))


def normalise(pictures: Tensor) -> Tensor:
    """Give pictures (..., 3, H, W) with values in 0..1 the mean and spread of ImageNet's."""
    mean, std = _spread(pictures.device)
    return (pictures - mean) / std


@lru_cache(8)
def _spread(device: torch.device) -> tuple[Tensor, Tensor]:
    """Keep mean and spread on the device: to bring them there it would be waited for."""
    with torch.inference_mode(mode=False):  # training may meet them too
        mean, std = (
            torch.tensor(values, device=device)[:, None, None]
            for values in (_IMAGENET_MEAN, _IMAGENET_STD)
        )
        return mean, std


def square_masks(masks: npt.NDArray[np.bool_], side: int) -> Tensor:
    """Squash drawn masks (N, H, W) in the same way: (N, side, side) bool.

    A mask too thin for its nearest neighbours keeps one pixel, so that no click is lost.
    """
    return torch.from_numpy(np.stack([_square_mask(mask, side) for mask in masks]))


def _square_mask(mask: npt.NDArray[np.bool_], side: int) -> npt.NDArray[np.bool_]:
    image = Image.fromarray(mask).resize((side, side), Image.Resampling.NEAREST)
    square = np.array(image)
    if mask.any() and not square.any():
        inside = np.argwhere(mask)
        y, x = inside[len(inside) // 2] * side // mask.shape
        square[y, x] = True
    return square


def fit(
    shape: tuple[int, ...],
    unit: int,
    budget: tuple[int, int],
    frames: int = 1,
    temporal: int = 1,
) -> tuple[int, int]:
    """Find the nearest size whose sides are multiples of `unit` and whose pixels fit.

    Args:
        shape: height and width.
        unit: pixels that a token's side covers.
        budget: the fewest and the most pixels of all frames together.
        frames: how many there are.
        temporal: how many frames share a token.

    Raises:
        MediaError: one side is more than `MAX_ASPECT` times the other.
    """
    height, width = shape
    if max(shape) > MAX_ASPECT * min(shape):
        raise MediaError(
            f"The picture is {width} × {height} pixels; its longer side may be at most "
            f"{MAX_ASPECT} times the shorter one."
        )
    fewest, most = budget
    size = round(height / unit) * unit, round(width / unit) * unit
    pixels = round(frames / temporal) * temporal * size[0] * size[1]
    if pixels > most:
        shrink = math.sqrt(frames * height * width / most)
        size = (
            max(unit, math.floor(height / shrink / unit) * unit),
            max(unit, math.floor(width / shrink / unit) * unit),
        )
    elif pixels < fewest:
        grow = math.sqrt(fewest / (frames * height * width))
        size = math.ceil(height * grow / unit) * unit, math.ceil(width * grow / unit) * unit
    return size


def _resize(image: Pixels, size: tuple[int, int], how: Image.Resampling) -> Tensor:
    """Resize (H, W, 3) with PIL: (3, h, w) uint8."""
    height, width = size
    return torch.tensor(np.array(Image.fromarray(image).resize((width, height), how))).movedim(2, 0)


def _unit(pixels: Tensor) -> Tensor:
    return pixels.float() / 255
