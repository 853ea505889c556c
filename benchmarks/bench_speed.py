"""How fast the network is, beside the same network used the straightforward way.

    .venv/bin/python benchmarks/bench_speed.py [--size nano|wide|4b] [--bits 8|4] [--frames N ...]

First token, tokens a second, first mask and a further question about a picture of 1024 x 1024;
masks a second in clips, whole and once the memory is full; peak memory; and how far apart the
two are. `4b` has random weights and is meant for a GPU (bfloat16 there), `wide` has its widths
and few layers, for a CPU. Every row runs in a process of its own, so that its peak memory is its
own. The answer is given token by token, as what a turn costs must not depend on what is seen.
Prints medians and appends one JSON line a row to benchmarks/results.jsonl.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from networks import network
from record import record
from straightforward import Straightforward
from torch import Tensor

from x2sam.language.prompts import Turn, question
from x2sam.media.sampling import uniform
from x2sam.model.conditions import Conditions
from x2sam.model.language_model import Sampling
from x2sam.model.predictor import Predictor
from x2sam.model.readout import READOUTS, Rules

ANSWER = "Sure, it is <SEG>."
WORDS = 64  # written where tokens are counted
ORDINARY = 200  # the first of many ids that end no answer
SHOWN = 8  # frames of a clip that the language model sees
SIZE = {"picture": (1024, 1024), "clip": (480, 854)}
COLUMNS = ("first token s", "tokens/s", "first mask s", "follow-up s", "masks/s", "full/s")
Row = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=("nano", "wide", "4b"), default="nano")
    parser.add_argument("--bits", type=int, choices=(8, 4), help="of the language model's layers")
    parser.add_argument("--frames", type=int, nargs="*", default=[8, 64, 512])
    parser.add_argument("--whole", type=int, default=64, help="the longest clip taken at once")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--only", choices=("plain", "x2sam"), help="one of the two")
    parser.add_argument("--note", default="", help="kept with the numbers")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(*args.one, args)))
        return
    if args.bits:
        args.only = "x2sam"  # the other way has no place for such weights
    print(f"{'':<18}" + "".join(f"{name:>15}" for name in (*COLUMNS, "peak MB")), flush=True)
    about = {"on": on(args.device), "bits": args.bits or "all", "note": args.note}
    for what in ("picture", *map(str, args.frames)):
        ways = [args.only] if args.only else ["plain", "x2sam"]
        if what.isdigit() and int(what) > args.whole:
            ways = [way for way in ways if way != "plain"]
        rows = {way: alone(way, what) for way in ways}
        for way, row in rows.items():
            show(f"{what} {way}", row)
            record("speed", args.size, {"row": what, "way": way, **about, **row})
        if len(rows) == 2:
            show(f"{what} ratio", ratios(rows["plain"], rows["x2sam"]))
    if not args.only:
        row = alone("both", "8")
        print("difference:", ", ".join(f"{name} {value:.2g}" for name, value in row.items()))
        record("speed", args.size, {"row": "difference", **about, **row})


def show(name: str, row: Row) -> None:
    cells = (f"{row[column]:15.3f}" if column in row else " " * 15 for column in COLUMNS)
    print(f"{name:<18}" + "".join(cells) + f"{row['peak MB']:15.0f}", flush=True)


def ratios(plain: Row, ours: Row) -> Row:
    """How many times faster ours is, and how many times less memory it takes."""
    return {
        name: ours[name] / plain[name] if name.endswith("/s") else plain[name] / ours[name]
        for name in ours.keys() & plain.keys()
    }


def alone(way: str, what: str) -> Row:
    """Measure one row in a fresh process; empty of numbers where the memory does not suffice."""
    command = [sys.executable, *sys.argv, "--one", way, what]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    row: Row = json.loads(out.splitlines()[-1])
    return row


def measure(way: str, what: str, args: argparse.Namespace) -> Row:
    device = torch.device(args.device)
    if device.type == "cpu":
        torch.set_num_threads(1)
    predictor = network(args.size, device, args.bits)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)  # making the weights is not what is measured
    if way == "both":
        return difference(predictor, int(what))
    side: Side = Straight(predictor) if way == "plain" else Ours(predictor)
    try:
        row = picture(side, args.runs) if what == "picture" else clip(side, int(what))
    except torch.OutOfMemoryError:
        row = {}
    return row | {"peak MB": peak(device)}


class Side(Protocol):
    """One of the two ways to use the network."""

    device: torch.device

    def show(self, frames: np.ndarray) -> None:
        """Take a new picture or what the language model sees of a clip."""

    def ask(self, text: str, answer: Sequence[int]) -> Conditions: ...

    def write(self, text: str, count: int) -> tuple[float, float]:
        """Seconds to the first token and between two."""

    def masks(
        self, conditions: Conditions, frames: Callable[[], Iterator[np.ndarray]]
    ) -> Iterator[np.ndarray]: ...


class Ours:
    """The predictor as the engine uses it: what does not depend on the question is kept.

    Sessions, films and the cache of features are left out, and what they cost or save.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.predictor, self.device = predictor, predictor.device

    def show(self, frames: np.ndarray) -> None:
        self.media = "image" if len(frames) == 1 else "video"
        self.view = self.predictor.look(frames, self.media)
        self.kept: list[Any] = []  # of a picture

    def ask(self, text: str, answer: Sequence[int]) -> Conditions:
        turns = [Turn(question("refseg", self.media, text=text))]
        asking = self.predictor.ask(self.view, turns, sampling=Scripted(answer))
        try:
            while True:
                next(asking)
        except StopIteration as end:
            return end.value.conditions

    def write(self, text: str, count: int) -> tuple[float, float]:
        turns, started = [Turn(question("refseg", self.media, text=text))], now(self.device)
        words = range(ORDINARY, ORDINARY + count)
        asking = self.predictor.ask(self.view, turns, sampling=Scripted([*words]), limit=count)
        next(asking)
        first = now(self.device)
        written = 1 + sum(1 for _ in asking)
        return first - started, (now(self.device) - first) / (written - 1)

    def masks(
        self, conditions: Conditions, frames: Callable[[], Iterator[np.ndarray]]
    ) -> Iterator[np.ndarray]:
        read = READOUTS["referring"](Rules())
        for prediction in self.predictor.segment(conditions, self._features(frames())):
            found = read(prediction)
            size = prediction.sizes.original
            yield found.masks[0].cpu().numpy() if len(found) else np.zeros(size, bool)

    def _features(self, frames: Iterator[np.ndarray]) -> Iterator[tuple[Any, tuple[int, int]]]:
        for index, frame in enumerate(frames):
            if self.media == "image" and self.kept:
                yield self.kept[0], frame.shape[:2]
                continue
            features = self.predictor.features(frame[None])
            decoded = self.predictor.decode(features, first=index == 0)
            if self.media == "image":
                self.kept = [decoded]
            yield decoded, frame.shape[:2]


class Straight:
    """Everything anew, everything at once."""

    def __init__(self, predictor: Predictor) -> None:
        self.plain, self.device = Straightforward(predictor), predictor.device

    def show(self, frames: np.ndarray) -> None:
        self.frames = frames

    def ask(self, text: str, answer: Sequence[int]) -> Conditions:
        return self.plain.ask(self.frames, text, answer)

    def write(self, text: str, count: int) -> tuple[float, float]:
        times, seg = [], self.plain.vocabulary.seg
        for words in (1, count):
            started = now(self.device)
            # `<SEG>` comes last, where it costs nothing.
            self.ask(text, [*range(ORDINARY, ORDINARY + words - 1), seg, 0])
            times.append(now(self.device) - started)
        return times[0], (times[1] - times[0]) / (count - 1)

    def masks(
        self, conditions: Conditions, frames: Callable[[], Iterator[np.ndarray]]
    ) -> Iterator[np.ndarray]:
        yield from self.plain.segment(conditions, np.stack([*frames()]))


@dataclass(frozen=True, slots=True)
class Scripted(Sampling):
    """Looks at what the model would say, and says something else."""

    ids: Sequence[int] = ()

    def chooser(self) -> Callable[[Tensor], int]:
        words = iter(self.ids)

        def choose(logits: Tensor) -> int:
            int(logits.argmax())
            return next(words)

        return choose


def picture(side: Side, runs: int) -> Row:
    one = np.random.default_rng(0).integers(0, 256, (1, *SIZE["picture"], 3), dtype=np.uint8)
    answer = answer_ids(side)

    def frames() -> Iterator[np.ndarray]:
        return iter(one)

    def turn(text: str) -> None:
        for _ in side.masks(side.ask(text, answer), frames):
            pass

    def first() -> None:
        side.show(one)
        turn("the red apple")

    first()
    row = {"first mask s": median(side, runs, first)}
    row["follow-up s"] = median(side, runs, lambda: turn("the dog"))
    writing = []
    for _ in range(runs):
        started = now(side.device)
        side.show(one)
        shown = now(side.device) - started
        token, between = side.write("the red apple", WORDS)
        writing.append((shown + token, between))
    row["first token s"] = statistics.median(token for token, _ in writing)
    row["tokens/s"] = 1 / statistics.median(between for _, between in writing)
    return row


def clip(side: Side, count: int) -> Row:
    def frames() -> Iterator[np.ndarray]:
        return map(frame, range(count))

    def look() -> Conditions:
        side.show(np.stack([frame(index) for index in uniform(count, SHOWN)]))
        return side.ask("the red square", answer_ids(side))

    conditions = look()
    for _ in side.masks(conditions, lambda: map(frame, range(2))):
        pass
    started = now(side.device)
    conditions = look()
    times = [now(side.device) for _ in side.masks(conditions, frames)]
    row = {"first mask s": times[0] - started, "masks/s": count / (times[-1] - started)}
    full = side.plain.model if isinstance(side, Straight) else side.predictor.model
    memory = full.config.memory.frames
    if isinstance(side, Ours) and count > memory + 1:  # or the memory is never full
        row["full/s"] = (count - 1 - memory) / (times[-1] - times[memory])
    return row


def difference(predictor: Predictor, count: int) -> Row:
    """How far the two are apart: what to look for, and the share of pixels in the masks."""
    sides: tuple[Side, Side] = Straight(predictor), Ours(predictor)
    shown = np.stack([frame(index) for index in range(count)])
    found = []
    for side in sides:
        side.show(shown)
        conditions = side.ask("the red square", answer_ids(side))
        found.append((conditions, np.stack([*side.masks(conditions, lambda: iter(shown))])))
    (plain, masks), (ours, others) = found
    return {
        "in conditions": float((plain.tokens - ours.tokens).abs().max()),
        "share of pixels": float((masks != others).mean()),
    }


def answer_ids(side: Side) -> list[int]:
    plain = isinstance(side, Straight)
    vocabulary = side.plain.vocabulary if plain else side.predictor.vocabulary
    return [*vocabulary.encode(ANSWER), vocabulary.eos]


def frame(index: int) -> np.ndarray:
    drawn = np.full((*SIZE["clip"], 3), 90 + index % 60, np.uint8)
    x = 40 + 3 * index % 700
    drawn[200:300, x : x + 100] = (220, 40, 40)
    return drawn


def median(side: Side, runs: int, work: Callable[[], object]) -> float:
    times = []
    for _ in range(runs):
        started = now(side.device)
        work()
        times.append(now(side.device) - started)
    return statistics.median(times)


def now(device: torch.device) -> float:
    """Seconds, once the device has done all that it was given; on a CPU those of one thread."""
    if device.type == "cpu":
        return time.process_time()  # other work disturbs it less
    torch.cuda.synchronize(device)
    return time.perf_counter()


def peak(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def on(device: str) -> str:
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else "CPU"


if __name__ == "__main__":
    main()
