"""The network from the `sam2` package, whose modules are the reference for all that it does.

Its configuration is the file that the package ships, with our numbers in place of those that
differ; it is read without Hydra's global state, which is left as it was found. The package's own
video predictor is not used.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from hydra.core.global_hydra import GlobalHydra
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import Tensor, nn

from x2sam.tracker.config import TrackerConfig
from x2sam.tracker.network import (
    Decoded,
    Place,
    Points,
    Remembered,
    enlarged,
    inference,
    match_memory,
)
from x2sam.tracker.object_memory import ObjectMemory


def _package() -> Path:
    """Import sam2 and say where it lies.

    It initialises Hydra for the whole process, which an application can do only once: so that is
    undone. Whoever calls the package's own `build_sam2` after this initialises Hydra first.
    """
    hydra = GlobalHydra.instance()
    was_initialized = hydra.is_initialized()
    try:
        module = import_module("sam2.modeling.sam2_base")
        import_module("sam2.modeling.backbones.hieradet")  # asks for the most; else `build` would
    finally:
        if not was_initialized:
            hydra.clear()
    return Path(str(module.__file__)).parents[1]


SHIPPED = _package() / "configs" / "sam2.1" / "sam2.1_hiera_t.yaml"


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """A frame as the image encoder sees it."""

    maps: list[Tensor]  # fine to coarse, (h · w, 1, D) each
    position: Tensor  # of the coarse map, (h · w, 1, D)
    sizes: list[tuple[int, int]]


class Sam2Network:
    """`sam2.modeling.sam2_base.SAM2Base` behind `Network`."""

    backend = "sam2"

    def __init__(
        self, config: TrackerConfig, model: Any, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.config = config
        self.device = device
        self.model = model.to(device).eval()
        match_memory(self.model.memory_attention, "curr")
        self._dtype = dtype
        self._positions: list[Tensor] | None = None  # of a memory; the same for all

    def encode(self, pixels: Tensor) -> Features:
        """See `Network`."""
        with inference(self.device, self._dtype):
            seen = self.model.forward_image(pixels)
            _, maps, positions, sizes = self.model._prepare_backbone_features(seen)  # noqa: SLF001
        return Features(maps, positions[-1], sizes)

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
        prompt = points and {"point_coords": points.at, "point_labels": points.kinds}
        tables = {
            "cond_frame_outputs": self._outputs(memory.marked),
            "non_cond_frame_outputs": self._outputs(memory.carried),
        }
        with inference(self.device, self._dtype):
            _, heads, _, _ = self.model._track_step(  # noqa: SLF001 (`track_step` hides the quality)
                frame_idx=place.frame,
                is_init_cond_frame=initial,
                current_vision_feats=features.maps,
                current_vision_pos_embeds=[features.position],
                feat_sizes=features.sizes,
                point_inputs=prompt,
                mask_inputs=mask,
                output_dict=tables,
                num_frames=max(place.frames, 2),  # ages are divided by one less
                track_in_reverse=place.reverse,
                prev_sam_mask_logits=previous,
            )
        _, _, qualities, logits, _, pointer, visible = heads
        return Decoded(logits, pointer, qualities.max(), visible)

    def remember(self, features: Features, decoded: Decoded, *, marked: bool) -> Tensor:
        """See `Network`; (1, D, h, w) in bfloat16."""
        side = self.config.trunk.image_size
        with inference(self.device, self._dtype):
            memory, positions = self.model._encode_new_memory(  # noqa: SLF001
                current_vision_feats=features.maps,
                feat_sizes=features.sizes,
                pred_masks_high_res=enlarged(decoded.logits, (side, side)),
                object_score_logits=decoded.visible,
                is_mask_from_pts=marked,
            )
            self._positions = self._positions or positions
            return memory.bfloat16()  # type: ignore[no-any-return]

    def propose(self, features: Features, at: Tensor) -> tuple[Tensor, Tensor]:
        """See `Network`."""
        model = self.model
        maps = [
            level.permute(1, 2, 0).unflatten(2, size)
            for level, size in zip(features.maps, features.sizes, strict=True)
        ]
        with inference(self.device, self._dtype):
            sparse, dense = model.sam_prompt_encoder(
                points=(at[:, None], torch.ones(len(at), 1, dtype=torch.int32, device=at.device)),
                boxes=None,
                masks=None,
            )
            logits, qualities, _, _ = model.sam_mask_decoder(
                image_embeddings=maps[-1] + model.no_mem_embed.view(1, -1, 1, 1),
                image_pe=model.sam_prompt_encoder.get_dense_pe(),
                sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=dense,
                multimask_output=True,
                repeat_image=True,
                high_res_features=maps[:-1],
            )
        return logits, qualities

    def _outputs(self, table: dict[int, Remembered]) -> dict[int, dict[str, Any]]:
        return {
            frame: {
                "maskmem_features": one.memory,
                "maskmem_pos_enc": self._positions,
                "obj_ptr": one.decoded.pointer,
            }
            for frame, one in table.items()
        }


def build(config: TrackerConfig) -> nn.Module:
    """Make the network with random weights."""
    trunk, width, grid = config.trunk, config.width, config.trunk.image_size // config.coarse_stride
    attention = {"embedding_dim": width, "feat_sizes": [grid, grid]}
    ours = {
        "image_size": trunk.image_size,
        "num_maskmem": config.memories,
        "max_obj_ptrs_in_encoder": config.pointers,
        # The package's video predictor sets these in code and not in the file.
        "binarize_mask_from_pts_for_mem_enc": True,
        "sam_mask_decoder_extra_args": {
            "dynamic_multimask_via_stability": True,
            "dynamic_multimask_stability_delta": 0.05,
            "dynamic_multimask_stability_thresh": 0.98,
        },
        "image_encoder": {
            "trunk": {
                "embed_dim": trunk.stage_widths[0],
                "num_heads": trunk.stage_heads[0],
                "stages": list(trunk.stage_blocks),
                "global_att_blocks": list(trunk.global_blocks),
                "window_spec": list(trunk.stage_windows),
                "window_pos_embed_bkg_spatial_size": list(trunk.position_grid),
            },
            "neck": {
                "d_model": width,
                "backbone_channel_list": list(trunk.stage_widths[::-1]),
                "position_encoding": {"num_pos_feats": width},
            },
        },
        "memory_attention": {
            "d_model": width,
            "num_layers": config.attention_layers,
            "layer": {
                "d_model": width,
                "dim_feedforward": config.attention_feed_forward,
                "self_attention": attention,
                "cross_attention": {**attention, "kv_in_dim": config.memory_width},
            },
        },
        "memory_encoder": {
            "in_dim": width,
            "out_dim": config.memory_width,
            "mask_downsampler": {"embed_dim": width},
            "fuser": {"layer": {"dim": width}},
            "position_encoding": {"num_pos_feats": config.memory_width},
        },
    }
    model: nn.Module = instantiate(OmegaConf.merge(OmegaConf.load(SHIPPED).model, ours))
    return model.eval()
