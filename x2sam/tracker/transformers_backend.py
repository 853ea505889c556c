"""The same network from transformers: `Sam2VideoModel`, and EdgeTAM, which has the same parts.

Its inference session overwrites marks, empties lists of its caller, and neither feeds masks back
nor forgets an object. None of that is used: what the network looks at is handed in as a session
that lives for one call.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import Sam2VideoConfig, Sam2VideoModel, Sam2VisionConfig

from x2sam.tracker.config import TrackerConfig
from x2sam.tracker.network import (
    CERTAIN,
    Decoded,
    Place,
    Points,
    Remembered,
    enlarged,
    inference,
    match_memory,
)
from x2sam.tracker.object_memory import ObjectMemory


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """A frame as the image encoder sees it, fine to coarse."""

    fine: list[Tensor]  # maps (1, D, h, w)
    coarse: Tensor  # (h · w, 1, D)
    position: Tensor  # of the coarse map, (h · w, 1, D)


class TransformersNetwork:
    """`Sam2VideoModel` or `EdgeTamVideoModel` behind `Network`."""

    backend = "transformers"

    def __init__(
        self, config: TrackerConfig, model: Any, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.config = config
        self.device = device
        self.model = model.to(device).eval()
        match_memory(self.model.memory_attention, "current_vision_features")
        self._dtype = dtype
        self._position: Tensor | None = None  # of a memory; the same for all

    def encode(self, pixels: Tensor) -> Features:
        """See `Network`."""
        with inference(self.device, self._dtype):
            seen = self.model.get_image_features(pixels, return_dict=True)
        *fine, coarse = seen.fpn_hidden_states
        maps = [
            level.permute(1, 2, 0).unflatten(2, tuple(size))
            for level, size in zip(fine, self.model.backbone_feature_sizes[:-1], strict=True)
        ]
        return Features(maps, coarse, seen.fpn_position_encoding[-1])

    def decode(
        self,
        features: Features,
        memory: ObjectMemory,
        place: Place,
        *,
        initial: bool = False,
        points: Points | None = None,
        mask: Tensor | None = None,
        previous: Tensor | None = None,
    ) -> Decoded:
        """See `Network`."""
        if mask is not None:
            return self._taken(features, mask)
        model = self.model
        with inference(self.device, self._dtype):
            recalled = model._prepare_memory_conditioned_features(  # noqa: SLF001
                inference_session=self._session(memory, features.coarse.dtype),
                frame_idx=place.frame,
                obj_idx=0,
                is_initial_conditioning_frame=initial,
                current_vision_features=features.coarse,
                current_vision_positional_embeddings=features.position,
                num_total_frames=max(place.frames, 2),  # ages are divided by one less
                track_in_reverse_time=place.reverse,
            )
            labels = points and {"point_labels": points.kinds[:, None]}
            found = model._single_frame_forward(  # noqa: SLF001
                input_points=points and points.at[:, None],
                input_labels=points and points.kinds[:, None],
                input_masks=previous,
                image_embeddings=[*features.fine, recalled],
                multimask_output=model._use_multimask(initial, labels),  # noqa: SLF001
            )
        return Decoded(
            found.pred_masks.float(),
            found.object_pointer.flatten(0, -2),
            found.iou_scores.max(),
            found.object_score_logits.view(1, 1),
        )

    def _taken(self, features: Features, mask: Tensor) -> Decoded:
        """Take a mask as it is, and ask the network for nothing but the pointer.

        The model's own way asks for three masks instead of one, which gives another pointer.
        """
        model, side = self.model, self.config.trunk.image_size // self.config.stride
        with inference(self.device, self._dtype):
            found = model._single_frame_forward(  # noqa: SLF001
                input_masks=model.mask_downsample(mask),
                image_embeddings=[*features.fine, self._map(features.coarse)],
                multimask_output=False,
            )
            present = mask.any()
            pointer = found.object_pointer.flatten(0, -2)
            logits = F.interpolate(
                mask * 2 * CERTAIN - CERTAIN, (side, side), mode="bilinear", antialias=True
            )
            return Decoded(
                logits,
                torch.where(present, pointer, model.no_object_pointer),
                torch.ones((), device=self.device),
                torch.where(present, CERTAIN, -CERTAIN).view(1, 1),
            )

    def remember(self, features: Features, decoded: Decoded, *, marked: bool) -> Tensor:
        """See `Network`; (h · w, 1, D) in bfloat16."""
        side = self.config.trunk.image_size
        with inference(self.device, self._dtype):
            memory, position = self.model._encode_new_memory(  # noqa: SLF001
                current_vision_feats=features.coarse,
                pred_masks_high_res=enlarged(decoded.logits, (side, side)),
                object_score_logits=decoded.visible[None],
                is_mask_from_pts=marked,
            )
        if self._position is None:
            self._position = position
        return memory.bfloat16()  # type: ignore[no-any-return]

    def propose(self, features: Features, at: Tensor) -> tuple[Tensor, Tensor]:
        """See `Network`."""
        model = self.model
        with inference(self.device, self._dtype):
            sparse, dense = model.prompt_encoder(
                input_points=at[None, :, None],
                input_labels=torch.ones(1, len(at), 1, dtype=torch.int32, device=at.device),
                input_boxes=None,
                input_masks=None,
            )
            logits, qualities, _, _ = model.mask_decoder(
                image_embeddings=self._map(features.coarse + model.no_memory_embedding),
                image_positional_embeddings=model.get_image_wide_positional_embeddings(),
                sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=dense,
                multimask_output=True,
                high_resolution_features=features.fine,
            )
        return logits[0], qualities[0]

    def _map(self, coarse: Tensor) -> Tensor:
        size = tuple(self.model.backbone_feature_sizes[-1])
        level: Tensor = coarse.permute(1, 2, 0).unflatten(2, size)
        return level

    def _session(self, memory: ObjectMemory, dtype: torch.dtype) -> SimpleNamespace:
        outputs = {
            "cond_frame_outputs": self._outputs(memory.marked),
            "non_cond_frame_outputs": self._outputs(memory.carried),
        }
        return SimpleNamespace(output_dict_per_obj=[outputs], dtype=dtype)

    def _outputs(self, table: dict[int, Remembered]) -> dict[int, dict[str, Any]]:
        return {
            frame: {
                "maskmem_features": one.memory,
                "maskmem_pos_enc": self._position,
                "object_pointer": one.decoded.pointer,
            }
            for frame, one in table.items()
        }


def build(config: TrackerConfig) -> nn.Module:
    """Make the network with random weights."""
    trunk, width, side = config.trunk, config.width, config.trunk.image_size
    strides = (4, 8, config.coarse_stride)
    vision = Sam2VisionConfig(
        backbone_config={
            "model_type": "sam2_hiera_det_model",
            "hidden_size": trunk.stage_widths[0],
            "num_attention_heads": trunk.stage_heads[0],
            "image_size": [side, side],
            "blocks_per_stage": list(trunk.stage_blocks),
            "embed_dim_per_stage": list(trunk.stage_widths),
            "num_attention_heads_per_stage": list(trunk.stage_heads),
            "window_size_per_stage": list(trunk.stage_windows),
            "global_attention_blocks": list(trunk.global_blocks),
            "window_positional_embedding_background_size": list(trunk.position_grid),
        },
        backbone_channel_list=list(trunk.stage_widths[::-1]),
        backbone_feature_sizes=[[side // stride] * 2 for stride in strides],
        fpn_hidden_size=width,
    )
    model: nn.Module = Sam2VideoModel(
        Sam2VideoConfig(
            vision_config=vision,
            prompt_encoder_config={"hidden_size": width, "image_size": side},
            mask_decoder_config={"hidden_size": width},
            image_size=side,
            num_maskmem=config.memories,
            max_object_pointers_in_encoder=config.pointers,
            memory_attention_hidden_size=width,
            memory_attention_num_layers=config.attention_layers,
            memory_attention_feed_forward_hidden_size=config.attention_feed_forward,
            memory_attention_rope_feat_sizes=[side // config.coarse_stride] * 2,
            memory_encoder_hidden_size=width,
            memory_encoder_output_channels=config.memory_width,
            mask_downsampler_embed_dim=width,
            memory_fuser_embed_dim=width,
            memory_fuser_intermediate_dim=4 * width,
        )
    )
    return model.eval()
