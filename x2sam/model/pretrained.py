"""One call from a name to a model that can be asked."""

from __future__ import annotations

from pathlib import Path

import torch

from x2sam.errors import DeviceFullError, WeightsError
from x2sam.language.tokens import Vocabulary
from x2sam.model import weights
from x2sam.model.checkpoint_files import PUBLISHED, resolve
from x2sam.model.predictor import Predictor


def load(
    source: str | Path = "nano",
    *,
    base: str | Path | None = None,
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Predictor:
    """Load a model and its vocabulary.

    Args:
        source: "nano", a repository on the Hub, a folder, or a file.
        base: Qwen3-VL, for a checkpoint that holds only what training changed; the vocabulary
            is there too if it is not next to the weights.
        device: where to run; the accelerator if there is one.
        dtype: to compute in; float32 on a CPU and bfloat16 elsewhere.

    Raises:
        WeightsError: the checkpoint is missing, damaged, or does not fit.
        DeviceFullError: the device has no room for it.
    """
    device = torch.device(device or _best_device())
    dtype = dtype or (torch.float32 if device.type == "cpu" else torch.bfloat16)
    try:
        model = weights.load(source, base=base, device=device, dtype=dtype)
    except torch.OutOfMemoryError as error:
        raise DeviceFullError(
            f"{source} does not fit into the memory of {device}. Free some, or run on the CPU."
        ) from error
    return Predictor(model, Vocabulary.load(_tokenizer(source, base)))


def _best_device() -> torch.device:
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    return accelerator or torch.device("cpu")


def _tokenizer(source: str | Path, base: str | Path | None) -> Path:
    """Find `tokenizer.json`: next to the weights, else with the base."""
    if base is None and str(source) in PUBLISHED:
        base = weights.QWEN
    for place in (source, base):
        if place is None:
            continue
        path = resolve(place)
        file = (path if path.is_dir() else path.parent) / "tokenizer.json"
        if file.exists():
            return file
    raise WeightsError(
        f"There is no tokenizer.json with {source}. Name the folder of Qwen3-VL as the base."
    )
