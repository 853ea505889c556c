"""How fast the tracker is, and how much memory it takes: per back end and length of clip.

    .venv/bin/python benchmarks/bench_tracker.py [CHECKPOINT] [--long] [--objects 1 3]

Every row runs in a process of its own, so that its peak memory is its own: 10 s at 25 frames a
second and 854 x 480, with --long also 5 minutes. Without a checkpoint the network is the small one
with random weights, whose masks mean nothing and cost the same. Prints a table and appends one JSON
line a row to benchmarks/results.jsonl.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import subprocess
import sys
import time

import numpy as np
import torch
from record import record

from x2sam.tracker.build import Backend, load, random

BACKENDS: tuple[Backend, ...] = ("sam2", "transformers")
RATE, HEIGHT, WIDTH = 25, 480, 854
COLUMNS = ("click s", "frames/s", "start MB", "peak MB", "tensors")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", nargs="?", default="")
    parser.add_argument("--long", action="store_true", help="also 5 minutes")
    parser.add_argument("--objects", type=int, nargs="*", default=[1, 3])
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        backend, seconds, objects = args.one
        print(json.dumps(measure(args.checkpoint, backend, int(seconds), int(objects))))
        return
    print(f"{'':<34}" + "".join(f"{name:>12}" for name in COLUMNS))
    for seconds in [10, 300] if args.long else [10]:
        for objects in args.objects:
            for backend in BACKENDS:
                one = [backend, str(seconds), str(objects)]
                command = [sys.executable, __file__, args.checkpoint, "--one", *one]
                out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                row = json.loads(out.splitlines()[-1])
                name = f"{backend}, {seconds} s, {objects} objects"
                print(f"{name:<34}" + "".join(f"{row[column]:>12.2f}" for column in COLUMNS))
                record("tracker", args.checkpoint or "small-256, random", {"row": name, **row})


class Moving:
    """A clip without a file: so many frames, of a square that moves."""

    def __init__(self, frames: int) -> None:
        self.frames = frames

    def __len__(self) -> int:
        return self.frames

    def frame(self, index: int) -> np.ndarray:
        picture = np.full((HEIGHT, WIDTH, 3), 90 + index % 60, np.uint8)
        x = 40 + 3 * index % 700
        picture[200:300, x : x + 100] = (220, 40, 40)
        return picture


def measure(checkpoint: str, backend: Backend, seconds: int, objects: int) -> dict[str, float]:
    tracker = load(checkpoint, backend) if checkpoint else random(backend=backend)
    clip = Moving(seconds * RATE)
    with tracker.open(clip) as tracking:
        tracking.add(0, 0, points=[(90, 250)])  # the first call of everything is slow
        tracking.clear()
        before, counted = peak(), tensors()
        started = time.perf_counter()
        for number in range(objects):
            tracking.add(number, 0, points=[(90 + 200 * number, 250)])
        clicked = time.perf_counter()
        frames = sum(1 for _ in tracking.propagate())
        walked = time.perf_counter()
        return {
            "click s": (clicked - started) / objects,
            "frames/s": frames / (walked - clicked),
            "start MB": before,
            "peak MB": peak(),
            "tensors": tensors() - counted,
        }


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def tensors() -> int:
    gc.collect()
    return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())


if __name__ == "__main__":
    main()
