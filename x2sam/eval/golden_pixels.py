"""Recorded pictures, and what the network is shown of them: recorded names → our values."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from x2sam.config import VisionConfig, X2SAMConfig
from x2sam.eval.golden_units import Tensors
from x2sam.model.pixels import Pixels, clip_patches, image_patches, square_masks, squares

PROMPTS = 2  # drawn regions; tasks with one region have the first


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """The inputs of all tasks."""

    images: dict[str, Pixels]
    clip: Pixels  # (T, H, W, 3)
    drawn: np.ndarray  # (R, H, W) bool

    @classmethod
    def load(cls, folder: Path) -> Pictures | None:
        """Read a recording's `inputs/`, if it has them."""
        if not folder.is_dir():
            return None
        images = {name: _read(folder / f"{name}.png", "RGB") for name in ("image", "image_odd")}
        drawn = [_read(folder / f"vprompt{i}.png", "L") > 0 for i in range(PROMPTS)]
        with np.load(folder / "video.npz") as file:
            return cls(images, file["frames"], np.stack(drawn))


def _read(path: Path, mode: str) -> Pixels:
    with Image.open(path) as image:
        return np.array(image.convert(mode))


def preprocess(config: X2SAMConfig, recorded: Tensors, pictures: Pictures) -> Tensors:
    """Show pictures to both encoders, at the recording's size and at the published one.

    Names end in the slice that was recorded: `pixel_values[::8]` is every eighth patch.
    """
    ours = {}
    hub = VisionConfig()
    published = replace(config.vision, image_pixels=hub.image_pixels, clip_pixels=hub.clip_pixels)
    for name in recorded:
        kind, source, size, what = name.split(".", 3)
        step = int((re.findall(r"::(\d+)", what) or ["1"])[-1])
        if kind == "sam2":
            if not size.startswith("hw"):
                continue
            side = int(size.removeprefix("hw"))
            image = pictures.images[source]
            whole = squares(image[None], side)[0]
            values = square_masks(pictures.drawn, side) if "masks" in what else whole
            ours[name] = values[..., ::step, ::step]
            continue
        vision = published if size == "hub" else config.vision
        if kind == "qwen_image":
            patches = image_patches(pictures.images[source], vision)
        else:
            patches = clip_patches(pictures.clip[: int(source.removesuffix("f"))], vision)
        ours[name] = patches.grids if what == "grid_thw" else patches.values[::step]
    return ours


def shown(config: X2SAMConfig, pictures: Pictures, media: str) -> Tensors:
    """Show the picture ("img") or clip ("vid") of all tasks to both encoders."""
    side = config.mask_encoder.image_size
    if media == "img":
        image = pictures.images["image"]
        patches, frames = image_patches(image, config.vision), image[None]
        names = "in.pixel_values", "in.image_grid_thw"
    else:
        patches, frames = clip_patches(pictures.clip, config.vision), pictures.clip
        names = "in.pixel_values_videos", "in.video_grid_thw"
    pixels = squares(frames, side)
    return {names[0]: patches.values, names[1]: patches.grids, "in.extra_pixel_values": pixels}


def drawn(config: X2SAMConfig, pictures: Pictures, like: torch.Tensor) -> torch.Tensor:
    """The regions of a task, as many as `like` has."""
    return square_masks(pictures.drawn[: len(like)], config.mask_encoder.image_size)
