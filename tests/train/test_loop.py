"""The training loop: it learns, stops, goes on, and never loses what it has.

Covered: the loss falls; a run cut into pieces ends with the same bits; budgets in steps and
in seconds; what is in a run's folder; the average; damaged and foreign states; a network of
which only a part is trained; two processes. The examples are coloured squares; the clock is
faked where a budget in seconds is tested.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from subprocess import PIPE, STDOUT

import micro
import pytest
import torch

from x2sam.errors import WeightsError
from x2sam.model.build import build
from x2sam.model.weights import load
from x2sam.train import loop, state
from x2sam.train.lesson import Conversations
from x2sam.train.loop import Run, Settings
from x2sam.train.losses import LossConfig
from x2sam.train.objective import Objective

OBJECTIVE = Objective(losses=LossConfig(points=64), naming=1.0)
SIX = Settings(steps=6, learning_rate=3e-3, warmup=2, report_every=2)
NAMES = ("log.jsonl", "state.pt", "model.safetensors", "config.json", "loss.png")


@dataclass(frozen=True)
class Squares:
    """Requests, names and chat in turns; always the same for the same step."""

    kinds: int = 3
    named: bool = True  # or requests in their place
    nouns = tuple(micro.COLOURS)

    def batch(self, step, progress):
        assert 0 <= progress < 1
        kind = step % self.kinds
        middle = micro.named if self.named else micro.squares
        make = (micro.squares, middle, micro.chatting)[kind]
        learnt = "names" if make is micro.named else "words and masks"
        return [make(10 * step), make(10 * step + 1)], learnt


def begin(folder, settings=SIX, source=None, model=None, **more):
    model = model or build(micro.CONFIG, seed=0)
    lesson = Conversations(model, micro.vocabulary(), source or Squares(), OBJECTIVE)
    return Run(lesson, settings, folder, **more)


def weights_of(model):
    return {name: weight.detach().clone() for name, weight in model.named_parameters()}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, weight in one.items():
        assert torch.equal(weight, other[name]), name


def log_of(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


class Clock:
    """Every look at it takes a while."""

    def __init__(self, pace=1.0):
        self.monotonic = count(0.0, pace).__next__


# Learning


def test_the_loss_falls(tmp_path):
    settings = replace(SIX, steps=32, report_every=8, warmup=5)
    begin(tmp_path, settings, Squares(kinds=2)).train()
    losses = [line["loss"] for line in log_of(tmp_path) if "loss" in line]
    assert len(losses) == 4
    assert losses[-1] < 0.75 * losses[0]


def test_the_average_follows_the_weights(tmp_path):
    run = begin(tmp_path, replace(SIX, average=0.5))
    run.trainee.train()
    before = weights_of(run.averaged)
    expected = before["background.weight"]
    for step in range(3):
        run._step()
        kept = min(0.5, (1 + step) / (10 + step))
        expected = kept * expected + (1 - kept) * weights_of(run._plain.model)["background.weight"]
    torch.testing.assert_close(weights_of(run.averaged)["background.weight"], expected)
    assert not torch.equal(expected, before["background.weight"])
    assert not run.averaged.training
    assert run._plain.model.training


def test_without_an_average_there_is_one_network(tmp_path):
    run = begin(tmp_path, replace(SIX, steps=2, average=0.0))
    assert run.train() is run._plain.model
    assert_same(weights_of(load(tmp_path)), weights_of(run._plain.model))


def test_what_is_frozen_stays_and_is_not_in_the_state(tmp_path):
    model = build(micro.CONFIG, seed=0)
    model.requires_grad_(False)
    model.condition_projector.requires_grad_()
    before = weights_of(model)
    source = Squares(kinds=1)
    run = begin(tmp_path, replace(SIX, average=0.0), source, model)
    run.train()
    changed = {name for name, weight in weights_of(model).items() if (weight != before[name]).any()}
    assert {name.partition(".")[0] for name in changed} == {"condition_projector"}
    stored = torch.load(tmp_path / "state.pt", weights_only=True)["modules"]["trainee"]
    kept = {name for name in stored if not name.startswith("naming.")}
    assert {name.split(".")[1] for name in kept} == {"condition_projector"}
    with pytest.raises(WeightsError, match="other weights were trained"):
        begin(tmp_path)


def test_halves_learn_much_the_same(tmp_path, precisions):
    """Products in bfloat16 on a CPU; weights, losses and sums stay what they were."""
    logs = []
    for halves in (False, True):
        precisions()
        folder = tmp_path / str(halves)
        # Not of names: which query takes which noun is chance at first.
        settings = replace(SIX, report_every=1, halves=halves)
        run = begin(folder, settings, Squares(named=False))
        run.train()
        assert {weight.dtype for weight in run.averaged.parameters()} == {torch.float32}
        logs.append([line["loss"] for line in log_of(folder) if "loss" in line])
    whole, halved = logs
    assert halved != whole
    assert halved == pytest.approx(whole, rel=0.1)
    assert not torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()


# Budgets


def test_pieces_of_a_run_end_with_the_same_bits(tmp_path, monkeypatch):
    whole = begin(tmp_path / "whole")
    whole.train()
    monkeypatch.setattr(loop, "time", Clock())
    piece = begin(tmp_path / "cut")
    piece.train(slice_seconds=8)
    assert 0 < piece.step < 6
    assert piece.progress == piece.step / 6
    rest = begin(tmp_path / "cut", model=build(micro.CONFIG, seed=7))
    assert rest.step == piece.step
    rest.train()
    assert rest.step == whole.step == 6
    assert_same(weights_of(rest._plain), weights_of(whole._plain))
    assert_same(weights_of(rest.averaged), weights_of(whole.averaged))


def test_a_budget_in_seconds_is_used_up(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "time", Clock())
    settings = replace(SIX, steps=None, seconds=5.0)
    run = begin(tmp_path, settings)
    run.train(slice_seconds=6)
    assert 0 < run.progress < 1
    run = begin(tmp_path, settings)
    run.train()
    assert run.progress == 1
    assert run.spent == run.step == 5  # a step looks at the clock before and after


def test_a_finished_run_makes_no_more_steps(tmp_path):
    first = begin(tmp_path).train()
    again = begin(tmp_path)
    assert again.step == 6
    assert_same(weights_of(again.train()), weights_of(first))


def test_what_was_lost_is_not_in_the_log_of_a_run_that_goes_on(tmp_path):
    often = replace(SIX, report_every=1)
    killed = begin(tmp_path, often)
    for step in range(5):
        killed._report([killed._step()])
        if step == 2:
            killed.save()
    assert [line["step"] for line in log_of(tmp_path)] == [1, 2, 3, 4, 5]
    assert begin(tmp_path, often).step == 3
    assert [line["step"] for line in log_of(tmp_path)] == [1, 2, 3]
    begin(tmp_path, often).train()
    assert [line["step"] for line in log_of(tmp_path)] == [1, 2, 3, 4, 5, 6]


def test_a_run_that_saved_nothing_begins_its_log_anew(tmp_path):
    killed = begin(tmp_path)
    killed._report([killed._step()])
    begin(tmp_path)
    assert log_of(tmp_path) == []


def test_a_run_has_one_budget(tmp_path):
    with pytest.raises(AssertionError):
        begin(tmp_path, replace(SIX, seconds=1.0))


# The folder


def test_what_a_run_leaves_behind(tmp_path):
    pytest.importorskip("matplotlib")
    run = begin(tmp_path, evaluate=lambda model: {"weights": float(len(list(model.parameters())))})
    averaged = run.train()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NAMES)
    *reports, scores = log_of(tmp_path)
    assert [line["step"] for line in reports] == [2, 4, 6]
    assert all(line["norm"] > 0 and line["examples"] == 2 for line in reports)
    assert {"loss_lm", "loss_mask", "loss_dice", "loss_cls"} < reports[0].keys()
    assert scores["scores"] == {"weights": len(list(averaged.parameters()))}
    again = load(tmp_path)
    assert again.config == micro.CONFIG
    assert_same(weights_of(again), weights_of(averaged))


def test_a_cut_while_saving_leaves_the_old_state(tmp_path, monkeypatch):
    run = begin(tmp_path)
    run._step()
    run.save()

    def cut(_, file):
        Path(file).write_bytes(b"half")
        raise KeyboardInterrupt

    run._step()
    monkeypatch.setattr(state.torch, "save", cut)
    with pytest.raises(KeyboardInterrupt):
        run.save()
    assert begin(tmp_path).step == 1


@pytest.mark.parametrize("left", [0, 100, 5000, -1])
def test_a_damaged_state_is_said_to_be_one(tmp_path, left):
    run = begin(tmp_path)
    run.save()
    whole = (tmp_path / "state.pt").read_bytes()
    (tmp_path / "state.pt").write_bytes(whole[:left] if left >= 0 else b"not a state")
    with pytest.raises(WeightsError, match=r"its state\.pt is damaged"):
        begin(tmp_path)


def test_the_state_of_another_network_is_refused(tmp_path):
    begin(tmp_path).save()
    other = replace(micro.CONFIG, mask_decoder=replace(micro.CONFIG.mask_decoder, queries=8))
    with pytest.raises(WeightsError, match="another shape"):
        begin(tmp_path, model=build(other))


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_state(tmp_path):
    run = begin(tmp_path)
    run._step()
    run.save()
    with torch.no_grad():
        run._plain.model.mask_decoder.queries_features.weight.fill_(float("nan"))
    with pytest.raises(WeightsError, match="lower learning rate"):
        run.train()
    assert begin(tmp_path).step == 1


# Two processes

TWIN = """
import os, sys
sys.path.insert(0, {tests!r})
import torch
torch.set_num_threads(1)
from test_loop import *

run = begin(Path({folder!r}), replace(SIX, steps=None, seconds=3.0))
rank = int(os.environ["RANK"])
loop.time = Clock(pace=1 + rank)
run.train()
total = sum(weight.detach().double().sum().item() for weight in run._plain.parameters())
print("ends", rank, run.step, total)
"""


def test_two_processes_stop_together_with_one_network(tmp_path):
    """The clock of the second runs twice as fast; only the first writes."""
    program, folder = tmp_path / "twin.py", tmp_path / "run"
    program.write_text(TWIN.format(tests=str(Path(__file__).parent), folder=str(folder)))
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(program)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, *start], stdout=PIPE, stderr=STDOUT, text=True, env=environment
    ) as process:
        try:
            told = process.communicate(timeout=250)[0]
        finally:
            process.terminate()  # which ends the two as well
    ends = sorted(line.split()[1:] for line in told.splitlines() if line.startswith("ends"))
    assert process.returncode == 0, told[-3000:]
    assert [end[0] for end in ends] == ["0", "1"]
    assert ends[0][1:] == ends[1][1:]
    assert ends[0][1] == "3"
    assert len(log_of(folder)) == 2
