"""Config → network: the parts are made here, and every one of their weights is set.

Parts of transformers that are built outside of their model get no initialisation of their
own (`level_embed` is uninitialised memory), so `initialise` names a rule for everything.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from accelerate import init_empty_weights
from torch import Tensor, nn
from transformers import Mask2FormerConfig, Qwen3VLConfig, Sam2VisionConfig

from x2sam.config import X2SAMConfig
from x2sam.model.language_model import LanguageModel
from x2sam.model.mask_decoder import ClassHead, DecoderLayer, MaskDecoder
from x2sam.model.mask_encoder import MaskEncoder
from x2sam.model.memory_attention import MemoryAttention
from x2sam.model.memory_encoder import FuserBlock, MemoryEncoder
from x2sam.model.pixel_decoder import DeformableAttention, PixelDecoder
from x2sam.model.x2sam import X2SAM

DECODER_STRIDES = {3: (16, 8, 4), 4: (32, 16, 8)}  # maps of the encoder -> of the decoder


def build(config: X2SAMConfig, *, empty: bool = False, seed: int = 0) -> X2SAM:
    """Make a network with random weights, in evaluation mode.

    Args:
        config: what it is made of.
        empty: leave all weights on the meta device, to be filled by a checkpoint.
        seed: of the random weights.
    """
    with init_empty_weights(include_buffers=False) if empty else nullcontext():
        model = _assemble(config)
    if not empty:
        initialise(model, seed)
    model.language.tie()
    return model.eval()


def _assemble(config: X2SAMConfig) -> X2SAM:
    width, hidden = config.width, config.language.hidden_size
    mask2former = mask2former_config(config)
    regions = config.mask_encoder.stage_widths[config.regions.stage] * config.regions.unshuffle**2
    mask_encoder = MaskEncoder(sam2_config(config))
    mask_encoder.region_stage = config.regions.stage
    return X2SAM(
        config,
        language=LanguageModel(qwen_config(config)),
        mask_encoder=mask_encoder,
        pixel_decoder=PixelDecoder(mask2former),
        memory_attention=MemoryAttention(width, config.memory),
        memory_encoder=MemoryEncoder(
            width, config.memory, DECODER_STRIDES[config.mask_encoder.maps]
        ),
        mask_decoder=MaskDecoder(mask2former),
        class_head=ClassHead(),
        region_projector=nn.Sequential(
            nn.Linear(regions, hidden), nn.GELU(), nn.Linear(hidden, hidden)
        ),
        condition_projector=nn.Sequential(
            nn.Linear(hidden, width), nn.GELU(), nn.Linear(width, width)
        ),
    )


def qwen_config(config: X2SAMConfig) -> Qwen3VLConfig:
    """Describe the language model to transformers."""
    text, vision = config.language, config.vision
    return Qwen3VLConfig(
        text_config={
            "vocab_size": text.vocab_size,
            "hidden_size": text.hidden_size,
            "intermediate_size": text.intermediate_size,
            "num_hidden_layers": text.layers,
            "num_attention_heads": text.heads,
            "num_key_value_heads": text.kv_heads,
            "head_dim": text.head_dim,
            "max_position_embeddings": text.max_positions,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": text.rope_theta,
                "mrope_section": list(text.mrope_section),
                "mrope_interleaved": True,
            },
        },
        vision_config={
            "hidden_size": vision.hidden_size,
            "intermediate_size": vision.intermediate_size,
            "depth": vision.layers,
            "num_heads": vision.heads,
            "patch_size": vision.patch,
            "temporal_patch_size": vision.temporal_patch,
            "spatial_merge_size": vision.merge,
            "num_position_embeddings": vision.positions,
            "out_hidden_size": text.hidden_size,
            "deepstack_visual_indexes": list(vision.deepstack_layers),
        },
        tie_word_embeddings=True,
        attn_implementation="sdpa",
    )


def sam2_config(config: X2SAMConfig) -> Sam2VisionConfig:
    """Describe the mask encoder to transformers."""
    encoder = config.mask_encoder
    return Sam2VisionConfig(
        backbone_config={
            "model_type": "sam2_hiera_det_model",
            "hidden_size": encoder.stage_widths[0],
            "num_attention_heads": encoder.stage_heads[0],
            "image_size": [encoder.image_size] * 2,
            "blocks_per_stage": list(encoder.stage_blocks),
            "embed_dim_per_stage": list(encoder.stage_widths),
            "num_attention_heads_per_stage": list(encoder.stage_heads),
            "window_size_per_stage": list(encoder.stage_windows),
            "global_attention_blocks": list(encoder.global_blocks),
            "window_positional_embedding_background_size": list(encoder.position_grid),
        },
        backbone_channel_list=list(encoder.stage_widths[::-1]),
        fpn_hidden_size=config.width,
        fpn_top_down_levels=list(encoder.top_down_levels),
        num_feature_levels=encoder.maps,
        attn_implementation="sdpa",
    )


def mask2former_config(config: X2SAMConfig) -> Mask2FormerConfig:
    """Describe the pixel decoder and the mask decoder to transformers."""
    pixel, mask = config.pixel_decoder, config.mask_decoder
    assert pixel.heads == mask.heads, "transformers has one number of heads for both"
    return Mask2FormerConfig(
        feature_size=config.width,
        mask_feature_size=config.width,
        hidden_dim=config.width,
        feature_channels=[config.width] * config.mask_encoder.maps,
        encoder_layers=pixel.layers,
        encoder_feedforward_dim=pixel.feed_forward,
        num_attention_heads=mask.heads,
        num_queries=mask.queries,
        decoder_layers=mask.layers + 1,  # transformers counts the prediction before the first
        dim_feedforward=mask.feed_forward,
        dropout=0.0,
        pre_norm=False,
    )


@torch.no_grad()
def initialise(model: X2SAM, seed: int) -> None:
    """Set every weight: a default by kind of module, then the exceptions.

    Rules are those of the modules' own papers where it matters (star of sampling offsets,
    small layer scale, silent text attention), and normal(0, 0.02) elsewhere.
    """
    generator = torch.Generator().manual_seed(seed)

    def normal(weight: Tensor, std: float) -> None:
        weight.copy_(torch.randn(weight.shape, generator=generator) * std)

    for name, weight in model.named_parameters():
        if name.endswith("bias"):
            weight.zero_()
        elif weight.ndim == 1:
            weight.fill_(1.0)  # norms; what else is one-dimensional comes below
        elif is_xavier(name):
            normal(weight, math.sqrt(2 / (weight.shape[0] + weight.shape[1])))
        else:
            normal(weight, 0.02)
    embeddings: tuple[Tensor, ...] = (
        model.pixel_decoder.level_embed,
        model.mask_decoder.level_embed.weight,
        model.mask_decoder.queries_embedder.weight,
        model.mask_decoder.queries_features.weight,
        model.background.weight,
    )
    for embedding in embeddings:
        normal(embedding, 1.0)
    model.no_memory_embedding.zero_()
    model.class_head.logit_scale.fill_(math.log(1 / 0.07))
    for module in model.modules():
        if rule := EXCEPTIONS.get(type(module)):
            rule(module)


def _silence(layer: DecoderLayer) -> None:
    """Let the queries ignore the words at first."""
    layer.text_cross_attn.out_proj.weight.zero_()


def _whisper(block: FuserBlock) -> None:
    """Let a fuser block start as the identity."""
    block.scale.fill_(1e-6)


def is_xavier(name: str) -> bool:
    """Tell whether the weight belongs to the decoders, whose layers start at unit gain."""
    return name.startswith(("mask_decoder.decoder.", "pixel_decoder.encoder."))


def _star(attention: DeformableAttention) -> None:
    """Let each head look in its own direction, further with each point (Deformable DETR, A.4)."""
    angles = torch.arange(attention.n_heads) * (2 * math.pi / attention.n_heads)
    directions = torch.stack([angles.cos(), angles.sin()], dim=-1)
    directions = directions / directions.abs().amax(dim=-1, keepdim=True)
    steps = torch.arange(1, attention.n_points + 1)
    star = directions[:, None, None] * steps[:, None]  # (heads, 1, points, 2)
    star = star.expand(-1, attention.n_levels, -1, -1)
    attention.sampling_offsets.weight.zero_()
    attention.sampling_offsets.bias.copy_(star.reshape(-1))
    attention.attention_weights.weight.zero_()


EXCEPTIONS: dict[type[nn.Module], Callable[[Any], None]] = {
    DeformableAttention: _star,
    DecoderLayer: _silence,
    FuserBlock: _whisper,
}
