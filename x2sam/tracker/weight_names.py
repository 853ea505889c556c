"""Whose names are whose: SAM 2's own files and transformers' call the same weights differently.

The two networks are the same, so one table of patterns says it all. Two things are more than a
name: the four kinds of points are one table in transformers, and the random frequencies that
positions are made of stand there twice.

    >>> other("image_encoder.trunk.blocks.0.mlp.layers.1.bias")
    'vision_encoder.backbone.blocks.0.mlp.proj_out.bias'
    >>> other("memory_encoder.mask_downsampler.encoder.4.weight")
    'memory_encoder.mask_downsampler.layers.1.layer_norm.weight'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import torch
from torch import Tensor

POINTS: Final = "sam_prompt_encoder.point_embeddings.{}.weight"
POINT_TABLE: Final = "prompt_encoder.point_embed.weight"
FREQUENCIES: Final = "sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"
FREQUENCY_COPIES: Final = (
    "shared_image_embedding.positional_embedding",
    "prompt_encoder.shared_embedding.positional_embedding",
)
KINDS: Final = 4  # of points: not the object, the object, and two corners of a box
DEPTH: Final = {"0": "proj_in", "1": "layers.0", "2": "proj_out"}  # of a perceptron of 3 layers


def _downsampler(match: re.Match[str]) -> str:
    index, part = divmod(int(match[1]), 3)
    return f"mask_downsampler.layers.{index}.{('conv', 'layer_norm')[part]}."


Replacement = str | Callable[[re.Match[str]], str]

RULES: Final[tuple[tuple[str, Replacement], ...]] = (  # SAM 2's name -> transformers', in order
    (r"^image_encoder\.trunk\.", "vision_encoder.backbone."),
    (r"^image_encoder\.neck\.convs\.(\d)\.conv\.", r"vision_encoder.neck.convs.\1."),
    (r"^sam_mask_decoder\.", "mask_decoder."),
    (r"^sam_prompt_encoder\.", "prompt_encoder."),
    (r"patch_embed\.proj\.", "patch_embed.projection."),
    (r"(obj_ptr_proj|\w+_head|_mlps\.\d)\.layers\.(\d)", lambda m: f"{m[1]}.{DEPTH[m[2]]}"),
    (r"\.mlp\.layers\.0", ".mlp.proj_in"),
    (r"\.mlp\.layers\.1", ".mlp.proj_out"),
    (r"\.norm(\d)?\.", r".layer_norm\1."),
    (r"\.norm_final_attn\.", ".layer_norm_final_attn."),
    (r"^memory_encoder\.out_proj\.", "memory_encoder.projection."),
    (r"^memory_encoder\.pix_feat_proj\.", "memory_encoder.feature_projection."),
    (r"\.out_proj\.", ".o_proj."),
    (r"output_upscaling\.0\.", "upscale_conv1."),
    (r"output_upscaling\.1\.", "upscale_layer_norm."),
    (r"output_upscaling\.3\.", "upscale_conv2."),
    (r"mask_downscaling\.0\.", "mask_embed.conv1."),
    (r"mask_downscaling\.1\.", "mask_embed.layer_norm1."),
    (r"mask_downscaling\.3\.", "mask_embed.conv2."),
    (r"mask_downscaling\.4\.", "mask_embed.layer_norm2."),
    (r"mask_downscaling\.6\.", "mask_embed.conv3."),
    (r"mask_downsampler\.encoder\.12\.", "mask_downsampler.final_conv."),
    (r"mask_downsampler\.encoder\.(\d+)\.", _downsampler),
    (r"^memory_encoder\.fuser\.", "memory_encoder.memory_fuser."),
    (r"\.dwconv\.", ".depthwise_conv."),
    (r"\.pwconv(\d)\.", r".pointwise_conv\1."),
    (r"\.gamma$", ".scale"),
    (r"^obj_ptr_proj\.", "object_pointer_proj."),
    (r"^obj_ptr_tpos_proj\.", "temporal_positional_encoding_projection_layer."),
    (r"^maskmem_tpos_enc$", "memory_temporal_positional_encoding"),
    (r"^no_mem_embed$", "no_memory_embedding"),
    (r"^no_mem_pos_enc$", "no_memory_positional_encoding"),
    (r"^no_obj_ptr$", "no_object_pointer"),
    (r"^no_obj_embed_spatial$", "occlusion_spatial_embedding_parameter"),
)


def other(name: str) -> str:
    """Translate SAM 2's name of a weight to transformers'."""
    for pattern, replacement in RULES:
        name = re.sub(pattern, replacement, name)
    return name


def to_transformers(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename a table of SAM 2's weights as transformers has them."""
    weights = dict(weights)
    points = [weights.pop(POINTS.format(kind), None) for kind in range(KINDS)]
    frequencies = weights.pop(FREQUENCIES, None)
    table = {other(name): tensor for name, tensor in weights.items()}
    if present := [point for point in points if point is not None]:
        table[POINT_TABLE] = torch.cat(present)
    if frequencies is not None:
        table |= dict.fromkeys(FREQUENCY_COPIES, frequencies)
    return table


def to_sam2(weights: Mapping[str, Tensor], names: Iterable[str]) -> dict[str, Tensor]:
    """Rename a table of transformers' weights; `names` are all those that SAM 2 has.

    What SAM 2 has no name for keeps its own, so that it is found to be left over.
    """
    weights = dict(weights)
    table: dict[str, Tensor] = {}
    copies = [weights.pop(name) for name in FREQUENCY_COPIES if name in weights]
    if copies:
        table[FREQUENCIES] = copies[0]
    if (points := weights.pop(POINT_TABLE, None)) is not None:
        table |= {POINTS.format(kind): row[None] for kind, row in enumerate(points)}
    mine = {other(name): name for name in names}
    return table | {mine.get(name, name): tensor for name, tensor in weights.items()}
