"""The training loop: any machine, any precision, stopped and resumed at will.

A run is a folder. What happens in it depends on the settings and the step alone, so a run
that was cut into pieces draws the same curve as one that was not (with a budget in steps; a
budget in seconds follows the clock instead, for machines that are lent by the minute).

    run/log.jsonl           one line per report, one per evaluation
    run/loss.png            the log as a picture
    run/panels.png          validation samples, if whoever starts the run has it evaluated
    run/state.pt            everything needed to go on
    run/model.safetensors   the averaged weights and their config.json, for `x2sam.load`

Several processes take turns in the stream of examples and make each step together. The main
one keeps the clock and the files; what it decides it tells the others.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs, InitProcessGroupKwargs
from accelerate.utils import broadcast
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.optim.swa_utils import get_ema_multi_avg_fn
from tqdm import tqdm

from x2sam.errors import WeightsError
from x2sam.train.lesson import Lesson
from x2sam.train.optimizer import curve, groups
from x2sam.train.plots import cut_log, plot
from x2sam.train.state import read_state, write_state

_LOSSES = ("lm", "mask", "dice", "cls", "quality", "visible", "spread", "tokens", "maps", "looks")
_LOGGED = ("loss", *(f"loss_{name}" for name in _LOSSES), "norm", "rate", "examples")
_PATIENCE = timedelta(hours=2)  # how long processes wait while the main one evaluates


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to train. Exactly one of `steps` and `seconds` is the budget."""

    steps: int | None = None
    seconds: float | None = None  # spent in steps, over all pieces of the run
    learning_rate: float = 1e-3
    slower: Mapping[str, float] = field(default_factory=dict)  # start of a name -> share of it
    warmup: int = 300  # steps
    weight_decay: float = 0.05
    clip: float = 1.0
    average: float = 0.999  # of the weights, per step; 0 keeps no second copy of them
    seed: int = 0
    halves: bool | None = None  # bfloat16 for matrix products; None: where a GPU has it
    report_every: int = 50  # steps
    save_every: float = 120.0  # seconds
    evaluate_every: float = 600.0


class Run:
    """One training run in a folder; `train` goes on until the budget or the slice is used up.

    Weights that do not require a gradient are left alone, and are not in `state.pt`.

    Raises:
        WeightsError: the folder holds the state of another run, or a damaged one.
    """

    def __init__(
        self,
        lesson: Lesson,
        settings: Settings,
        folder: Path,
        *,
        evaluate: Callable[[Any], dict[str, float]] | None = None,
    ) -> None:
        assert (settings.steps is None) != (settings.seconds is None), "one budget, not two"
        self.settings, self.lesson = settings, lesson
        self.folder, self._evaluate = folder, evaluate
        self._halves = _has_bfloat16() if settings.halves is None else settings.halves
        self.accelerator = Accelerator(
            cpu=not torch.accelerator.is_available(),
            mixed_precision="bf16" if self._halves else "no",
            kwargs_handlers=[
                DistributedDataParallelKwargs(find_unused_parameters=True),
                InitProcessGroupKwargs(timeout=_PATIENCE),
            ],
        )
        self._plain: Any = lesson.trainee
        sorted_ = groups(self._plain, settings.weight_decay, settings.slower)
        optimizer = torch.optim.AdamW(sorted_, betas=(0.9, 0.98), fused=True)
        self.trainee, self.optimizer = self.accelerator.prepare(self._plain, optimizer)
        self._average: Any = copy.deepcopy(self._plain.model) if settings.average else None
        second = {"average": self._average} if self._average else {}
        self._modules: dict[str, Any] = {"trainee": self._plain, **second}
        self._state = folder / "state.pt"
        self.step, self.spent = 0, 0.0
        folder.mkdir(parents=True, exist_ok=True)
        if self._state.exists():
            found = read_state(self._state, self._modules, self.optimizer)
            self.step, self.spent = int(found["step"]), found["spent"]
        if self.accelerator.is_main_process:
            cut_log(folder, self.step)

    @property
    def progress(self) -> float:
        """How much of the budget is used, 0..1."""
        settings = self.settings
        if settings.steps is not None:
            return min(1.0, self.step / settings.steps)
        return min(1.0, self.spent / (settings.seconds or 1.0))

    @property
    def averaged(self) -> Any:
        """The averaged network in evaluation mode; the trained one itself if there is none."""
        return (self._average or self._plain.model).eval()

    def train(self, slice_seconds: float = math.inf) -> Any:
        """Train until the budget is used up, or for one slice of it; return the average.

        Raises:
            WeightsError: the loss is no longer a number; the last good state stays.
        """
        begun = time.monotonic()
        every = {self.save: self.settings.save_every, self.evaluate: self.settings.evaluate_every}
        done = dict.fromkeys(every, begun)
        recent: list[dict[str, Tensor]] = []
        form = "{percentage:5.1f}% {bar} {elapsed} < {remaining} {postfix}"
        hidden = None if self.accelerator.is_main_process else True  # None: unless in a file
        self.trainee.train()
        with tqdm(total=1.0, initial=self.progress, bar_format=form, disable=hidden) as bar:
            while self._has_time(slice_seconds - (time.monotonic() - begun)):
                started = time.monotonic()
                recent.append(self._step())
                now = time.monotonic()
                self.spent += now - started
                bar.update(self.progress - bar.n)
                due = [act for act, pause in every.items() if now - done[act] > pause]
                if due or self.step % self.settings.report_every == 0:
                    bar.set_postfix_str(f"loss {self._report(recent):.3f}")
                for act in due:
                    act()
                    done[act] = time.monotonic()
        self._report(recent)
        self.save()
        self.evaluate()
        return self.averaged

    def _has_time(self, left: float) -> bool:
        """Tell whether to make another step: all processes must agree, and no clocks do."""
        if self.accelerator.num_processes > 1:
            told = torch.tensor([left, self.spent], device=self.accelerator.device)
            left, self.spent = broadcast(told).tolist()
        return left > 0 and self.progress < 1

    def _step(self) -> dict[str, Tensor]:
        """Make one step; what is to be logged stays on the device, so that nothing waits."""
        settings, device = self.settings, self.accelerator.device
        index = self.step * self.accelerator.num_processes + self.accelerator.process_index
        batch, count = self.lesson.batch(index, self.progress, device)
        rate = settings.learning_rate * curve(self.step, settings.warmup, self.progress)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        with _attention(device, halves=self._halves):
            losses = self.trainee(batch, settings.seed + index)
            self.accelerator.backward(losses["loss"])
        norm = self.accelerator.clip_grad_norm_(self.trainee.parameters(), settings.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        if self._average:
            # At first the average keeps little, or it would long remember the random start.
            kept = min(settings.average, (1 + self.step) / (10 + self.step))
            pair = [list(model.parameters()) for model in (self._average, self._plain.model)]
            get_ema_multi_avg_fn(kept)(*pair, None)
        self.step += 1
        told = {"norm": norm, "rate": torch.tensor(rate), "examples": torch.tensor(count)}
        return {
            name: value.detach().float()
            for name, value in (losses | told).items()
            if name in _LOGGED
        }

    def _report(self, recent: list[dict[str, Tensor]]) -> float:
        """Log the means of the recent steps, forget them, and return the loss."""
        if not recent:
            return math.nan
        means = {
            name: round(torch.stack(values).mean().item(), 6)
            for name in _LOGGED
            if (values := [row[name] for row in recent if name in row])
        }
        recent.clear()
        if not math.isfinite(means["loss"]):
            raise WeightsError(
                f"The training in {self.folder} has gone astray before step {self.step}: its "
                "loss is no longer a number. Begin again with a lower learning rate."
            )
        self._log({"step": self.step, "seconds": round(self.spent, 1), **means})
        return means["loss"]

    def _log(self, line: Mapping[str, Any]) -> None:
        if self.accelerator.is_main_process:
            with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def evaluate(self) -> None:
        """Score the averaged network, and write it and the plot."""
        if not self.accelerator.is_main_process:
            return
        if self._evaluate:
            with torch.no_grad():
                scores = self._evaluate(self.averaged)
            self._log({"step": self.step, "seconds": round(self.spent, 1), "scores": scores})
        self.lesson.write(self.averaged, self.folder)
        plot(self.folder)
        self.trainee.train()

    def save(self) -> None:
        """Write all that is needed to go on."""
        if self.accelerator.is_main_process:
            where = {"step": self.step, "spent": self.spent}
            write_state(self._state, self._modules, self.optimizer, **where)


@contextmanager
def _attention(device: torch.device, *, halves: bool) -> Iterator[None]:
    """Let a CPU attend by plain products in bfloat16: torch's fused way is several times slower."""
    if device.type != "cpu" or not halves:
        yield
        return
    before = torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)  # of CPUs as well
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(before)


def _has_bfloat16() -> bool:
    return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
