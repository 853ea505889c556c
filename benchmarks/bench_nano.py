"""How fast nano is where it is used: loading, a picture turn, a follow-up turn, a clip.

    .venv/bin/python benchmarks/bench_nano.py [CHECKPOINT] [--runs 7]

Prints a table of medians and appends one JSON line to benchmarks/results.jsonl. Loading is what
`import x2sam; x2sam.load(...)` takes in a fresh process that has imported torch: transformers and
all that is ours is in it. A picture turn runs from the decoded picture to its mask at full size:
both encoders, prompt, answer, masks.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from record import record

from x2sam.language.prompts import Turn, question
from x2sam.model.predictor import Predictor, Reading
from x2sam.model.pretrained import load
from x2sam.model.readout import READOUTS, Rules

LOAD = """
import sys, time
import torch
started = time.perf_counter()
import x2sam
x2sam.load(sys.argv[1])
print(time.perf_counter() - started)
"""
ANSWER = "Sure, it is <SEG>."  # forced: what a turn costs must not depend on what is seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", nargs="?", default="nano")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--frames", type=int, default=48)
    args = parser.parse_args()

    rows = {"load s": statistics.median(loading(args.checkpoint) for _ in range(args.runs))}
    predictor = load(args.checkpoint)
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (480, 640, 3), dtype=np.uint8)
    clip = rng.integers(0, 256, (args.frames, 360, 640, 3), dtype=np.uint8)

    turn(predictor, picture)
    rows["picture turn s"] = median(args.runs, lambda: turn(predictor, picture))
    view, features = predictor.look(picture[None], "image"), predictor.features(picture[None])
    ask(predictor, view, "the red apple")
    rows["follow-up turn s"] = median(
        args.runs, lambda: mask(predictor, ask(predictor, view, "the dog"), features, picture)
    )
    rows["clip frames/s"] = args.frames / median(3, lambda: track(predictor, clip))
    rows["peak memory MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows["parameters M"] = sum(weight.numel() for weight in predictor.model.parameters()) / 1e6
    for name, value in rows.items():
        print(f"{name:<18} {value:8.3f}")
    record("nano", args.checkpoint, rows)


def loading(checkpoint: str) -> float:
    command = [sys.executable, "-c", LOAD, checkpoint]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(told.split()[-1])


def turn(predictor: Predictor, picture: np.ndarray) -> None:
    view, features = predictor.look(picture[None], "image"), predictor.features(picture[None])
    mask(predictor, ask(predictor, view, "the red apple"), features, picture)


def ask(predictor: Predictor, view: object, text: str) -> Reading:
    asked = Turn(question("refseg", view.media, text=text))
    answer = predictor.ask(view, [asked], forced=ANSWER)
    while True:
        try:
            next(answer)
        except StopIteration as end:
            return end.value


def mask(predictor: Predictor, reading: Reading, features: object, picture: np.ndarray) -> None:
    read = READOUTS["referring"](Rules())
    for prediction in predictor.segment(reading.conditions, [(features, picture.shape[:2])]):
        read(prediction)


def track(predictor: Predictor, clip: np.ndarray) -> None:
    view = predictor.look(clip[:: max(1, len(clip) // 8)][:8], "video")
    reading = ask(predictor, view, "the red apple")
    frames = ((predictor.features(frame[None]), frame.shape[:2]) for frame in clip)
    read = READOUTS["referring"](Rules())
    for prediction in predictor.segment(reading.conditions, frames):
        read(prediction)


def median(runs: int, work: Callable[[], object]) -> float:
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


if __name__ == "__main__":
    main()
