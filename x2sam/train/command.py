"""`x2sam train`: from nothing, or go on from a checkpoint with a folder of your own.

    x2sam train nano --sprites NotoColorEmoji.ttf --photos photos.npz --out run --seconds 3600
    x2sam train tracker --sprites sprites.npz --photos photos.npz --out run --seconds 3600
    x2sam train folder my/suite --from nano --out run --steps 500
    x2sam train folder my/suite --from hao9610/X2SAM --out run --steps 2000 --lora

    x2sam train folder my/suite --validation another --out run --steps 500

The same command goes on with a run that was stopped. On several GPUs it is started by
`torchrun --nproc-per-node=8 -m x2sam train ...` and is otherwise the same.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from x2sam.errors import LimitError
from x2sam.model.build import build
from x2sam.model.pretrained import load
from x2sam.train.beginning import begin
from x2sam.train.finetune import finetune, settings_for
from x2sam.train.folder import FolderSource
from x2sam.train.lesson import Conversations
from x2sam.train.loop import Run, Settings
from x2sam.train.nano import OBJECTIVE, PRESETS, prepare, scenes
from x2sam.train.packs import add_sources

Judge = Callable[..., Callable[[Any], dict[str, float]] | None]
Judges = Mapping[str, Judge]

_EVALUATE_EVERY = 1200.0  # seconds, where there is something to be scored on


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `x2sam train nano` and `x2sam train folder`."""
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    nano = what.add_parser("nano", help="the small model, from nothing")
    nano.add_argument("--preset", choices=PRESETS, default="nano", help="what size (nano)")
    small = what.add_parser("tracker", help="the small SAM 2, with nano's eyes to begin with")
    first = small.add_mutually_exclusive_group()
    first.add_argument("--from", dest="model", default="nano", help="whose eyes (nano)")
    first.add_argument("--further", metavar="TRACKER", help="go on from this one, its eyes too")
    for each in (nano, small):
        add_sources(each)
        budget = each.add_mutually_exclusive_group(required=True)
        budget.add_argument("--seconds", type=float, help="the whole budget, over all pieces")
        budget.add_argument("--steps", type=int, help="the same in steps")
    own = what.add_parser("folder", help="any model, on a folder with a suite.json")
    own.add_argument("folder", type=Path, metavar="DIR")
    own.add_argument("--from", dest="model", default="nano", help="a name, folder or file (nano)")
    own.add_argument("--base", help="Qwen3-VL, where the checkpoint lacks it")
    own.add_argument("--steps", type=int, required=True)
    own.add_argument("--validation", type=Path, metavar="DIR", help="a folder to be scored on")
    own.add_argument("--lora", action="store_true", help="adapters: for large models")
    own.add_argument("--frames", type=int, default=4, help="of a clip, at most (4)")
    for each, rate in ((nano, 1e-3), (small, 1e-3), (own, 1e-4)):
        each.add_argument("--out", type=Path, required=True, metavar="RUN", help="the run's folder")
        each.add_argument(
            "--slice", type=float, metavar="SECONDS", help="stop then, to go on later"
        )
        each.add_argument("--rate", type=float, default=rate, help=f"learning rate ({rate:g})")
        each.add_argument("--seed", type=int, default=0)
    for each in (nano, own):
        each.add_argument("--batch", type=int, help="pictures per step and process")
    for each in (nano, small):
        each.add_argument(
            "--bf16",
            action="store_true",
            default=None,
            help="matrix products in bfloat16 on a CPU too, for those with AVX-512 BF16 or AMX",
        )


def run(arguments: argparse.Namespace, judges: Judges = MappingProxyType({})) -> int:
    """Train, and say where the model is.

    Args:
        arguments: of the command line.
        judges: for each kind of run, what makes the function that scores its network; see
            `x2sam.eval.during_training`, which training itself knows nothing of.

    Raises:
        X2SAMError: a source, a checkpoint or a number is not what it should be.
    """
    for name in ("seconds", "steps", "slice", "rate", "batch", "frames"):
        value = getattr(arguments, name, None)
        if value is not None and not 0 < value < math.inf:
            raise LimitError(f"--{name} should be more than 0, not {value:g}.")
    train = {"nano": _nano, "tracker": _tracker, "folder": _folder}[arguments.what]
    train(arguments, judges.get(arguments.what, _nobody))
    sys.stdout.write(f"{arguments.out}\n")
    return 0


def _nobody(*_: Any) -> None:
    """Judge nothing."""


def _slice(arguments: argparse.Namespace) -> float:
    return float(arguments.slice or math.inf)


def _nano(arguments: argparse.Namespace, judge: Judge) -> None:
    preset = PRESETS[arguments.preset]
    if arguments.batch:
        preset = replace(preset, recipe=replace(preset.recipe, batch=arguments.batch))
    source, vocabulary = prepare(
        preset,
        arguments.out,
        sprites=arguments.sprites,
        photos=arguments.photos,
        seed=arguments.seed,
    )
    settings = Settings(
        steps=arguments.steps,
        seconds=arguments.seconds,
        learning_rate=arguments.rate,
        seed=arguments.seed,
        halves=arguments.bf16,
    )
    model = build(preset.config, seed=arguments.seed)
    begin(model, arguments.seed)
    lesson = Conversations(model, vocabulary, source, OBJECTIVE)
    evaluate = judge(source.stream, vocabulary, arguments.out)
    Run(lesson, settings, arguments.out, evaluate=evaluate).train(_slice(arguments))


def _tracker(arguments: argparse.Namespace, judge: Judge) -> None:
    from x2sam.train import tracker  # noqa: PLC0415 (slow to import)

    stream = scenes(arguments.out, arguments.sprites, arguments.photos, seed=arguments.seed)
    recipe = tracker.FURTHER if arguments.further else tracker.TrackerRecipe()
    lesson = tracker.Tracking(stream, recipe, seed=arguments.seed)
    if arguments.further:
        tracker.go_on_from(lesson.trainee.model, arguments.further)
    else:
        tracker.begin_with(lesson.trainee.model, stream, arguments.model)
    settings = tracker.settings_for(
        seconds=arguments.seconds,
        steps=arguments.steps,
        rate=arguments.rate,
        seed=arguments.seed,
    )
    settings = replace(settings, halves=arguments.bf16)
    evaluate = judge(stream, lesson.config, arguments.out)
    Run(lesson, settings, arguments.out, evaluate=evaluate).train(_slice(arguments))


def _folder(arguments: argparse.Namespace, judge: Judge) -> None:
    halves = arguments.lora and torch.cuda.is_available()
    dtype = torch.bfloat16 if halves else torch.float32
    model = load(arguments.model, base=arguments.base, device="cpu", dtype=dtype)
    source = FolderSource.read(
        arguments.folder,
        model.model.config,
        batch_size=arguments.batch or 4,
        frames=arguments.frames,
        seed=arguments.seed,
    )
    settings = settings_for(arguments.steps, arguments.rate, lora=arguments.lora)
    settings = replace(settings, seed=arguments.seed)
    evaluate = None
    if arguments.validation:
        evaluate = judge(arguments.validation, model.vocabulary, arguments.out)
        settings = replace(settings, evaluate_every=_EVALUATE_EVERY)
    finetune(
        model.model,
        model.vocabulary,
        source,
        settings,
        arguments.out,
        lora=arguments.lora,
        slice_seconds=_slice(arguments),
        evaluate=evaluate,
    )
