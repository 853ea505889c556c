"""Fine-tuning on a folder: the loss falls, and only what should changes.

The network is the smallest one, the suite three drawn samples. Nothing is faked.
"""

import json
import sys
from dataclasses import replace

import micro
import pytest
import torch
from micro_suite import write_suite

from x2sam.errors import WeightsError
from x2sam.language.tokens import Vocabulary
from x2sam.model.build import build
from x2sam.model.checkpoint_names import is_frozen, ours
from x2sam.model.weights import load
from x2sam.train.finetune import choose, finetune, settings_for
from x2sam.train.folder import FolderSource
from x2sam.train.losses import LossConfig
from x2sam.train.objective import Objective

FEW = Objective(losses=LossConfig(points=64))


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "suite"
    folder.mkdir()
    return FolderSource.read(write_suite(folder), micro.CONFIG, frames=2)


def tune(source, out, steps, *, rate=1e-3, lora=False, model=None, **more):
    model = model or build(micro.CONFIG, seed=0)
    settings = replace(settings_for(steps, rate, lora=lora), report_every=1)
    tuned = finetune(
        model, micro.vocabulary(), source, settings, out, lora=lora, objective=FEW, **more
    )
    return model, tuned


def weights_of(model):
    return {ours(name): weight.detach().clone() for name, weight in model.named_parameters()}


def losses_of(out):
    lines = (out / "log.jsonl").read_text().splitlines()
    return [line["loss"] for line in map(json.loads, lines) if "loss" in line]


def test_the_loss_falls_and_the_folder_is_a_model(source, tmp_path):
    out = tmp_path / "run"
    _, tuned = tune(source, out, 24, rate=3e-3)
    losses = losses_of(out)
    assert sum(losses[-6:]) < 0.8 * sum(losses[:6])
    again = load(out)
    assert all(torch.equal(x, weights_of(tuned)[name]) for name, x in weights_of(again).items())
    assert Vocabulary.load(out / "tokenizer.json").seg == micro.vocabulary().seg


def test_adapters_leave_the_language_model_alone(source, tmp_path):
    pytest.importorskip("peft")
    before = weights_of(build(micro.CONFIG, seed=0))
    _, tuned = tune(source, tmp_path / "run", 6, lora=True)
    after = weights_of(tuned)
    changed = {name for name in before if not torch.equal(after[name], before[name])}
    frozen = {name for name in before if is_frozen(name)}
    assert frozen
    assert not changed & frozen
    assert {name for name in after if "lora_B" in name and after[name].any()}
    parts = {name.partition(".")[0] for name in changed}
    # Pictures and clips were asked about, with and without regions.
    assert parts >= {"mask_encoder", "mask_decoder", "condition_projector", "background"}
    assert any("embed_tokens" in name for name in changed)
    assert any("merger" in name for name in changed)


def test_a_model_with_adapters_loads_as_one_without(source, tmp_path):
    """The adapters are stored apart and are added to the weights when the model is loaded."""
    pytest.importorskip("peft")
    _, tuned = tune(source, tmp_path / "run", 3, lora=True)
    loaded = load(tmp_path / "run")
    ids = torch.arange(20)[None]
    with torch.inference_mode():
        states = [model.language.run(model.language.embed(ids)[0]) for model in (tuned, loaded)]
    torch.testing.assert_close(*states, rtol=1e-4, atol=1e-5)
    assert not any(".lora_" in name for name, _ in loaded.named_parameters())


def test_a_stopped_fine_tuning_goes_on(source, tmp_path):
    pytest.importorskip("peft")
    _, whole = tune(source, tmp_path / "whole", 4, lora=True)
    model = build(micro.CONFIG, seed=0)
    settings = replace(settings_for(4, 1e-3, lora=True), save_every=0.0)
    source_of_two = replace(source)

    class Cut(FolderSource):
        """Pull the plug in the third step."""

        def batch(self, step, progress):
            if step == 2:
                raise KeyboardInterrupt
            return source_of_two.batch(step, progress)

    cut = Cut(source.asks, source.config, source.batch_size, source.frames, source.seed)
    with pytest.raises(KeyboardInterrupt):
        finetune(
            model, micro.vocabulary(), cut, settings, tmp_path / "cut", objective=FEW, lora=True
        )
    _, rest = tune(source, tmp_path / "cut", 4, lora=True)
    expected = weights_of(whole)
    assert all(torch.equal(weight, expected[name]) for name, weight in weights_of(rest).items())


def test_the_mask_encoder_learns_ten_times_slower(source, tmp_path):
    """Adam's first step is as long as the learning rate, whatever the gradient."""
    before = weights_of(build(micro.CONFIG, seed=0))
    settings = replace(settings_for(1, 1e-3, lora=False), average=0.0)
    settings = replace(settings, weight_decay=0.0, clip=1e9)
    model = build(micro.CONFIG, seed=0)
    finetune(model, micro.vocabulary(), source, settings, tmp_path / "run", objective=FEW)
    moved = {name: (x - before[name]).abs().max() for name, x in weights_of(model).items()}
    slow = max(step for name, step in moved.items() if name.startswith("mask_encoder"))
    fast = max(step for name, step in moved.items() if name.startswith("pixel_decoder"))
    assert float(fast) == pytest.approx(1e-3, rel=0.02)
    assert float(slow) == pytest.approx(1e-4, rel=0.02)


def test_what_is_trained_becomes_float32():
    pytest.importorskip("peft")
    model = build(micro.CONFIG, seed=0).bfloat16()
    choose(model, lora=True)
    for name, weight in model.named_parameters():
        assert weight.requires_grad != is_frozen(ours(name)), name
        assert (weight.dtype == torch.float32) == weight.requires_grad, name
    assert model.language.lm_head.weight is model.language.model.language_model.embed_tokens.weight


def test_without_peft_there_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(WeightsError, match="peft"):
        choose(build(micro.CONFIG, seed=0), lora=True)
