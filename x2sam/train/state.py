"""What a stopped run needs to go on: the trained weights, the optimizer and where it stood.

Weights that are not trained are not stored, so the state of a run on a few adapters is small.
The file is replaced only when the new one is complete.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from x2sam.errors import WeightsError, reason

_BROKEN = (
    *(RuntimeError, KeyError, TypeError, ValueError),
    OSError,
    EOFError,
    pickle.UnpicklingError,
)


def write_state(
    file: Path, modules: Mapping[str, nn.Module], optimizer: Any, **where: float
) -> None:
    """Write the trained weights of modules, the optimizer's state and some numbers."""
    trained = {name: _trained(module) for name, module in modules.items()}
    state = {"modules": trained, "optimizer": optimizer.state_dict(), "where": where}
    fresh = file.with_suffix(".part")
    torch.save(state, fresh)
    fresh.replace(file)


def read_state(file: Path, modules: Mapping[str, nn.Module], optimizer: Any) -> dict[str, float]:
    """Fill modules and optimizer with what was written; return the numbers.

    Raises:
        WeightsError: the file is damaged, or other weights were trained.
    """
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
        for name, module in modules.items():
            _restore(module, state["modules"][name])
        optimizer.load_state_dict(state["optimizer"])
        return dict(state["where"])
    except _BROKEN as error:
        raise WeightsError(
            f"The run in {file.parent} cannot go on: its {file.name} is damaged, or belongs to "
            f"a run with other settings ({reason(error)})."
        ) from error


def _trained(module: nn.Module) -> dict[str, Tensor]:
    return {name: x.detach() for name, x in module.named_parameters() if x.requires_grad}


@torch.no_grad()
def _restore(module: nn.Module, stored: Mapping[str, Tensor]) -> None:
    trained = _trained(module)
    if trained.keys() != stored.keys():
        raise KeyError("other weights were trained")
    for name, weight in trained.items():
        if weight.shape != stored[name].shape:
            raise ValueError(f"{name} has another shape")
        weight.copy_(stored[name])
