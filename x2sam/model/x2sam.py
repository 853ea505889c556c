"""X2SAM: a language model that reads the request, and a mask decoder that draws it.

    picture ─ see ──────────► visual tokens ─┐
    picture ─ mask_encoder ─► region map ────┤ region tokens
                 │                           ▼
                 │          words ────► language ────► words
                 │                           │ states at <p>…</p> and <SEG>
                 │ feature maps              ▼
                 │                       conditions
                 ▼                           │
           pixel_decoder ─► memory_attention ▼
                 │   ▲          │ ▲      mask_decoder ─► masks, class_head ─► classes
                 │   │          ▼ │                        │
                 └───┼────► memory_encoder ◄───────────────┘
                     └─────── (next frame)

The two halves meet in the conditions (arXiv 2605.00891, figure 2). The parts come in ready
made; this class only knows how they are joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from x2sam.config import X2SAMConfig
from x2sam.model.conditions import Conditions, gather_conditions
from x2sam.model.language_model import LanguageModel
from x2sam.model.mask_decoder import ClassHead, Logits, MaskDecoder
from x2sam.model.mask_encoder import Features, MaskEncoder
from x2sam.model.mask_memory import MaskMemory
from x2sam.model.memory_attention import MemoryAttention
from x2sam.model.memory_encoder import MemoryEncoder
from x2sam.model.pixel_decoder import PixelDecoder
from x2sam.model.regions import draw_points, read_points, unshuffle


@dataclass(frozen=True, slots=True)
class Decoded:
    """All of a batch of frames that does not depend on what is asked about them."""

    first: bool  # in their clips, or pictures: decoded as what has nothing before it
    maps: tuple[Tensor, ...]  # of the pixel decoder, coarse to fine, (B, D, h, w) each
    mask_features: Tensor  # what mask logits are read from, (B, D, h, w)
    region_stage: Tensor  # the stage that drawn regions are read from, (B, h, w, C)


class X2SAM(nn.Module):
    """The whole network."""

    def __init__(
        self,
        config: X2SAMConfig,
        *,
        language: LanguageModel,
        mask_encoder: MaskEncoder,
        pixel_decoder: PixelDecoder,
        memory_attention: MemoryAttention,
        memory_encoder: MemoryEncoder,
        mask_decoder: MaskDecoder,
        class_head: ClassHead,
        region_projector: nn.Module,
        condition_projector: nn.Module,
    ) -> None:
        super().__init__()
        self.config = config
        self.language = language
        self.mask_encoder = mask_encoder
        self.pixel_decoder = pixel_decoder
        self.memory_attention = memory_attention
        self.memory_encoder = memory_encoder
        self.mask_decoder = mask_decoder
        self.class_head = class_head
        self.region_projector = region_projector
        self.condition_projector = condition_projector
        self.background = nn.Embedding(1, config.width)
        self.no_memory_embedding = nn.Parameter(torch.empty(1, 1, config.width))

    def region_tokens(
        self,
        features: Features | Decoded,
        masks: Tensor | None = None,
        points: Tensor | None = None,
        owners: Tensor | None = None,
    ) -> Tensor:
        """Turn drawn regions into tokens for the language model.

        Args:
            features: of the frames they were drawn on.
            masks: the drawn regions, (R, H, W), non-zero inside.
            points: where to read instead of drawing points inside the masks, (R, P, 2).
            owners: which frame of the batch each region was drawn on, (R,); the first if None.

        Returns:
            (R, tokens, D).

        Raises:
            PromptError: a mask is empty.
        """
        regions = self.config.regions
        if points is None:
            assert masks is not None, "regions are given as masks or as points"
            points = torch.stack([draw_points(mask, regions.points) for mask in masks])
        cells = unshuffle(features.region_stage, regions.unshuffle)  # (B, h, w, C)
        maps = self.region_projector(cells).movedim(-1, 1)  # (B, D, h, w)
        maps = maps[:1].expand(len(points), -1, -1, -1) if owners is None else maps[owners]
        return read_points(maps, points.to(maps.device), regions.pooling)

    def conditions(
        self, states: Tensor, phrases: Tensor, segs: Tensor, *, shared: bool = False
    ) -> Conditions:
        """What to look for, from the language model's states (B, L, D).

        See `gather_conditions` for the other arguments.
        """
        projected = self.condition_projector(states)
        return gather_conditions(projected, phrases, segs, self.background.weight, shared=shared)

    def decode(self, features: Features, *, first: bool) -> Decoded:
        """Run the pixel decoder, whose output is worth keeping for further questions.

        Args:
            features: of the frames.
            first: whether nothing comes before them, as for pictures.
        """
        maps = features.maps
        if first:
            nothing = self.no_memory_embedding[0, 0][:, None, None]
            maps = tuple(level + nothing for level in maps)
        decoded, mask_features = self.pixel_decoder(maps)
        return Decoded(first, tuple(decoded), mask_features, features.region_stage)

    def segment(
        self,
        features: Features | Decoded,
        conditions: Conditions,
        memory: MaskMemory | None = None,
        index: int = 0,
    ) -> tuple[list[Logits], Sequence[Tensor]]:
        """Segment one frame, or a batch of unrelated ones.

        Args:
            features: of the frame, batch B, decoded already or not.
            conditions: what to look for, batch 1 or B.
            memory: what came before in each clip of the batch; None or empty at the first
                frame, and for pictures.
            index: the frame's index, larger than any in the memory.

        Returns:
            Predictions of all decoder layers, the last one last, and the feature maps that
            the memory encoder wants, coarse to fine.
        """
        if isinstance(features, Features):
            features = self.decode(features, first=not memory)
        assert features.first == (not memory), "decoded for another place in the clip"
        looked: Sequence[Tensor] = features.maps
        if memory:
            looked = [
                self.memory_attention(level, *memory.read(index, scale))
                for scale, level in enumerate(features.maps)
            ]
        predictions = [
            Logits(self.class_head(queries, conditions), mask_logits, queries)
            for queries, mask_logits in self._decode(looked, features.mask_features, conditions)
        ]
        return predictions, features.maps

    def _decode(
        self, maps: Sequence[Tensor], mask_features: Tensor, conditions: Conditions
    ) -> list[tuple[Tensor, Tensor]]:
        layers: list[tuple[Tensor, Tensor]] = self.mask_decoder(maps, mask_features, conditions)
        return layers if self.training else layers[-1:]

    def stream(self, conditions: Conditions) -> MaskStream:
        """Start segmenting a clip frame by frame."""
        return MaskStream(self, conditions)


class MaskStream:
    """One clip, segmented as its frames come; what it keeps does not grow.

    A frame is remembered only when the next one asks, so a picture and the last frame of a
    clip cost no memory encoding.
    """

    def __init__(self, model: X2SAM, conditions: Conditions) -> None:
        self.memory = MaskMemory(model.config.memory.frames)
        self.conditions = conditions
        self._model = model
        self._last: tuple[int, Sequence[Tensor], Logits] | None = None

    def step(self, features: Features | Decoded) -> list[Logits]:
        """Segment the next frame: predictions of all decoder layers when training, else one."""
        index = 0
        if self._last is not None:
            before, maps, prediction = self._last
            entries, position = self._model.memory_encoder(
                maps, prediction.class_logits, prediction.mask_logits
            )
            self.memory.write(before, entries, position)
            index = before + 1
        predictions, maps = self._model.segment(features, self.conditions, self.memory, index)
        self._last = index, maps, predictions[-1]
        return predictions
