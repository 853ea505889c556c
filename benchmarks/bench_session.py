"""How a session feels: first word, first mask, follow-up, frames a second, peak memory.

    .venv/bin/python benchmarks/bench_session.py [CHECKPOINT] [--seconds 5 300]

Every row runs in a process of its own, so that its peak memory is its own: a picture, and clips
of some lengths at 854 x 480. Prints a table and appends one JSON line a row to
benchmarks/results.jsonl. The answer is forced, as what a turn costs must not depend on what the
model sees.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch

import x2sam
from x2sam.engine.engine import Engine
from x2sam.media.clip_writer import write_clip
from x2sam.media.timing import Timing
from x2sam.model.predictor import Predictor
from x2sam.types import MaskReady, TextDelta

ANSWER = "Here it is. And it is <SEG>."
RATE, HEIGHT, WIDTH = 25, 480, 854


class Forced(Predictor):
    """Answers every question alike."""

    def ask(self, *arguments: Any, **more: Any) -> Any:
        return super().ask(*arguments, **{**more, "forced": ANSWER})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", nargs="?", default="nano")
    parser.add_argument("--seconds", type=int, nargs="*", default=[5, 300])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)  # 0: the picture
    args = parser.parse_args()
    if args.one is not None:
        print(json.dumps(measure(args.checkpoint, args.one)))
        return
    columns = ("first word s", "first mask s", "turn s", "follow-up s", "frames/s", "peak MB")
    print(f"{'':<10}" + "".join(f"{name:>14}" for name in columns))
    for seconds in [0, *args.seconds]:
        command = [sys.executable, __file__, args.checkpoint, "--one", str(seconds)]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        row = json.loads(out.splitlines()[-1])
        name = f"clip {seconds} s" if seconds else "picture"
        print(f"{name:<10}" + "".join(f"{row[column]:>14.2f}" for column in columns))
        record({"row": name, **row}, args.checkpoint)


def measure(checkpoint: str, seconds: int) -> dict[str, float]:
    loaded = x2sam.load(checkpoint)
    engine = Engine(Forced(loaded.predictor.model, loaded.predictor.vocabulary))
    absent = replace(engine.options, absent=0.0)
    with tempfile.TemporaryDirectory() as folder:
        medium = frame(0) if not seconds else written(Path(folder) / "clip.mp4", seconds * RATE)
        with engine.open(medium, options=absent) as session:
            first, mask, turn = ask(session, "the red square")
            _, _, follow_up = ask(session, "the one to its left")
            count = len(session.film)
    return {
        "first word s": first,
        "first mask s": mask,
        "turn s": turn,
        "follow-up s": follow_up,
        "frames/s": count / turn,
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def ask(session: x2sam.Session, text: str) -> tuple[float, float, float]:
    """Seconds to the first word, to the first mask and to the end."""
    started = time.perf_counter()
    times: dict[type, float] = {}
    for event in session.ask(text, task="refseg"):
        times.setdefault(type(event), time.perf_counter() - started)
    return times[TextDelta], times[MaskReady], time.perf_counter() - started


def frame(index: int) -> np.ndarray:
    picture = np.full((HEIGHT, WIDTH, 3), 90 + index % 60, np.uint8)
    x = 40 + 3 * index % 700
    picture[200:300, x : x + 100] = (220, 40, 40)
    return picture


def written(path: Path, frames: int) -> Path:
    write_clip(path, map(frame, range(frames)), Timing.regular(frames, Fraction(RATE)))
    return path


def record(row: dict[str, float | str], checkpoint: str) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    line = {
        "benchmark": "session",
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit,
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
        "checkpoint": checkpoint,
        **{key: round(v, 4) if isinstance(v, float) else v for key, v in row.items()},
    }
    with (Path(__file__).parent / "results.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
