"""The machine and what is installed on it: system, memory, accelerators, libraries."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Final

import x2sam
from x2sam.doctor.report import Row

PACKAGE: Final = Path(x2sam.__file__).parent
LIBRARIES: Final = (
    "torch",
    "torchvision",
    "transformers",
    "tokenizers",
    "safetensors",
    "huggingface-hub",
    "accelerate",
    "bitsandbytes",
    "sam2",
    "gradio",
    "av",
    "pillow",
    "numpy",
    "scipy",
    "pycocotools",
)
DRIVER: Final = Path("/proc/driver/nvidia/version")
SECONDS: Final = 5  # for a program that is asked


def rows() -> list[Row]:
    """All that is looked at."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return [
        ("system", "x2sam", _version),
        ("system", "Python", lambda: python),
        ("system", "operating system", platform.platform),
        ("system", "processor", _processor),
        ("system", "memory", _memory),
        ("system", "disk", _disk),
        ("devices", "accelerators", _devices),
        ("devices", "driver", _driver),
        ("devices", "torch build", _build),
        *(("libraries", name, partial(metadata.version, name)) for name in LIBRARIES),
    ]


def _version() -> str:
    git = shutil.which("git")
    if git is None or not (PACKAGE.parent / ".git").exists():
        return x2sam.__version__
    command = [git, "-C", str(PACKAGE.parent), "describe", "--always", "--dirty"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)  # noqa: S603
    return f"{x2sam.__version__} (commit {answer.stdout.strip() or 'none yet'})"


def _processor() -> str:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{platform.machine()}, {usable} cores usable"


def _memory() -> str:
    import psutil

    from x2sam.model import room

    return f"{room.gb(psutil.virtual_memory().total)}, {room.gb(room.host())} free"


def _disk() -> str:
    from x2sam.model import hub, room

    return f"{room.gb(room.disk(hub.cache()))} free for weights, at {hub.cache()}"


def _devices() -> str:
    import torch

    from x2sam.model import room

    found = []
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        major, minor = torch.cuda.get_device_capability(index)
        name = f"cuda:{index} {torch.cuda.get_device_name(index)} (compute {major}.{minor})"
        found.append(f"{name}, {room.gb(free)} of {room.gb(total)} free")
    if torch.backends.mps.is_available():
        free_here = room.device(torch.device("mps")) or 0
        found.append(f"mps, {room.gb(free_here)} free")
    return "; ".join(found) or f"none; CPU with {torch.get_num_threads()} threads"


def _driver() -> str:
    return _installed_driver() or "none for NVIDIA GPUs"


def _build() -> str:
    """Say what torch was built for, and whether that and the driver go together."""
    import torch

    available = torch.cuda.is_available()
    said = match(torch.version.cuda, _installed_driver(), available=available)
    built = torch.cuda.get_arch_list() if torch.version.cuda and available else []
    for index in range(torch.cuda.device_count() if built else 0):
        major, minor = torch.cuda.get_device_capability(index)
        if not runs(major, minor, built):
            raise RuntimeError(
                f"{torch.cuda.get_device_name(index)} has compute capability {major}.{minor}, and "
                f"torch {torch.__version__} was built for {', '.join(built)} alone; install one "
                "that was built for this card"
            )
    return said


def runs(major: int, minor: int, built: Sequence[str]) -> bool:
    """Say whether a card of some compute capability runs what torch was built for.

    Machine code (`sm_`) runs on its own generation from its own capability on, PTX (`compute_`) on
    all later cards, as the driver translates it.

    >>> runs(8, 9, ["sm_80", "sm_90"]), runs(7, 0, ["sm_75", "sm_80"])
    (True, False)
    >>> runs(12, 1, ["sm_90a", "compute_90"]), runs(12, 1, ["sm_90a"])
    (True, False)
    """
    for kind, number in re.findall(r"(sm|compute)_([0-9]+)", " ".join(built)):
        oldest = divmod(int(number), 10)
        if oldest <= (major, minor) and (kind == "compute" or oldest[0] == major):
            return True
    return False


def match(built: str | None, driver: str | None, *, available: bool) -> str:
    """Say whether a build of torch and a driver go together; raises `RuntimeError` if not.

    >>> match("13.2", "580.65.06", available=True), match(None, None, available=False)
    ('CUDA 13.2, which the driver runs', 'without CUDA')
    >>> match("13.2", None, available=False)
    'CUDA 13.2, for which there is no driver: it runs on the CPU'
    """
    if built is None:
        if driver:
            raise RuntimeError(
                f"there is a GPU with driver {driver}, and this torch was built without CUDA; "
                "install one that was"
            )
        return "without CUDA"
    if available:
        return f"CUDA {built}, which the driver runs"
    if driver is None:
        return f"CUDA {built}, for which there is no driver: it runs on the CPU"
    raise RuntimeError(
        f"torch was built for CUDA {built}, which driver {driver} does not run; update the "
        "driver, or install a torch for an older CUDA"
    )


def _installed_driver() -> str | None:
    """Find the version of NVIDIA's driver; None if there is none."""
    if DRIVER.exists() and (found := re.search(r"\b(\d{3,}\.[\d.]+)\b", DRIVER.read_text("utf-8"))):
        return found[1]
    if (program := shutil.which("nvidia-smi")) is None:
        return None
    command = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)  # noqa: S603
    return answer.stdout.strip().partition("\n")[0] or None if answer.returncode == 0 else None
