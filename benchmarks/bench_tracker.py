"""How fast masks get through a clip, and how much memory that takes.

    .venv/bin/python benchmarks/bench_tracker.py [CHECKPOINT] [--seconds 10 300] [--rate 5]
        [--cap 90] [--objects 1 3] [--rows track ask]

Two kinds of rows, each in a process of its own, so that its peak memory is its own:

track  the tracker alone, per back end and number of objects, from a box on the first frame
ask    a whole request in words ("the blue car") to nano, per way of handing masks over

Clips are assets/race.mp4 to and fro, as long as wanted, in a file. At 25 frames a second 5 minutes
are 7500 frames, of which a laptop does ten to twenty a second: an hour for all rows. So the rate is
5, and a row ends after `--cap` seconds; how many frames it got to stands beside how many there are.
Without a checkpoint SAM 2 is the small one with random weights, whose masks mean nothing and cost
the same. It runs on a GPU if there is one; its peak memory is then the last column, else 0. Prints
a table and appends one JSON line a row to benchmarks/results.jsonl.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import torch
from record import record

import x2sam
from x2sam.engine.options import SUITED
from x2sam.media.clip_writer import write_clip
from x2sam.media.timing import Timing
from x2sam.media.videos import open_clip
from x2sam.tracker.build import load, random
from x2sam.tracker.config import Backend
from x2sam.tracker.tracker import Tracker

RACE = Path(__file__).parents[1] / "assets/race.mp4"
BOX, WORDS = (176.0, 282.0, 300.0, 372.0), "the blue car"
BACKENDS: tuple[Backend, ...] = ("sam2", "transformers")
MODES = ("memory", "one_token", "sam2")
COLUMNS = ("first s", "frames/s", "frames", "of", "start MB", "peak MB", "tensors", "GPU MB")
GPU = torch.cuda.is_available()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", nargs="?", default="")
    parser.add_argument("--seconds", type=int, nargs="*", default=[10, 300])
    parser.add_argument("--rate", type=int, default=5, help="frames a second of the clips")
    parser.add_argument("--cap", type=float, default=90, help="seconds after which a row ends")
    parser.add_argument("--objects", type=int, nargs="*", default=[1, 3], help="of track rows")
    parser.add_argument("--rows", nargs="*", choices=("track", "ask"), default=["track", "ask"])
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        kind, how, number, file = args.one
        if kind == "track":
            found = track(tracker_of(args.checkpoint, how), file, int(number), args.cap)
        else:
            found = ask(args.checkpoint, file, how, args.cap)
        print(json.dumps(found))
        return
    print(f"{'':<36}" + "".join(f"{name:>10}" for name in COLUMNS))
    with tempfile.TemporaryDirectory() as folder:
        for seconds in args.seconds:
            file = Path(folder) / f"{seconds}.mp4"
            looped(file, seconds * args.rate, args.rate)
            for kind, how, number in rows(args):
                tell(args, kind, how, number, seconds, file)


def rows(args: argparse.Namespace) -> Iterator[tuple[str, str, int]]:
    if "track" in args.rows:
        yield from (("track", how, number) for number in args.objects for how in BACKENDS)
    if "ask" in args.rows:
        yield from (("ask", how, 1) for how in MODES)


def tell(
    args: argparse.Namespace, kind: str, how: str, number: int, seconds: int, file: Path
) -> None:
    """Measure one row in a process of its own, print it and record it."""
    one = ["--cap", str(args.cap), "--one", kind, how, str(number), str(file)]
    command = [sys.executable, __file__, *([args.checkpoint] if args.checkpoint else []), *one]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    row = json.loads(out.splitlines()[-1])
    name = f"{kind}, {how}, {seconds} s" + (f", {number} objects" if kind == "track" else "")
    print(f"{name:<36}" + "".join(f"{row[column]:>10.2f}" for column in COLUMNS), flush=True)
    device = torch.cuda.get_device_name() if GPU else "cpu"
    where = {"row": name, "rate": args.rate, "cap s": args.cap, "device": device}
    record("tracker", args.checkpoint or "small, random", {**where, **row})


def looped(file: Path, frames: int, rate: int) -> None:
    """Write a clip of so many frames: the race to and fro."""
    with open_clip(RACE) as race:
        there = list(race.frames())
    both = [*there, *there[-2:0:-1]]
    pictures = (both[index % len(both)] for index in range(frames))
    write_clip(file, pictures, Timing.regular(frames, Fraction(rate)))


def tracker_of(checkpoint: str, backend: Backend = "auto") -> Tracker:
    if checkpoint:
        return load(checkpoint, backend)
    device, dtype = ("cuda", torch.bfloat16) if GPU else ("cpu", torch.float32)
    return random(backend=backend, device=device, dtype=dtype)  # as `load` chooses


def track(tracker: Tracker, file: str, objects: int, cap: float) -> dict[str, float]:
    """Carry boxes forward from the first frame."""
    with open_clip(file) as clip, tracker.open(clip) as tracking:
        tracking.add(0, 0, box=BOX)  # the first call of everything is slow
        tracking.clear()
        before, counted = peak(), tensors()
        started = now()
        for number in range(objects):
            x0, y0, x1, y1 = BOX
            tracking.add(number, 0, box=(x0 - 40 * number, y0, x1 - 40 * number, y1))
        first, done, walk = now(), 0, tracking.propagate()
        for _ in walk:
            done += 1
            if now() - first > cap:
                break
        seconds = now() - first
        told = measured((first - started) / objects, done, len(clip), seconds, before)
        return {**told, "tensors": tensors() - counted}


def ask(checkpoint: str, file: str, how: str, cap: float) -> dict[str, float]:
    """Ask nano in words; frames count when they have a mask."""
    tracker = tracker_of(checkpoint) if how == "sam2" else None
    engine = x2sam.load("nano", tracker=tracker)
    options = x2sam.Options(frames=SUITED["nano"].frames, words=128, propagation=how)
    with engine.open(file, options=options) as session:
        before, counted = peak(), tensors()
        started, first, masked = now(), None, set()
        for event in session.ask(WORDS, task="refseg"):
            if not hasattr(event, "mask"):
                continue
            at = now()
            first = first or at
            masked.add(event.frame)
            if at - first > cap:
                session.stop()
        assert first is not None, f"{how}: nano finds no blue car"
        seconds = now() - first
        told = measured(first - started, len(masked), len(session.film), seconds, before)
        return {**told, "tensors": tensors() - counted}


def measured(first: float, done: int, of: int, seconds: float, before: float) -> dict[str, float]:
    return {
        "first s": first,
        "frames/s": (done - 1) / seconds if done > 1 else 0.0,
        "frames": done,
        "of": of,
        "start MB": before,
        "peak MB": peak(),
        "GPU MB": torch.cuda.max_memory_allocated() / 1e6 if GPU else 0.0,
    }


def now() -> float:
    """Read the clock when the GPU has done what it was told to."""
    if GPU:
        torch.cuda.synchronize()
    return time.perf_counter()


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def tensors() -> int:
    gc.collect()
    return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())


if __name__ == "__main__":
    main()
