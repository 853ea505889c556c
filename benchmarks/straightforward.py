"""X2SAM the straightforward way: what `bench_speed.py` compares with.

The same weights, written plainly: transformers' `generate` with eager attention and hidden
states; all frames of a clip encoded at once; the memory written after every frame; all queries of
all frames enlarged, to the mask encoder's square and then to the picture; nothing kept between
two questions. Memory attention is not written out, as its weights would take 8 GB a layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from accelerate import init_empty_weights
from torch import Tensor
from transformers import GenerationMixin, LogitsProcessor, Qwen3VLForConditionalGeneration

from x2sam.language.encoding import Encoded, encode_chat, encode_ids
from x2sam.language.prompts import Turn, question
from x2sam.language.tokens import VISUAL
from x2sam.model.conditions import Conditions
from x2sam.model.mask_memory import MaskMemory
from x2sam.model.pixels import clip_patches, image_patches, squares
from x2sam.model.predictor import Predictor


class Script(LogitsProcessor):
    """Puts words into the model's mouth, one at a time."""

    def __init__(self, ids: Sequence[int]) -> None:
        self.ids: Iterator[int] = iter(ids)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        del input_ids
        chosen = torch.full_like(scores, -torch.inf)
        chosen[:, next(self.ids)] = 0
        return chosen


class Straightforward:
    """The weights of a predictor, used plainly."""

    def __init__(self, predictor: Predictor) -> None:
        self.model, self.vocabulary = predictor.model, predictor.vocabulary
        self.device, self.dtype = predictor.device, predictor.dtype
        language = self.model.language
        config = deepcopy(language.model.config)
        # A place for visual tokens: any id that no prompt has.
        config.image_token_id = config.video_token_id = config.text_config.vocab_size - 1
        with init_empty_weights(include_buffers=False):
            self.language: Any = Qwen3VLForConditionalGeneration(config)
        self.language.load_state_dict(language.state_dict(), assign=True)
        self.language.to(self.device).eval()
        self.language.set_attn_implementation("eager")
        self.language.model.get_rope_index = plain_positions  # X2SAM's way, see LanguageModel
        assert isinstance(self.language, GenerationMixin)

    @torch.inference_mode()
    def ask(self, frames: np.ndarray, text: str, answer: Sequence[int]) -> Conditions:
        """Show frames (T, H, W, 3), one for a picture, ask, and say what to look for."""
        vision, media = self.model.config.vision, "image" if len(frames) == 1 else "video"
        patches = (
            image_patches(frames[0], vision) if media == "image" else clip_patches(frames, vision)
        )
        turns = [Turn(question("refseg", media, text=text))]
        prompt = encode_chat(turns, self.vocabulary, media, grid=patches.grid, region_tokens=0)
        states = self.generate(prompt, patches.values, patches.grids, media, answer)
        said = encode_ids([*answer], self.vocabulary)
        phrases, segs = (np.full(states.shape[1], -1) for _ in range(2))
        phrases[: len(prompt.ids)] = prompt.phrases
        segs[len(prompt.ids) :] = said.segs[:-1]
        return self.model.conditions(
            states, torch.from_numpy(phrases)[None], torch.from_numpy(segs)[None]
        )

    def generate(
        self, prompt: Encoded, patches: Tensor, grids: Tensor, media: str, answer: Sequence[int]
    ) -> Tensor:
        """Write the answer: states before the final norm, of all tokens but the last."""
        visual = torch.from_numpy(prompt.ids == VISUAL)[None].to(self.device)
        ids = torch.from_numpy(prompt.ids)[None].to(self.device)
        ids = ids.masked_fill(visual, self.language.config.image_token_id)
        pixels = patches.to(self.device, self.dtype)
        shown = (
            {"pixel_values": pixels, "image_grid_thw": grids.to(self.device)}
            if media == "image"
            else {"pixel_values_videos": pixels, "video_grid_thw": grids.to(self.device)}
        )
        states: list[Tensor] = []
        last = self.language.model.language_model.layers[-1]
        hook = last.register_forward_hook(lambda _module, _given, out: states.append(out))
        self.language.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            mm_token_type_ids=visual.int() * (1 if media == "image" else 2),
            max_new_tokens=len(answer),
            min_new_tokens=len(answer),
            do_sample=False,
            pad_token_id=0,
            output_hidden_states=True,
            return_dict_in_generate=True,
            logits_processor=[Script(answer)],
            **shown,
        )
        hook.remove()
        return torch.cat(states, dim=1)

    @torch.inference_mode()
    def segment(self, conditions: Conditions, frames: np.ndarray) -> np.ndarray:
        """Segment frames (T, H, W, 3): masks of the likeliest query, (T, H, W) bool."""
        model = self.model
        side = model.config.mask_encoder.image_size
        features = model.mask_encoder(squares(frames, side).to(self.device, self.dtype))
        memory = MaskMemory(model.config.memory.frames)
        classes, masks = [], []
        for index in range(len(frames)):
            predictions, maps = model.segment(features.frame(index), conditions, memory, index)
            seen = predictions[-1]
            entries, position = model.memory_encoder(maps, seen.class_logits, seen.mask_logits)
            memory.write(index, entries, position)
            classes.append(seen.class_logits)
            masks.append(F.interpolate(seen.mask_logits, (side, side), mode="bilinear"))
        likely = torch.cat(classes).float().softmax(dim=-1)[..., 0]  # (T, Q)
        everything = torch.cat(masks)  # (T, Q, side, side)
        found = []
        for one, probability in zip(everything, likely, strict=True):
            full = F.interpolate(one[None], frames.shape[1:3], mode="bilinear")[0] > 0
            found.append(full[probability.argmax()].cpu().numpy())
        return np.stack(found)


def plain_positions(input_ids: Tensor, **_: Any) -> tuple[Tensor, Tensor]:
    """Number the tokens 0..L-1 on all three axes."""
    batch, length = input_ids.shape
    positions = torch.arange(length, device=input_ids.device).expand(3, batch, length)
    return positions, positions.new_zeros(batch, 1)
