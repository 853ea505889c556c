"""`x2sam eval`: measure a model, on generated scenes or on a folder of your own.

x2sam eval nano --sprites sprites.npz --photos photos.npz --limit 100
x2sam eval folder my/suite --model nano
x2sam eval tracker --sprites sprites.npz --photos photos.npz --clips DAVIS
x2sam eval tracker --sprites sprites.npz --sheet clips.png
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from x2sam.errors import PromptError
from x2sam.eval import contact_sheet, folder, nano, tracker
from x2sam.eval.nano_samples import Material
from x2sam.eval.results import Result, report, table, write
from x2sam.model.predictor import Predictor
from x2sam.model.pretrained import load
from x2sam.tracker import build as tracking
from x2sam.train.packs import add_sources, read_sources
from x2sam.train.recipe import everyday


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `x2sam eval nano` and `x2sam eval folder`."""
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    scenes = what.add_parser("nano", help="generated scenes: everything the small model learnt")
    marks = what.add_parser("tracker", help="how well a tracker marks and carries")
    for each in (scenes, marks):
        add_sources(each)
        each.add_argument("--limit", type=int, default=100, help="samples per row (100)")
    scenes.add_argument(
        "--everyday", action="store_true", help="only the two hundred nouns of a short training"
    )
    scenes.add_argument("--rows", nargs="+", metavar="ROW", help="only rows that begin so")
    scenes.add_argument("--sheet", type=Path, metavar="FILE", help="draw 24 samples; no numbers")
    marks.add_argument("--sheet", type=Path, metavar="FILE", help="draw 4 clips, twice; no numbers")
    marks.add_argument("--clips", type=Path, help="real clips: <clip>/frames and <clip>/masks")
    marks.add_argument("--tracker", default="nano-tracker", help="a name, folder or file")
    own = what.add_parser("folder", help="a folder with a suite.json")
    own.add_argument("folder", type=Path, metavar="DIR")
    own.add_argument("--limit", type=int, help="only the first samples")
    own.add_argument(
        "--absent",
        type=float,
        metavar="P",
        help="what is less likely is not there; as the page has it, or 0: as the official code",
    )
    for each in (scenes, own):
        each.add_argument("--model", default="nano", help="a name, folder or file (nano)")
        each.add_argument("--base", help="Qwen3-VL, where the checkpoint lacks it")
    for each in (scenes, own, marks):
        each.add_argument("--device", help="where to run; the accelerator if there is one")
        each.add_argument("--seed", type=int, default=0)
        each.add_argument("--out", type=Path, metavar="FILE", help="where the JSON goes")


def run(arguments: argparse.Namespace) -> int:
    """Measure, print a table, and write JSON; the exit code is 0 whatever the numbers are."""
    if arguments.limit is not None and arguments.limit < 1:
        raise PromptError(f"--limit should be at least 1, not {arguments.limit}.")
    if arguments.what == "folder":
        return _folder(arguments)
    return (_tracker if arguments.what == "tracker" else _nano)(arguments)


def _load(arguments: argparse.Namespace) -> Predictor:
    return load(arguments.model, base=arguments.base, device=arguments.device)


def _nano(arguments: argparse.Namespace) -> int:
    rows = [
        row for row in nano.ROWS if not arguments.rows or row.task.startswith(tuple(arguments.rows))
    ]
    if not rows:
        known = ", ".join(dict.fromkeys(row.task for row in nano.ROWS))
        raise PromptError(f"There is no such row. There are: {known}.")
    started = time.monotonic()
    predictor = _load(arguments)
    material = _material(arguments, predictor.device)
    if arguments.everyday:
        material = dataclasses.replace(material, only=everyday())
    if arguments.sheet:
        contact_sheet.save(contact_sheet.contact_sheet(predictor, material), arguments.sheet)
        sys.stdout.write(f"{arguments.sheet}\n")
        return 0
    results = nano.evaluate(predictor, material, arguments.limit, rows)
    content = report(
        results,
        model=arguments.model,
        seconds=time.monotonic() - started,
        limit=arguments.limit,
        seed=arguments.seed,
        nouns="everyday" if arguments.everyday else "all",
        sprites=len(material.bank.sprites),
        photos=len(material.photos) if material.photos else 0,
    )
    return _show(results, content, arguments.out or Path("eval-nano.json"))


def _tracker(arguments: argparse.Namespace) -> int:
    started = time.monotonic()
    loaded = tracking.load(arguments.tracker, device=arguments.device)
    stream = _material(arguments, loaded.network.device).stream("seen")
    if arguments.sheet:
        contact_sheet.save(contact_sheet.tracking_sheet(loaded, stream), arguments.sheet)
        sys.stdout.write(f"{arguments.sheet}\n")
        return 0
    results = tracker.evaluate(loaded, stream, arguments.limit, arguments.clips)
    content = report(
        results,
        model=arguments.tracker,
        seconds=time.monotonic() - started,
        limit=arguments.limit,
        seed=arguments.seed,
        backend=loaded.network.backend,
        sprites=len(stream.bank.sprites),
        photos=len(stream.photos) if stream.photos else 0,
    )
    return _show(results, content, arguments.out or Path("eval-tracker.json"))


def _material(arguments: argparse.Namespace, device: torch.device) -> Material:
    with tempfile.TemporaryDirectory() as scratch:
        bank, photos = read_sources(arguments.sprites, arguments.photos, Path(scratch), device)
    return Material.of(bank, photos, arguments.seed)


def _show(results: Sequence[Result], content: dict[str, Any], out: Path) -> int:
    write(out, content)
    sys.stdout.write(f"{table(results)}\n{_met(content['results'])}\n{out}\n")
    return 0


def _met(rows: list[dict[str, object]]) -> str:
    judged = [row["met"] for row in rows if row["met"] is not None]
    return f"{sum(map(bool, judged))} of {len(judged)} bars met"


def _folder(arguments: argparse.Namespace) -> int:
    if arguments.absent is not None and not 0 <= arguments.absent <= 1:
        raise PromptError(f"--absent should be from 0 to 1, not {arguments.absent:g}.")
    started = time.monotonic()
    predictor = _load(arguments)
    results, failures = folder.evaluate(
        predictor,
        arguments.folder,
        limit=arguments.limit,
        seed=arguments.seed,
        absent=arguments.absent,
    )
    content = report(
        results,
        model=arguments.model,
        seconds=time.monotonic() - started,
        suite=str(arguments.folder),
        seed=arguments.seed,
        failures=[dataclasses.asdict(failure) for failure in failures],
    )
    out = arguments.out or Path(f"eval-{arguments.folder.resolve().name}.json")
    write(out, content)
    for failure in failures:
        sys.stdout.write(f"left out {failure.id}: {failure.why}\n")
    sys.stdout.write(f"{table(results) if results else 'nothing could be measured'}\n{out}\n")
    return int(not results)
