"""Pixel decoder: Mask2Former's, with deformable attention sampled in fp32.

The weights were trained with a CUDA kernel that samples and sums in fp32 whatever the dtype
around it; transformers' own version samples in the dtype of the features, which in bf16 is a
visibly different function. Only that piece is ours, and it drops the padding mask and the
search for infinities, since all frames have one size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import Mask2FormerConfig
from transformers.models.mask2former import modeling_mask2former as upstream


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
        output = super().forward(list(maps))
        return list(output.multi_scale_features), output.mask_features


class EncoderLayer(upstream.Mask2FormerPixelDecoderEncoderLayer):
    """Deformable attention, then a feed-forward network; norms after."""

    def __init__(self, config: Mask2FormerConfig) -> None:
        super().__init__(config)
        stock: Any = getattr(self, "self_attn")  # noqa: B009  mypy cannot see the base class
        self.self_attn = DeformableAttention(
            stock.d_model, stock.n_heads, stock.n_levels, stock.n_points
        )

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor,  # noqa: ARG002  all frames have one size: nothing is padding
        position_embeddings: Tensor,
        reference_points: Tensor,
        spatial_shapes_list: Sequence[tuple[int, int]],
        **_: Any,
    ) -> tuple[Tensor]:
        """Update the tokens of all levels (B, N, D)."""
        x = hidden_states
        update = self.self_attn(x, position_embeddings, reference_points, spatial_shapes_list)
        x = self.self_attn_layer_norm(x + update)
        return (self.final_layer_norm(x + self.fc2(F.relu(self.fc1(x)))),)


class DeformableAttention(upstream.Mask2FormerPixelDecoderEncoderMultiscaleDeformableAttention):
    """Each token reads a few learned places of every level (Deformable DETR, equation 3)."""

    def forward(
        self,
        x: Tensor,
        positions: Tensor,
        reference_points: Tensor,
        shapes: Sequence[tuple[int, int]],
    ) -> Tensor:
        """Attend from and to the tokens of all levels, (B, N, D).

        Args:
            x: tokens, level after level.
            positions: their position codes, (B, N, D).
            reference_points: their places as fractions (x, y) of each level, (B, N, levels, 2).
            shapes: height and width of the levels.
        """
        batch, tokens, _ = x.shape
        query = x + positions
        places = (batch, tokens, self.n_heads, self.n_levels, self.n_points)
        offsets = self.sampling_offsets(query).view(*places, 2)
        weights = self.attention_weights(query).view(*places[:3], -1).softmax(dim=-1)
        size = torch.tensor([(w, h) for h, w in shapes], device=x.device)[:, None]
        locations = reference_points[:, :, None, :, None] + offsets / size
        values = self.value_proj(x).view(batch, tokens, self.n_heads, -1)
        return torch.as_tensor(self.output_proj(sample(values, shapes, locations, weights)))


def sample(
    values: Tensor, shapes: Sequence[tuple[int, int]], locations: Tensor, weights: Tensor
) -> Tensor:
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
