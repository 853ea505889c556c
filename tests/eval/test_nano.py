"""The evaluation of the small model: every row, on answers that are perfect, empty or random.

Sprites are plain shapes and photos are painted. Perfect and empty answers are made here, in
place of a network's; the random network is real.
"""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from tests.train.conftest import bank  # noqa: F401 (a fixture)
from tests.train.micro import CONFIG, SIDE, TOKENIZER
from x2sam.eval import nano
from x2sam.eval.nano_samples import Material, Outcome
from x2sam.language.prompts import Turn
from x2sam.language.replies import read
from x2sam.language.tokens import Vocabulary
from x2sam.model.build import build
from x2sam.model.predictor import Predictor
from x2sam.model.readout import Segments
from x2sam.train.photos import Photos, pack_photos
from x2sam.train.samples import examples

LIMIT = 4


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Twelve grey photos with a dog (class 12) and a car (7)."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(12):
        classes = np.zeros((90, 120), np.uint8)
        classes[15:50, 20:55], classes[50:80, 60:100] = 12, 7
        picture = np.full((90, 120, 3), 90 + number, np.uint8)
        picture[classes == 12], picture[classes == 7] = (150, 90, 40), (30, 60, 220)
        Image.fromarray(picture).save(folder / f"{number}.jpg")
        Image.fromarray(classes).save(folder / f"{number}.png")
    (folder / "index.json").write_text(json.dumps([{"id": str(n)} for n in range(12)]))
    pack_photos(folder, folder / "all.npz", side=96)
    return Photos.load(folder / "all.npz")


@pytest.fixture(scope="module")
def material(bank, photos):  # noqa: F811
    return Material(bank, photos, seed=4)


@pytest.fixture(scope="module")
def predictor():
    return Predictor(build(CONFIG, seed=1), Vocabulary.load(TOKENIZER))


def told(said, shown):
    """Make an `outcome` that says `said(draft)` and marks the truth where `shown(draft)`."""

    def outcome(_, sample, stream):
        example = examples([sample], stream, SIDE)[0]
        frames = (example.pictures * 255).byte().permute(0, 2, 3, 1).numpy()
        labels = torch.tensor(sample.draft.labels, dtype=torch.int64)
        found = []
        for masks in example.masks if shown(sample.draft) else ():
            numbers = torch.arange(1, len(labels) + 1)
            seen = Segments(masks, labels, torch.ones(len(labels)), numbers)
            found.append(seen[masks.flatten(1).any(dim=1)])
        drawn = np.zeros((0, SIDE, SIDE), bool) if example.regions is None else example.regions
        turn = Turn(sample.draft.turns[-1].question, sample.draft.turns[-1].answer)
        reply = read(said(sample.draft))
        return Outcome(
            sample, frames, example.masks.numpy(), np.asarray(drawn), turn, reply, tuple(found)
        )

    return outcome


def evaluated(monkeypatch, material, outcome, rows=None, limit=LIMIT):
    monkeypatch.setattr(nano, "outcome", outcome)
    return nano.evaluate(None, material, limit, rows, quiet=True)


def test_perfect_answers_are_perfect_everywhere(material, monkeypatch):
    perfect = told(lambda draft: draft.turns[-1].answer, lambda _: True)
    results = evaluated(monkeypatch, material, perfect)
    for result in results:
        assert result.value == (0 if result.at_most else 1), result
        assert result.met in (None, True)
        assert result.n >= LIMIT
        assert not result.why


def test_an_empty_mask_says_that_nothing_is_there(material, monkeypatch):
    empty = told(lambda draft: "Sure, it is <SEG>.", lambda _: False)
    rows = [row for row in nano.ROWS if row.task == "absent object"]
    says_so, falsely = evaluated(monkeypatch, material, empty, rows)
    assert (says_so.value, falsely.value) == (1, 1)


def test_who_always_says_no_is_right_only_about_what_is_not_there(material, monkeypatch):
    silent = told(lambda _: "There is nothing like that in this image.", lambda _: False)
    values = {(r.task, r.metric): r for r in evaluated(monkeypatch, material, silent)}
    assert values["absent object", "says so"].value == 1
    assert values["absent object", "false “not found”"].value == 1
    assert not values["absent object", "false “not found”"].met
    for task, metric in (
        ("referring", "gIoU"),
        ("pointing: click", "mIoU"),
        ("categories", "PQ"),
        ("described with masks", "mIoU"),
        ("described with masks", "phrases said"),
        ("questions, all", "exact match"),
        ("photos, noun", "gIoU"),
    ):
        assert values[task, metric].value == 0, task


def test_marking_without_saying_so_in_words(material, monkeypatch):
    """Masks may be right and words wrong; each is a row of its own."""
    rows = [row for row in nano.ROWS if row.task == "described with masks"]
    wordless = told(lambda _: "<p>A thing</p> . <SEG>.", lambda _: True)
    masks, words = evaluated(monkeypatch, material, wordless, rows)
    assert masks.value == 1
    assert words.value == 0


def test_a_random_network_runs_through_every_row(predictor, material, monkeypatch):
    monkeypatch.setattr("x2sam.eval.answering.LONGEST", 6)
    results = nano.evaluate(predictor, material, 1, quiet=True)
    tasks = [result.task for result in results]
    assert all(0 <= result.value <= 1 for result in results)
    # The mean of rows that share a bar stands behind the last of them.
    assert tasks[tasks.index("pointing: scribble") + 1] == "pointing, all"
    assert tasks[tasks.index("clips: all like this") + 1] == "clips, all"
    assert len(tasks) == len(nano.ROWS) + 3


def test_every_bar_of_the_design_is_a_row():
    bars = {(row.task, row.metric): row.bar for row in nano.ROWS if row.bar is not None}
    assert bars == {
        ("referring", "gIoU"): 0.80,
        ("referring, unseen style", "gIoU"): 0.65,
        ("reasoning", "gIoU"): 0.70,
        **{(f"pointing: {kind}", "mIoU"): 0.85 for kind in ("click", "box", "scribble")},
        ("categories", "PQ"): 0.70,
        ("described with masks", "mIoU"): 0.70,
        ("absent object", "says so"): 0.90,
        ("absent object", "false “not found”"): 0.05,
        **{
            (f"questions: {kind}", "exact match"): 0.85
            for kind in ("count", "colour", "presence", "what")
        },
        **{
            (f"clips: {kind}", "J&F"): 0.75 for kind in ("referring", "one object", "all like this")
        },
        ("photos, noun", "gIoU"): 0.60,
        ("photos, click", "mIoU"): 0.65,
    }


def test_without_photos_their_rows_are_not_run(bank, predictor):  # noqa: F811
    rows = [row for row in nano.ROWS if row.task.startswith("photos")]
    results = nano.evaluate(predictor, Material(bank), 2, rows, quiet=True)
    assert [result.why for result in results] == ["no photos were given"] * 2


def test_rows_with_the_same_samples_share_the_answers(material, monkeypatch):
    perfect, asked = told(lambda draft: draft.turns[-1].answer, lambda _: True), []

    def outcome(*arguments):
        asked.append(arguments)
        return perfect(*arguments)

    rows = [row for row in nano.ROWS if row.draw == nano.SEEN]
    assert len(rows) == 2
    limit = len(nano.PHRASES)
    results = evaluated(monkeypatch, material, outcome, rows, limit)
    assert len(asked) == limit
    assert results[0].parts.keys() == set(nano.PHRASES)
