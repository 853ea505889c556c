"""How a session feels: first word, first mask, follow-up, frames a second, peak memory.

    .venv/bin/python benchmarks/bench_session.py [CHECKPOINT] [--seconds 5 300] [--stride 5]

Every row runs in a process of its own, so that its peak memory is its own: a picture, and clips
of some lengths at 854 x 480 that are drawn and written here. The last line compares what
`Session.estimate` says of a clip with what its request takes. Prints a table and appends one
JSON line a row to benchmarks/results.jsonl. The answer is forced, as what a turn costs must not
depend on what the model sees. CPU seconds are those of the process: other work on the machine
disturbs them less than what a clock says, and the ratio of the follow-up to the turn is theirs.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from record import record

import x2sam
from x2sam.engine.engine import Engine
from x2sam.engine.feature_cache import LEAST
from x2sam.media.clip_writer import write_clip
from x2sam.media.timing import Timing
from x2sam.model.predictor import Predictor
from x2sam.types import MaskReady, TextDelta

ANSWER = "Here it is. And it is <SEG>."
COLUMNS = (
    "first word s",
    "first mask s",
    "turn s",
    "follow-up s",
    "turn CPU s",
    "again CPU s",
    "CPU ratio",
    "frames/s",
    "peak MB",
)
RATE, HEIGHT, WIDTH = 25, 480, 854
RACE = Path(__file__).parent.parent / "assets/race.mp4"


class Forced(Predictor):
    """Answers every question alike."""

    def ask(self, *arguments: Any, **more: Any) -> Any:
        return super().ask(*arguments, **{**more, "forced": ANSWER})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", nargs="?", default="nano")
    parser.add_argument("--seconds", type=int, nargs="*", default=[5, 300])
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--cache", type=int, default=LEAST >> 20, help="for features, MiB")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)  # 0: the picture, -1: estimate
    args = parser.parse_args()
    if args.one is not None:
        engine = opened(args.checkpoint, args.cache)
        print(json.dumps(estimated(engine) if args.one < 0 else measure(engine, args)))
        return
    print(f"{'':<22}" + "".join(f"{name:>14}" for name in COLUMNS))
    for seconds in [0, *args.seconds]:
        row = alone(seconds)
        stride = f", stride {args.stride}" if args.stride > 1 else ""
        name = f"clip {seconds} s{stride}" if seconds else "picture"
        print(f"{name:<22}" + "".join(f"{row[column]:>14.2f}" for column in COLUMNS), flush=True)
        record("session", args.checkpoint, {"row": name, **row})
    row = alone(-1)
    low, high, taken, _ = row.values()
    print(f"{RACE.name}: {low:.2f} to {high:.2f} s expected, {taken:.2f} s taken")
    record("session", args.checkpoint, {"row": f"estimate of {RACE.name}", **row})


def alone(which: int) -> dict[str, float]:
    """Measure one row in a fresh process."""
    command = [sys.executable, *sys.argv, "--one", str(which)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    row: dict[str, float] = json.loads(out.splitlines()[-1])
    return row


def opened(checkpoint: str, cache: int) -> Engine:
    loaded = x2sam.load(checkpoint)
    forced = Forced(loaded.predictor.model, loaded.predictor.vocabulary)
    return Engine(forced, cache_bytes=cache << 20)


def measure(engine: Engine, args: argparse.Namespace) -> dict[str, float]:
    options = replace(engine.options, absent=0.0, stride=args.stride)
    with tempfile.TemporaryDirectory() as folder:
        medium = frame(0) if not args.one else written(Path(folder) / "clip.mp4", args.one * RATE)
        with engine.open(medium, options=options) as session:
            first, mask, turn, turn_cpu = ask(session, "the red square")
            _, _, again, again_cpu = ask(session, "the one to its left")
            count = len(session.film)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    ratio = again_cpu / turn_cpu
    row = (first, mask, turn, again, turn_cpu, again_cpu, ratio, count / turn, peak)
    return dict(zip(COLUMNS, row, strict=True))


def estimated(engine: Engine) -> dict[str, float]:
    """Seconds that a request is said to take when nothing was measured yet, and takes."""
    with engine.open(RACE, options=replace(engine.options, absent=0.0)) as session:
        started = time.perf_counter()
        low, high = session.estimate("the blue car", task="refseg").seconds
        spent = time.perf_counter() - started
        _, _, turn, _ = ask(session, "the blue car")
    return {"at best s": low, "at worst s": high, "taken s": turn, "estimating s": spent}


def ask(session: x2sam.Session, text: str) -> tuple[float, float, float, float]:
    """Seconds to the first word, to the first mask and to the end, and what it takes of the CPU."""
    started, worked = time.perf_counter(), time.process_time()
    times: dict[type, float] = {}
    for event in session.ask(text, task="refseg"):
        times.setdefault(type(event), time.perf_counter() - started)
    ended, worked = time.perf_counter() - started, time.process_time() - worked
    return times[TextDelta], times[MaskReady], ended, worked


def frame(index: int) -> np.ndarray:
    picture = np.full((HEIGHT, WIDTH, 3), 90 + index % 60, np.uint8)
    x = 40 + 3 * index % 700
    picture[200:300, x : x + 100] = (220, 40, 40)
    return picture


def written(path: Path, frames: int) -> Path:
    write_clip(path, map(frame, range(frames)), Timing.regular(frames, RATE))
    return path


if __name__ == "__main__":
    main()
