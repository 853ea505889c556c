"""Checkpoint files: where they lie, and how to read them without trusting or keeping them.

A file is a table of `Stored` tensors. None is read before it is asked for, no file may run
code, and a file lets go of its pages after every `WINDOW` bytes: a checkpoint of any size
passes through the memory as through a small window.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, Final

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from x2sam.errors import WeightsError
from x2sam.model import hub

if TYPE_CHECKING:
    from collections.abc import Iterator

    Opened = tuple[dict[str, tuple[int, ...]], Callable[[str], Tensor]]  # shapes, and a reader

WINDOW: Final = 2**28  # bytes of a file that may be in memory at once
PACKAGED: Final = Path(__file__).parent.parent / "weights"
INDEX: Final = ".index.json"
SUFFIXES: Final = (".safetensors", ".bin", ".pth", ".pt")
IN_A_FOLDER: Final = (  # the first of these that is there
    "model.safetensors.index.json",
    "pytorch_model.bin.index.json",
    "model.safetensors",
    "pytorch_model.bin",
)
WRAPPERS: Final = ("state_dict", "module", "model")  # a training run's file has more in it


def resolve(source: str | Path) -> Path:
    """Find a checkpoint: a path, the name of a packaged model, or a repository on the Hub.

    Raises:
        WeightsError: it is none of them, or the Hub cannot be reached.
    """
    if path := local(source):
        return path
    name = str(source)
    if name == "nano":
        raise WeightsError("The small model 'nano' is not part of this copy of x2sam.")
    if hub.is_repository(name):
        return hub.fetch(name)
    raise WeightsError(f"There is no checkpoint at {name!r}.")


def local(source: str | Path) -> Path | None:
    """Find a checkpoint without the Hub; None if it is not on this machine.

    A folder may also be a copy of the whole published repository.
    """
    if (path := Path(source).expanduser()).exists():
        copies = (path / inside for inside in hub.PUBLISHED.values())
        return next(filter(Path.is_dir, copies), path)
    packaged = PACKAGED / str(source)
    return packaged if "/" not in str(source) and packaged.is_dir() else None


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor that is still in its file."""

    file: CheckpointFile
    name: str
    shape: tuple[int, ...]

    def read(self, device: str | torch.device = "cpu", dtype: torch.dtype | None = None) -> Tensor:
        """Copy it into memory; `dtype` None keeps that of the file.

        Raises:
            WeightsError: it is quantised.
        """
        tensor = self.file.read(self.name)
        if not tensor.is_floating_point():
            raise WeightsError(
                f"{self.file.path.name} is quantised ({self.name} is {tensor.dtype}); "
                "ask for the weights in float16, bfloat16 or float32."
            )
        return tensor.to(device, dtype, copy=True, memory_format=torch.contiguous_format)


class CheckpointFile:
    """One file of a checkpoint, open for reading."""

    def __init__(self, path: Path) -> None:
        self.path = path
        shapes, self._read = _open(path)
        self._seen = 0
        self.table = {name: Stored(self, name, shape) for name, shape in shapes.items()}

    def read(self, name: str) -> Tensor:
        """Look at a tensor: part of the mapped file, so copy it before the next one."""
        if self._seen > WINDOW:
            _, self._read = _open(self.path)  # the pages go with the old mapping
            self._seen = 0
        tensor = self._read(name)
        self._seen += tensor.nbytes
        return tensor


def read_table(path: Path) -> dict[str, Stored]:
    """List all tensors of a checkpoint by the names they have in it.

    Args:
        path: a file, the index of a checkpoint in pieces, or a folder with one of them.

    Raises:
        WeightsError: it is missing, damaged, unsafe, or not a checkpoint.
    """
    table: dict[str, Stored] = {}
    for file in files_of(path):
        stored = CheckpointFile(file).table
        if twice := table.keys() & stored.keys():
            raise WeightsError(f"Two files of {path} hold {min(twice)!r}; is it two checkpoints?")
        table |= stored
    if all(name.startswith("module.") for name in table):  # as DeepSpeed names them
        table = {name.removeprefix("module."): stored for name, stored in table.items()}
    return table


def files_of(path: Path) -> Iterator[Path]:
    """List the files of a checkpoint, in a folder or not.

    Raises:
        WeightsError: there are none, or it is not clear which.
    """
    if path.is_dir():
        path = _in_folder(path)
    if path.name.endswith(INDEX):
        yield from _pieces(path)
    elif path.suffix in SUFFIXES:
        yield path
    else:
        raise WeightsError(
            f"{path.name} is not a checkpoint: its name should end in one of {', '.join(SUFFIXES)}."
        )


def _in_folder(folder: Path) -> Path:
    for name in IN_A_FOLDER:
        if (path := folder / name).exists():
            return path
    found = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
    if len(found) == 1:
        return found[0]
    if found:
        raise WeightsError(f"{folder} has {len(found)} checkpoints; name one of its files.")
    raise WeightsError(f"There are no weights in {folder}.")


def _pieces(index: Path) -> list[Path]:
    """List the files of a checkpoint in pieces."""
    try:
        names = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
        pieces = [index.parent / Path(name).name for name in sorted(names)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{index.name} is damaged: it does not list a checkpoint.") from error
    if missing := [piece.name for piece in pieces if not piece.is_file()]:
        raise WeightsError(f"{index.parent} is incomplete: {', '.join(missing)} is missing.")
    return pieces


def _open(path: Path) -> Opened:
    try:
        if path.suffix == ".safetensors":
            file: Any = safe_open(path, "pt")
            names = file.keys()
            return {
                name: tuple(file.get_slice(name).get_shape()) for name in names
            }, file.get_tensor
        tensors = _unpickle(path)
    except UnpicklingError as error:
        raise WeightsError(
            f"{path.name} was refused: it holds more than tensors, and reading it could run a "
            "stranger's code. Ask for the weights as .safetensors."
        ) from error
    except (SafetensorError, RuntimeError, OSError, EOFError) as error:
        raise WeightsError(
            f"{path.name} cannot be read: it is damaged, incomplete or not a checkpoint "
            f"({path.stat().st_size:,} bytes)."
        ) from error
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}, tensors.__getitem__


def _unpickle(path: Path) -> dict[str, Tensor]:
    found = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    for key in WRAPPERS:
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    if not isinstance(found, dict) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in found.items()
    ):
        raise WeightsError(f"{path.name} is not a checkpoint: it holds no table of tensors.")
    return found
