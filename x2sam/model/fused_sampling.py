"""Deformable attention's sampling as one Triton kernel, for NVIDIA GPUs.

What `pixel_decoder.sample` does with `grid_sample`: of the 4B it writes 1 GB of samples per
layer, only to sum them up. Here each program reads the few places of some tokens for one head,
whose channels lie next to each other, and keeps the sum to itself. All arithmetic is float32.
"""

# Triton reads the kernel's arguments in its own way: names of constants are capitals, and only
# they are annotated.
# ruff: noqa: ANN001, ANN201, N803

from __future__ import annotations

import importlib.util
import logging
from typing import Any, Final

import torch
from torch import Tensor

TOKENS: Final = 16  # a program's
AVAILABLE: Final = importlib.util.find_spec("triton") is not None
_log = logging.getLogger(__name__)
_broken: list[Exception] = []  # what went wrong, if it did: then nobody tries again

if AVAILABLE:
    import triton  # type: ignore[import-untyped]
    import triton.language as tl  # type: ignore[import-untyped]

    @triton.jit  # type: ignore[untyped-decorator]
    def kernel(  # type: ignore[no-untyped-def]
        values,
        places,
        weights,
        levels,
        out,
        tokens,
        HEADS: tl.constexpr,
        CHANNELS: tl.constexpr,
        WIDE: tl.constexpr,
        LEVELS: tl.constexpr,
        POINTS: tl.constexpr,
        TOKENS: tl.constexpr,
    ):
        """Sum up the samples of some tokens of a picture for one head."""
        token = tl.program_id(0) * TOKENS + tl.arange(0, TOKENS)
        head, picture = tl.program_id(1), tl.program_id(2)
        channel = tl.arange(0, WIDE)[None, :]
        real = token < tokens
        row = (picture * tokens + token).to(tl.int64) * HEADS + head
        total = tl.full((TOKENS, WIDE), 0.0, tl.float32)
        for level in tl.static_range(LEVELS):
            height = tl.load(levels + 3 * level)
            width = tl.load(levels + 3 * level + 1)
            start = tl.load(levels + 3 * level + 2)
            for point in tl.static_range(POINTS):
                at = row * (LEVELS * POINTS) + level * POINTS + point
                x = tl.load(places + 2 * at, real, 0.0).to(tl.float32) * width - 0.5
                y = tl.load(places + 2 * at + 1, real, 0.0).to(tl.float32) * height - 0.5
                weight = tl.load(weights + at, real, 0.0).to(tl.float32)
                left, top = tl.floor(x), tl.floor(y)
                for corner in tl.static_range(4):
                    column, line = left + corner % 2, top + corner // 2
                    share = (1 - tl.abs(x - column)) * (1 - tl.abs(y - line)) * weight
                    inside = (column >= 0) & (column < width) & (line >= 0) & (line < height)
                    cell = tl.where(inside, line * width + column, 0.0).to(tl.int64)
                    source = (picture * tokens + start + cell) * HEADS + head
                    seen = (inside & real)[:, None] & (channel < CHANNELS)
                    value = tl.load(values + source[:, None] * CHANNELS + channel, seen, 0.0)
                    total += share[:, None] * value.to(tl.float32)
        kept = real[:, None] & (channel < CHANNELS)
        tl.store(out + row[:, None] * CHANNELS + channel, total, kept)


def launch(run: Any, values: Tensor, places: Tensor, weights: Tensor, levels: Tensor) -> Tensor:
    """Start the kernel over all tokens, heads and pictures; `run` is the kernel."""
    batch, tokens, heads, channels = values.shape
    out = torch.empty_like(values)
    grid = (-(-tokens // TOKENS), heads, batch)
    run[grid](
        values,
        places,
        weights,
        levels,
        out,
        tokens,
        HEADS=heads,
        CHANNELS=channels,
        WIDE=1 << (channels - 1).bit_length(),
        LEVELS=places.shape[3],
        POINTS=places.shape[4],
        TOKENS=TOKENS,
        enable_fp_fusion=True,
    )
    return out.flatten(2)


@torch.library.custom_op("x2sam::sample", mutates_args=())
def _sample(values: Tensor, places: Tensor, weights: Tensor, levels: Tensor) -> Tensor:
    with torch.cuda.device(values.device):  # Triton starts on the current one
        return launch(kernel, values, places, weights, levels)


@_sample.register_fake
def _(values: Tensor, places: Tensor, weights: Tensor, levels: Tensor) -> Tensor:
    del places, weights, levels
    return torch.empty_like(values).flatten(2)


def sample(values: Tensor, places: Tensor, weights: Tensor, levels: Tensor) -> Tensor | None:
    """Sum up samples: (B, N, heads * C); None where it has to be done plainly.

    Args:
        values: (B, N, heads, C), level after level.
        places: (B, N, heads, levels, points, 2), fractions (x, y).
        weights: (B, N, heads, levels * points).
        levels: height, width and first token of each level, (levels, 3) int32.
    """
    learning = torch.is_grad_enabled() and values.requires_grad
    if not AVAILABLE or not values.is_cuda or torch.version.hip or learning or _broken:
        return None
    try:
        whole = (each.contiguous() for each in (values, places, weights))
        return torch.as_tensor(_sample(*whole, levels))
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # noqa: BLE001 – a compiler or driver fails in ways of its own
        _broken.append(error)
        _log.warning("Features are sampled without Triton: %s", error)
        return None
