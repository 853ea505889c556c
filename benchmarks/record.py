"""Where every benchmark writes its numbers: one JSON line a row in results.jsonl."""

from __future__ import annotations

import json
import platform
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import torch


def record(benchmark: str, checkpoint: str, row: Mapping[str, float | str]) -> None:
    """Append a row: date, commit and machine, then what was measured."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    line = {
        "benchmark": benchmark,
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit,
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
        "checkpoint": checkpoint,
        **{name: round(v, 4) if isinstance(v, float) else v for name, v in row.items()},
    }
    with (Path(__file__).parent / "results.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
