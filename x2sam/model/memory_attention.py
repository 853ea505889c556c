"""Memory attention: the features of a frame look at what is remembered.

Four pre-norm layers, shared by all scales, of self-attention, cross-attention to the mask
memory and a feed-forward network (X2SAM, section 3; after SAM 2's memory attention). Unlike
SAM 2's, keys of the cross-attention are not rotated: the memory has one grid for all scales.
"""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from x2sam.config import MemoryConfig
from x2sam.model.positions import rotate, rotation, sine_positions

QUERIES: Final = 4096  # at a time, where all scores of so many are held


class MemoryAttention(nn.Module):
    """Condition one feature map on the mask memory."""

    def __init__(self, width: int, config: MemoryConfig) -> None:
        super().__init__()
        self.theta = config.rope_theta
        self.layers = nn.ModuleList(
            MemoryAttentionLayer(width, config.attention_feed_forward)
            for _ in range(config.attention_layers)
        )
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, features: Tensor, memory: Tensor, position: Tensor) -> Tensor:
        """Attend.

        Args:
            features: one scale of the frame, (B, D, h, w).
            memory: remembered tokens of that scale, (B, M, D).
            position: their positions, age included, (B, M, D).

        Returns:
            The features, conditioned, (B, D, h, w).
        """
        height, width = features.shape[-2:]
        tables = rotation(height, width, features.shape[1], self.theta, features)
        x = features.flatten(2).mT  # (B, N, D)
        x = x + 0.1 * sine_positions(features).flatten(2).mT
        for layer in self.layers:
            x = layer(x, memory, position, tables)
        out: Tensor = self.layer_norm(x).mT.unflatten(2, (height, width))  # (B, D, h, w)
        return out


class MemoryAttentionLayer(nn.Module):
    """Look at the frame itself, then at the memory, then think."""

    def __init__(self, width: int, feed_forward: int) -> None:
        super().__init__()
        self.self_attn = RotaryAttention(width)
        self.cross_attn = RotaryAttention(width)
        self.linear1 = nn.Linear(width, feed_forward)
        self.linear2 = nn.Linear(feed_forward, width)
        self.layer_norm1 = nn.LayerNorm(width)
        self.layer_norm2 = nn.LayerNorm(width)
        self.layer_norm3 = nn.LayerNorm(width)

    def forward(
        self, x: Tensor, memory: Tensor, position: Tensor, tables: tuple[Tensor, Tensor]
    ) -> Tensor:
        """Update the frame's tokens (B, N, D)."""
        own = self.layer_norm1(x)
        x = x + self.self_attn(own, own, own, tables, rotate_keys=True)
        x = x + self.cross_attn(self.layer_norm2(x), memory + position, memory, tables)
        update: Tensor = self.linear2(F.relu(self.linear1(self.layer_norm3(x))))
        return x + update


class RotaryAttention(nn.Module):
    """One head over the full width, queries (and, if asked, keys) rotated by their place."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.o_proj = nn.Linear(width, width)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        tables: tuple[Tensor, Tensor],
        *,
        rotate_keys: bool = False,
    ) -> Tensor:
        """Attend from (B, N, D) to (B, M, D): (B, N, D)."""
        q = rotate(self.q_proj(query), tables)
        k = self.k_proj(key)
        k = rotate(k, tables) if rotate_keys else k
        v = self.v_proj(value)
        return torch.as_tensor(self.o_proj(_attend(q[:, None], k[:, None], v[:, None])[:, 0]))


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attend from (B, 1, N, D) to (B, 1, M, D), on most devices with some queries at a time.

    CUDA's kernels never hold all scores; Apple's do, which for the 4B's 256 x 256 features are
    65,536 times 65,536.
    """
    if query.is_cuda or query.shape[2] <= QUERIES:
        return F.scaled_dot_product_attention(query, key, value)
    parts = query.split(QUERIES, dim=2)
    return torch.cat([F.scaled_dot_product_attention(part, key, value) for part in parts], dim=2)
