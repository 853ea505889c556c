"""Weights in 8 or 4 bits, by bitsandbytes: of the language model's layers, and of nothing else.

Three quarters of the 4B's weights are the linear maps in these layers, and they bear it. The
table of words, the vision tower and all that draws masks stay as they are. 8 bits are LLM.int8
(arXiv 2208.07339), 4 bits are NF4 (arXiv 2305.14314). Arithmetic is in the dtype of the model.

    >>> stored_bytes((4096, 2560), 8), stored_bytes((4096, 2560), 4)
    (10502144, 5409280)
"""

from __future__ import annotations

import logging
from functools import cache
from math import ceil, prod
from typing import Any, Final, Literal, get_args

import torch
from torch import Tensor, nn

from x2sam.errors import WeightsError, reason

Bits = Literal[8, 4]
BLOCK: Final = 64  # weights that share a scale in 4 bits
BLOCKS: Final = 256  # whose scales, 8 bits each, share one of their own


def stored_bytes(shape: tuple[int, ...], bits: Bits) -> int:
    """Count what a matrix takes, its scales included."""
    size = prod(shape)
    if bits == 8:  # noqa: PLR2004
        return size + 4 * shape[0]  # one scale a row
    return size // 2 + size // BLOCK + 4 * ceil(size / (BLOCK * BLOCKS))


def check(bits: int | None, device: torch.device) -> Bits | None:
    """Return `bits` if weights can be had so on the device, which is tried.

    Raises:
        WeightsError: they cannot.
    """
    if bits is None:
        return None
    if bits not in get_args(Bits):
        raise WeightsError(f"Weights can be stored in 8 or 4 bits, not in {bits}.")
    kind: Bits = 8 if bits == 8 else 4  # noqa: PLR2004
    try:
        linear = quantised(torch.eye(BLOCK), kind, device, torch.float32)
        with torch.inference_mode():
            finite = bool(linear(torch.ones(1, BLOCK, device=device)).isfinite().all())
    except Exception as error:  # whatever a library says that lacks something for this device
        raise WeightsError(
            f"Weights in {bits} bits cannot be had on {device}: bitsandbytes says "
            f"“{reason(error)}”. Load the model without."
        ) from error
    if not finite:
        raise WeightsError(f"Weights in {bits} bits do not work on {device}; load without.")
    return kind


def quantised(weight: Tensor, bits: Bits, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """Make a linear map of a weight (out, in), stored in fewer bits, on the device."""
    library = _library()
    linear: nn.Module
    rows, columns = weight.shape
    weight = weight.cpu()  # 8 bits are only made of what comes from there
    with torch.device("meta"):
        if bits == 8:  # noqa: PLR2004
            linear = library.Linear8bitLt(columns, rows, bias=False, has_fp16_weights=False)
        else:
            linear = library.Linear4bit(
                columns, rows, bias=False, compute_dtype=dtype, quant_type="nf4"
            )
    if bits == 8:  # noqa: PLR2004
        linear.weight = library.Int8Params(weight, requires_grad=False, has_fp16_weights=False)
    else:
        linear.weight = library.Params4bit(
            weight, requires_grad=False, quant_type="nf4", blocksize=BLOCK, compress_statistics=True
        )
    return linear.to(device).eval()  # moving it is what quantises


def bits_of(model: nn.Module) -> Bits | None:
    """Say in how many bits a model's language layers are stored; None if it is not in fewer."""
    kinds = {type(weight).__name__ for weight in model.parameters()}
    return 8 if "Int8Params" in kinds else 4 if "Params4bit" in kinds else None


def count(model: nn.Module) -> int:
    """Count a model's weights, however many share a byte."""
    states = ((weight, getattr(weight, "quant_state", None)) for weight in model.parameters())
    return sum(prod(state.shape) if state else weight.numel() for weight, state in states)


@cache
def _library() -> Any:
    """Import bitsandbytes' modules, and let it be quiet about each call it rounds for."""
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    from bitsandbytes import nn as library  # noqa: PLC0415 (seconds, for those who want it)

    return library
