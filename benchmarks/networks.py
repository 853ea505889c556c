"""Networks to measure: nano, and the 4B's own sizes with random weights.

`4b` is the published network, to the last tensor; `wide` has its widths and few layers, small
pictures and words, so that a CPU can run it. What a random network says means nothing and costs
the same.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from x2sam.config import X2SAMConfig
from x2sam.language.tokens import Vocabulary
from x2sam.model.build import build
from x2sam.model.checkpoint_files import resolve
from x2sam.model.checkpoint_names import is_adapted
from x2sam.model.predictor import Predictor
from x2sam.model.pretrained import load
from x2sam.model.quantisation import Bits, quantised
from x2sam.model.x2sam import X2SAM

FULL = X2SAMConfig()
WIDE = replace(
    FULL,
    name="x2sam-wide",
    language=replace(FULL.language, layers=2, vocab_size=4096),
    vision=replace(
        FULL.vision,
        layers=2,
        deepstack_layers=(0, 1),
        image_pixels=(65_536, 65_536),
        clip_pixels=(65_536, 65_536),
    ),
    mask_encoder=replace(
        FULL.mask_encoder, image_size=256, stage_blocks=(1, 1, 2, 1), global_blocks=(3,)
    ),
    pixel_decoder=replace(FULL.pixel_decoder, layers=2),
    mask_decoder=replace(FULL.mask_decoder, layers=3),
    memory=replace(FULL.memory, attention_layers=2, fuser_layers=1),
)
SIZES = {"4b": FULL, "wide": WIDE}


def network(size: str, device: torch.device, bits: Bits | None = None) -> Predictor:
    """Load nano, or make one of the others; they use nano's words, which are the first ids."""
    if size == "nano":
        return load("nano", device=device, bits=bits)
    dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
    vocabulary = Vocabulary.load(resolve("nano") / "tokenizer.json")
    model = random(SIZES[size], device, dtype)
    for name, weight in list(model.named_parameters()) if bits else ():
        if is_adapted(name):
            owner = name.rpartition(".")[0]
            model.set_submodule(owner, quantised(weight, bits, device, dtype))
    return Predictor(model, vocabulary)


def random(config: X2SAMConfig, device: torch.device, dtype: torch.dtype) -> X2SAM:
    """Make a network where it is to run; the host never holds its weights."""
    model = build(config, empty=True)
    generator = torch.Generator(device).manual_seed(0)

    def weight(name: str, shape: torch.Size) -> torch.Tensor:
        made = torch.empty(shape, device=device, dtype=dtype)
        if len(shape) > 1:
            return made.normal_(0, 0.02, generator=generator)
        return made.fill_(0 if name.endswith("bias") else 1)

    weights = {name: weight(name, each.shape) for name, each in model.named_parameters()}
    weights["language.lm_head.weight"] = weights[
        "language.model.language_model.embed_tokens.weight"
    ]
    model.load_state_dict(weights, assign=True, strict=False)
    model.language.tie()
    return model.to(device).eval()
