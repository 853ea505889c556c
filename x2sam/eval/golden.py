"""`x2sam verify`: the network against numbers recorded from the official implementation.

A recording is a folder with a small network and what the official code made of given inputs:
stage by stage (`units/`), and from prompt to masks (`tasks/`). Any part of either may be
missing. Every recorded tensor is compared with ours; a table says how near we are.

One thread computes everything, so that a machine always gives the same numbers: masked
attention asks whether a logit is above zero, and the last bit of one near zero can move a
whole query in the frames that follow.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from x2sam.errors import WeightsError
from x2sam.eval.golden_network import load_network
from x2sam.eval.golden_pixels import Pictures, drawn, preprocess, shown
from x2sam.eval.golden_readings import (
    Arrays,
    compare_readings,
    frames_of_task,
    frames_of_unit,
    things_of,
)
from x2sam.eval.golden_report import Report, why_skipped
from x2sam.eval.golden_tasks import Seen, run_task, shared
from x2sam.eval.golden_units import UNITS, Tensors, run_unit
from x2sam.language.tokens import Vocabulary
from x2sam.model.x2sam import X2SAM

NO_PICTURES = "its pictures are not part of this recording"


def verify(folder: Path) -> int:
    """Compare with a recording and print a table.

    Returns:
        0 if everything is within the tolerances, else 1.

    Raises:
        WeightsError: the folder holds no recording, or a damaged one.
    """
    recording = Recording.load(folder)
    with torch.inference_mode(), _one_thread():
        for path in sorted((folder / "units").glob("*.safetensors")):
            recording.unit(path)
        recording.postprocess()
        recording.tasks()
    report = recording.report
    sys.stdout.write(f"{report.table()}\n{report.summary()}\n")
    return 0 if report.passed else 1


@dataclass(slots=True)
class Recording:
    """A folder's network and pictures, and what has been compared so far."""

    folder: Path
    model: X2SAM
    vocabulary: Vocabulary
    pictures: Pictures | None
    report: Report = field(default_factory=Report)
    seen: dict[str, Seen] = field(default_factory=dict)  # by "img" and "vid"

    @classmethod
    def load(cls, folder: Path) -> Recording:
        """Read what all comparisons need."""
        tokenizers = sorted([*folder.glob("tokenizer.json"), *folder.glob("*/tokenizer.json")])
        if not tokenizers:
            raise WeightsError(f"{folder} holds no recorded numbers: there is no tokenizer.json.")
        vocabulary = Vocabulary.load(tokenizers[0])
        model = load_network(folder, vocabulary.size)
        return cls(folder, model, vocabulary, Pictures.load(folder / "inputs"))

    def unit(self, path: Path) -> None:
        """Compare one stage."""
        name, recorded = f"units/{path.stem}", _tensors(path)
        if path.stem in UNITS:
            self.report.file(name, run_unit(self.model, path.stem, recorded), recorded)
        elif path.stem != "preprocess":
            self.report.file(name, {}, recorded)  # all skipped, or unknown
        elif self.pictures is None:
            self.report.note(name, NO_PICTURES)
        else:
            ours = preprocess(self.model.config, recorded, self.pictures)
            self.report.file(name, ours, recorded)

    def postprocess(self) -> None:
        """Compare the readings of recorded logits."""
        path = self.folder / "units" / "postprocess.json"
        if not path.is_file():
            return
        file, arrays = "units/postprocess", _arrays(path.with_suffix(".npz"))
        for variant, case in _json(path).items():
            if why := why_skipped(file, variant):
                self.report.note(file, why)
                continue
            for name, difference in compare_readings(
                variant, case, frames_of_unit(case, arrays), arrays, things_of(case)
            ):
                self.readings(file, name, difference)

    def readings(self, file: str, name: str, difference: tuple[float, float]) -> None:
        """Enter what a reading differs by."""
        pixels, scores = difference
        self.report.measure(file, f"{name}.pixels", pixels)
        self.report.measure(file, f"{name}.scores", scores)

    def tasks(self) -> None:
        """Compare all tasks, each from prompt to masks."""
        about = self.folder / "tasks" / "tasks.json"
        described = _json(about) if about.is_file() else {}
        paths = {path.stem: path for path in sorted(about.parent.glob("*.safetensors"))}
        for name, path in paths.items():
            if name in described:
                self.task(f"tasks/{name}", described[name], _tensors(path))
            elif not name.endswith("_shared"):
                self.report.note(f"tasks/{name}", "tasks.json does not describe it")

    def task(self, file: str, task: dict[str, Any], recorded: Tensors) -> None:
        """Compare one task."""
        media = task["task"][:3]
        seen = self.see(media, recorded)
        if seen is None:
            self.report.note(file, f"tasks/{media}_shared or the pictures are missing")
            return
        ours, predictions = run_task(self.model, task, recorded, seen, self.vocabulary)
        self.compare_inputs(file, media, ours, recorded)
        arrays_path = self.folder / f"{file}.post.npz"
        if not arrays_path.is_file():
            return
        arrays = _arrays(arrays_path)
        side = self.model.config.mask_encoder.image_size
        frames = frames_of_task(task, [(p.class_logits, p.mask_logits) for p in predictions], side)
        for variant, case in task["post"].items():
            for name, difference in compare_readings(
                variant, case, frames, arrays, things_of(task)
            ):
                self.readings(file, name, difference)

    def see(self, media: str, recorded: Tensors) -> Seen | None:
        """Encode the pixels that all tasks of a medium share, and compare that, once."""
        file = f"tasks/{media}_shared"
        path = self.folder / f"{file}.safetensors"
        if media not in self.seen and path.is_file():
            pixels = _tensors(path)
            given = shown(self.model.config, self.pictures, media) if self.pictures else {}
            grid = recorded.get("in.image_grid_thw", recorded.get("in.video_grid_thw"))
            if grid is None or "in.extra_pixel_values" not in given | pixels:
                return None
            self.seen[media], ours = shared(self.model, given | pixels, grid)
            self.compare_inputs(file, media, ours, pixels)
        return self.seen.get(media)

    def compare_inputs(self, file: str, media: str, ours: Tensors, recorded: Tensors) -> None:
        """Compare a task's file, and the pixels in it if we have the pictures."""
        pixels = {n for n in recorded if "pixel_values" in n or "grid" in n or "vprompt_m" in n}
        if self.pictures is None:
            recorded = {name: value for name, value in recorded.items() if name not in pixels}
            self.report.note(file, NO_PICTURES)
        else:
            ours = ours | shown(self.model.config, self.pictures, media)
            if (masks := recorded.get("in.vprompt_masks.0")) is not None:
                ours["in.vprompt_masks.0"] = drawn(self.model.config, self.pictures, masks)
        self.report.file(file, ours, recorded)


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except ValueError as error:
        raise WeightsError(f"{path} is damaged: {error}.") from error


def _tensors(path: Path) -> Tensors:
    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise WeightsError(f"{path} is damaged: {error}.") from error


def _arrays(path: Path) -> Arrays:
    with np.load(path) as file:
        return dict(file)
