"""`x2sam doctor`: what a bug report needs to know, found out in a few seconds.

The report is a table of probes. A probe is a function that returns what it found as text, or
raises: then the reason is what it found, and the line is marked. Nothing here touches the
network, and no probe can keep the others from being made.

    >>> print(as_text([Finding("system", "Python", "3.11.7"), Finding("video", "VP9", "?", False)]))
    system
      Python                    3.11.7
    video
    ! VP9                       ?
"""

from __future__ import annotations

import io
import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

import x2sam

PACKAGE = Path(x2sam.__file__).parent
LIBRARIES = (
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
REPOSITORIES = ("hao9610/X2SAM", "Qwen/Qwen3-VL-4B-Instruct")
GIB = 2**30
SIDE, FRAMES = 64, 16  # of the clips that the codec probes make
TOLERANCE = 8.0  # mean error of a decoded value, of 255, that is still the codec's business


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `ok` is False when the probe failed."""

    section: str
    name: str
    value: str
    ok: bool = True


Probe = Callable[[], str]


def probes() -> list[tuple[str, str, Probe]]:
    """All that is looked at, in the report's order: (section, name, probe)."""
    return [
        ("system", "x2sam", _version),
        (
            "system",
            "Python",
            lambda: f"{platform.python_implementation()} {platform.python_version()}",
        ),
        ("system", "operating system", platform.platform),
        ("system", "processor", _processor),
        ("system", "memory", _memory),
        ("system", "disk", _disk),
        ("devices", "accelerators", _devices),
        *(("libraries", name, partial(metadata.version, name)) for name in LIBRARIES),
        ("video", "FFmpeg", _ffmpeg),
        ("video", "H.264", _h264),
        ("video", "VP9 with alpha", _vp9_alpha),
        ("weights", "nano", _nano),
        *(("weights", name, partial(_cached, name)) for name in REPOSITORIES),
        ("self-test", "arithmetic", _self_test),
        ("self-test", "network", _network_test),
    ]


def examine(table: Iterable[tuple[str, str, Probe]] | None = None) -> list[Finding]:
    """Run every probe (of `table`, by default all) and keep what it said, or why it failed."""
    return [_finding(*row) for row in (probes() if table is None else table)]


def as_text(findings: Sequence[Finding]) -> str:
    """Lay the report out for a terminal; lines that failed begin with `!`."""
    lines: list[str] = []
    for section, rows in groupby(findings, key=lambda finding: finding.section):
        lines.append(section)
        lines += [f"{' ' if row.ok else '!'} {row.name:<26}{row.value}" for row in rows]
    return "\n".join(lines)


def as_json(findings: Sequence[Finding]) -> str:
    """Write the report as `{section: {name: {"value": text, "ok": bool}}}`."""
    report: dict[str, dict[str, dict[str, Any]]] = {}
    for finding in findings:
        row = {"value": finding.value, "ok": finding.ok}
        report.setdefault(finding.section, {})[finding.name] = row
    return json.dumps(report, indent=2)


def _finding(section: str, name: str, probe: Probe) -> Finding:
    try:
        return Finding(section, name, probe())
    except metadata.PackageNotFoundError:
        return Finding(section, name, "not installed", ok=False)
    except Exception as error:  # noqa: BLE001 - whatever is wrong here belongs in the report
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return Finding(section, name, f"failed ({reason})", ok=False)


def _require(right: bool, complaint: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not right:
        raise RuntimeError(complaint)


def _version() -> str:
    git = shutil.which("git")
    if git is None or not (PACKAGE.parent / ".git").exists():
        return x2sam.__version__
    command = [git, "-C", str(PACKAGE.parent), "describe", "--always", "--dirty"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=5)  # noqa: S603
    return f"{x2sam.__version__} (commit {answer.stdout.strip() or 'none yet'})"


def _processor() -> str:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{platform.machine()}, {usable} cores usable"


def _memory() -> str:
    page = os.sysconf("SC_PAGE_SIZE")
    total, free = (os.sysconf(name) * page / GIB for name in ("SC_PHYS_PAGES", "SC_AVPHYS_PAGES"))
    return f"{total:.1f} GiB, {free:.1f} GiB free"


def _disk() -> str:
    return f"{shutil.disk_usage(PACKAGE).free / GIB:.0f} GiB free"


def _devices() -> str:
    import torch

    found = []
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        name = torch.cuda.get_device_name(index)
        found.append(f"cuda:{index} {name}, {free / GIB:.1f} of {total / GIB:.1f} GiB free")
    if torch.backends.mps.is_available():
        found.append("mps")
    return "; ".join(found) or f"none; CPU with {torch.get_num_threads()} threads"


def _ffmpeg() -> str:
    import av

    return ", ".join(
        f"{name} {'.'.join(map(str, version))}"
        for name, version in av.library_versions.items()
        if name in {"libavcodec", "libavformat"}
    )


def _h264() -> str:
    import av

    file = _clip("mp4", "libx264", "yuv420p", {"crf": "10"})
    with av.open(file) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    _require(len(frames) == FRAMES, f"{len(frames)} of {FRAMES} frames came back")
    error = np.abs(np.stack(frames).astype(float) - _pictures()[..., :3]).mean()
    _require(error < TOLERANCE, f"the frames came back wrong by {error:.0f} of 255")
    return "writes and reads"


def _vp9_alpha() -> str:
    import av

    file = _clip("webm", "libvpx-vp9", "yuva420p", {"deadline": "realtime", "cpu-used": "8"})
    decoder = av.CodecContext.create("libvpx-vp9", "r")  # FFmpeg's own VP9 decoder drops alpha
    with av.open(file) as container:
        frames = [frame for packet in container.demux(video=0) for frame in decoder.decode(packet)]
    _require(len(frames) == FRAMES, f"{len(frames)} of {FRAMES} frames came back")
    alpha = np.stack([frame.to_ndarray(format="rgba")[..., 3] for frame in frames])
    error = np.abs(alpha.astype(float) - _pictures()[..., 3]).mean()
    _require(error < TOLERANCE, f"alpha came back wrong by {error:.0f} of 255")
    return "writes and reads"


def _pictures() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Make a clip with a moving bar on a ramp, opaque on its left half: (FRAMES, SIDE, SIDE, 4)."""
    pictures = np.zeros((FRAMES, SIDE, SIDE, 4), np.uint8)
    pictures[..., :3] = np.linspace(40, 200, SIDE, dtype=np.uint8)[:, None, None]
    for index, picture in enumerate(pictures):
        picture[:, 2 * index : 2 * index + 8, :3] = 255
    pictures[:, :, : SIDE // 2, 3] = 255
    return pictures


def _clip(kind: str, codec: str, pixels: str, options: dict[str, str]) -> io.BytesIO:
    """Encode `_pictures` in memory."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=16, options=options)
        stream.width, stream.height, stream.pix_fmt = SIDE, SIDE, pixels
        for picture in _pictures():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgba")))
        container.mux(stream.encode())
    file.seek(0)
    return file


def _nano() -> str:
    file = PACKAGE / "weights" / "nano" / "model.safetensors"
    return f"{file.stat().st_size / 2**20:.0f} MiB" if file.is_file() else "not in this version"


def _cached(repository: str) -> str:
    """Look a repository up in the local Hub cache; the network is not asked."""
    from huggingface_hub import CacheNotFound, scan_cache_dir

    try:
        cache = scan_cache_dir()
    except CacheNotFound:
        return "not downloaded"
    sizes = [repo.size_on_disk_str for repo in cache.repos if repo.repo_id == repository]
    return sizes[0] if sizes else "not downloaded"


def _self_test() -> str:
    """Multiply two 256 x 256 matrices on the best device and check the result."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    start = time.perf_counter()
    matrix = torch.arange(256 * 256, device=device).reshape(256, 256).remainder(7).float()
    product = (matrix @ matrix.T).cpu().numpy()
    seconds = time.perf_counter() - start
    values = np.arange(256 * 256).reshape(256, 256) % 7
    _require(np.array_equal(product, values @ values.T), f"{device} multiplies wrongly")
    return f"right on {device}, {1000 * seconds:.0f} ms"


def _network_test() -> str:
    """Run a picture through a network of random weights: prompt, states, masks."""
    import torch

    from x2sam.config import LanguageConfig, MaskEncoderConfig, VisionConfig, X2SAMConfig
    from x2sam.model.build import build

    config = X2SAMConfig(
        width=32,
        language=LanguageConfig(
            vocab_size=64, hidden_size=64, intermediate_size=64, layers=1, heads=2, kv_heads=1
        ),
        vision=VisionConfig(
            hidden_size=32, intermediate_size=32, layers=1, heads=2, deepstack_layers=(0,)
        ),
        mask_encoder=MaskEncoderConfig(
            image_size=128,
            stage_widths=(16, 32, 64, 128),
            stage_blocks=(1, 2, 3, 1),
            stage_heads=(1, 2, 4, 8),
            global_blocks=(4,),
            stage_windows=(8, 4, 8, 4),
        ),
    )
    start = time.perf_counter()
    model = build(config)
    built = time.perf_counter()
    with torch.inference_mode():
        states = model.language.run(model.language.embed(torch.arange(8)[None])[0])
        phrases = torch.tensor([[-1, 0, 0, 0, -1, -1, -1, -1]])
        segs = torch.tensor([[-1, -1, -1, -1, -1, -1, 0, -1]])
        features = model.mask_encoder(torch.zeros(1, 3, 128, 128))
        logits = model.stream(model.conditions(states, phrases, segs)).step(features)[-1]
    _require(bool(logits.mask_logits.isfinite().all()), "the network's masks are not numbers")
    seconds = time.perf_counter() - built
    return f"built in {built - start:.1f} s, a picture in {seconds:.2f} s"
