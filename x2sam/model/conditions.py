"""From language to masks: what the decoder is told to look for.

The language model's states at `<p>…</p>` and `<SEG>`, projected to the decoder's width,
become three things (X2SAM, section 3): one *class* per phrase (the mean over its tokens,
markers included), the *tokens* themselves for text cross-attention, and the *seg* vector
that is added to every query. A learned background closes the list of classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Conditions:
    """What one batch of requests looks for, padded to the longest."""

    classes: Tensor  # (B, C + 1, D), the background last
    class_mask: Tensor  # (B, C + 1) bool, False at padding
    tokens: Tensor  # (B, L, D)
    token_mask: Tensor  # (B, L) bool, False at padding
    seg: Tensor  # (B, 1, D)


def gather_conditions(
    states: Tensor, phrases: Tensor, segs: Tensor, background: Tensor, *, shared: bool = False
) -> Conditions:
    """Collect the conditions of a batch.

    Args:
        states: projected states of all tokens, (B, L, D).
        phrases: index of the phrase each token belongs to, -1 for none, (B, L), on the CPU
            so that nothing here waits for the device.
        segs: -1, or a running index at each `<SEG>`, (B, L), on the CPU. Of several the last
            counts, as in the official code.
        background: the learned background class, (1, D).
        shared: give every sample the phrases of all, so that the others' act as negatives;
            how referring samples are batched in training (official `_process_embeds`).
    """
    batch, length, width = states.shape
    counts = [int(row.max()) + 1 for row in phrases]
    assert min(counts) > 0, f"every sample needs a phrase, got {counts}"
    assert bool((segs >= 0).any(dim=1).all()), "every sample needs a <SEG>"

    where = phrases[:, None, :] == torch.arange(max(counts))[None, :, None]  # (B, C, L)
    mean = where / where.sum(dim=-1, keepdim=True).clamp(min=1)
    classes = (mean.to(states.device) @ states.float()).to(states.dtype)  # (B, C, D)
    class_mask = where.any(dim=-1)  # (B, C)

    # Stable sorting moves the phrases' tokens to the front and keeps their order.
    inside = phrases >= 0
    longest = int(inside.sum(dim=1).max())
    index = torch.argsort(~inside, dim=1, stable=True)[:, :longest]  # (B, L')
    token_mask = inside.gather(1, index)
    tokens = states.gather(1, index.to(states.device)[..., None].expand(-1, -1, width))
    tokens = tokens * token_mask.to(states.device)[..., None]

    last = (segs >= 0).long() * torch.arange(1, length + 1)
    seg = states.gather(1, last.argmax(dim=1).to(states.device)[:, None, None].expand(-1, 1, width))

    class_mask, token_mask = class_mask.to(states.device), token_mask.to(states.device)
    if shared:
        classes, class_mask = _pool(classes, class_mask)
        tokens, token_mask = _pool(tokens, token_mask)
    return Conditions(
        classes=torch.cat([classes, background.to(states.dtype).expand(batch, 1, width)], dim=1),
        class_mask=torch.cat([class_mask, class_mask.new_ones(batch, 1)], dim=1),
        tokens=tokens,
        token_mask=token_mask,
        seg=seg,
    )


def _pool(values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Give all samples' rows to each: (B, N, D), (B, N) -> (B, sum N, D), (B, sum N)."""
    rows = values[mask]  # (sum N, D)
    batch = len(values)
    return rows.expand(batch, -1, -1), mask.new_ones(batch, len(rows))
