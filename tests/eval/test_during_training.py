"""Scores and pictures of a network in training. All networks are small and random."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from tests.eval.small_suite import make_suite
from tests.tracker.moving import MICRO
from tests.train.conftest import bank  # noqa: F401 (a fixture)
from tests.train.micro import CONFIG, TOKENIZER
from tests.train.micro_suite import write_suite
from x2sam.eval import during_training, nano
from x2sam.eval.during_training import JUDGES, PANELS
from x2sam.language.tokens import Vocabulary
from x2sam.model.build import build
from x2sam.tracker import transformers_backend
from x2sam.train.finetune import choose, finetune, settings_for
from x2sam.train.folder import FolderSource
from x2sam.train.samples import Stream
from x2sam.train.tracking import TrackerTrainee


@pytest.fixture(autouse=True)
def few(monkeypatch):
    for name, number in (("SAMPLES", 1), ("SHOWN", 2), ("LONGEST", 4)):
        monkeypatch.setattr(during_training, name, number)


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.load(TOKENIZER)


def test_a_nano_is_judged_by_the_rows_with_a_bar(bank, vocabulary, tmp_path, monkeypatch):  # noqa: F811
    rows = [row for row in nano.ROWS if row.task.startswith(("referring", "photos"))]
    monkeypatch.setattr(nano, "ROWS", rows)
    evaluate = JUDGES["nano"](Stream(bank, seed=3), vocabulary, tmp_path)
    model = build(CONFIG, seed=1)
    found = evaluate(model)
    # Unseen nouns have no bar, and there are no photos.
    assert found.keys() == {"referring gIoU", "referring, unseen style gIoU", "seconds"}
    with Image.open(tmp_path / PANELS) as sheet:
        first = np.asarray(sheet.convert("RGB"))
    assert {**evaluate(model), "seconds": 0} == {**found, "seconds": 0}
    with Image.open(tmp_path / PANELS) as sheet:
        assert np.array_equal(np.asarray(sheet.convert("RGB")), first)


def test_scenes_are_others_than_those_of_training(bank, vocabulary, tmp_path, monkeypatch):  # noqa: F811
    seen = []
    monkeypatch.setattr(
        nano, "evaluate", lambda _, material, *__, **___: seen.append(material) or []
    )
    monkeypatch.setattr(
        during_training.contact_sheet, "contact_sheet", lambda *_, **__: Image.new("L", (9, 9))
    )
    stream = Stream(bank, seed=3, only=frozenset({"apple", "dog"}))
    JUDGES["nano"](stream, vocabulary, tmp_path)(build(CONFIG, seed=1))
    judged = seen[0].stream("seen")
    assert (stream.name, judged.name) == ("training", "validation")
    assert (judged.bank, judged.seed, judged.only) == (bank, 3, stream.only)


def test_a_tracker_is_judged_without_what_training_hooked_in(bank, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(during_training.contact_sheet, "CLIPS", 1)
    trainee = TrackerTrainee(transformers_backend.build(MICRO))
    evaluate = JUDGES["tracker"](Stream(bank, seed=3), MICRO, tmp_path)
    found = evaluate(trainee.model)
    assert {"scenes: mask J&F", "scenes, pictures: click mIoU"} < found.keys()
    assert not any(name.startswith(("photos", "real")) for name in found)
    assert (tmp_path / PANELS).exists()


def test_a_folder_is_judged_while_a_network_learns(vocabulary, tmp_path):
    """Without a second copy of its weights, it goes on learning after every look."""
    (own := tmp_path / "own").mkdir()
    (other := tmp_path / "other").mkdir()
    make_suite(other)
    source = FolderSource.read(write_suite(own), CONFIG, frames=2)
    settings = replace(settings_for(2, 1e-3, lora=False), average=0.0, evaluate_every=0.0)
    out = tmp_path / "run"
    evaluate = JUDGES["folder"](other, vocabulary, out)
    finetune(build(CONFIG, seed=0), vocabulary, source, settings, out, evaluate=evaluate)
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    scored = [line for line in lines if "scores" in line]
    assert [line["step"] for line in scored] == [1, 2, 2]
    assert len(scored[-1]["scores"]) > 3
    with Image.open(out / PANELS) as sheet:
        assert sheet.height > during_training.contact_sheet.SIDE


def test_a_network_with_adapters_is_of_two_kinds_of_numbers(vocabulary, tmp_path):
    pytest.importorskip("peft")
    model = build(CONFIG, seed=0).bfloat16()
    choose(model, lora=True)
    make_suite(tmp_path)
    assert len(JUDGES["folder"](tmp_path, vocabulary, tmp_path)(model)) > 3
    assert {weight.dtype for weight in model.parameters()} == {torch.bfloat16, torch.float32}
