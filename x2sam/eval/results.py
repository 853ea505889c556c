"""Results: numbers with what they are of, as a table to read and a file to keep.

>>> row = Result(task="referring", metric="gIoU", value=0.8125, n=32, bar=0.8)
>>> print(table([row, Result(task="photos, noun", metric="gIoU", why="no photos")]))
| task         | metric |  value |    bar | met |  n |
|--------------|--------|-------:|-------:|-----|---:|
| referring    | gIoU   | 0.8125 | ≥ 0.80 | yes | 32 |
| photos, noun | gIoU   |      – |        |     |  0 |
photos, noun: not run (no photos)
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import shutil
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from x2sam.model.checkpoint_files import SUFFIXES, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HEAD = ("task", "metric", "value", "bar", "met", "n")
_RIGHT = {"value", "bar", "n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One number; nan if it was not measured, and why."""

    task: str
    metric: str
    value: float = math.nan
    n: int = 0  # how many answers it is the mean of
    bar: float | None = None
    at_most: bool = False  # the bar is not to be exceeded
    parts: Mapping[str, float] = field(default_factory=dict)  # the same number, part by part
    why: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bar is reached; None without a bar or a value."""
        if self.bar is None or math.isnan(self.value):
            return None
        return self.value <= self.bar if self.at_most else self.value >= self.bar


def table(results: Sequence[Result]) -> str:
    """Lay results out as a Markdown table, then say why some are missing."""
    cells = [dict(zip(_HEAD, _cells(result), strict=True)) for result in results]
    widths = {name: max(len(name), *(len(row[name]) for row in cells)) for name in _HEAD}

    def line(row: Mapping[str, str]) -> str:
        padded = (
            row[name].rjust(width) if name in _RIGHT else row[name].ljust(width)
            for name, width in widths.items()
        )
        return f"| {' | '.join(padded)} |"

    rule = "|".join(
        f"{'-' * (width + 1)}{':' if name in _RIGHT else '-'}" for name, width in widths.items()
    )
    missing = [f"{result.task}: not run ({result.why})" for result in results if result.why]
    head = line({name: name for name in _HEAD})
    return "\n".join([head, f"|{rule}|", *map(line, cells), *dict.fromkeys(missing)])


def _cells(result: Result) -> tuple[str, ...]:
    bar = "" if result.bar is None else f"{'≤' if result.at_most else '≥'} {result.bar:.2f}"
    met = {True: "yes", False: "no", None: ""}[result.met]
    value = "–" if math.isnan(result.value) else f"{result.value:.4f}"
    return result.task, result.metric, value, bar, met, str(result.n)


def report(
    results: Sequence[Result], *, model: str | Path, seconds: float, **about: Any
) -> dict[str, Any]:
    """Say everything a number needs to be believed, as JSON; what is not a number is null."""
    rows = [
        {**_plain(asdict(result)), "met": result.met, "parts": _plain(result.parts)}
        for result in results
    ]
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "model": str(model),
        "sha256": checkpoint_hash(model),
        "seconds": round(seconds, 1),
        **about,
        "results": rows,
    }


def write(file: Path, content: Mapping[str, Any]) -> None:
    """Write JSON for people and programs; the folder is made if need be."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Replace nan, which is not JSON."""
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in values.items()
    }


def commit() -> str | None:
    """Name the commit of a checkout, "-dirty" if it was changed; None outside of one."""
    git, root = shutil.which("git"), Path(__file__).parents[2]
    if git is None or not (root / ".git").exists():
        return None
    command = [git, "-C", str(root), "describe", "--always", "--dirty"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)  # noqa: S603
    return answer.stdout.strip() or None


def machine() -> str:
    """Describe what was computed on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = torch.get_num_threads()
    parts = [platform.system(), platform.machine(), f"{cores} cores", f"{threads} threads"]
    if torch.cuda.is_available():
        parts.append(torch.cuda.get_device_name())
    return ", ".join([*parts, f"torch {torch.__version__}"])


def checkpoint_hash(source: str | Path) -> str:
    """SHA-256 over the weight files of a checkpoint, in the order of their names."""
    path = resolve(source)
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        if file.suffix in SUFFIXES:
            with file.open("rb") as stream:
                while chunk := stream.read(2**20):
                    digest.update(chunk)
    return digest.hexdigest()
