"""Weights → tracker: whatever form they come in, into whichever back end.

A checkpoint is a table of tensors and nothing else: it is read without running code, its
network is told by its shapes, and a missing or left-over weight is an error that names it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, get_args

import torch
from torch import Tensor, nn

from x2sam.config import MaskEncoderConfig
from x2sam.errors import WeightsError, reason
from x2sam.model.checkpoint_files import read_table, resolve
from x2sam.tracker.config import CONFIGS, SMALL, Backend, TrackerConfig
from x2sam.tracker.network import Network
from x2sam.tracker.tracker import Tracker
from x2sam.tracker.weight_names import FREQUENCY_COPIES, to_sam2, to_transformers

NAMES: Final = tuple(config.name for config in CONFIGS if "/" in config.name)
EDGETAM: Final = "edgetam_video"
OCCLUSION: Final = "occlusion_spatial_embedding_parameter"  # SAM 2.1 has it, 2.0 has not
VISIBLE: Final = "mask_decoder.pred_obj_score_head.proj_out.bias"


def load(
    source: str | Path,
    backend: Backend = "auto",
    *,
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Tracker:
    """Make a tracker from a checkpoint.

    Args:
        source: an official name (`NAMES`), a file in SAM 2's or transformers' form, or a folder
            with one.
        backend: which library computes; "auto" takes sam2 where it can be imported.
        device: None takes a GPU where there is one.
        dtype: of matrix products; None is bfloat16 on a GPU and float32 on a CPU.

    Raises:
        WeightsError: the checkpoint is missing, damaged or something else, or the back end cannot
            be imported.
    """
    path = resolve(source)
    chosen = _backend(backend)
    where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if _model_type(path) == EDGETAM:
        return Tracker(_edgetam(path, where, _dtype(dtype, where)))
    table = {name: stored.read(dtype=torch.float32) for name, stored in read_table(path).items()}
    if any(name.startswith("image_encoder.") for name in table):
        table = to_transformers(table)
    config = recognised(table, path.name)
    model, network = _empty(config, chosen)
    fill(model, table, chosen, path.name)
    return Tracker(network(config, model, where, _dtype(dtype, where)))


def random(
    config: TrackerConfig = SMALL,
    seed: int = 0,
    backend: Backend = "auto",
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Tracker:
    """Make a tracker with random weights, which are the same in both back ends."""
    chosen = _backend(backend)
    model, network = _empty(config, chosen)
    fill(model, random_weights(config, seed), chosen, "the random network")
    return Tracker(network(config, model, torch.device(device), dtype))


def random_weights(config: TrackerConfig, seed: int) -> dict[str, Tensor]:
    """Draw weights by transformers' names, which keep signals at their size.

    Every object is held to be visible, as one that is not has no mask.
    """
    from x2sam.tracker import transformers_backend  # noqa: PLC0415 (slow to import)

    generator = torch.Generator().manual_seed(seed)
    table = {}
    for name, like in sorted(transformers_backend.build(config).state_dict().items()):
        drawn = torch.randn(like.shape, generator=generator)
        inputs = like[0].numel() if like.dim() > 1 and "embed" not in name else 1
        spread = 0.1 if like.dim() == 1 else inputs**-0.5
        table[name] = drawn * spread + ("norm" in name and name.endswith("weight"))
    table[VISIBLE] += 5  # a logit
    table[FREQUENCY_COPIES[1]] = table[FREQUENCY_COPIES[0]]
    return table


def recognised(table: Mapping[str, Tensor], where: str) -> TrackerConfig:
    """Tell a network by the shapes of its weights, by transformers' names.

    Raises:
        WeightsError: it is none of `CONFIGS`.
    """
    signatures = {(c.trunk.stage_widths[0], sum(c.trunk.stage_blocks), c.width): c for c in CONFIGS}
    stem = table.get("vision_encoder.backbone.patch_embed.projection.weight")
    token = table.get("no_memory_embedding")
    prefix = "vision_encoder.backbone.blocks."
    blocks = {name.removeprefix(prefix).partition(".")[0] for name in table if prefix in name}
    if stem is None or token is None:
        raise WeightsError(
            f"{where} is not a SAM 2.1 video checkpoint. Known are {', '.join(NAMES)}."
        )
    config = signatures.get((stem.shape[0], len(blocks), token.shape[-1]))
    if config is None:
        raise WeightsError(f"{where} is a SAM 2 of an unknown size. Known are {', '.join(NAMES)}.")
    if OCCLUSION not in table:
        raise WeightsError(f"{where} is SAM 2.0; take the same size of SAM 2.1: {config.name}.")
    return config


def fill(model: nn.Module, table: Mapping[str, Tensor], backend: str, where: str) -> None:
    """Set all weights of a back end's model from a table by transformers' names.

    Raises:
        WeightsError: some are missing, left over or of another shape.
    """
    wanted = model.state_dict()
    whole = dict(table)
    for copy in FREQUENCY_COPIES:  # files have one or both
        if found := [table[name] for name in FREQUENCY_COPIES if name in table]:
            whole.setdefault(copy, found[0])
    if backend == "sam2":
        whole = to_sam2(whole, wanted)
    if missing := sorted(wanted.keys() - whole.keys()):
        raise WeightsError(f"{where} is incomplete: {len(missing)} weights like {missing[0]} miss.")
    if surplus := sorted(whole.keys() - wanted.keys()):
        raise WeightsError(f"{where} has {len(surplus)} unknown weights like {surplus[0]}.")
    for name, like in wanted.items():
        if whole[name].shape != like.shape:
            has, needs = tuple(whole[name].shape), tuple(like.shape)
            raise WeightsError(f"{where} does not fit: {name} is {has} and should be {needs}.")
    model.load_state_dict(whole)


def _backend(name: Backend) -> str:
    assert name in get_args(Backend), name
    installed = find_spec("sam2") is not None
    if name == "sam2" and not installed:
        raise WeightsError("The package sam2 is not installed; take the back end transformers.")
    if name == "transformers" or not installed:
        return "transformers"
    try:
        import_module("x2sam.tracker.sam2_backend")
    except ImportError as error:
        if name == "auto":
            return "transformers"
        raise WeightsError(
            f"The package sam2 cannot be imported ({error}); take the back end transformers."
        ) from error
    return "sam2"


def _empty(config: TrackerConfig, backend: str) -> tuple[nn.Module, Any]:
    """Make a back end's model, whose weights are to be set, and name its network."""
    if backend == "sam2":
        from x2sam.tracker import sam2_backend  # noqa: PLC0415 (may not be installed)

        return sam2_backend.build(config), sam2_backend.Sam2Network
    from x2sam.tracker import transformers_backend  # noqa: PLC0415 (slow to import)

    return transformers_backend.build(config), transformers_backend.TransformersNetwork


def _dtype(asked: torch.dtype | None, device: torch.device) -> torch.dtype:
    return asked or (torch.bfloat16 if device.type == "cuda" else torch.float32)


def _model_type(path: Path) -> str | None:
    """Read what a folder in transformers' form says it is."""
    try:
        return str(json.loads((path / "config.json").read_text("utf-8"))["model_type"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _edgetam(path: Path, device: torch.device, dtype: torch.dtype) -> Network:
    from transformers import EdgeTamVideoModel  # noqa: PLC0415

    from x2sam.tracker.transformers_backend import TransformersNetwork  # noqa: PLC0415

    try:
        model = EdgeTamVideoModel.from_pretrained(path, local_files_only=True, use_safetensors=True)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        raise WeightsError(f"EdgeTAM could not be loaded from {path}: {reason(error)}") from error
    config = TrackerConfig(
        name="EdgeTAM",
        trunk=MaskEncoderConfig(image_size=int(model.config.image_size)),
        pointers=int(model.config.max_object_pointers_in_encoder),
    )
    return TransformersNetwork(config, model, device, dtype)
