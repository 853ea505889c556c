"""What memory is free: of this machine, of a device, on a disk. All sizes are bytes.

>>> gb(9_473_000_000), gb(40_000_000)
('9.5 GB', '0.04 GB')
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import psutil
import torch

GROUPS: Final = (  # limit and use of a container: version 2 of control groups, then version 1
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)
CONTROL: Final = Path("/sys/fs/cgroup")


def gb(size: float) -> str:
    """Write a size for a person: 10**9 bytes, as sellers of GPUs and disks count."""
    value = size / 1e9
    return f"{value:.1f} GB" if value >= 0.1 else f"{value:.2f} GB"  # noqa: PLR2004


def host() -> int:
    """Count what a process may still take without swapping; in a container, of its share."""
    free = int(psutil.virtual_memory().available)
    for limit, used in GROUPS:
        try:
            allowed = int((CONTROL / limit).read_text("utf-8"))
            taken = int((CONTROL / used).read_text("utf-8"))
        except (OSError, ValueError):  # no container, or one without a limit ("max")
            continue
        free = min(free, max(allowed - taken, 0))
    return free


def device(where: torch.device) -> int | None:
    """Count what is free on a device; None where nobody can say, as on a GPU yet to be lent."""
    if where.type == "cpu":
        return host()
    if where.type == "mps":  # memory is shared; this much of it is the GPU's
        allowed = torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
        return min(int(allowed), host())
    try:
        free, _ = torch.cuda.mem_get_info(where)
    except (RuntimeError, AssertionError, AttributeError):
        return None
    return int(free)


def disk(folder: Path) -> int:
    """Count what is free on the disk where a folder is, or will be."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(there).free
