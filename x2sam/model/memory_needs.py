"""What a model takes before it is loaded: worked out from the shapes of its weights.

>>> from x2sam.config import X2SAMConfig
>>> for bits in (None, 8, 4):
...     print(bits, gb(weigh(X2SAMConfig(), torch.bfloat16, bits).all))
None 9.5 GB
8 5.8 GB
4 4.1 GB
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

import torch

from x2sam.config import X2SAMConfig
from x2sam.errors import DeviceFullError
from x2sam.model.build import build
from x2sam.model.checkpoint_files import WINDOW
from x2sam.model.checkpoint_names import in_layer, is_adapted
from x2sam.model.placement import HOST, spread
from x2sam.model.quantisation import Bits, stored_bytes
from x2sam.model.room import gb
from x2sam.model.weights import shapes

WORK: Final = 15
"""Bytes that a picture takes beside the weights, for each of its pixels and channels of the masks'
features; most of it is the pixel decoder's. `benchmarks/bench_memory.py` works it out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """Of what a network consists, in bytes."""

    layer: int  # one of the language model's layers
    layers: int  # how many there are
    rest: int  # what is on the main device in any case
    largest: int  # one tensor
    work: int  # while a picture is looked at

    @property
    def all(self) -> int:
        """All weights."""
        return self.rest + self.layer * self.layers


def weigh(
    config: X2SAMConfig, dtype: torch.dtype, bits: Bits | None = None, *, lora: bool = False
) -> Weight:
    """Weigh a network without making it; `lora` if the adapters are kept apart."""
    held = shapes(build(config, empty=True), lora=lora)
    sizes = {name: _stored(name, shape, dtype, bits) for name, shape in held.items()}
    inside = sum(size for name, size in sizes.items() if in_layer(name))
    return Weight(
        layer=inside // config.language.layers,
        layers=config.language.layers,
        rest=sum(sizes.values()) - inside,
        largest=max(sizes.values()),
        work=work(config),
    )


def work(config: X2SAMConfig) -> int:
    """Estimate the bytes that looking at a picture takes beside the weights."""
    return WORK * config.mask_encoder.image_size**2 * config.width


def precisions(config: X2SAMConfig) -> dict[str, Weight]:
    """Weigh a network in each precision that an accelerator runs it in."""
    kinds: dict[str, Bits | None] = {"bfloat16": None, "8 bits": 8, "4 bits": 4}
    return {name: weigh(config, torch.bfloat16, bits) for name, bits in kinds.items()}


def _stored(name: str, shape: tuple[int, ...], dtype: torch.dtype, bits: Bits | None) -> int:
    if ".lora_" in name:
        return 4 * prod(shape)
    if bits is not None and is_adapted(name):
        return stored_bytes(shape, bits)
    return dtype.itemsize * prod(shape)


def place(
    weight: Weight, free: Mapping[str, int | None], *, offload: bool, fewer: Mapping[Bits, int]
) -> tuple[str, ...]:
    """Say where each of the language model's layers goes; () if all stay on the main device.

    With offload, the work on a picture has its room there before any layer has. Without, the
    weights alone decide, as that work is an estimate: where it may not fit is only told.

    Args:
        weight: of the network.
        free: bytes on the main device, which comes first; other places that may be used,
            "cpu" and "disk" among them; None where that is not known.
        offload: whether other places may be used.
        fewer: what all weights would take in fewer bits, to be told if they do not fit.

    Raises:
        DeviceFullError: there is no room for it.
    """
    (main, there), *others = free.items()
    if there is None or weight.all + (weight.work if offload else 0) <= there:
        return ()
    if not offload:
        raise DeviceFullError(
            f"The model takes {gb(weight.all)} of memory on {main}, and {gb(there)} is free. Free "
            f"some, load it in 8 bits ({gb(fewer[8])}) or 4 bits ({gb(fewer[4])}), let a part of "
            "it be kept elsewhere (offload), or take a smaller model such as nano."
        )
    fixed = weight.rest + weight.work + 2 * weight.layer  # one in use, one on its way
    if fixed > there:
        raise DeviceFullError(
            f"What has to be on {main} takes {gb(fixed)} of its memory, and {gb(there)} is free. "
            "Free some, or take a smaller model such as nano."
        )
    rooms = [(name, (size or 0) - weight.layer) for name, size in others]
    places = spread(weight.layers, weight.layer, [(main, there - fixed), *rooms])
    if places is None:
        raise DeviceFullError(
            f"The model takes {gb(weight.all)} and a picture about {gb(weight.work)} more, for "
            f"which there is no room on {main}, in memory and on the disk together. Free some, or "
            "take a smaller model such as nano."
        )
    return places


def reading(weight: Weight) -> int:
    """Count what is in the host's memory while weights for another device pass through it."""
    return WINDOW + weight.largest


def told(weight: Weight, download: int, disk: int, free: Mapping[str, int | None]) -> str:
    r"""Say what loading will take, and what there is.

    Args:
        weight: of the network.
        download: bytes that may have to be fetched.
        disk: bytes that are free for that.
        free: bytes by place, as for `place`.

    >>> small = Weight(layer=10**8, layers=36, rest=2 * 10**9, largest=10**9, work=4 * 10**9)
    >>> told(small, 9 * 10**9, 20 * 10**9, {"cuda:0": None}).partition(". ")[0]
    'Up to 9.0 GB has to be downloaded, to a disk with 20.0 GB free'
    >>> said = told(small, 0, 0, {"cuda:0": 8 * 10**9, "cpu": 3 * 10**9})
    >>> print(said.partition("; ")[2].replace(". ", ".\n"))
    8.0 GB is free, so a picture may not fit.
    Reading it takes up to 1.3 GB on cpu; 3.0 GB is free.
    """
    (main, there), *_ = free.items()
    takes = (
        f"It takes {gb(weight.all)} of memory on {main} and about {gb(weight.work)} more for a "
        "picture"
    )
    if there is not None:
        tight = weight.all <= there < weight.all + weight.work
        takes += f"; {gb(there)} is free{', so a picture may not fit' if tight else ''}"
    said = [takes]
    if download:
        said.insert(0, f"Up to {gb(download)} has to be downloaded, to a disk with {gb(disk)} free")
    if main != HOST and (host := free.get(HOST)) is not None:
        said.append(f"Reading it takes up to {gb(reading(weight))} on {HOST}; {gb(host)} is free")
    return ". ".join(said) + "."


def spread_out(weight: Weight, places: Sequence[str]) -> str:
    """Say how much of a network that is offloaded lies where.

    >>> small = Weight(layer=10**8, layers=3, rest=10**9, largest=10**9, work=10**9)
    >>> spread_out(small, ("cuda:0", "cpu", "cpu"))
    'Its layers will lie: 0.1 GB on cuda:0, 0.2 GB on cpu.'
    """
    sizes = (f"{gb(n * weight.layer)} on {place}" for place, n in Counter(places).items())
    return f"Its layers will lie: {', '.join(sizes)}."
