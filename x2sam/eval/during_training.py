"""What a training run is told of itself: scores for its log, and a sheet of pictures.

Training knows nothing of evaluation: the command line hands it `JUDGES`. Each makes, from what a
run consists of, a function that scores a network, and writes `panels.png` into the run's folder:
validation samples with what was asked, said, found and (outlined in white) true.

A run should spend its time learning, so all is small: `SAMPLES` of each row, answers of at most
`LONGEST` tokens. Numbers to be quoted come from `x2sam eval`.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from x2sam.eval import contact_sheet, nano, tracker
from x2sam.eval.nano_samples import Material
from x2sam.eval.results import Result
from x2sam.language.tokens import Vocabulary
from x2sam.media.suite import read_suite
from x2sam.model.predictor import Predictor, Reading
from x2sam.tracker.config import TrackerConfig
from x2sam.tracker.tracker import Tracker
from x2sam.train.samples import Stream

SAMPLES = 8
SHOWN = 12  # pictures of a sheet
LONGEST = 96  # tokens of an answer
PANELS = "panels.png"

Evaluate = Callable[[Any], dict[str, float]]
_LOGGER = logging.getLogger(__name__)


class Brief(Predictor):
    """Answers briefly: who has not learnt yet where a sentence ends would write on and on."""

    def ask(self, *given: Any, limit: int = LONGEST, **named: Any) -> Generator[int, None, Reading]:
        """See `Predictor`."""
        return super().ask(*given, limit=min(limit, LONGEST), **named)


def of_nano(stream: Stream, vocabulary: Vocabulary, out: Path) -> Evaluate:
    """Judge a nano by all rows that have a bar, on scenes that its stream never shows."""
    material = _material(stream)

    def evaluate(model: Any) -> dict[str, float]:
        started, predictor = time.monotonic(), Brief(model, vocabulary)
        sheet = contact_sheet.contact_sheet(predictor, material, SHOWN, truth=True)
        contact_sheet.save(sheet, out / PANELS)
        rows = [row for row in nano.ROWS if row.bar is not None]
        return _told(nano.evaluate(predictor, material, SAMPLES, rows, quiet=True), started)

    return evaluate


def of_tracker(stream: Stream, config: TrackerConfig, out: Path) -> Evaluate | None:
    """Judge a tracker; None without pycocotools, in whose runs it remembers outlines."""
    if find_spec("pycocotools") is None:
        _LOGGER.warning("The tracker is not scored on the way: pycocotools is not installed.")
        return None
    from x2sam.tracker import transformers_backend  # noqa: PLC0415 (slow to import)

    scenes = _material(stream).stream("seen")

    def evaluate(model: Any) -> dict[str, float]:
        started, device = time.monotonic(), next(model.parameters()).device
        own = transformers_backend.build(config)  # without what training has hooked in
        own.load_state_dict(model.state_dict())
        network = transformers_backend.TransformersNetwork(config, own, device, torch.float32)
        contact_sheet.save(contact_sheet.tracking_sheet(Tracker(network), scenes), out / PANELS)
        return _told(tracker.evaluate(Tracker(network), scenes, SAMPLES, quiet=True), started)

    return evaluate


def of_folder(suite: Path, vocabulary: Vocabulary, out: Path) -> Evaluate:
    """Judge a model by the first samples of a suite."""
    from x2sam.eval import folder  # noqa: PLC0415 (needs pycocotools)

    def evaluate(model: Any) -> dict[str, float]:
        started, predictor = time.monotonic(), Brief(model, vocabulary)
        # Beside adapters the language model is in bfloat16, and what is trained is not.
        mixed = len({weight.dtype for weight in model.parameters()}) > 1
        with torch.autocast(predictor.device.type, torch.bfloat16, enabled=mixed):
            results, _ = folder.evaluate(predictor, suite, limit=SAMPLES, quiet=True)
            looks = [folder.look(predictor, sample) for sample in read_suite(suite)[:SHOWN]]
        if shown := [look for look in looks if look]:
            contact_sheet.save(contact_sheet.suite_sheet(shown), out / PANELS)
        return _told(results, started)

    return evaluate


JUDGES: Mapping[str, Callable[..., Evaluate | None]] = {
    "nano": of_nano,
    "tracker": of_tracker,
    "folder": of_folder,
}


def _material(stream: Stream) -> Material:
    return Material(stream.bank, stream.photos, stream.backgrounds, stream.seed, stream.only)


def _told(results: Iterable[Result], started: float) -> dict[str, float]:
    """Name what was measured shortly, for a line of a log."""
    values = {f"{row.task} {row.metric}": row.value for row in results}
    found = {name: round(value, 4) for name, value in values.items() if math.isfinite(value)}
    return {**found, "seconds": round(time.monotonic() - started, 1)}
