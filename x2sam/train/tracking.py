"""How a tracker is trained: mark, correct, carry, and pay for every mask on the way.

One object per row of a batch. On the first frame it is marked by a click, a box or its mask;
what is still wrong then is corrected by further clicks. On the frames that follow it is found
again through the memory, and sometimes corrected there as well, as a person would (SAM 2,
arXiv 2408.00714, section 4 and appendix D.2). Every answer pays

* 5 times the binary cross-entropy and 5 times the dice loss of the best of its masks,
* the error of the quality that it expects for each of them,
* the cross-entropy of whether the object is to be seen; where it is not, nothing else is paid.

Whether an object is seen is told to the memory by the truth while training.

Shapes: B objects, S the side of the network's picture, s = S / 4 of its masks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from x2sam.tracker.network import CERTAIN, DEVIATION, LIMIT, MEAN, Points
from x2sam.train.moving import Clips

Mark = Literal["click", "box", "mask"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done with a batch."""

    mark: Mark
    corrections: int = 0  # clicks on the first frame, after the mark
    later: int | None = None  # a frame that is corrected by one click


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Frames as the image encoder sees them, one per object."""

    fine: list[Tensor]  # maps (B, D, h, w)
    coarse: Tensor  # (h · w, B, D)
    position: Tensor  # (h · w, B, D)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the mask decoder says of B objects."""

    logits: Tensor  # (B, M, s, s)
    qualities: Tensor  # (B, M)
    visible: Tensor  # (B,) logits
    tokens: Tensor  # (B, M, D)

    @property
    def best(self) -> Tensor:
        """Which mask the network holds to be best, (B,)."""
        return self.qualities.argmax(dim=1)

    def chosen(self) -> Tensor:
        """The logits of the best mask, (B, 1, s, s)."""
        return self.logits[torch.arange(len(self.logits)), self.best][:, None]


class TrackerTrainee(nn.Module):
    """SAM 2 and what it is trained on, as one module; `model` is a `Sam2VideoModel`."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        # Made for one object, whose axis it leaves second; of several it has to be first.
        model.memory_attention.register_forward_hook(lambda _, __, out: out.transpose(0, 1))
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
            if hasattr(module, "dropout_p"):
                module.dropout_p = 0.0

    def forward(self, batch: tuple[Clips, Plan], seed: int) -> dict[str, Tensor]:
        """Losses of a batch; clicks fall where the seed lets them."""
        clips, plan = batch
        generator = torch.Generator(clips.pictures.device).manual_seed(seed)
        rows = [losses(answer, truth) for answer, truth in self.answers(clips, plan, generator)]
        means = {name: torch.stack([row[name] for row in rows]).mean() for name in rows[0]}
        return {"loss": sum(means.values(), clips.pictures.new_zeros(())), **means}

    def answers(
        self, clips: Clips, plan: Plan, generator: torch.Generator
    ) -> Iterator[tuple[Answer, Tensor]]:
        """Everything the network says about a batch, each with the truth (B, S, S)."""
        count, frames, objects = clips.masks.shape[:3]
        masks = clips.masks.transpose(1, 2).flatten(0, 1)  # (B, T, S, S)
        owner = torch.arange(count, device=masks.device).repeat_interleave(objects)
        views = self._look(clips.pictures)
        marked: dict[int, dict[str, Tensor]] = {}
        carried: dict[int, dict[str, Tensor]] = {}
        for frame in range(frames):
            seen, truth = views.of(frame, owner, frames), masks[:, frame]
            if frame == 0:
                steps = self._first(seen, truth, plan, generator)
            else:
                memory = SimpleNamespace(
                    output_dict_per_obj=[
                        {"cond_frame_outputs": marked, "non_cond_frame_outputs": carried}
                    ],
                    dtype=seen.coarse.dtype,
                )
                recalled = self.model._prepare_memory_conditioned_features(  # noqa: SLF001
                    inference_session=memory,
                    frame_idx=frame,
                    obj_idx=0,
                    is_initial_conditioning_frame=False,
                    current_vision_features=seen.coarse,
                    current_vision_positional_embeddings=seen.position,
                    num_total_frames=frames,
                )
                steps = self._later(
                    seen, recalled, truth, correct=plan.later == frame, generator=generator
                )
            said = list(steps)
            yield from ((answer, truth) for answer, _, _ in said if answer)
            if frame + 1 < frames:
                table = marked if frame in (0, plan.later) else carried
                table[frame] = self._remember(seen, *said[-1][1:], truth)

    def _look(self, pictures: Tensor) -> Views:
        seen = self.model.get_image_features(normalised(pictures.flatten(0, 1)), return_dict=True)
        return Views(
            [
                level.permute(1, 2, 0).unflatten(2, tuple(size))
                for level, size in zip(
                    seen.fpn_hidden_states[:-1], self.model.backbone_feature_sizes[:-1], strict=True
                )
            ],
            seen.fpn_hidden_states[-1],
            seen.fpn_position_encoding[-1],
        )

    def _first(
        self, seen: Seen, truth: Tensor, plan: Plan, generator: torch.Generator
    ) -> Iterator[tuple[Answer | None, Tensor, Tensor]]:
        """Mark an object where nothing is known of it yet, and correct that."""
        fresh = self._map(seen.coarse + self.model.no_memory_embedding)
        side, points = truth.shape[-1], None
        if plan.mark == "mask":
            drawn = truth[:, None].float()
            logits = F.interpolate(drawn, (side // 4, side // 4), mode="bilinear", antialias=True)
            logits = logits * 2 * CERTAIN - CERTAIN
            # The mask is taken as it is: only the pointer is asked for, without a memory's mark.
            answer = self._decode(
                seen, self._map(seen.coarse), None, self.model.mask_downsample(drawn)
            )
            yield None, logits, self._pointer(answer, truth)
        else:
            points = click(truth, generator) if plan.mark == "click" else box(truth, generator)
            answer = self._decode(seen, fresh, points, None)
            logits = answer.chosen()
            yield answer, logits, self._pointer(answer, truth)
        for _ in range(plan.corrections):
            points = joined(points, correction(logits, truth, generator))
            answer = self._decode(seen, fresh, points, logits.detach().clamp(-LIMIT, LIMIT))
            logits = answer.chosen()
            yield answer, logits, self._pointer(answer, truth)

    def _later(
        self,
        seen: Seen,
        recalled: Tensor,
        truth: Tensor,
        *,
        correct: bool,
        generator: torch.Generator,
    ) -> Iterator[tuple[Answer | None, Tensor, Tensor]]:
        """Find an object again, and perhaps correct that."""
        answer = self._decode(seen, recalled, None, None)
        logits = answer.chosen()
        yield answer, logits, self._pointer(answer, truth)
        if correct:
            points = correction(logits, truth, generator)
            answer = self._decode(seen, recalled, points, logits.detach().clamp(-LIMIT, LIMIT))
            yield answer, answer.chosen(), self._pointer(answer, truth)

    def _decode(
        self, seen: Seen, coarse: Tensor, points: Points | None, previous: Tensor | None
    ) -> Answer:
        """Ask the mask decoder; one click or none is answered by three masks, as in use."""
        model, count = self.model, len(coarse)
        several = previous is None if points is None else points.at.shape[1] == 1
        if points is None:
            points = Points(
                coarse.new_zeros(count, 1, 2),
                torch.full((count, 1), -1, dtype=torch.int32, device=coarse.device),
            )
        sparse, dense = model.prompt_encoder(
            input_points=points.at[:, None],
            input_labels=points.kinds[:, None],
            input_boxes=None,
            input_masks=previous,
        )
        logits, qualities, tokens, visible = model.mask_decoder(
            image_embeddings=coarse,
            image_positional_embeddings=model.get_image_wide_positional_embeddings().expand(
                count, -1, -1, -1
            ),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=several,
            high_resolution_features=seen.fine,
        )
        return Answer(logits[:, 0], qualities[:, 0], visible.reshape(count), tokens[:, 0])

    def _pointer(self, answer: Answer, truth: Tensor) -> Tensor:
        token = answer.tokens[torch.arange(len(answer.tokens)), answer.best]
        there = truth.flatten(1).any(dim=1)[:, None]
        pointer: Tensor = self.model.object_pointer_proj(token)
        return torch.where(there, pointer, self.model.no_object_pointer)

    def _remember(
        self, seen: Seen, logits: Tensor, pointer: Tensor, truth: Tensor
    ) -> dict[str, Tensor]:
        side = truth.shape[-1]
        there = truth.flatten(1).any(dim=1)
        memory, position = self.model._encode_new_memory(  # noqa: SLF001
            current_vision_feats=seen.coarse,
            pred_masks_high_res=F.interpolate(
                torch.where(there[:, None, None, None], logits, -1024.0).float(),
                (side, side),
                mode="bilinear",
            ),
            object_score_logits=there[:, None, None].float() * 2 - 1,
            is_mask_from_pts=False,
        )
        return {
            "maskmem_features": memory.to(seen.coarse.dtype),
            "maskmem_pos_enc": position,
            "object_pointer": pointer,
        }

    def _map(self, coarse: Tensor) -> Tensor:
        size = tuple(self.model.backbone_feature_sizes[-1])
        level: Tensor = coarse.permute(1, 2, 0).unflatten(2, size)
        return level


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """All frames of a batch, as the image encoder sees them; C · T of each."""

    fine: list[Tensor]
    coarse: Tensor
    position: Tensor

    def of(self, frame: int, owner: Tensor, frames: int) -> Seen:
        """One frame of every object's clip."""
        rows = owner * frames + frame
        fine = [level[rows] for level in self.fine]
        return Seen(fine, self.coarse[:, rows], self.position.expand_as(self.coarse)[:, rows])


def normalised(pictures: Tensor) -> Tensor:
    """Pictures (N, 3, S, S) in 0..1 as the network wants them."""
    mean, deviation = (
        torch.tensor(values, device=pictures.device)[:, None, None] for values in (MEAN, DEVIATION)
    )
    return (pictures - mean) / deviation


def losses(answer: Answer, truth: Tensor) -> dict[str, Tensor]:
    """What an answer pays.

    Its masks are compared on their own grid; the best one then pays at full resolution.
    """
    there = truth.flatten(1).any(dim=1).float()  # (B,)
    with torch.no_grad():
        coarse = F.interpolate(truth[:, None].float(), answer.logits.shape[-2:], mode="area")
        best = _errors(answer.logits, coarse.expand_as(answer.logits)).sum(dim=0).argmin(dim=1)
        hard, meant = answer.logits > 0, coarse >= 0.5  # noqa: PLR2004 (half of a cell)
        overlap, union = (hard & meant).sum(dim=(2, 3)), (hard | meant).sum(dim=(2, 3))
        reached = overlap / union.clamp_min(1)
    row = torch.arange(len(there), device=there.device)
    logits = F.interpolate(answer.logits[row, best][:, None], truth.shape[-2:], mode="bilinear")
    cross, dice = (error[:, 0] for error in _errors(logits, truth[:, None].float()))
    share = there / there.sum().clamp_min(1)
    return {
        "loss_mask": 5 * (cross * share).sum(),
        "loss_dice": 5 * (dice * share).sum(),
        "loss_quality": ((answer.qualities.float() - reached).abs().mean(dim=1) * share).sum(),
        "loss_visible": F.binary_cross_entropy_with_logits(answer.visible.float(), there),
    }


def _errors(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy and dice loss of masks (B, M, h, w) that should be a target: (2, B, M)."""
    logits = logits.float()
    cross = F.binary_cross_entropy_with_logits(logits, target, reduction="none").mean(dim=(2, 3))
    soft = logits.sigmoid()
    both, either = (soft * target).sum(dim=(2, 3)), (soft + target).sum(dim=(2, 3))
    return torch.stack([cross, 1 - (2 * both + 1) / (either + 1)])


def click(masks: Tensor, generator: torch.Generator) -> Points:
    """A point inside each mask (B, S, S), more often in its middle."""
    at = _drawn(inner(masks, generator), generator)
    return Points(at[:, None], torch.ones(len(at), 1, dtype=torch.int32, device=at.device))


def inner(masks: Tensor, generator: torch.Generator) -> Tensor:
    """Leave out of each mask, half the time, what is near its edge; never all of it."""
    flat = masks.float()[:, None]
    rows = F.max_pool2d(1 - F.pad(flat, (4, 4, 4, 4)), (1, 9), stride=1)
    thin = F.max_pool2d(rows, (9, 1), stride=1)[:, 0] == 0
    some = torch.rand(len(masks), generator=generator, device=masks.device) < 0.5  # noqa: PLR2004
    use = some & thin.flatten(1).any(dim=1)
    return torch.where(use[:, None, None], thin, masks)


def box(masks: Tensor, generator: torch.Generator, *, steady: bool = False) -> Points:
    """A box around each mask, drawn by an unsteady hand or a steady one."""
    height, width = masks.shape[-2:]
    across, down = masks.any(dim=1).float(), masks.any(dim=2).float()
    x0, y0 = across.argmax(dim=1), down.argmax(dim=1)
    x1, y1 = width - across.flip(1).argmax(dim=1), height - down.flip(1).argmax(dim=1)
    corners = torch.stack([x0, y0, x1, y1], dim=1).float()
    if not steady:
        extent = torch.stack([x1 - x0, y1 - y0] * 2, dim=1).float()
        noise = torch.randn(corners.shape, generator=generator, device=masks.device)
        moved = corners + (0.05 * extent * noise).clamp(-10, 10)
        corners = moved.clamp_min(0).minimum(corners.new_tensor([width, height] * 2))
    kinds = torch.tensor([2, 3], dtype=torch.int32, device=masks.device).expand(len(masks), 2)
    return Points(corners.view(-1, 2, 2), kinds)


def correction(logits: Tensor, truth: Tensor, generator: torch.Generator) -> Points:
    """A click where the mask is wrong: on what is missing or on what is too much.

    Where nothing is wrong it falls on the object, or beside it if there is none.
    """
    with torch.no_grad():
        found = F.interpolate(logits.float(), truth.shape[-2:], mode="bilinear")[:, 0] > 0
        wrong = found != truth
        right = ~wrong.flatten(1).any(dim=1)
        somewhere = torch.where(truth.flatten(1).any(dim=1)[:, None, None], truth, ~truth)
        region = torch.where(right[:, None, None], somewhere, inner(wrong, generator))
        at = _drawn(region, generator)
        rows = torch.arange(len(at), device=at.device)
        kinds = truth[rows, at[:, 1].long(), at[:, 0].long()].int()
        return Points(at[:, None], kinds[:, None])


def joined(first: Points | None, then: Points) -> Points:
    """All points of two."""
    if first is None:
        return then
    return Points(
        torch.cat([first.at, then.at], dim=1), torch.cat([first.kinds, then.kinds], dim=1)
    )


def _drawn(masks: Tensor, generator: torch.Generator) -> Tensor:
    """A pixel of each mask (B, S, S), every one as likely: (B, 2) x y."""
    flat = masks.flatten(1).float()
    chance = torch.rand(flat.shape, generator=generator, device=flat.device)
    index = (flat * (1 + chance)).argmax(dim=1)
    width = masks.shape[-1]
    return torch.stack([index % width, index // width], dim=1).float()
