"""What keeps the language half of a small network able to see.

A language model that is trained from nothing, before pictures mean anything to it, learns to
shut its eyes: everything it sees is driven along one direction, which its norms then take for
all there is. Two nanos ended so, with visual tokens of strength 71 and 157; two directions were
nearly all of the second's (docs/design.md). What is read before the last norm grows likewise,
and phrases that are all strong and alike cannot be told apart.

Both are held by a loss that is zero where nothing is wrong.
"""

from __future__ import annotations

import torch
from torch import Tensor

from x2sam.model.language_model import Visual

DIRECTIONS = 16  # that what is seen should at least have
STRENGTH = 3.0  # root mean square that tokens and states should not exceed


def directions(tokens: Tensor) -> Tensor:
    """Count the directions of tokens (N, D), the common one included: a scalar from 1 to D.

    It is the participation ratio of their second moments, (tr M)² / tr M².

    >>> float(directions(torch.eye(4)))
    4.0
    >>> float(directions(torch.ones(4, 4)))
    1.0
    """
    tokens = tokens.float()
    tokens = tokens / tokens.square().mean().clamp(min=1e-12).sqrt()
    moments = tokens.mT @ tokens
    total = moments.diagonal().sum().square()
    return torch.as_tensor(total / moments.square().sum().clamp(min=1e-12))


def spread_loss(visual: Visual, states: Tensor | None = None) -> Tensor:
    """What is wrong with visual tokens (N, D) and states (B, L, D), if any: 0 if nothing is."""
    with torch.autocast(visual.tokens.device.type, enabled=False):  # small differences count
        wrong = [_narrow(level) + _strong(level) for level in (visual.tokens, *visual.deepstack)]
        return torch.stack(wrong if states is None else [*wrong, _strong(states)]).sum()


def _narrow(tokens: Tensor) -> Tensor:
    share: Tensor = directions(tokens) / min(DIRECTIONS, *tokens.shape)
    return share.clamp(min=1e-6).log().neg().relu()


def _strong(values: Tensor) -> Tensor:
    excess: Tensor = values.float().square().mean().clamp(min=1e-12) / STRENGTH**2
    return excess.log().relu()
