"""Models: which are here, which precision of the published one fits, and whether nano works."""

from __future__ import annotations

import time
from functools import partial
from typing import Any, Final

import numpy as np

from x2sam.doctor.machine import PACKAGE
from x2sam.doctor.report import Row, require

SIDE: Final = 128  # of the picture that nano is asked about
NANO: Final = PACKAGE / "weights" / "nano" / "model.safetensors"
BASE: Final = "Qwen/Qwen3-VL-4B-Instruct"
PRECISIONS: Final = {"full precision": None, "8 bits": 8, "4 bits": 4}


def rows() -> list[Row]:
    """All that is looked at; what is in the cache is listed by name."""
    return [
        ("weights", "nano", _nano),
        *(("weights", name, partial(_cached, name)) for name in repositories()),
        *(("4B", title, partial(_fit, bits)) for title, bits in PRECISIONS.items()),
        ("self-test", "arithmetic", _arithmetic),
        ("self-test", "nano", _ask_nano),
    ]


def repositories() -> list[str]:
    """List the published model and its base, and whatever else lies in the Hub's cache."""
    from x2sam.model.hub import PUBLISHED

    return sorted({*PUBLISHED, BASE, *_cache()})


def _cache() -> dict[str, Any]:
    """Read the Hub's cache; the network is not asked."""
    from huggingface_hub import CacheNotFound, scan_cache_dir

    try:
        found = scan_cache_dir()
    except CacheNotFound:
        return {}
    return {repo.repo_id: repo for repo in found.repos if repo.repo_type == "model"}


def _nano() -> str:
    return f"{NANO.stat().st_size / 2**20:.0f} MiB" if NANO.is_file() else "not in this version"


def _cached(repository: str) -> str:
    repo = _cache().get(repository)
    if repo is None:
        return "not downloaded"
    commits = ", ".join(sorted(each.commit_hash[:7] for each in repo.revisions))
    return f"{repo.size_on_disk_str} (commit {commits or 'unknown'})"


def _fit(bits: Any) -> str:
    """Say whether a precision of the published model fits on the best device, by calculation."""
    from x2sam.config import X2SAMConfig
    from x2sam.model import room
    from x2sam.model.memory_needs import weigh
    from x2sam.model.pretrained import default_dtype, find_device

    device = find_device(None)
    dtype = default_dtype(device)
    weight = weigh(X2SAMConfig(), dtype, bits)
    free = room.device(device)
    kind = str(dtype).removeprefix("torch.")
    takes = f"{room.gb(weight.all)} and {room.gb(weight.work)} for a picture ({kind}, computed)"
    if free is None:
        return takes
    if weight.all > free:
        return f"does not fit on {device}: {takes}, {room.gb(free)} free"
    tight = weight.all + weight.work > free
    return f"{'just fits' if tight else 'fits'} on {device}: {takes}, {room.gb(free)} free"


def _arithmetic() -> str:
    """Multiply two 256 x 256 matrices on the best device and check the result."""
    import torch

    from x2sam.model.pretrained import find_device

    device = find_device(None)
    start = time.perf_counter()
    matrix = torch.arange(256 * 256, device=device).reshape(256, 256).remainder(7).float()
    product = (matrix @ matrix.T).cpu().numpy()
    seconds = time.perf_counter() - start
    values = np.arange(256 * 256).reshape(256, 256) % 7
    require(np.array_equal(product, values @ values.T), f"{device} multiplies wrongly")
    return f"right on {device}, {1000 * seconds:.0f} ms"


def picture() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Draw a red disc on a green meadow under a blue sky: (SIDE, SIDE, 3)."""
    y, x = np.mgrid[:SIDE, :SIDE]
    drawn = np.empty((SIDE, SIDE, 3), np.uint8)
    drawn[:] = (120, 180, 240)
    drawn[SIDE // 2 :] = (90, 170, 80)
    drawn[disc()] = (220, 40, 40)
    drawn += (x + y)[..., None].astype(np.uint8) % 4  # for no real picture is flat
    return drawn


def disc() -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where the disc is: (SIDE, SIDE)."""
    y, x = np.mgrid[:SIDE, :SIDE]
    inside: np.ndarray[Any, np.dtype[np.bool_]] = (x - 64) ** 2 + (y - 64) ** 2 < 30**2
    return inside


def _ask_nano() -> str:
    """Ask nano about a drawn picture, in words and by pointing: text and a mask have to come."""
    import x2sam

    start = time.perf_counter()
    model = x2sam.load("nano")
    loaded = time.perf_counter()
    with model.open(picture()) as session:
        text = "".join(getattr(event, "text", "") for event in session.ask("describe this"))
        for _ in session.prompt(points=[(64, 64)]):
            pass
        masks = [each.masks[0] for each in session.objects if each.masks.visible()]
    seconds = time.perf_counter() - loaded
    require(bool(text.strip()), "nano says nothing")
    require(bool(masks), "nano draws nothing")
    shared = max((mask & disc()).sum() / (mask | disc()).sum() for mask in masks)
    return (
        f"text and masks on {model.predictor.device}, the drawn disc met by {shared:.0%}; "
        f"loaded in {loaded - start:.1f} s, answered in {seconds:.1f} s"
    )
