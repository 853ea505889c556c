"""Language model: Qwen3-VL from transformers, run layer by layer.

X2SAM reads the state *before* the final norm, uses plain positions 0..L-1 on all three
rotary axes, and needs to stop, stream and resume from a prefix; so the loop over the layers
and the decoding loop are ours, and every layer is transformers'.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import Qwen3VLConfig, Qwen3VLModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.models.qwen3_vl import modeling_qwen3_vl as upstream

from x2sam.language.tokens import REGION, VISUAL
from x2sam.model.key_values import ARGUMENT, KeyValues
from x2sam.model.recorded import SIZE, SPARE, Recorded

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Visual:
    """The tokens of pictures or clips, one after the other."""

    tokens: Tensor  # (N, D)
    deepstack: tuple[Tensor, ...]  # (N, D) each, added after the first layers

    @staticmethod
    def join(parts: list[Visual]) -> Visual:
        """Put several one after the other."""
        levels = zip(*(part.deepstack for part in parts), strict=True)
        return Visual(torch.cat([part.tokens for part in parts]), tuple(map(torch.cat, levels)))

    def means(self, count: int) -> Visual:
        """Average over `count` parts of equal length: (count, D)."""
        tokens, *levels = (
            level.unflatten(0, (count, -1)).mean(dim=1) for level in (self.tokens, *self.deepstack)
        )
        return Visual(tokens, tuple(levels))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the next token is chosen; the default is the likeliest."""

    temperature: float = 0.0
    top_k: int = 20
    seed: int = 0

    def chooser(self) -> Callable[[Tensor], int]:
        """Make a choice of the next token from its logits (V,); for one answer."""
        if self.temperature <= 0:
            return lambda logits: int(logits.argmax())
        generator = torch.Generator().manual_seed(self.seed)

        def draw(logits: Tensor) -> int:
            top_k = min(self.top_k, len(logits))
            best = (logits.float().cpu() / self.temperature).topk(top_k)
            pick = torch.multinomial(best.values.softmax(dim=-1), 1, generator=generator)
            return int(best.indices[pick])

        return draw


class LanguageModel(nn.Module):
    """Pictures and words in, states and words out."""

    def __init__(self, config: Qwen3VLConfig) -> None:
        super().__init__()
        self.model = Qwen3VLModel(config)
        text = config.text_config
        self.lm_head = nn.Linear(text.hidden_size, text.vocab_size, bias=False)
        self.model.visual.patch_embed = PatchEmbedding(config.vision_config)
        for block in self.model.visual.blocks:
            block.attn = VisionAttention(config.vision_config)
        self._recorded: Recorded | None = None  # a step of writing, on a GPU
        self._unrecordable = False
        self.tie()

    def tie(self) -> None:
        """Share one table between reading and writing tokens."""
        self.lm_head.weight = self.model.language_model.embed_tokens.weight

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:  # noqa: FBT001, FBT002
        """Move the weights, as torch does; what was recorded knows where they were."""
        self._recorded = None
        return super()._apply(fn, recurse)  # type: ignore[no-any-return, no-untyped-call]

    def see(self, patches: Tensor, grids: Tensor) -> Visual:
        """Encode pictures and clips.

        Args:
            patches: flattened patches of all of them, (P, 3 * t * p * p).
            grids: frames, rows and columns of patches, (N, 3), on the CPU.
        """
        visual = self.model.visual
        # What is worked out from the grids on the CPU is only moved, so that nothing waits for
        # the device; the lengths of the frames stay, for `VisionAttention` counts them.
        indices, weights = upstream.get_vision_interpolation_indices_and_weights(
            grids,
            num_grid_per_side=visual.num_grid_per_side,
            mode=visual.interpolation_mode,
            align_corners=visual.interpolation_align_corners,
            spatial_merge_size=visual.config.spatial_merge_size,
        )
        positions = upstream.get_vision_position_ids(grids, visual.spatial_merge_size)
        out = visual(
            patches,
            grid_thw=grids,
            interp_indices=indices.to(patches.device),
            interp_weights=weights.to(patches.device),
            position_ids=positions.to(patches.device),
        )
        return Visual(out.pooler_output, tuple(out.deepstack_features))

    def embed(
        self, ids: Tensor, visual: Visual | None = None, regions: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Turn token ids into input embeddings and what is added after the first layers.

        Args:
            ids: (B, L); visual and region tokens by their negative pseudo ids.
            visual: tokens for the visual places, in reading order over the batch.
            regions: tokens for the region places, (R, D), likewise.
        """
        table = self.model.language_model.embed_tokens
        embeds = table(ids.clamp(min=0))  # (B, L, D)
        deepstack = []
        if visual is not None:
            embeds = _fill(embeds, ids == VISUAL, visual.tokens)
            nothing = torch.zeros_like(embeds)
            deepstack = [_fill(nothing, ids == VISUAL, level) for level in visual.deepstack]
        if regions is not None:
            embeds = _fill(embeds, ids == REGION, regions)
        return embeds, deepstack

    def run(
        self,
        embeds: Tensor,
        deepstack: list[Tensor] | None = None,
        cache: KeyValues | None = None,
    ) -> Tensor:
        """Run the layers: states before the final norm, (B, L, D).

        Right padding needs no mask: attention is causal, and nobody reads the padding.

        Args:
            embeds: input embeddings (B, L, D); they follow what the cache holds.
            deepstack: added to the states after the first layers, (B, L, D) each.
            cache: keys and values of what came before; it grows by L.
        """
        length = embeds.shape[1]
        past = cache.length if cache is not None else 0
        positions = torch.arange(past, past + length, device=embeds.device)
        mask = None
        if past and length > 1:  # otherwise attention is causal by itself
            mask = torch.ones(length, past + length, dtype=torch.bool, device=embeds.device)
            mask = mask.tril(past)[None, None]
        states = self.through(embeds, positions, mask, cache, deepstack)
        if cache is not None:
            cache.length += length
        return states

    def through(
        self,
        embeds: Tensor,
        positions: Tensor,
        mask: Tensor | None,
        cache: Any,
        deepstack: list[Tensor] | None = None,
    ) -> Tensor:
        """Run the layers at given positions (L,), looking where the mask allows.

        The cache may be anything with an `update` like that of `KeyValues`.
        """
        text = self.model.language_model
        rotary = text.rotary_emb(embeds, positions.expand(3, len(embeds), -1))
        states = embeds
        extra = iter(deepstack or ())
        for layer in text.layers:
            states = layer(
                states, attention_mask=mask, position_embeddings=rotary, **{ARGUMENT: cache}
            )
            if (level := next(extra, None)) is not None:
                states = states + level
        return torch.as_tensor(states)

    def logits(self, states: Tensor) -> Tensor:
        """Say what comes next after each state: (B, L, V)."""
        return torch.as_tensor(self.lm_head(self.model.language_model.norm(states)))

    def new_cache(self) -> KeyValues:
        """Make an empty cache of keys and values."""
        return KeyValues(len(self.model.language_model.layers))

    def generate(
        self,
        state: Tensor,
        cache: KeyValues,
        *,
        stop: frozenset[int],
        limit: int = 2048,
        sampling: Sampling | None = None,
    ) -> Iterator[tuple[int, Tensor | None]]:
        """Write an answer, token by token; close the iterator to stop.

        Args:
            state: the last state of the prompt, (1, 1, D).
            cache: keys and values of the prompt; it grows by every token but the last.
            stop: ids that end the answer; they are yielded too.
            limit: the most tokens to write.
            sampling: how to choose; the likeliest by default.

        Yields:
            A token id and its state (1, 1, D); the last token has none, as it is never read.
        """
        choose = (sampling or Sampling()).chooser()
        token = choose(self.logits(state)[0, -1])
        answer, recordable = object(), self._recordable()
        if recordable:
            self._shrink(cache)
        for _ in range(limit - 1):
            if token in stop:
                break
            recorded = self._recorded_for(cache) if recordable else None
            if recorded is not None:
                state, logits = recorded.step(answer, cache, token)
            else:
                recordable = False  # for this answer; the next one tries again
                embeds, _ = self.embed(torch.tensor([[token]], device=state.device))
                state = self.run(embeds, cache=cache)
                logits = self.logits(state)[0, -1]
            yield token, state
            token = choose(logits)
        yield token, None

    def _recordable(self) -> bool:
        """Tell whether all weights lie on one CUDA device; those that are fetched lie nowhere."""
        devices = {weight.device for weight in self.model.language_model.parameters()}
        return len(devices) == 1 and devices.pop().type == "cuda"

    def _shrink(self, cache: KeyValues) -> None:
        """Give up a recording of which an answer that begins needs a quarter at most.

        Each of its words would look at all that room, which is of some longer conversation. Only
        at the beginning: answers that take turns would otherwise have it recorded word by word.
        """
        if self._recorded is not None and self._recorded.room >= SPARE * _room(cache):
            self._recorded = None

    def _recorded_for(self, cache: KeyValues) -> Recorded | None:
        """Have a step recorded that has room for one more token; None where none can be."""
        if self._unrecordable:
            return None
        room = _room(cache)
        if self._recorded is None or self._recorded.room < room:
            self._recorded = None  # its room is free before there is more
            try:
                recorded = Recorded(self, room)
                recorded.record()
            except torch.OutOfMemoryError as error:
                _log.warning("An answer is written one kernel at a time: %s", error)
                return None
            except RuntimeError as error:
                self._unrecordable = True
                _log.warning("Words are written one kernel at a time: %s", error)
                return None
            self._recorded = recorded
        return self._recorded


def _room(cache: KeyValues) -> int:
    """Say what a recording should hold to read one more token."""
    return -(-(cache.length + 1) // SIZE) * SIZE


def _fill(embeds: Tensor, where: Tensor, rows: Tensor) -> Tensor:
    """Put rows (N, D) at the marked places of (B, L, D), in reading order, without a sync."""
    index = where.flatten().cumsum(0).sub(1).clamp(min=0).view_as(where)
    return torch.where(where[..., None], rows[index].to(embeds.dtype), embeds)


class PatchEmbedding(upstream.Qwen3VLVisionPatchEmbed):
    """Each patch through one linear map.

    Transformers' own is a `Conv3d` whose stride is its kernel: the same sums, for which cuDNN
    has no fast kernel in bfloat16. The weights stay a convolution's, as checkpoints hold them.
    """

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Embed flattened patches (P, 3 * t * p * p): (P, D)."""
        weight = self.proj.weight
        return F.linear(hidden_states.to(weight.dtype), weight.flatten(1), self.proj.bias)


class VisionAttention(upstream.Qwen3VLVisionAttention):
    """Attention within each frame, in one call when all frames have one size.

    Transformers' own loops over the frames, which for a clip or a batch is most of the time.
    """

    def forward(
        self,
        hidden_states: Tensor,
        cu_seqlens: Tensor,
        position_embeddings: tuple[Tensor, Tensor],
        **_: Any,
    ) -> Tensor:
        """Attend among the patches of each frame: (P, D)."""
        lengths = cu_seqlens.diff().tolist()
        qkv = self.qkv(hidden_states).unflatten(-1, (3, self.num_heads, -1))  # (P, 3, heads, C)
        q, k, v = qkv.unbind(dim=1)
        q, k = upstream.apply_rotary_pos_emb_vision(q, k, *position_embeddings)
        if len(set(lengths)) == 1:
            out = self._within(q, k, v, len(lengths))
        else:
            frames = zip(*(x.split(lengths) for x in (q, k, v)), strict=True)
            out = torch.cat([self._within(q, k, v, 1) for q, k, v in frames])
        return torch.as_tensor(self.proj(out))

    def _within(self, q: Tensor, k: Tensor, v: Tensor, frames: int) -> Tensor:
        q, k, v = (x.unflatten(0, (frames, -1)).transpose(1, 2) for x in (q, k, v))
        out, _ = sdpa_attention_forward(
            self, q, k, v, None, scaling=self.scaling, is_causal=False
        )  # (frames, patches, heads, C)
        return torch.as_tensor(out.flatten(0, 1).flatten(1))
