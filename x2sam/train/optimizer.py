"""What the optimizer is told: which weights decay, which learn slower, and how fast when.

>>> [round(curve(step, 2, progress), 2) for step, progress in ((0, 0), (1, 0), (9, 0.5))]
[0.5, 1.0, 0.5]
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from torch import nn

from x2sam.train.naming import Naming


def curve(step: int, warmup: int, progress: float) -> float:
    """Share of the learning rate: linear warm-up, then a cosine to zero over the budget."""
    return min(1.0, (step + 1) / max(1, warmup)) * 0.5 * (1 + math.cos(math.pi * progress))


def groups(module: nn.Module, decay: float, slower: Mapping[str, float]) -> list[dict[str, Any]]:
    """Sort the weights that are trained by whether they decay and by how fast they learn.

    Only matrices and kernels decay: no norms, biases, embeddings and queries. `slower` gives
    the share of the learning rate of weights by the start of their name.
    """
    looked_up = {
        id(weight)
        for part in module.modules()
        if isinstance(part, nn.Embedding | Naming)
        for weight in part.parameters(recurse=False)
    }
    sorted_: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, weight in module.named_parameters():
        if not weight.requires_grad:
            continue
        embedding = id(weight) in looked_up or "embed" in name.rpartition(".")[2]
        decays = weight.ndim > 1 and not embedding
        share = next((share for start, share in slower.items() if name.startswith(start)), 1.0)
        sorted_.setdefault((decay if decays else 0.0, share), []).append(weight)
    return [
        {"params": weights, "weight_decay": own, "share": share}
        for (own, share), weights in sorted_.items()
    ]
