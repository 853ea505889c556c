"""What training minimises: the words of the answer, and its masks in every frame.

The clip is segmented frame after frame through the mask memory, exactly as in use, and the
predictions of all frames are one batch for the losses (X2SAM, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from x2sam.language.tokens import IGNORED
from x2sam.model.conditions import Conditions
from x2sam.model.language_model import Visual
from x2sam.model.mask_encoder import Features
from x2sam.model.x2sam import X2SAM, Decoded
from x2sam.train.batches import Batch, join
from x2sam.train.losses import LossConfig, Uniform, segmentation_losses
from x2sam.train.spread import spread_loss

# What is learnt from a batch.
Learnt = Literal["words and masks", "any object", "words"]

# Where masks are learnt too, gradients are long and cut to 1; those of words alone should be near.
WORDS_ALONE = 3.0


class AnyObject(nn.Module):
    """The condition "an object", for class-agnostic batches that skip the language model.

    It exists in training only: masks are the slow part to learn, words the fast one.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)  # two runs begin alike
        self.vectors = nn.Parameter(torch.randn(3, width, generator=generator) * 0.02)

    def forward(self, background: Tensor) -> Conditions:
        """Make the condition: a batch of one."""
        name, word, seg = self.vectors[:, None, None]  # (1, 1, D) each
        seen = torch.ones(1, 1, dtype=torch.bool, device=name.device)
        classes = torch.cat([name, background[None]], dim=1)
        return Conditions(classes, seen.expand(1, 2), word, seen, seg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """How the losses are taken."""

    losses: LossConfig = field(default_factory=LossConfig)
    shared: bool = False  # see `gather_conditions`
    spread: float = 0.0  # weight of what keeps the language half from going blind, see `spread.py`

    def __call__(
        self,
        model: X2SAM,
        batch: Batch,
        draw: Uniform,
        learnt: Learnt = "words and masks",
        anything: AnyObject | None = None,
    ) -> dict[str, Tensor]:
        """Losses by name; `loss` is what to minimise, `loss_lm` that of the words.

        For any object, all targets are just `anything` and nothing is read or written; for words
        nothing is segmented. Either costs a fraction.
        """
        features = None
        if learnt != "words" or batch.points is not None:
            features = model.mask_encoder(batch.pixels.flatten(0, 1))
        if learnt == "any object":
            assert anything is not None and features is not None  # noqa: PT018
            agnostic = anything(model.background.weight)
            every = list(range(len(batch.views)))
            losses = self._masks(model, batch, features, agnostic, every, draw, named=False)
            return {"loss": losses["loss_seg"], **losses}

        visual = model.language.see(batch.patches, batch.grids)
        states = read(model, batch, features, visual)
        losses = {"loss_lm": language_loss(model, states, batch.labels)}
        if self.spread:
            losses["loss_spread"] = self.spread * spread_loss(visual, states)
        kept = losses.get("loss_spread", 0.0)
        if learnt == "words":
            return {"loss": WORDS_ALONE * losses["loss_lm"] + kept, **losses}
        assert features is not None
        asked = [i for i, row in enumerate(batch.segs) if bool((row >= 0).any())]
        if asked:
            conditions = model.conditions(
                states[asked], batch.phrases[asked], batch.segs[asked], shared=self.shared
            )
            losses |= self._masks(model, batch, features, conditions, asked, draw)
        return {"loss": losses["loss_lm"] + kept + losses.get("loss_seg", 0.0), **losses}

    def _masks(
        self,
        model: X2SAM,
        batch: Batch,
        features: Features,
        conditions: Conditions,
        asked: list[int],
        draw: Uniform,
        *,
        named: bool = True,
    ) -> dict[str, Tensor]:
        frames, device = batch.pixels.shape[1], batch.pixels.device
        looked_at = sorted({batch.views[i] for i in asked})
        rows = torch.tensor(looked_at, device=device) * frames
        # What is the same for all questions about a picture is worked out once.
        again = [looked_at.index(batch.views[i]) for i in asked]
        stream = model.stream(conditions)
        outputs = []
        for frame in range(frames):
            decoded = model.decode(_pick(features, rows + frame), first=frame == 0)
            outputs.append(stream.step(_repeat(decoded, again)))
        targets = join(
            [
                (labels if named else torch.zeros_like(labels), masks)
                for frame in batch.targets
                for labels, masks in (frame[i] for i in asked)
            ],
            device,
        )
        layers = list(zip(*outputs, strict=True))  # (layers, frames)
        return segmentation_losses(
            [torch.cat([frame.class_logits for frame in layer]) for layer in layers],
            [torch.cat([frame.mask_logits for frame in layer]) for layer in layers],
            targets,
            draw,
            config=self.losses,
        )


def read(
    model: X2SAM,
    batch: Batch,
    features: Features | None = None,
    visual: Visual | None = None,
) -> Tensor:
    """Run the language model over the prompts and answers: its states, (B, L, D).

    Args:
        model: the network.
        batch: what is asked and answered.
        features: of all frames; a batch in which nothing was drawn needs none.
        visual: the visual tokens of its V pictures or clips, if they are there already.
    """
    visual = _each(visual or model.language.see(batch.patches, batch.grids), batch)
    regions = None
    if batch.points is not None and batch.owners is not None:
        assert features is not None
        views = torch.tensor(batch.views, device=batch.owners.device)
        first = views[batch.owners] * batch.pixels.shape[1]
        regions = model.region_tokens(features, points=batch.points, owners=first).flatten(0, 1)
    return model.language.run(*model.language.embed(batch.ids, visual, regions))


def language_loss(model: X2SAM, states: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of the next token wherever it is to be learnt."""
    following = labels[:, 1:]
    rows, columns = (following != IGNORED).nonzero(as_tuple=True)  # on the CPU: no sync
    truth = following[rows, columns].to(states.device)
    logits = model.language.logits(states[rows.to(states.device), columns.to(states.device)])
    return F.cross_entropy(logits.float(), truth)


def _each(visual: Visual, batch: Batch) -> Visual:
    """Lay out the visual tokens for every example."""
    patches = batch.grids.prod(dim=1)
    counts: list[int] = (patches * len(visual.tokens) // patches.sum()).tolist()

    def laid_out(tokens: Tensor) -> Tensor:
        parts = tokens.split(counts)
        return torch.cat([parts[view] for view in batch.views])

    if batch.views == tuple(range(len(counts))):
        return visual
    return Visual(laid_out(visual.tokens), tuple(map(laid_out, visual.deepstack)))


def _pick(features: Features, rows: Tensor) -> Features:
    return Features(tuple(level[rows] for level in features.maps), features.region_stage[rows])


def _repeat(decoded: Decoded, rows: list[int]) -> Decoded:
    if rows == list(range(len(decoded.mask_features))):
        return decoded
    where = torch.tensor(rows, device=decoded.mask_features.device)
    return Decoded(
        decoded.first,
        tuple(level[where] for level in decoded.maps),
        decoded.mask_features[where],
        decoded.region_stage,
    )
