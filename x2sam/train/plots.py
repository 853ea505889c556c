"""The log of a training run as a picture: losses above, scores below.

Needs matplotlib, which nothing else does; without it there is no picture.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

_KINDS = ("lm", "mask", "dice", "cls", "tokens", "maps", "spread")
_LOSSES = ("loss", *(f"loss_{kind}" for kind in _KINDS))
_LOGGER = logging.getLogger(__name__)


def plot(folder: Path) -> Path | None:
    """Draw `loss.png` from `log.jsonl`; None without a log or without matplotlib."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 (a tool of developers)
    except ImportError:
        _LOGGER.info("There is no plot of the losses, as matplotlib is not installed.")
        return None
    lines = read_log(folder)
    if not lines:
        return None
    scores = [line for line in lines if line.get("scores")]
    # A figure of its own, and not pyplot's: training has no screen and may run in a thread.
    figure = Figure(figsize=(8, 8 if scores else 4.5), layout="constrained")
    axes = figure.subplots(2 if scores else 1, squeeze=False)[:, 0]
    _curves(axes[0], _columns(lines, _LOSSES), "loss")
    axes[0].set_yscale("log")
    if scores:
        rows = [{**line["scores"], "step": line["step"]} for line in scores]
        names = [name for name in rows[-1] if name not in ("step", "seconds")]
        _curves(axes[1], _columns(rows, names), "score")
    file = folder / "loss.png"
    figure.savefig(file, dpi=120)
    return file


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Read the lines of a run's log; one that was cut short is left out."""
    path = folder / "log.jsonl"
    lines = []
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        with suppress(json.JSONDecodeError):
            lines.append(json.loads(line))
    return lines


def cut_log(folder: Path, step: int) -> None:
    """Forget what a log tells of later steps than `step`: a run that goes on makes them again."""
    path = folder / "log.jsonl"
    if path.exists():
        kept = [line for line in read_log(folder) if line["step"] <= step]
        fresh = path.with_suffix(".part")
        fresh.write_text("".join(json.dumps(line) + "\n" for line in kept), "utf-8")
        fresh.replace(path)


def _columns(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> dict[str, tuple[list[int], list[float]]]:
    """Steps and values of every name that occurs."""
    pairs = {name: [(row["step"], row[name]) for row in rows if name in row] for name in names}
    return {
        name: ([step for step, _ in own], [value for _, value in own])
        for name, own in pairs.items()
        if own
    }


def _curves(axis: Any, columns: Mapping[str, tuple[list[int], list[float]]], title: str) -> None:
    for name, (steps, values) in columns.items():
        axis.plot(steps, values, label=name, marker="." if len(steps) < 30 else "")  # noqa: PLR2004
    axis.set_xlabel("step")
    axis.set_ylabel(title)
    axis.grid(visible=True, alpha=0.3)
    if columns:
        axis.legend(fontsize="small")
