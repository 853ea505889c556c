"""Memory encoder: a segmented frame becomes tokens to remember.

The features of every scale are brought to one grid and told where something was found: the
union of all masks, each weighted by how sure its query was of being anything at all
("guided vision features", X2SAM, section 3; fuser and down-samplers after SAM 2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from x2sam.config import MemoryConfig
from x2sam.model.positions import sine_positions

MASK_STRIDE = 4  # of the mask logits, in pixels of the mask encoder's picture


class MemoryEncoder(nn.Module):
    """Encode the feature maps and masks of a frame."""

    def __init__(self, width: int, config: MemoryConfig, strides: Sequence[int]) -> None:
        """Make an encoder for feature maps of the given strides, coarse to fine."""
        super().__init__()
        self.mask_downsampler = DownSampler(
            1, width, halvings=_halvings(MASK_STRIDE, config.grid_stride), growth=4
        )
        self.vision_downsampler = nn.ModuleList(
            DownSampler(width, width, _halvings(stride, config.grid_stride), config.growth)
            for stride in strides
        )
        self.memory_fuser = MemoryFuser(width, config)
        self.projection = nn.Conv2d(width, width, 1)

    def forward(
        self, maps: Sequence[Tensor], class_logits: Tensor, mask_logits: Tensor
    ) -> tuple[list[Tensor], Tensor]:
        """Encode.

        Args:
            maps: pixel decoder features before memory attention, coarse to fine, (B, D, h, w).
            class_logits: (B, Q, C + 1), the background last.
            mask_logits: (B, Q, h, w) at stride 4.

        Returns:
            Tokens (B, N, D) for every scale, and where they sit, (1, N, D).
        """
        # The mask branch does not depend on the scale; the official code runs it for each.
        guidance = self.mask_downsampler(20 * soft_union(class_logits, mask_logits) - 10)
        entries = []
        for features, downsample in zip(maps, self.vision_downsampler, strict=True):
            fused = self.memory_fuser(downsample(features) + guidance)
            entries.append(self.projection(fused).flatten(2).mT)  # (B, N, D)
        return entries, sine_positions(guidance).flatten(2).mT


def soft_union(class_logits: Tensor, mask_logits: Tensor) -> Tensor:
    """Where anything was found: (B, 1, h, w) in 0..1."""
    sure = class_logits.softmax(dim=-1)[..., :-1].amax(dim=-1)  # (B, Q)
    bias = sure.clamp(min=1e-6).log()[..., None, None]
    weights = (mask_logits + bias).softmax(dim=1)
    return (weights * mask_logits.sigmoid()).sum(dim=1, keepdim=True)


def _halvings(stride: int, target: int) -> int:
    halvings = math.log2(target / stride)
    assert halvings >= 0, f"a map of stride {stride} is coarser than the memory's {target}"
    assert halvings.is_integer(), f"{target} is not {stride} times a power of two"
    return int(halvings)


class DownSampler(nn.Module):
    """Halve a map some times, its channels growing meanwhile, then project it."""

    def __init__(self, channels: int, out: int, halvings: int, growth: int) -> None:
        super().__init__()
        widths = [channels * growth**step for step in range(halvings + 1)]
        self.layers = nn.ModuleList(Halving(before, after) for before, after in pairwise(widths))
        self.final_conv = nn.Conv2d(widths[-1], out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Down-sample (B, C, H, W): (B, out, h, w)."""
        for layer in self.layers:
            x = layer(x)
        return torch.as_tensor(self.final_conv(x))


class Halving(nn.Module):
    """Half the size, more channels."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, 3, stride=2, padding=1)
        self.layer_norm = nn.LayerNorm(out, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """Halve (B, C, H, W)."""
        return F.gelu(over_channels(self.layer_norm, self.conv(x)))


class MemoryFuser(nn.Module):
    """ConvNeXt blocks."""

    def __init__(self, width: int, config: MemoryConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            FuserBlock(width, config.fuser_feed_forward) for _ in range(config.fuser_layers)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Mix (B, D, h, w)."""
        for layer in self.layers:
            x = layer(x)
        return x


class FuserBlock(nn.Module):
    """Depth-wise convolution, then a feed-forward network per cell, softly added."""

    def __init__(self, width: int, feed_forward: int) -> None:
        super().__init__()
        self.depthwise_conv = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.layer_norm = nn.LayerNorm(width, eps=1e-6)
        self.pointwise_conv1 = nn.Linear(width, feed_forward)
        self.pointwise_conv2 = nn.Linear(feed_forward, width)
        self.scale = nn.Parameter(torch.empty(width))

    def forward(self, x: Tensor) -> Tensor:
        """Mix (B, D, h, w)."""
        y: Tensor = self.layer_norm(self.depthwise_conv(x).movedim(1, -1))
        y = self.scale * self.pointwise_conv2(F.gelu(self.pointwise_conv1(y)))
        return x + y.movedim(-1, 1)


def over_channels(norm: nn.LayerNorm, x: Tensor) -> Tensor:
    """Apply a layer norm to the channels of (B, C, H, W)."""
    normed: Tensor = norm(x.movedim(1, -1)).movedim(-1, 1)
    return normed
