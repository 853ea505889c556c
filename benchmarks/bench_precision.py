"""How much nano's answers change with the precision: `python benchmarks/bench_precision.py`.

Every request is answered in float32 and in each other precision, and the two are compared. Masks:
for each name in either list, the overlap (IoU) on the frames where one of the two is seen, 0
where only one has it; the mean of all. Words: the share of tokens that are the same, place by
place, of the longer answer, where there are any. The results go to results.jsonl and, for nano,
to `x2sam/weights/nano/precision.json`, from where the page's Model tab shows them.
"""

import argparse
import json
import subprocess
import time
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch
from record import record

import x2sam
from x2sam.engine.engine import Engine
from x2sam.model.memory_needs import weigh
from x2sam.types import TextDelta

ROOT = Path(__file__).parent.parent
OUT = ROOT / "x2sam" / "weights" / "nano" / "precision.json"
REQUESTS = {
    "fruit.png": ("the green apple", "the orange", "describe this", "segment everything"),
    "music.png": ("the guitar", "the drum", "describe this"),
    "pets.png": ("the cat", "the dog", "describe this", "cat, dog"),
    "picnic.png": ("the cake", "describe this"),
    "sea.png": ("the fish", "the boat", "describe this"),
    "street.png": ("the red car", "the bus", "describe this"),
    "zoo.png": ("the elephant", "the lion", "describe this"),
    "chase.mp4": ("the mouse", "describe this"),
    "race.mp4": ("the blue car", "describe this"),
}
PRECISIONS: dict[str, dict[str, Any]] = {
    "bfloat16": {"dtype": torch.bfloat16},
    "8 bits": {"bits": 8},
    "4 bits": {"bits": 4},
}
Masks = dict[str, np.ndarray]  # name -> (frames, H, W) bool
Answers = dict[tuple[str, str], tuple[list[int], Masks]]


def answers(engine: Engine, requests: dict[str, tuple[str, ...]]) -> Answers:
    """Ask everything, each in a conversation of its own."""
    found: Answers = {}
    for medium, texts in requests.items():
        for text in texts:
            with engine.open(ROOT / "assets" / medium) as session:
                events = list(session.ask(text))
                said = "".join(event.text for event in events if isinstance(event, TextDelta))
                masks = {
                    each.name: np.stack([each.masks[frame] for frame in range(len(session.film))])
                    for each in session.objects
                }
            found[medium, text] = engine.predictor.vocabulary.encode(said), masks
    return found


def overlaps(one: Masks, other: Masks) -> list[float]:
    """Compare the masks of two answers, name by name."""
    values = []
    for name in one.keys() | other.keys():
        if name not in one or name not in other:
            values.append(0.0)
            continue
        shared = (one[name] & other[name]).sum(axis=(1, 2))
        joined = (one[name] | other[name]).sum(axis=(1, 2))
        values += [float(s / j) for s, j in zip(shared, joined, strict=True) if j]
    return values


def same_tokens(one: list[int], other: list[int]) -> float:
    """Compare the words of two answers, place by place."""
    same = sum(a == b for a, b in zip(one, other, strict=False))
    return same / max(len(one), len(other))


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="nano", help="which model (nano)")
    parser.add_argument("--device", default="cpu", help="where (cpu)")
    arguments = parser.parse_args()
    device = arguments.device

    def load(**how: Any) -> Engine:
        return x2sam.load(arguments.model, device=device, **({"dtype": torch.float32} | how))

    whole = load()
    config = whole.predictor.model.config
    exact = answers(whole, REQUESTS)
    rows = []
    for name, how in PRECISIONS.items():
        found = answers(load(**how), REQUESTS)
        masks = [value for key in exact for value in overlaps(exact[key][1], found[key][1])]
        said = [(exact[key][0], found[key][0]) for key in exact]
        tokens = [same_tokens(one, other) for one, other in said if one or other]
        dtype = how.get("dtype", torch.float32)
        row = {
            "stored": name,
            "megabytes": round(weigh(config, dtype, how.get("bits")).all / 1e6, 1),
            "masks": round(mean(masks), 4),
            "words": round(mean(tokens), 4),
        }
        rows.append(row)
        print(row)
        record("bench_precision", arguments.model, row)
    if arguments.model == "nano":
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
        ).stdout.strip()
        about = {
            "date": time.strftime("%Y-%m-%d"),
            "commit": commit,
            "device": device,
            "requests": len(exact),
            "whole": round(weigh(config, torch.float32).all / 1e6, 1),
        }
        OUT.write_text(json.dumps({**about, "rows": rows}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
