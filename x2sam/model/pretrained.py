"""One call from a name to a model that can be asked.

Before anything large is fetched or read, what it will take is worked out from the shapes of the
weights, told, and compared with what there is.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import torch

from x2sam.config import X2SAMConfig
from x2sam.errors import DeviceFullError, PromptError, WeightsError
from x2sam.language.tokens import Vocabulary
from x2sam.model import hub, memory_needs, quantisation, room, weights
from x2sam.model.checkpoint_files import files_of, local, resolve
from x2sam.model.memory_needs import Weight, weigh
from x2sam.model.placement import DISK, HOST, Scratch
from x2sam.model.predictor import Predictor

AUTO: Final = "auto"
VOCABULARY: Final = "tokenizer.json"
Dtype = Literal["float32", "bfloat16"]
DTYPES: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16}
QUIET: Final = 10**9  # bytes; what takes less is not worth a word


def tell(sentence: str) -> None:
    """Tell the person at the terminal."""
    sys.stderr.write(f"x2sam: {sentence}\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a model is to be loaded; see `load`."""

    bits: int | None = None
    device: str | torch.device | None = None
    offload: bool | str | Path = False
    merge: bool = True

    def __post_init__(self) -> None:
        """Raise `WeightsError` for what cannot go together."""
        elsewhere = self.offload or self.device == AUTO
        if self.bits and elsewhere:
            raise WeightsError(
                "Weights in 8 or 4 bits have to be on one device; leave the bits out, or name the "
                "device and do not offload."
            )
        if not self.merge and (self.bits or elsewhere):
            raise WeightsError(
                "LoRA can only be kept apart on one device and in full precision; merge it."
            )


def load(
    source: str | Path = "nano",
    *,
    base: str | Path | None = None,
    revision: str | None = None,
    bits: int | None = None,
    device: str | torch.device | None = None,
    offload: bool | str | Path = False,
    merge: bool = True,
    dtype: Dtype | torch.dtype | None = None,
    tell: Callable[[str], None] = tell,
) -> Predictor:
    """Load a model and its vocabulary.

    Args:
        source: "nano", a repository on the Hub ("hao9610/X2SAM", or "hao9610/X2SAM@revision"), a
            folder, or a file.
        base: Qwen3-VL, for a checkpoint that holds only what training changed; the vocabulary
            is there too if it is not next to the weights. Without one it is fetched for the
            published model, and looked for in the Hub's cache for any other.
        revision: branch, tag or commit of the source, if it is a repository.
        bits: 8 or 4 to store the language model's layers in fewer (see `quantisation`).
        device: where to run; the accelerator if there is one. "auto" also uses other GPUs, and
            offloads what does not fit.
        offload: let layers of the language model for which the device has no room lie in the
            host's memory, and then on the disk: in a temporary folder, or in one inside of the
            folder that is named here.
        merge: add LoRA to the weights; False keeps it apart, in float32, as the reference does.
        dtype: to compute in, also by its name; None is `default_dtype`.
        tell: is told what loading will take, if that is much.

    Raises:
        WeightsError: the checkpoint is missing, damaged, or does not fit the model.
        DeviceFullError: there is no room for it.
        PromptError: there is no such device.
    """
    if revision:
        source = _pinned(source, revision)
    base = base or weights.usual_base(source)
    wish = Wish(bits=bits, device=device, offload=offload, merge=merge)
    where = find_device(None if device == AUTO else device)
    kind = (DTYPES[dtype] if isinstance(dtype, str) else dtype) or default_dtype(where)
    stored = quantisation.check(bits, where)
    free = dict(_free(wish, where))
    config = _config(source)
    weight = weigh(config, kind, stored, lora=not merge)
    remote = [str(place) for place in (source, base) if _is_remote(place)]
    download = sum(map(hub.missing, remote))
    large = download or weight.all > QUIET
    if large:
        disk = room.disk(hub.cache())
        tell(f"{source}: {memory_needs.told(weight, download, disk, free)}")
    places = _places(wish, config, kind, weight, free)
    if large and places:
        tell(f"{source}: {memory_needs.spread_out(weight, places)}")
    hub.check_room(" with ".join(remote), download)  # all of it, before a part is fetched
    try:
        model = weights.load(
            source,
            base=base,
            device=where,
            dtype=kind,
            lora="merged" if merge else "unmerged",
            bits=stored,
            places=places,
            scratch=Scratch(None if isinstance(offload, bool) else Path(offload)),
        )
    except torch.OutOfMemoryError as error:
        raise DeviceFullError(
            f"{source} does not fit into the memory of {where}. Free some, or run on the CPU."
        ) from error
    return Predictor(model, Vocabulary.load(_tokenizer(source, base)))


def find_device(asked: str | torch.device | None) -> torch.device:
    """Find the device that is asked for; the best there is if none is.

    Raises:
        PromptError: there is no such device.
    """
    if asked is None:
        if torch.cuda.is_available():  # asked first, as ZeroGPU answers nothing else
            return torch.device("cuda", torch.cuda.current_device())
        best = torch.accelerator.current_accelerator(check_available=True)
        return best or torch.device("cpu")
    try:
        device = torch.device(asked)
    except RuntimeError as error:
        raise PromptError(f"There is no device {asked!r}; {_there()}.") from error
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        there = (device.index or 0) < count
        device = torch.device("cuda", device.index or 0)
    else:
        there = device.type != "mps" or torch.backends.mps.is_available()
    if not there:
        raise PromptError(f"There is no device {str(asked)!r} here; {_there()}.")
    return device


def default_dtype(device: torch.device) -> torch.dtype:
    """Say in what a device computes if nothing else is said.

    bfloat16 where the device has it: not on a CPU, where it is slow, and not on NVIDIA's cards
    before Ampere, which emulate it.
    """
    if device.type == "cuda":
        try:
            with torch.cuda.device(device):
                there = torch.cuda.is_bf16_supported(including_emulation=False)
        except (RuntimeError, AssertionError):  # a GPU yet to be lent is a recent one
            there = True
        return torch.bfloat16 if there else torch.float32
    return torch.float32 if device.type == "cpu" else torch.bfloat16


def _there() -> str:
    found = [f"cuda:{n}" for n in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return f"there is {', '.join([*found, 'cpu'])}"


def _free(wish: Wish, where: torch.device) -> Iterator[tuple[str, int | None]]:
    """List the places that weights may go to, the main one first, with the bytes free there."""
    yield str(where), room.device(where)
    if wish.device == AUTO and where.type == "cuda":
        for index in range(torch.cuda.device_count()):
            if index != where.index:
                yield f"cuda:{index}", room.device(torch.device("cuda", index))
    if where.type == "cuda":
        yield HOST, room.host()
    folder = tempfile.gettempdir() if isinstance(wish.offload, bool) else wish.offload
    yield DISK, room.disk(Path(folder).absolute())


def _places(
    wish: Wish, config: X2SAMConfig, kind: torch.dtype, weight: Weight, free: dict[str, int | None]
) -> tuple[str, ...]:
    """Say where the layers go; raises `DeviceFullError` if there is no room for them."""
    needed, host = memory_needs.reading(weight), room.host()
    if next(iter(free)) != HOST and needed > host:
        raise DeviceFullError(
            f"Reading the model takes {room.gb(needed)} of this machine's memory, and "
            f"{room.gb(host)} is free. Free some first."
        )
    fewer = {bits: weigh(config, kind, bits).all for bits in get_args(quantisation.Bits)}
    offload = bool(wish.offload) or wish.device == AUTO
    return memory_needs.place(weight, free, offload=offload, fewer=fewer)


def _pinned(source: str | Path, revision: str) -> str:
    name = str(source)
    if local(source) or not hub.is_repository(name):
        raise WeightsError(f"{name} is not a repository on the Hub, so it has no revisions.")
    return f"{hub.split(name)[0]}@{revision}"


def _is_remote(source: str | Path | None) -> bool:
    return source is not None and not local(source) and hub.is_repository(str(source))


def _config(source: str | Path) -> X2SAMConfig:
    """Find out what the network is made of, before the weights are fetched."""
    if hub.is_published(str(source)) and not local(source):
        return X2SAMConfig()
    if _is_remote(source):
        return weights.config_of(hub.fetch(str(source), ["config.json"]))
    path = resolve(source)
    list(files_of(path))  # where there are none, that is to be told, not what they would weigh
    return weights.config_of(path)


def _tokenizer(source: str | Path, base: str | Path | None) -> Path:
    """Find the vocabulary: next to the weights, else with the base."""
    for place in (source, base):
        if place is None:
            continue
        remote = _is_remote(place) and not hub.is_published(str(place))
        path = hub.fetch(str(place), [VOCABULARY]) if remote else resolve(place)
        file = (path if path.is_dir() else path.parent) / VOCABULARY
        if file.exists():
            return file
    raise WeightsError(
        f"There is no tokenizer.json with {source}. Name the folder of Qwen3-VL as the base."
    )
