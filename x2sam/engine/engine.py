"""The one model on the device, and the line in front of it.

The device is held for one *step* at a time: reading a prompt, one word of an answer, one frame.
It is never held while something is handed out, so a reader that stalls or a page that is closed
keeps nobody waiting, and several people take turns step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from x2sam.engine.device_queue import DeviceQueue
from x2sam.engine.feature_cache import LEAST, FeatureCache, budget
from x2sam.engine.options import Options, suited
from x2sam.engine.pace import Pace, Step
from x2sam.errors import DeviceFullError, PromptError
from x2sam.media.images import Source
from x2sam.media.limits import Limits
from x2sam.media.videos import open_medium
from x2sam.model import memory_needs, placement, pretrained, quantisation, room
from x2sam.model.predictor import Predictor
from x2sam.tracker import build
from x2sam.tracker.config import Backend
from x2sam.tracker.tracker import Tracker
from x2sam.types import Waiting

if TYPE_CHECKING:
    from x2sam.engine.session import Session


class Stopped(Exception):  # noqa: N818 (nothing went wrong)
    """The person stopped the request; never leaves the engine."""


class Engine:
    """A loaded model that many sessions share; may be used from any thread."""

    def __init__(
        self,
        predictor: Predictor,
        *,
        tracker: Tracker | None = None,
        cache_bytes: int = LEAST,
    ) -> None:
        self.predictor = predictor
        self.tracker = tracker  # SAM 2, if it was loaded too
        self.options = suited(predictor.model.config.name)
        self.cache = FeatureCache(cache_bytes)
        self.pace = Pace()
        self.frame_bytes = 0  # that features of a frame take when kept; 0 until there were some
        self._queue = DeviceQueue()
        self._media = count(1)

    def open(
        self,
        source: Source,
        *,
        options: Options | None = None,
        limits: Limits | None = None,
        name: str | None = None,
    ) -> Session:
        """Begin a conversation about a picture or clip.

        Args:
            source: a path, bytes, an open file, a Pillow image, an array (H, W, 3), or for a
                clip an array (T, H, W, 3) or a folder of numbered pictures.
            options: how it is looked at; what suits the model by default.
            limits: the largest medium that is accepted.
            name: what messages call it, if not as its file is called.

        Raises:
            MediaError: it cannot be read.
            LimitError: it is too large.
            PromptError: the options ask for SAM 2, and it is not loaded.
        """
        from x2sam.engine.session import Session  # noqa: PLC0415 (a session knows its engine)

        options = self.checked(options or self.options)
        return Session(self, open_medium(source, limits, name=name), options)

    def checked(self, options: Options) -> Options:
        """Return options that can be had here; raises `PromptError` for others."""
        if options.propagation == "sam2" and self.tracker is None:
            raise PromptError(
                "SAM 2 is not loaded, so it cannot carry masks. Start with --tracker and the name "
                "of one, or let the model's own memory carry them."
            )
        return options

    @property
    def waiting(self) -> int:
        """How many requests wait for the device at this moment."""
        return self._queue.waiting

    @property
    def ahead(self) -> int:
        """How many requests a new one finds in line, the one that is being served included."""
        return self._queue.length

    def facts(self) -> dict[str, str]:
        """Say which model answers, for the page: name, parameters, precision, device."""
        model = self.predictor.model
        precision = str(self.predictor.dtype).removeprefix("torch.")
        if bits := quantisation.bits_of(model):
            precision += f", the language model's layers in {bits} bits"
        elsewhere = placement.told(model)
        facts = {
            "name": model.config.name,
            "parameters": f"{quantisation.count(model) / 1e6:,.1f} million",
            "precision": precision,
            "device": str(self.predictor.device) + (f"; layers: {elsewhere}" if elsewhere else ""),
        }
        if self.tracker is not None:
            network = self.tracker.network
            facts["tracker"] = f"{network.config.name}, by {network.backend}"
        return facts

    def new_medium(self) -> int:
        """Number a medium, to keep its features apart from others'."""
        return next(self._media)

    @contextmanager
    def step(self) -> Iterator[None]:
        """Hold the device for one step, when its turn has come.

        Raises `DeviceFullError` where the device is out of memory; what was cached is dropped,
        and less is from then on.
        """
        with self._queue.turn():
            try:
                yield
            except (RuntimeError, MemoryError) as error:
                if not _is_full(error):
                    raise
                self.cache.give_way()
                raise DeviceFullError(
                    "The device is out of memory. Use fewer frames, a smaller picture or a "
                    "smaller model, or try again when others are done."
                ) from error


class Work:
    """One request that is being answered; `stop` ends it before its next step."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stopped = False
        self._told = 0

    def stop(self) -> None:
        """End it before its next step."""
        self._stopped = True

    def waiting(self) -> Waiting | None:
        """Tell how many are before it, if its next step has to stand in line.

        Requests take turns step by step, so the line is joined and left all the time: it is
        news only where it is longer than was told before.
        """
        ahead = 0 if self._stopped else self._engine.ahead
        if ahead <= self._told:
            return None
        self._told = ahead
        return Waiting(ahead)

    @contextmanager
    def step(self, kind: Step, count: int = 1) -> Iterator[None]:
        """Hold the device for one step, or for `count` alike ones at once, and time it.

        Raises `Stopped` instead if it was stopped.
        """
        with self.alone(), self._engine.pace.timed(kind, count):
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the device for what takes no time, as looking at what other steps change.

        Raises `Stopped` instead if it was stopped.
        """
        with self._engine.step():
            if self._stopped:
                raise Stopped
            yield


def _is_full(error: Exception) -> bool:
    """Tell whether memory ran out; on a CPU and on Apple's GPUs, torch says so in words only."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(
        words in str(error) for words in ("DefaultCPUAllocator", "MPS backend out of memory")
    )


def load(
    source: str | Path = "nano",
    *,
    base: str | Path | None = None,
    revision: str | None = None,
    tracker: str | Path | Tracker | None = None,
    tracker_backend: Backend = "auto",
    bits: int | None = None,
    device: str | torch.device | None = None,
    offload: bool | str | Path = False,
    merge: bool = True,
    dtype: pretrained.Dtype | torch.dtype | None = None,
    cache_bytes: int | None = None,
    tell: Callable[[str], None] = pretrained.tell,
) -> Engine:
    """Load a model that can be talked to.

    Args:
        source: "nano", a repository on the Hub ("hao9610/X2SAM"), a folder, or a file.
        base: Qwen3-VL, for a checkpoint that holds only what training changed.
        revision: branch, tag or commit of the source, if it is a repository.
        tracker: SAM 2, which then answers clicks and carries masks through clips: a repository on
            the Hub, a folder, a file, or one that is loaded already; None does without.
        tracker_backend: the library that computes SAM 2; "auto" takes sam2 where it can be
            imported.
        bits: 8 or 4 to store the language model's layers in fewer.
        device: where to run; the accelerator if there is one; "auto" for all there are.
        offload: let layers of the language model for which the device has no room lie in the
            host's memory and on the disk (there in a temporary folder, or inside of this one).
        merge: add LoRA to the weights; False keeps it apart, as the reference does.
        dtype: to compute in, also by its name; what the device is quick with by default.
        cache_bytes: what features of frames may take; None: 92 MB, and with CUDA half of what
            is free on the device beside a picture, from 92 MB to 8.6 GB.
        tell: is told what loading will take, if that is much; it is written to stderr.

    Raises:
        WeightsError: the checkpoint is missing, damaged, or does not fit.
        DeviceFullError: there is no room for it.
        PromptError: there is no such device.
    """
    predictor = pretrained.load(
        source,
        base=base,
        revision=revision,
        bits=bits,
        device=device,
        offload=offload,
        merge=merge,
        dtype=dtype,
        tell=tell,
    )
    if isinstance(tracker, str | Path):
        tracker = build.load(tracker, tracker_backend, device=predictor.device)
    if cache_bytes is None:
        cache_bytes = _cache_bytes(predictor)
    return Engine(predictor, tracker=tracker, cache_bytes=cache_bytes)


def _cache_bytes(predictor: Predictor) -> int:
    """Say what features of frames may take, once everything is loaded."""
    if predictor.device.type != "cuda":
        return LEAST
    work = memory_needs.work(predictor.model.config)
    return budget(room.device(predictor.device), work)
