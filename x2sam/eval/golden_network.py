"""The small network of a recording: its official config, its weights, and a look inside.

A recording is made with a network of the published structure and tiny sizes, described by
three configs of transformers and peft (`tiny_config.json`), with official weight names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from x2sam.config import (
    LanguageConfig,
    LoraConfig,
    MaskDecoderConfig,
    MaskEncoderConfig,
    MemoryConfig,
    PixelDecoderConfig,
    VisionConfig,
    X2SAMConfig,
)
from x2sam.errors import WeightsError
from x2sam.model.weights import load
from x2sam.model.x2sam import X2SAM

CONFIG = "tiny_config.json"
WEIGHTS = "tiny_state_dict.safetensors"


def load_network(folder: Path, vocabulary_size: int) -> X2SAM:
    """Build a recording's network.

    Raises:
        WeightsError: the folder holds no recording, or a damaged one.
    """
    pieces = folder / f"{WEIGHTS}.index.json"  # of weights that were cut into several files
    weights = pieces if pieces.is_file() else folder / WEIGHTS
    if not (folder / CONFIG).is_file() or not weights.is_file():
        raise WeightsError(
            f"{folder} holds no recorded numbers: {CONFIG} and {WEIGHTS} should be there."
        )
    try:
        official = json.loads((folder / CONFIG).read_text())
        config = from_official(official, vocabulary_size)
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{folder / CONFIG} is damaged: {error!r}.") from error
    return load(weights, config=config)


def from_official(official: dict[str, Any], vocabulary_size: int) -> X2SAMConfig:
    """Translate the official configs; the vocabulary is cut to the tokenizer's size."""
    sam2, mask2former, lora = official["sam2"], official["m2f"], official["lora"]
    return X2SAMConfig(
        name="recorded",
        width=mask2former["hidden_dim"],
        language=_language(official["vlm"]["text_config"], vocabulary_size),
        vision=_vision(official["vlm"]["vision_config"], official["processors"]),
        mask_encoder=_mask_encoder(sam2["vision_config"]),
        pixel_decoder=PixelDecoderConfig(
            layers=mask2former["encoder_layers"],
            heads=mask2former["num_attention_heads"],
            feed_forward=mask2former["encoder_feedforward_dim"],
        ),
        mask_decoder=MaskDecoderConfig(
            queries=mask2former["num_queries"],
            layers=mask2former["decoder_layers"] - 1,
            heads=mask2former["num_attention_heads"],
            feed_forward=mask2former["dim_feedforward"],
        ),
        memory=MemoryConfig(
            frames=sam2["num_maskmem"],
            attention_layers=sam2["memory_attention_num_layers"],
            attention_feed_forward=sam2["memory_attention_feed_forward_hidden_size"],
            fuser_feed_forward=sam2["memory_fuser_intermediate_dim"],
        ),
        lora=LoraConfig(rank=lora["r"], alpha=lora["lora_alpha"]),
    )


def _language(text: dict[str, Any], vocabulary_size: int) -> LanguageConfig:
    return LanguageConfig(
        vocab_size=vocabulary_size,
        hidden_size=text["hidden_size"],
        intermediate_size=text["intermediate_size"],
        layers=text["num_hidden_layers"],
        heads=text["num_attention_heads"],
        kv_heads=text["num_key_value_heads"],
        head_dim=text["head_dim"],
        rope_theta=text["rope_theta"],
        mrope_section=tuple(text["rope_scaling"]["mrope_section"]),
        max_positions=text["max_position_embeddings"],
    )


def _vision(vision: dict[str, Any], processors: dict[str, Any]) -> VisionConfig:
    clip = processors["video_processor"]["size"]
    return VisionConfig(
        hidden_size=vision["hidden_size"],
        intermediate_size=vision["intermediate_size"],
        layers=vision["depth"],
        heads=vision["num_heads"],
        positions=vision["num_position_embeddings"],
        deepstack_layers=tuple(vision["deepstack_visual_indexes"]),
        # No `image_pixels`: the official image processor ignores the size it is given.
        clip_pixels=(clip["shortest_edge"], clip["longest_edge"]),
    )


def _mask_encoder(vision: dict[str, Any]) -> MaskEncoderConfig:
    hiera = vision["backbone_config"]
    return MaskEncoderConfig(
        image_size=vision["image_size"],
        stage_widths=tuple(hiera["embed_dim_per_stage"]),
        stage_blocks=tuple(hiera["blocks_per_stage"]),
        stage_heads=tuple(hiera["num_attention_heads_per_stage"]),
        stage_windows=tuple(hiera["window_size_per_stage"]),
        global_blocks=tuple(hiera["global_attention_blocks"]),
        position_grid=tuple(hiera["window_positional_embedding_background_size"]),
    )


@dataclass(slots=True)
class Calls:
    """What a module was called with, and what it returned."""

    inputs: list[tuple[Any, ...]] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)


@contextmanager
def watch(**modules: nn.Module) -> Iterator[dict[str, Calls]]:
    """Record all calls of some modules while the context lasts."""
    calls = {name: Calls() for name in modules}

    def hook(name: str) -> Any:
        def remember(_: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            calls[name].inputs.append(inputs)
            calls[name].outputs.append(output)

        return remember

    handles = [module.register_forward_hook(hook(name)) for name, module in modules.items()]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()
