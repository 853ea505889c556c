"""Whole tasks from prompt to masks: recorded names → our values.

`shared` runs what does not depend on the task: both encoders on a picture or clip. `run_task`
goes on from there as the network does: words, states, conditions, and one frame after the
other. Two modes were recorded: in "tensor" the answer is given, in "predict" it is
generated, its tokens forced because random weights never say `<SEG>`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from x2sam.eval.golden_network import watch
from x2sam.eval.golden_units import Tensors, embeds
from x2sam.language.encoding import Encoded, VisualGrid, encode, encode_ids
from x2sam.language.tokens import IMAGE, VISUAL, Vocabulary
from x2sam.model.conditions import Conditions
from x2sam.model.language_model import LanguageModel, Visual
from x2sam.model.mask_decoder import Logits
from x2sam.model.mask_encoder import Features
from x2sam.model.x2sam import X2SAM

FREE_TOKENS = 16  # that were generated where nothing was forced
MAPS = 3
UPSAMPLED = 4  # queries whose enlarged masks were recorded


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A picture or clip after both encoders."""

    visual: Visual
    grid: VisualGrid
    features: Features  # of all frames


def see(model: X2SAM, recorded: Tensors, grid: Tensor) -> Seen:
    """Encode the recorded pixels; `grid` is that of the patches, (1, 3)."""
    patches = recorded.get("in.pixel_values", recorded.get("in.pixel_values_videos"))
    assert patches is not None, recorded.keys()
    pixels = recorded["in.extra_pixel_values"].flatten(0, -4)  # (T, 3, S, S)
    visual = model.language.see(patches, grid)
    t, h, w = grid[0].tolist()
    return Seen(visual, VisualGrid(t, h, w), model.mask_encoder(pixels))


def shared(model: X2SAM, recorded: Tensors, grid: Tensor) -> tuple[Seen, Tensors]:
    """Encode the recorded pixels, and decode each frame as far as no words are needed."""
    with watch(backbone=model.mask_encoder.backbone) as calls:
        seen = see(model, recorded, grid)
    stages = calls["backbone"].outputs[0].intermediate_hidden_states
    ours = {"vlm.visual_tower_out": seen.visual.tokens, "vlm.visual_embeds.0": seen.visual.tokens}
    ours |= {f"vlm.deepstack.{i}": level for i, level in enumerate(seen.visual.deepstack)}
    for index in range(len(seen.features.region_stage)):
        frame = seen.features.frame(index)
        nothing = model.no_memory_embedding[0, 0][:, None, None] if index == 0 else 0
        given = [level + nothing for level in frame.maps]
        maps, mask_features = model.pixel_decoder(given)
        one: dict[str, Sequence[Tensor]] = {
            f"encoder.frame{index}.fpn": frame.maps,
            f"encoder.frame{index}.hidden": [stage[index] for stage in stages],
            f"pixel_decoder.frame{index}.input": given,
            f"pixel_decoder.frame{index}.multi_scale": maps,
        }
        ours |= {f"{name}.{i}": v for name, values in one.items() for i, v in enumerate(values)}
        ours[f"pixel_decoder.frame{index}.mask_features"] = mask_features
        ours[f"extra_projector.frame{index}"] = region_map(model, frame)
    return seen, ours


def region_map(model: X2SAM, frame: Features) -> Tensor:
    """What regions are read from, through the network's own way to it: (1, N, D)."""
    with watch(projector=model.region_projector) as calls:
        model.region_tokens(frame, torch.ones(1, 8, 8))
    return torch.as_tensor(calls["projector"].outputs[0]).flatten(1, 2)


def run_task(
    model: X2SAM, task: dict[str, Any], recorded: Tensors, seen: Seen, vocabulary: Vocabulary
) -> tuple[Tensors, list[Logits]]:
    """Answer a recorded request: our tensors, and a prediction per frame unless it was a chat.

    Args:
        model: the network.
        task: the task's entry in `tasks.json`.
        recorded: its tensors; only the points of regions are read.
        seen: the encoded picture or clip.
        vocabulary: the recording's tokenizer.
    """
    ours = prompt(task, vocabulary, seen.grid)
    regions = None
    if "sampler.points.0" in recorded:
        points = [recorded[f"sampler.points.{k}"] for k in range(_count(recorded, "sampler.po"))]
        tokens = model.region_tokens(seen.features.frame(0), points=torch.stack(points))
        ours["sampler.output.0"] = ours["vprompt_feats.0"] = tokens
        regions = tokens.flatten(0, 1)
    ids = ours["prepare.input_ids"]
    ids = torch.where(ids == IMAGE, VISUAL, ids)
    embeds_in, deepstack = model.language.embed(ids, seen.visual, regions)
    cache = model.language.new_cache()
    states = model.language.run(embeds_in, deepstack, cache)
    ours["prepare.inputs_embeds"] = embeds_in
    ours["mlm_projector.call0.in"] = states
    ours["mlm_projector.call0.out"] = model.condition_projector(states)
    phrases, segs = ours["prepare.cond_ids"], ours["prepare.seg_ids"]
    if task["mode"] == "predict":
        forced = task["forced_generation"]
        answer, more, written = _generate(model.language, states, cache, vocabulary, forced)
        states = torch.cat([states, more], dim=1)
        ours |= written
        ours["mlm_projector.call1.in"] = states
        ours["mlm_projector.call1.out"] = model.condition_projector(states)
        phrases, segs = _join(phrases, segs, answer, states.shape[1])
    else:
        ours["gen.logits_last"] = model.language.logits(states[:, -4:])
    if task["task"].endswith("chat"):
        return ours, []
    referring = task["task"].endswith(("refseg", "reaseg"))
    conditions = model.conditions(states, phrases, segs, shared=referring)
    ours |= {f"process_embeds.{n}": v for n, v in embeds(conditions).items()}
    ours |= {f"decoder.in.{n}": v for n, v in embeds(conditions).items()}
    ours["process_embeds.cond_lens"] = phrases.max() + 1
    frames, predictions = segment(model, seen.features, conditions)
    return ours | frames, predictions


def prompt(task: dict[str, Any], vocabulary: Vocabulary, grid: VisualGrid) -> Tensors:
    """Encode the recorded conversation, regions as one token each and as many."""
    ours: Tensors = {}
    turn = task["conversation"][0]
    for stage, region_tokens in (("in", 1), ("prepare", 64)):
        whole = encode(turn["input"], vocabulary, grid=grid, region_tokens=region_tokens)
        if task["mode"] == "tensor":
            whole += encode(turn["output"], vocabulary, learn=True) + encode("\n", vocabulary)
        ids, phrases, segs, labels = (
            torch.from_numpy(a)[None] for a in (whole.ids, whole.phrases, whole.segs, whole.labels)
        )
        ours |= {
            f"{stage}.input_ids": ids if stage == "in" else torch.where(ids == VISUAL, IMAGE, ids),
            f"{stage}.cond_ids": phrases,
            f"{stage}.seg_ids": segs,
            f"{stage}.labels": labels,
            f"{stage}.attention_mask": torch.ones_like(ids),
            f"{stage}.position_ids": torch.arange(ids.shape[1]),
            f"{stage}.image_masks": ids == VISUAL,
        }
    return ours


def _generate(
    language: LanguageModel,
    states: Tensor,
    cache: Any,
    vocabulary: Vocabulary,
    forced: list[int] | None,
) -> tuple[Encoded, Tensor, Tensors]:
    with _forced(language.lm_head, forced) as logits:
        written = list(
            language.generate(
                states[:, -1:], cache, stop=frozenset({vocabulary.eos}), limit=FREE_TOKENS
            )
            if forced is None
            else language.generate(states[:, -1:], cache, stop=frozenset(), limit=len(forced))
        )
    ids = [token for token, _ in written]
    more = torch.cat([state for _, state in written if state is not None], dim=1)
    ours = {"gen.sequences": torch.tensor([ids]), "gen.logits": torch.stack(logits, dim=1)}
    return encode_ids(ids, vocabulary), more, ours


@contextmanager
def _forced(head: nn.Module, tokens: list[int] | None) -> Iterator[list[Tensor]]:
    """Record the head's logits, and make it choose the given tokens one after the other."""
    logits: list[Tensor] = []

    def choose(_: nn.Module, __: Any, output: Tensor) -> Tensor | None:
        logits.append(output[:, -1])
        if tokens is None:
            return None
        return F.one_hot(torch.tensor([[tokens[len(logits) - 1]]]), output.shape[-1]).float()

    handle = head.register_forward_hook(choose)
    try:
        yield logits
    finally:
        handle.remove()


def _join(phrases: Tensor, segs: Tensor, answer: Encoded, length: int) -> tuple[Tensor, Tensor]:
    """Append an answer's marks; phrases that it names take the place of the prompt's."""
    named = torch.from_numpy(answer.phrases)[None]
    if answer.phrase_count:
        phrases = torch.full_like(phrases, -1)
    phrases = torch.cat([phrases, named], dim=1)[:, :length]
    return phrases, torch.cat([segs, torch.from_numpy(answer.segs)[None]], dim=1)[:, :length]


def segment(
    model: X2SAM, features: Features, conditions: Conditions
) -> tuple[Tensors, list[Logits]]:
    """Segment all frames as a stream, and look at what is written to the memory and read."""
    ours: Tensors = {}
    predictions = []
    stream = model.stream(conditions)
    with watch(
        decoder=model.mask_decoder,
        attention=model.memory_attention,
        encoder=model.memory_encoder,
        pixels=model.pixel_decoder,
    ) as calls:
        for index in range(len(features.region_stage)):
            predictions.append(stream.step(features.frame(index))[-1])
            if index:
                bank = torch.tensor(stream.memory.frames)
                ours[f"memory_bank.before_frame{index}.temporal_idx"] = bank
        last, (maps, _) = predictions[-1], calls["pixels"].outputs[-1]
        model.memory_encoder(maps, last.class_logits, last.mask_logits)  # a stream does not
    for index, layers in enumerate(calls["decoder"].outputs):
        name = f"decoder.frame{index}"
        ours[f"{name}.intermediate"] = torch.stack([queries for queries, _ in layers])
        ours[f"{name}.mask_logits_all"] = torch.stack([masks for _, masks in layers])
        ours[f"{name}.mask_logits"] = layers[-1][1]
    for index, (entries, position) in enumerate(calls["encoder"].outputs):
        ours[f"memory.frame{index}.class_logits"] = calls["encoder"].inputs[index][1]
        for scale, entry in enumerate(entries):
            ours[f"memory.frame{index}.scale{scale}.embed"] = entry.mT
            ours[f"memory.frame{index}.scale{scale}.pos"] = position.mT
    for call, out in enumerate(calls["attention"].outputs):
        _, memory, position = calls["attention"].inputs[call]
        name = f"memory_attention.frame{call // MAPS + 1}.scale{call % MAPS}"
        ours[f"{name}.out"] = out.flatten(2).mT
        ours[f"{name}.mem_pos"] = position
        ours[f"{name}.n_mem_tokens"] = torch.tensor(memory.shape[1])
    ours["segmentor.class_queries_logits"] = torch.cat([p.class_logits for p in predictions])
    masks = torch.cat([p.mask_logits[:, :UPSAMPLED] for p in predictions])
    side = model.config.mask_encoder.image_size
    enlarged = F.interpolate(masks, (side, side), mode="bilinear")
    ours[f"segmentor.masks_queries_logits_upsampled[:,:{UPSAMPLED}]"] = enlarged
    return ours, predictions


def _count(recorded: Tensors, prefix: str) -> int:
    return sum(name.startswith(prefix) for name in recorded)
