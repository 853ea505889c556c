"""Options that say which model is loaded, how, and where: the same for every command.

    >>> parser = argparse.ArgumentParser()
    >>> add_arguments(parser)
    >>> given = keywords(parser.parse_args(["--model", "hao9610/X2SAM", "--bits", "4"]))
    >>> given["source"], given["bits"], given["merge"]
    ('hao9610/X2SAM', 4, True)

This module starts without torch, as a slip in an option should be told at once.
"""

from __future__ import annotations

import argparse
from typing import Any, Final, get_args

from x2sam.media.limits import MEGA
from x2sam.tracker.config import Backend

_SAM2: Final = ("tracker", "tracker_backend")
NAMES: Final = (
    *("base", "revision", *_SAM2, "bits", "device", "offload", "merge", "dtype"),
    "cache_bytes",
)
"""Keywords of `x2sam.load` beside the source; each is an option too."""


def add_arguments(
    parser: argparse.ArgumentParser, *, model: str = "nano", tracker: str | None = None
) -> None:
    """Describe the options; `model` and `tracker` are what is loaded without any."""
    group = parser.add_argument_group("the model")
    add = group.add_argument
    add(
        "--model",
        default=model,
        help=f"a name, a repository on the Hub, a folder or file ({model})",
    )
    add("--revision", help="branch, tag or commit of the repository")
    add("--base", help="Qwen3-VL, where the checkpoint lacks it")
    add(
        "--tracker",
        default=tracker,
        metavar="NAME|FILE|FOLDER",
        help="SAM 2, to point with and to carry masks; for instance facebook/sam2.1-hiera-tiny",
    )
    add_backend(group)
    add(
        "--bits",
        type=int,
        choices=(8, 4),
        help="store the language model's layers in fewer bits: less memory, slightly other answers",
    )
    add(
        "--dtype",
        choices=("float32", "bfloat16"),
        help="what to compute in; bfloat16 takes half the memory, and is what the published model "
        "was trained in. Without it what the device is quick with: float32 on a CPU",
    )
    add(
        "--device",
        help="where to run, as cuda:0, mps or cpu; the accelerator if there is one. auto spreads "
        "the language model over all GPUs, memory and disk",
    )
    add(
        "--offload",
        action="store_true",
        help="let what does not fit on the device lie in memory and on the disk; slow",
    )
    add(
        "--unmerged",
        action="store_false",
        dest="merge",
        help="keep LoRA apart, as the reference does, instead of adding it to the weights",
    )
    add(
        "--cache-mb",
        type=_megabytes,
        dest="cache_bytes",
        metavar="N",
        help="what was made of frames is kept for further requests, up to so much (92; with CUDA "
        "half of what is free beside a picture, up to 8590)",
    )


def add_backend(group: argparse._ActionsContainer) -> None:
    """Describe the option that says which library computes SAM 2."""
    group.add_argument(
        "--tracker-backend",
        choices=get_args(Backend),
        default="auto",
        help="the library that computes SAM 2; auto takes sam2 where it can be imported (auto)",
    )


def keywords(arguments: argparse.Namespace) -> dict[str, Any]:
    """Read the options as arguments of `x2sam.load`."""
    given = vars(arguments)
    return {"source": given["model"], **{name: given[name] for name in NAMES}}


def _megabytes(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"should be at least 0, not {number}")
    return number * MEGA
