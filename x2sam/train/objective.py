"""What training minimises: the words of the answer, and its masks in every frame.

The clip is segmented frame after frame through the mask memory, exactly as in use, and the
predictions of all frames are one batch for the losses (X2SAM, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from x2sam.language.tokens import IGNORED
from x2sam.model.conditions import Conditions
from x2sam.model.language_model import Visual
from x2sam.model.mask_encoder import Features
from x2sam.model.x2sam import X2SAM, Decoded
from x2sam.train.batches import Batch, join
from x2sam.train.looking import Looking
from x2sam.train.losses import LossConfig, Uniform, segmentation_losses
from x2sam.train.naming import Naming, nouns_of
from x2sam.train.spread import spread_loss

# What is learnt from a batch.
Learnt = Literal["words and masks", "names", "cells", "words"]

# Where masks are learnt too, gradients are long and cut to 1; those of words alone should be near.
WORDS_ALONE = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """How the losses are taken."""

    losses: LossConfig = field(default_factory=LossConfig)
    shared: bool = False  # see `gather_conditions`
    spread: float = 0.0  # weight of what keeps the language half from going blind, see `spread.py`
    naming: float = 0.0  # weight of telling what is where, see `naming.py`
    looking: float = 0.0  # weight of where words look, see `looking.py`

    def __call__(
        self,
        model: X2SAM,
        batch: Batch,
        draw: Uniform,
        learnt: Learnt = "words and masks",
        naming: Naming | None = None,
        looking: Looking | None = None,
    ) -> dict[str, Tensor]:
        """Losses by name; `loss` is what to minimise, `loss_lm` that of the words.

        For cells, only what they show is told; for names every object is to be found by its noun
        as well. Neither reads or writes; for words nothing is segmented. What cells show is told
        of all batches that know it, if `naming` is given and has a weight; where the words of
        requests and answers look, likewise, if `looking` is.
        """
        naming = naming if self.naming and batch.names is not None else None
        asked = _asked(batch, learnt)
        count = average(sum(len(shown[i][0]) for shown in batch.targets for i in asked), batch)
        features = None
        if learnt != "words" or batch.points is not None:
            features = model.mask_encoder(batch.pixels.flatten(0, 1))
        visual = model.language.see(batch.patches, batch.grids)
        losses: dict[str, Tensor] = {}
        if naming is not None and batch.names is not None:
            times = int(batch.grids[0, 0])
            losses["loss_tokens"] = self.naming * naming.tokens(
                batch.names, visual, times, model.language.lm_head.weight
            )
        if learnt in ("cells", "names"):
            assert naming is not None, "naming has no weight, or pixels do not say what they show"
            assert features is not None
            if self.spread:
                losses["loss_spread"] = self.spread * spread_loss(visual)
            if learnt == "cells":
                return _sum(losses | self._cells(model, batch, features, naming))
            return _sum(losses | self._names(model, batch, features, draw, naming, count))

        embeds, deepstack = embed(model, batch, features, visual)
        states = model.language.run(embeds, deepstack)
        losses["loss_lm"] = language_loss(model, states, batch.labels)
        looks = looking.loss(model.language, embeds, batch) if looking and self.looking else None
        if looks is not None:
            losses["loss_looks"] = self.looking * looks
        if self.spread:
            losses["loss_spread"] = self.spread * spread_loss(visual, states)
        if learnt == "words":
            return _sum(losses, words=WORDS_ALONE)
        assert features is not None
        if asked:
            conditions = model.conditions(
                states[asked], batch.phrases[asked], batch.segs[asked], shared=self.shared
            )
            targets = [shown[i] for shown in batch.targets for i in asked]
            losses |= self._masks(
                model, batch, features, conditions, asked, targets, draw, naming, count
            )
        return _sum(losses)

    def _cells(
        self, model: X2SAM, batch: Batch, features: Features, naming: Naming
    ) -> dict[str, Tensor]:
        """Losses of telling what the cells of all frames show, as if each were a picture."""
        assert batch.names is not None
        maps = model.decode(features, first=True).maps
        return {"loss_maps": self.naming * naming.maps(batch.names.flatten(0, 1), maps)}

    def _names(
        self,
        model: X2SAM,
        batch: Batch,
        features: Features,
        draw: Uniform,
        naming: Naming,
        count: Tensor | None,
    ) -> dict[str, Tensor]:
        """Losses of finding every target by its noun, and of telling what cells show."""
        conditions = naming.conditions(model.background.weight)
        assert batch.names is not None
        every, nouns = _asked(batch, "names"), len(naming.nouns)
        targets = [
            (nouns_of(batch.names[batch.views[i], frame], masks, nouns), masks)
            for frame, shown in enumerate(batch.targets)
            for i, (_, masks) in enumerate(shown)
        ]
        return self._masks(model, batch, features, conditions, every, targets, draw, naming, count)

    def _masks(
        self,
        model: X2SAM,
        batch: Batch,
        features: Features,
        conditions: Conditions,
        asked: list[int],
        targets: list[tuple[Tensor, Tensor]],
        draw: Uniform,
        naming: Naming | None,
        count: Tensor | None,
    ) -> dict[str, Tensor]:
        """Losses of the masks of the examples `asked`, given their targets, frame after frame."""
        frames, device = batch.pixels.shape[1], batch.pixels.device
        looked_at = sorted({batch.views[i] for i in asked})
        rows = torch.tensor(looked_at, device=device) * frames
        # What is the same for all questions about a picture is worked out once.
        again = [looked_at.index(batch.views[i]) for i in asked]
        stream = model.stream(conditions)
        outputs, told = [], []
        for frame in range(frames):
            decoded = model.decode(_pick(features, rows + frame), first=frame == 0)
            if naming is not None and batch.names is not None:
                names = batch.names.flatten(0, 1)[rows + frame]
                told.append(naming.maps(names, decoded.maps))
            outputs.append(stream.step(_repeat(decoded, again)))
        layers = list(zip(*outputs, strict=True))  # (layers, frames)
        losses = segmentation_losses(
            [torch.cat([frame.class_logits for frame in layer]) for layer in layers],
            [torch.cat([frame.mask_logits for frame in layer]) for layer in layers],
            join(targets, device),
            draw,
            config=self.losses,
            mask_count=count,
        )
        if told:
            losses["loss_maps"] = self.naming * torch.stack(told).mean()
        return losses


def _asked(batch: Batch, learnt: Learnt) -> list[int]:
    """Say which examples' masks are learnt."""
    if learnt == "names":
        return list(range(len(batch.views)))
    if learnt == "words and masks":
        return [i for i, row in enumerate(batch.segs) if bool((row >= 0).any())]
    return []


def average(count: int, batch: Batch) -> Tensor | None:
    """Average the number of masks over all processes, as X2SAM does; None if there is one.

    Gradients are averaged over processes, so that of a mask would else count more where there are
    few. All processes have to call this in every step, those that have no masks as well.
    """
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return None
    total = torch.tensor(float(count), device=batch.pixels.device)
    torch.distributed.all_reduce(total)
    return total / torch.distributed.get_world_size()


def _sum(losses: dict[str, Tensor], words: float = 1.0) -> dict[str, Tensor]:
    """Add what is to be minimised, the loss of the words with its weight."""
    weights = {"lm": words, **dict.fromkeys(("tokens", "maps", "looks", "spread", "seg"), 1.0)}
    parts = [
        weight * losses[f"loss_{name}"]
        for name, weight in weights.items()
        if f"loss_{name}" in losses
    ]
    return {"loss": torch.stack(parts).sum(), **losses}


def read(
    model: X2SAM,
    batch: Batch,
    features: Features | None = None,
    visual: Visual | None = None,
) -> Tensor:
    """Run the language model over the prompts and answers: its states, (B, L, D); see `embed`."""
    return model.language.run(*embed(model, batch, features, visual))


def embed(
    model: X2SAM,
    batch: Batch,
    features: Features | None = None,
    visual: Visual | None = None,
) -> tuple[Tensor, list[Tensor]]:
    """Lay out prompts and answers for the language model, see `LanguageModel.embed`.

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
    return model.language.embed(batch.ids, visual, regions)


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
