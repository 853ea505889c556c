"""Pixel decoder: Mask2Former's, with deformable attention sampled in fp32.

The weights were trained with a CUDA kernel that samples and sums in fp32 whatever the dtype
around it; transformers' own version samples in the dtype of the features, which in bf16 is a
visibly different function. That piece is ours, and so is the order of the rest, without padding
masks and searches for infinities, as all frames have one size.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import Mask2FormerConfig
from transformers.models.mask2former import modeling_mask2former as upstream

from x2sam.model import fused_sampling
from x2sam.model.positions import sine_positions

Shapes = tuple[tuple[int, int], ...]  # height and width of each level


class PixelDecoder(upstream.Mask2FormerPixelDecoder):
    """Multi-scale features from the mask encoder's maps."""

    def __init__(self, config: Mask2FormerConfig) -> None:
        super().__init__(config, config.feature_channels)
        self.encoder.layers = torch.nn.ModuleList(
            EncoderLayer(config) for _ in range(config.encoder_layers)
        )

    def forward(self, maps: Sequence[Tensor]) -> tuple[list[Tensor], Tensor]:
        """Decode maps (fine to coarse): three maps coarse to fine, and the mask features.

        Shapes: (B, D, h, w) each; the mask features have the finest input's size.
        """
        pairs = zip(self.input_projections, reversed(maps), strict=False)
        levels = [project(level) for project, level in pairs]  # the coarsest, first
        shapes = tuple((level.shape[2], level.shape[3]) for level in levels)
        x = torch.cat([level.flatten(2).mT for level in levels], dim=1)  # (B, N, D)
        codes = [sine_positions(level).flatten(2).mT for level in levels]
        positions = torch.cat(
            [code + embed for code, embed in zip(codes, self.level_embed, strict=True)], dim=1
        )
        for layer in self.encoder.layers:
            x = layer(x, positions, shapes)
        outputs = [
            level.mT.unflatten(2, shape)
            for level, shape in zip(x.split([h * w for h, w in shapes], dim=1), shapes, strict=True)
        ]
        finest = outputs[-1]
        fine = reversed(maps[: self.num_fpn_levels])
        adapters = zip(self.lateral_convolutions, self.output_convolutions, fine, strict=True)
        for adapt, smooth, level in adapters:
            adapted = adapt(level)
            larger = F.interpolate(finest, adapted.shape[-2:], mode="bilinear")
            finest = smooth(adapted + larger)
        outputs = [*outputs, finest][: self.num_feature_levels]
        return outputs, torch.as_tensor(self.mask_projection(finest))


class EncoderLayer(upstream.Mask2FormerPixelDecoderEncoderLayer):
    """Deformable attention, then a feed-forward network; norms after."""

    def __init__(self, config: Mask2FormerConfig) -> None:
        super().__init__(config)
        stock: Any = getattr(self, "self_attn")  # noqa: B009  mypy cannot see the base class
        self.self_attn = DeformableAttention(
            stock.d_model, stock.n_heads, stock.n_levels, stock.n_points
        )

    def forward(self, x: Tensor, positions: Tensor, shapes: Shapes) -> Tensor:
        """Update the tokens of all levels (B, N, D)."""
        x = self.self_attn_layer_norm(x + self.self_attn(x, positions, shapes))
        return torch.as_tensor(self.final_layer_norm(x + self.fc2(F.relu(self.fc1(x)))))


class DeformableAttention(upstream.Mask2FormerPixelDecoderEncoderMultiscaleDeformableAttention):
    """Each token reads a few learned places of every level (Deformable DETR, equation 3)."""

    def forward(self, x: Tensor, positions: Tensor, shapes: Shapes) -> Tensor:
        """Attend from and to the tokens of all levels, (B, N, D).

        Args:
            x: tokens, level after level.
            positions: their position codes, (1, N, D).
            shapes: height and width of the levels.
        """
        batch, tokens, _ = x.shape
        query = x + positions
        places = (batch, tokens, self.n_heads, self.n_levels, self.n_points)
        offsets = self.sampling_offsets(query).view(*places, 2)
        weights = self.attention_weights(query).view(*places[:3], -1).softmax(dim=-1)
        centres, size, levels = _grid(shapes, x.device, x.dtype)
        locations = centres[:, None, None, None] + offsets / size
        values = self.value_proj(x).view(batch, tokens, self.n_heads, -1)
        sampled = fused_sampling.sample(values, locations, weights, levels)
        if sampled is None:
            sampled = sample(values, shapes, locations, weights)
        return torch.as_tensor(self.output_proj(sampled))


@lru_cache(16)
def _grid(
    shapes: Shapes, device: torch.device, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    """Where tokens sit, and how large the levels are.

    Made once for pictures of a size: to make them for each frame, a GPU would be waited for.

    Returns:
        Each token's place as a fraction (x, y), (N, 2); the levels' sizes (x, y),
        (levels, 1, 2); and their heights, widths and first tokens, (levels, 3) int32.
    """
    with torch.inference_mode(mode=False):  # training may meet it too
        centres, levels, start = [], [], 0
        for height, width in shapes:
            y, x = (
                torch.linspace(0.5, n - 0.5, n, dtype=dtype, device=device) / n
                for n in (height, width)
            )
            centres.append(torch.cartesian_prod(y, x).flip(1))
            levels.append((height, width, start))
            start += height * width
        size = torch.tensor([(width, height) for height, width in shapes])[:, None]
        table = torch.tensor(levels, dtype=torch.int32)
        return torch.cat(centres), size.to(device), table.to(device)


def sample(values: Tensor, shapes: Shapes, locations: Tensor, weights: Tensor) -> Tensor:
    """Weighted sum of bilinear samples, in fp32: (B, N, heads * C) in the dtype of the values.

    Args:
        values: (B, N, heads, C), level after level.
        shapes: height and width of the levels.
        locations: (B, N, heads, levels, points, 2) as fractions (x, y).
        weights: (B, N, heads, levels * points), which sum to one.
    """
    batch, tokens, _, levels, points, _ = locations.shape
    grid = (2 * locations.float() - 1).permute(3, 0, 2, 1, 4, 5).flatten(1, 2)
    maps = values.float().permute(0, 2, 3, 1).flatten(0, 1)  # (B * heads, C, N)
    sampled = [
        F.grid_sample(level.unflatten(-1, shape), at, align_corners=False)
        for level, shape, at in zip(
            maps.split([h * w for h, w in shapes], dim=-1), shapes, grid, strict=True
        )
    ]  # (B * heads, C, N, points) each
    weights = weights.float().transpose(1, 2).reshape(-1, 1, tokens, levels * points)
    out: Tensor = (torch.cat(sampled, dim=-1) * weights).sum(dim=-1)  # (B * heads, C, N)
    return out.view(batch, -1, tokens).mT.to(values.dtype)  # (B, N, heads * C)
