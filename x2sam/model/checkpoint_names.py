"""Whose names are whose: the official checkpoint's, Qwen3-VL's and ours.

The three differ by prefixes alone, because the parts they share are transformers'. The
published checkpoint comes in two forms: `full` holds every weight, and LoRA apart; `export`
lacks what training left as it was. `merged` has LoRA added to the weights, as ours does.

    >>> ours("segmentor.decoder.level_embed.weight")
    'mask_decoder.level_embed.weight'
    >>> name = "language.model.language_model.layers.0.mlp.up_proj.weight"
    >>> official(name, "full")
    'vlm.base_model.model.model.language_model.layers.0.mlp.up_proj.base_layer.weight'
    >>> official(name, "merged")
    'vlm.model.language_model.layers.0.mlp.up_proj.weight'
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Form = Literal["full", "export", "merged"]

PREFIXES: Final = (  # theirs -> ours; the first that fits
    ("segmentor.encoder.", "mask_encoder."),
    ("segmentor.decoder.", "mask_decoder."),
    ("segmentor.class_predictor.", "class_head."),
    ("vlm.base_model.model.", "language."),
    ("vlm.", "language."),
    ("mlm_projector.model.", "condition_projector."),
    ("extra_projector.model.", "region_projector."),
    ("bg_embeds.", "background."),
    ("segmentor.", ""),
)
QWEN_PREFIXES: Final = (
    ("model.visual.", "language.model.visual."),
    ("model.language_model.", "language.model.language_model."),
    ("visual.", "language.model.visual."),  # this and the next: before transformers 4.52
    ("model.", "language.model.language_model."),
    ("lm_head.", "language.lm_head."),
)
TABLE: Final = "language.model.language_model.embed_tokens.weight"
HEAD: Final = "language.lm_head.weight"  # the same tensor, once more
UNUSED: Final = "shared_image_embedding.positional_embedding"  # of SAM 2's own prompts
ADAPTED: Final = re.compile(r"language\.model\.language_model\.layers\..*_proj\.weight")
LAYER: Final = re.compile(r"language\.model\.language_model\.layers\.(\d+)\.(.*)")
SIGNS: Final = (  # no language model, and names that begin like this -> what it probably is
    (("prompt_encoder.", "vision_encoder.", "image_encoder."), "SAM 2 alone"),
    (("base_model.model.",), "LoRA adapters without the weights they belong to"),
    (("model.", "visual."), "Qwen3-VL alone, which is the base of a checkpoint"),
    (("mask_decoder.",), "the stage-1 checkpoint, which only draws; stage 3 is the one to load"),
)


def ours(name: str) -> str:
    """Translate an official name; one of ours stays as it is."""
    return translate(name, PREFIXES)


def official(name: str, form: Form) -> str:
    """Translate one of our names."""
    theirs = translate(name, [(mine, official) for official, mine in PREFIXES])
    if form == "merged":
        return theirs.replace("vlm.base_model.model.", "vlm.")
    return theirs.replace(".weight", ".base_layer.weight") if is_adapted(name) else theirs


def translate(name: str, prefixes: Sequence[tuple[str, str]]) -> str:
    """Exchange the prefix of a name, by the first pair that fits; all names of a weight are one.

    A weight that LoRA is kept apart from is called `base_layer`; that is left out.
    """
    name = name.replace(".base_layer.", ".")
    for old, new in prefixes:
        if name.startswith(old):
            return new + name.removeprefix(old)
    return name


def is_adapted(name: str) -> bool:
    """Tell whether LoRA is added to the weight of this name, one of ours."""
    return ADAPTED.fullmatch(name) is not None


def in_layer(name: str) -> tuple[int, str] | None:
    """Say of a weight of the language model's layers which one it is in, and its name there.

    >>> in_layer("language.model.language_model.layers.7.mlp.up_proj.weight")
    (7, 'mlp.up_proj.weight')
    """
    found = LAYER.fullmatch(name)
    return (int(found[1]), found[2]) if found else None


def is_frozen(name: str) -> bool:
    """Tell whether the official training leaves the weight as it is in Qwen3-VL."""
    return name.startswith("language.model.") and not re.search("merger|embed_tokens|lora_", name)


def adapters(name: str) -> tuple[str, str]:
    """Name the factors A (rank, in) and B (out, rank) that are added to an adapted weight."""
    stem = name.removesuffix("weight")
    return f"{stem}lora_A.default.weight", f"{stem}lora_B.default.weight"


def likely(names: Iterable[str]) -> str | None:
    """Say what a checkpoint probably is that should be X2SAM's and has these names."""
    names = list(names)
    if any(name.startswith("language.") for name in names):
        return None
    return next((what for signs, what in SIGNS if any(n.startswith(signs) for n in names)), None)
