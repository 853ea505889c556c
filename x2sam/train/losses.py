"""What the mask decoder is trained on: classes, and masks at the points that are hard.

Every prediction of the decoder (its first guess and one per layer) is matched to the targets
on its own and pays the same three losses, summed over all predictions (X2SAM,
arXiv:2605.00891; Mask2Former, arXiv:2112.01527, §3.3):

* classes: cross-entropy of all queries, those without a target belonging to the background;
* mask: binary cross-entropy of the matched masks;
* dice: one minus the soft overlap of the matched masks.

Masks are compared at points rather than pixels: three times as many points as needed are
thrown, the most uncertain make up three quarters, the rest falls anywhere. Targets are read
at full resolution, so an edge is learnt more finely than the grid the masks are drawn on.
Everything is computed in float32, autocast or not.

Chance comes in as an argument, so that recorded draws can be played back. One call draws
three times: points to match at (P, B, K, 2), candidates (P, M, 3K, 2), and the free points
(P, M, K − ¾K, 2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from x2sam.train.matcher import Matches, Targets, Weights, match, sample_points

Uniform = Callable[[tuple[int, ...]], Tensor]
"""Draws a float32 tensor of a shape, uniform in [0, 1)."""

_PADDED = -1e6  # the logit of a class that a sample does not have


@dataclass(frozen=True, slots=True, kw_only=True)
class LossConfig:
    """Weights and points; the defaults are the published ones."""

    weights: Weights = field(default_factory=Weights)
    points: int = 12_544
    oversample: int = 3
    uncertain: float = 0.75  # fraction of the points
    dense: bool = False  # compare whole masks at full resolution, without points


def uniform(generator: torch.Generator) -> Uniform:
    """Draw from a generator, on its device."""
    return lambda shape: torch.rand(shape, generator=generator, device=generator.device)


def segmentation_losses(
    class_logits: Sequence[Tensor],
    mask_logits: Sequence[Tensor],
    targets: Targets,
    draw: Uniform,
    *,
    config: LossConfig = LossConfig(),
    class_counts: Tensor | None = None,
    mask_count: float | Tensor | None = None,
) -> dict[str, Tensor]:
    """Weighted losses of all predictions, by name, and their sum `loss_seg`.

    Takes P class logits (B, Q, C+1), the background last, and P mask logits (B, Q, h, w), in
    the order the decoder made them. The last prediction's losses are `loss_mask`, `loss_dice`
    and `loss_cls`; earlier ones end in their number, as in `loss_mask_0`.

    `class_counts` (B,) says how many of the C classes each sample really has. `mask_count`
    replaces the number of targets as the divisor of the mask losses: several processes
    training together pass their average, see `objective.average`.
    """
    with torch.autocast(mask_logits[0].device.type, enabled=False):
        classes = [_without_padding(logits.float(), class_counts) for logits in class_logits]
        masks = [logits.float() for logits in mask_logits]
        targets = Targets(targets.labels, targets.masks.float(), targets.counts)
        points = draw((len(masks), len(targets.counts), config.points, 2))
        matches = match(classes, masks, targets, points, config.weights)
        bce, dice = mask_losses(masks, targets, matches, draw, config)
        cls = class_losses(classes, targets, matches, config.weights.background)
    divisor = torch.as_tensor(len(targets.labels) if mask_count is None else mask_count).clamp(1)
    columns = {  # (P,) each
        "loss_mask": config.weights.mask * bce.sum(1) / divisor,
        "loss_dice": config.weights.dice * dice.sum(1) / divisor,
        "loss_cls": config.weights.classes * cls,
    }
    last = len(masks) - 1
    losses = {
        name if layer == last else f"{name}_{layer}": values[layer]
        for layer in range(len(masks))
        for name, values in columns.items()
    }
    return {"loss_seg": torch.stack(list(columns.values())).sum(), **losses}


def class_losses(
    class_logits: Sequence[Tensor], targets: Targets, matches: Matches, background: float
) -> Tensor:
    """Cross-entropy of every prediction: (P,), unweighted but for the background class."""
    last = class_logits[0].shape[-1] - 1
    weights = class_logits[0].new_ones(last + 1)
    weights[last] = background
    losses = []
    for logits, queries, chosen in zip(class_logits, matches.queries, matches.targets, strict=True):
        truth = targets.labels.new_full(logits.shape[:2], last)  # (B, Q)
        truth[matches.samples, queries] = targets.labels[chosen]
        losses.append(F.cross_entropy(logits.flatten(0, 1), truth.flatten(), weights))
    return torch.stack(losses)


def mask_losses(
    mask_logits: Sequence[Tensor],
    targets: Targets,
    matches: Matches,
    draw: Uniform,
    config: LossConfig,
) -> tuple[Tensor, Tensor]:
    """BCE and dice of every matched pair: two of (P, M), unweighted."""
    logits = torch.stack(
        [
            masks[matches.samples, own]
            for masks, own in zip(mask_logits, matches.queries, strict=True)
        ]
    )  # (P, M, h, w)
    compare = _whole if config.dense else _at_points
    values, truth = compare(logits, targets.masks, matches.targets, draw, config)
    bce = F.binary_cross_entropy_with_logits(values, truth, reduction="none").mean(-1)
    inside = values.sigmoid()
    overlap = 2 * (inside * truth).sum(-1) + 1
    return bce, 1 - overlap / (inside.sum(-1) + truth.sum(-1) + 1)


def _whole(
    logits: Tensor, masks: Tensor, chosen: Tensor, _draw: Uniform, _config: LossConfig
) -> tuple[Tensor, Tensor]:
    """Logits and truth at every pixel of the targets: two of (P, M, H*W)."""
    values = F.interpolate(logits, masks.shape[-2:], mode="bilinear", align_corners=False)
    return values.flatten(2), masks[chosen].flatten(2)


def _at_points(
    logits: Tensor, masks: Tensor, chosen: Tensor, draw: Uniform, config: LossConfig
) -> tuple[Tensor, Tensor]:
    """Logits and truth at the points of every pair: two of (P, M, K)."""
    predictions, pairs = chosen.shape
    flat = logits.flatten(0, 1)[:, None]  # (P*M, 1, h, w)
    points = _hard_points(flat.detach(), (predictions, pairs), draw, config)  # (P*M, K, 2)
    values = sample_points(flat, points)[:, 0]  # (P*M, K)
    # Every prediction pairs the targets in an order of its own. Sorting the points by target
    # reads each full-resolution mask once, where gathering the masks would copy them P times.
    layer = torch.arange(predictions, device=chosen.device)[:, None]
    by_target = points.new_zeros(len(masks), predictions, config.points, 2)
    by_target[chosen, layer] = torch.unflatten(points, 0, (predictions, pairs))
    truth = sample_points(masks[:, None], by_target.flatten(1, 2))[:, 0]  # (N, P*K)
    truth = torch.unflatten(truth, 1, (predictions, config.points))[chosen, layer]  # (P, M, K)
    return torch.unflatten(values, 0, (predictions, pairs)), truth


@torch.no_grad()
def _hard_points(
    logits: Tensor, shape: tuple[int, int], draw: Uniform, config: LossConfig
) -> Tensor:
    """Mostly points where masks (P*M, 1, h, w) are undecided: (P*M, K, 2)."""
    hard = int(config.uncertain * config.points)
    candidates = draw((*shape, config.oversample * config.points, 2)).flatten(0, 1)
    certainty = sample_points(logits, candidates)[:, 0].abs()
    undecided = certainty.topk(hard, largest=False, sorted=False).indices[..., None]
    chosen = candidates.gather(1, undecided.expand(-1, -1, 2))
    anywhere = draw((*shape, config.points - hard, 2)).flatten(0, 1)
    return torch.cat([chosen, anywhere], dim=1)


def _without_padding(logits: Tensor, class_counts: Tensor | None) -> Tensor:
    """Rule out the columns beyond a sample's own classes; the background, last, stays."""
    if class_counts is None:
        return logits
    columns = torch.arange(logits.shape[-1] - 1, device=logits.device)
    padded = F.pad(columns >= class_counts[:, None], (0, 1))  # (B, C+1)
    return logits.masked_fill(padded[:, None], _PADDED)
