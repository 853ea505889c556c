"""How a small network begins that is trained from nothing.

normal(0, 0.02) suits layers a thousand wide; layers of 32 to 256 pass on a fraction of what they
get, and lose the start of their training to it (docs/design.md has the numbers). Here every layer
passes on what it gets at the strength it gets it.

Most answers repeat a word of the question, so each attention of the language model begins by
passing on what it finds, and words that were read are likelier before any training (compare the
mimetic initialisation of Trockman and Kolter, 2023).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from x2sam.model.build import EXCEPTIONS, is_xavier
from x2sam.model.x2sam import X2SAM

_RESIDUAL = ("attn.proj", "down_proj", "linear_fc2", "mlp.proj_out")  # into a sum
_COPIED = 0.5  # how much of what an attention finds is passed on


@torch.no_grad()
def begin(model: X2SAM, seed: int = 0) -> None:
    """Draw the weights of a network that will be trained from nothing, in place."""
    generator = torch.Generator().manual_seed(seed)

    def normal(weight: Tensor, std: float) -> None:
        weight.copy_(torch.randn(weight.shape, generator=generator) * std)

    text, sight = model.language.model.language_model, model.language.model.visual
    _keep_size(model, normal)
    normal(text.embed_tokens.weight, text.config.hidden_size**-0.5)
    for stack in (text.layers, sight.blocks, model.mask_encoder.backbone.blocks):
        for name, module in stack.named_modules():
            if name.endswith(_RESIDUAL):
                module.weight.mul_((2 * len(stack)) ** -0.5)
    for layer in text.layers:
        _copying(layer.self_attn, generator)
    for module in model.modules():
        if rule := EXCEPTIONS.get(type(module)):
            rule(module)


def _keep_size(model: X2SAM, normal: Callable[[Tensor, float], None]) -> None:
    """Let layers pass on what they get at its size; those of the decoders do so already."""
    for name, module in model.named_modules():
        if is_xavier(f"{name}.") or module is model.language.lm_head:
            continue
        if isinstance(module, nn.Linear | nn.Conv2d | nn.Conv3d):
            normal(module.weight, module.weight[0].numel() ** -0.5)
        elif isinstance(module, nn.ConvTranspose2d):
            normal(module.weight, len(module.weight) ** -0.5)


def _copying(attention: Any, generator: torch.Generator) -> None:
    """Let an attention pass on what it finds: its way out is its way in, reversed."""
    values, out = attention.v_proj.weight, attention.o_proj.weight
    nn.init.orthogonal_(values, generator=generator)
    row, size = torch.arange(out.shape[1]), attention.head_dim
    own = row // (size * attention.num_key_value_groups) * size + row % size  # heads are shared
    out.copy_(_COPIED * values[own].mT)
