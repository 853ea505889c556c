"""Which query answers for which target: Hungarian matching on classes and masks.

A decoder predicts Q masks in no particular order. Before a loss can be taken, every target
is given the query that fits it best, one to one and at the lowest total cost

    2 · (−p_class) + 5 · BCE + 5 · dice,

where the two mask costs are measured at random points instead of on whole masks
(Mask2Former, arXiv:2112.01527, §3.3). The assignment is solved on the host, so the costs of
all P predictions of a decoder travel there in a single copy.

Shapes: P predictions (one per decoder layer), B samples, Q queries, C classes, N targets of
all samples, M matched pairs, K points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How much each term counts, in the matching cost and in the loss alike."""

    classes: float = 2.0
    mask: float = 5.0
    dice: float = 5.0
    background: float = 0.1  # of the class "none of these", which most queries should choose


@dataclass(frozen=True, slots=True)
class Targets:
    """What the masks of a batch should be, sample after sample.

    >>> one = torch.tensor([2]), torch.ones(1, 4, 4, dtype=torch.bool)
    >>> none = torch.zeros(0, dtype=torch.int64), torch.zeros(0, 4, 4, dtype=torch.bool)
    >>> Targets.join([one, none, one]).counts
    (1, 0, 1)
    """

    labels: Tensor  # (N,) int64, columns of the class logits
    masks: Tensor  # (N, H, W) bool, or float in 0..1, at full resolution
    counts: tuple[int, ...]  # how many of them belong to each sample; B entries

    def __post_init__(self) -> None:
        total = sum(self.counts)
        assert len(self.labels) == len(self.masks) == total, (self.labels.shape, self.masks.shape)

    @classmethod
    def join(cls, samples: Sequence[tuple[Tensor, Tensor]]) -> Targets:
        """Lay the (labels, masks) of every sample end to end; the masks share one size."""
        labels, masks = zip(*samples, strict=True)
        return cls(torch.cat(labels), torch.cat(masks), tuple(len(own) for own in labels))


@dataclass(frozen=True, slots=True)
class Matches:
    """The pairs of every prediction, sample after sample, ordered by query within one."""

    samples: Tensor  # (M,) int64
    queries: Tensor  # (P, M) int64
    targets: Tensor  # (P, M) int64, into the targets of the whole batch


def sample_points(maps: Tensor, points: Tensor) -> Tensor:
    """Read maps (N, C, h, w) at points (N, K, 2), x y in 0..1, bilinearly: (N, C, K)."""
    grid = points[:, None].mul(2).sub_(1)  # (N, 1, K, 2)
    return F.grid_sample(maps, grid, align_corners=False)[:, :, 0]


@torch.no_grad()
def match(
    class_logits: Sequence[Tensor],
    mask_logits: Sequence[Tensor],
    targets: Targets,
    points: Tensor,
    weights: Weights,
) -> Matches:
    """Match the queries of every prediction to the targets of their sample.

    Takes P class logits (B, Q, C+1), P mask logits (B, Q, h, w) and points (P, B, K, 2) in
    0..1. A sample with more targets than queries leaves the costliest targets unmatched.
    """
    if not len(targets.labels):
        nothing = targets.labels.new_zeros(len(class_logits), 0)
        return Matches(nothing[0], nothing, nothing)
    labels = _by_sample(targets.labels, targets.counts)  # (B, n)
    truth = _targets_at(targets, points)  # (P, B, n, K)
    costs = [
        _costs(classes, sample_points(masks, where), labels, there, weights)
        for classes, masks, where, there in zip(
            class_logits, mask_logits, points, truth, strict=True
        )
    ]
    return _assign(torch.stack(costs), targets)


def _targets_at(targets: Targets, points: Tensor) -> Tensor:
    """Values of the targets at the points of their sample: (P, B, n, K), n the largest count."""
    predictions, _, count, _ = points.shape
    counts = torch.tensor(targets.counts, device=points.device)
    own = points.transpose(0, 1).flatten(1, 2)  # (B, P*K, 2)
    own = own.repeat_interleave(counts, dim=0, output_size=len(targets.masks))  # (N, P*K, 2)
    values = sample_points(targets.masks[:, None], own)[:, 0]  # (N, P*K)
    padded = _by_sample(values, targets.counts)  # (B, n, P*K)
    return torch.unflatten(padded, 2, (predictions, count)).permute(2, 0, 1, 3)


def _by_sample(values: Tensor, counts: tuple[int, ...]) -> Tensor:
    """Give every sample a row of its own, padded with zeros: (N, ...) to (B, n, ...)."""
    return pad_sequence(list(torch.split(values, list(counts))), batch_first=True)


def _costs(
    class_logits: Tensor, logits: Tensor, labels: Tensor, truth: Tensor, weights: Weights
) -> Tensor:
    """Cost of every query with every target of its sample: (B, Q, n).

    `logits` (B, Q, K) and `truth` (B, n, K) are read at the same points, `labels` is (B, n).
    """
    queries, count = logits.shape[1:]
    chosen = class_logits.softmax(-1).gather(2, labels[:, None].expand(-1, queries, -1))
    across = truth.transpose(1, 2)  # (B, K, n)
    # BCE(x, t) = softplus(x) − x·t: one product instead of a (B, Q, n, K) tensor. The softplus
    # is spelt out because torch's own is not vectorised on the CPU and takes a third of a step.
    softplus = logits.relu() - logits.abs().sigmoid().log()
    bce = (softplus.sum(-1, keepdim=True) - logits @ across) / count
    inside = logits.sigmoid()
    area = inside.sum(-1)[:, :, None] + truth.sum(-1)[:, None]
    dice = 1 - (2 * inside @ across + 1) / (area + 1)
    return -weights.classes * chosen + weights.mask * bce + weights.dice * dice


def _assign(costs: Tensor, targets: Targets) -> Matches:
    """Solve the assignment problems of (P, B, Q, n) costs on the host."""
    # A network that has diverged must not fail here, where nobody would look for the cause.
    host = costs.nan_to_num(nan=0.0).cpu().numpy()
    firsts = np.cumsum((0, *targets.counts[:-1]))
    pairs = np.stack(
        [
            np.concatenate(list(map(_pairs, prediction, firsts, targets.counts)), axis=1)
            for prediction in host
        ],
        axis=1,
    )  # (2, P, M)
    matched = np.minimum(targets.counts, costs.shape[2])
    samples = torch.from_numpy(np.arange(len(matched)).repeat(matched)).to(costs.device)
    queries, chosen = torch.from_numpy(pairs).to(costs.device)
    return Matches(samples, queries, chosen)


def _pairs(cost: NDArray[np.float32], first: int, count: int) -> NDArray[np.int64]:
    """Pair one sample, whose `count` targets start at `first`: queries and targets (2, m)."""
    queries, targets = linear_sum_assignment(cost[:, :count])
    return np.stack([queries, targets + first])
