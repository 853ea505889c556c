"""Mask decoder: queries look at the frame, at the words, and at each other.

Mask2Former's masked-attention decoder with two additions of X2SAM (section 3): `<SEG>` is
added to every query, and between looking at the picture and at each other the queries look
at the language model's tokens. Classes are the phrases themselves, so any word can be one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import Mask2FormerConfig
from transformers.models.mask2former import modeling_mask2former as upstream

from x2sam.model.conditions import Conditions
from x2sam.model.positions import sine_positions

PADDED_CLASS = -1e6  # the logit of a class that only fills up a batch


@dataclass(frozen=True, slots=True)
class Logits:
    """What the decoder says of a batch of frames after one of its layers."""

    class_logits: Tensor  # (B, Q, C + 1), the background last
    mask_logits: Tensor  # (B, Q, h, w) at stride 4
    queries: Tensor  # (B, Q, D), what the classes were read from


class MaskDecoder(upstream.Mask2FormerTransformerModule):
    """Queries in, one prediction per layer out (and one before the first)."""

    def __init__(self, config: Mask2FormerConfig) -> None:
        super().__init__(config.hidden_dim, config)
        self.decoder.layers = nn.ModuleList(
            DecoderLayer(config) for _ in range(config.decoder_layers - 1)
        )

    def forward(
        self, maps: Sequence[Tensor], mask_features: Tensor, conditions: Conditions
    ) -> list[tuple[Tensor, Tensor]]:
        """Decode.

        Args:
            maps: three feature maps, coarse to fine, (B, D, h, w).
            mask_features: what mask logits are read from, (B, D, h, w) at stride 4.
            conditions: what to look for, for a batch of 1 or B.

        Returns:
            After each layer the normalised queries (B, Q, D) and mask logits (B, Q, h, w).
        """
        batch = len(mask_features)
        keys = [
            level.flatten(2).mT + self.level_embed.weight[index] for index, level in enumerate(maps)
        ]  # (B, N, D) each
        places = [sine_positions(level).flatten(2).mT for level in maps]
        x = (self.queries_features.weight + conditions.seg).expand(batch, -1, -1)  # (B, Q, D)
        slots = self.queries_embedder.weight

        predictions = [self._predict(x, mask_features)]
        for index, layer in enumerate(self.decoder.layers):
            level = index % len(maps)
            blocked = _outside(predictions[-1][1], maps[level])
            x = layer(x, slots, keys[level], places[level], blocked, conditions)
            predictions.append(self._predict(x, mask_features))
        return predictions

    def _predict(self, x: Tensor, mask_features: Tensor) -> tuple[Tensor, Tensor]:
        normed = self.decoder.layernorm(x)
        masks = self.decoder.mask_predictor.mask_embedder(normed)
        return normed, torch.einsum("bqc,bchw->bqhw", masks, mask_features)


def _outside(mask_logits: Tensor, level: Tensor) -> Tensor:
    """Cells of a level that a query may not look at: (B, 1, Q, N) bool.

    A query that has found nothing yet may look everywhere.
    """
    resized = F.interpolate(mask_logits.detach(), level.shape[-2:], mode="bilinear")
    outside = resized.sigmoid().flatten(2) < 0.5  # (B, Q, N)  # noqa: PLR2004
    return (outside & ~outside.all(dim=-1, keepdim=True))[:, None]


class DecoderLayer(upstream.Mask2FormerMaskedAttentionDecoderLayer):
    """Picture, words, each other, feed-forward; norms after each."""

    def __init__(self, config: Mask2FormerConfig) -> None:
        super().__init__(config)
        width, heads = config.hidden_dim, config.num_attention_heads
        self.text_cross_attn = nn.MultiheadAttention(width, heads)
        self.text_cross_attn_layer_norm = nn.LayerNorm(width)

    def forward(
        self,
        x: Tensor,
        slots: Tensor,
        keys: Tensor,
        places: Tensor,
        blocked: Tensor,
        conditions: Conditions,
    ) -> Tensor:
        """Update the queries.

        Args:
            x: queries, (B, Q, D).
            slots: their learned positions, (Q, D).
            keys: tokens of one feature level, (B, N, D).
            places: their position codes, (1, N, D).
            blocked: where each query may not look, (B, 1, Q, N).
            conditions: words to look at.
        """
        update = _attend(self.cross_attn, x + slots, keys + places, keys, ~blocked)
        x = self.cross_attn_layer_norm(x + update)

        words, spoken = conditions.tokens, conditions.token_mask[:, None, None]
        update = _attend(self.text_cross_attn, x + slots, words, words, spoken)
        x = self.text_cross_attn_layer_norm(x + update)

        own = self.self_attn
        q, k, v = own.q_proj(x + slots), own.k_proj(x + slots), own.v_proj(x)
        x = self.self_attn_layer_norm(x + own.out_proj(_heads(q, k, v, own.num_heads)))

        return torch.as_tensor(self.final_layer_norm(x + self.fc2(F.relu(self.fc1(x)))))


def _attend(
    attention: nn.MultiheadAttention, query: Tensor, key: Tensor, value: Tensor, allowed: Tensor
) -> Tensor:
    """`nn.MultiheadAttention` without a mask per head: that copy would be the largest tensor."""
    weights = attention.in_proj_weight.chunk(3)
    biases = attention.in_proj_bias.chunk(3)
    q, k, v = map(F.linear, (query, key, value), weights, biases)
    out: Tensor = attention.out_proj(_heads(q, k, v, attention.num_heads, allowed))
    return out


def _heads(q: Tensor, k: Tensor, v: Tensor, heads: int, allowed: Tensor | None = None) -> Tensor:
    """Scaled dot-product attention of (B, N, D) tensors, split into heads and joined again."""
    batch = len(q)
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    k, v = k.expand(batch, -1, -1, -1), v.expand(batch, -1, -1, -1)
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
    return out.transpose(1, 2).flatten(2)


class ClassHead(nn.Module):
    """How much a query is each phrase: a scaled cosine, so the list of classes is open."""

    def __init__(self) -> None:
        super().__init__()
        self.logit_scale = nn.Parameter(torch.tensor([math.log(1 / 0.07)]))

    def forward(self, queries: Tensor, conditions: Conditions) -> Tensor:
        """Compare queries (B, Q, D) with the classes: logits (B, Q, C + 1)."""
        q = F.normalize(queries, dim=-1)
        c = F.normalize(conditions.classes, dim=-1)
        logits = (self.logit_scale.exp() * (q @ c.mT)).clamp(-50, 50)
        return logits.masked_fill(~conditions.class_mask[:, None], PADDED_CLASS)
