"""Where the language model's layers lie when one device is too small for all of them.

Everything else stays on the main device, which also computes; a layer elsewhere on another
GPU computes there. One in the host's memory or on the disk is fetched for each use, which is
slow: of the 4B, 200 MB a layer for every word. `accelerate` does the fetching.

    >>> spread(5, 10, [("cuda:0", 25), ("cpu", 12), ("disk", 99)])
    ('cuda:0', 'cuda:0', 'cpu', 'disk', 'disk')
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from accelerate import cpu_offload, disk_offload
from accelerate.hooks import AlignDevicesHook, add_hook_to_module
from accelerate.utils import offload_weight, save_offload_index
from torch import Tensor, nn

from x2sam.model.key_values import ARGUMENT

HOST: Final = "cpu"
DISK: Final = "disk"
SCRATCH: Final = "x2sam-layers-"


def spread(layers: int, size: int, rooms: Sequence[tuple[str, int]]) -> tuple[str, ...] | None:
    """Fill places in their order with layers of one size; None if they do not hold all.

    Args:
        layers: how many there are.
        size: of one, in bytes.
        rooms: places, and the bytes that are free there.
    """
    places = [place for place, free in rooms for _ in range(max(free, 0) // size)]
    return tuple(places[:layers]) if len(places) >= layers else None


class Scratch:
    """A folder for the weights of layers that are kept on the disk; it goes with the model."""

    def __init__(self, parent: Path | None = None) -> None:
        self._parent = parent
        self._folder: Path | None = None  # until there is something to keep
        self._indices: dict[int, dict[str, Any]] = {}

    def put(self, layer: int, name: str, value: Tensor) -> None:
        """Write a weight of a layer."""
        folder = self.of(layer)
        folder.mkdir(parents=True, exist_ok=True)
        index = self._indices.setdefault(layer, {})
        offload_weight(value, name, str(folder), index)
        save_offload_index(index, str(folder))

    def of(self, layer: int) -> Path:
        """Give the folder of a layer."""
        if self._folder is None:
            if self._parent is not None:
                self._parent.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=self._parent))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder / str(layer)


class Placed(nn.ModuleList):
    """The language model's layers, of which some lie elsewhere and are fetched when called."""

    def __init__(
        self,
        layers: Sequence[nn.Module],
        places: Sequence[str],
        device: torch.device,
        scratch: Scratch,
    ) -> None:
        super().__init__(layers)
        self.places = tuple(places)
        self._scratch = scratch  # which is there for as long as they are
        for index, (layer, place) in enumerate(zip(layers, places, strict=True)):
            if place == str(device):
                continue
            if place == DISK:
                disk_offload(layer, str(scratch.of(index)), execution_device=device)
            elif place == HOST:
                cpu_offload(layer, execution_device=device)
            else:
                hook = AlignDevicesHook(torch.device(place), io_same_device=True)
                hook.skip_keys = ARGUMENT  # each layer's stay where they are made
                add_hook_to_module(layer, hook)


def told(model: nn.Module) -> str:
    """Say how many layers of a model lie where; nothing if it lies on one device."""
    placed = [layers.places for layers in model.modules() if isinstance(layers, Placed)]
    return ", ".join(f"{n} on {place}" for places in placed for place, n in Counter(places).items())
