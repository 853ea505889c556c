"""Contact sheets: their size, words, and weight; the answers of networks are given."""

import numpy as np
import pytest
from PIL import Image

from tests.asking import SURE, script
from tests.train.conftest import bank  # noqa: F401 (a fixture)
from tests.train.micro import CONFIG, TOKENIZER
from x2sam.eval import contact_sheet
from x2sam.eval.contact_sheet import COLUMNS, SIDE, TEXT, answered, asked, save
from x2sam.eval.nano_samples import Draw, Material, outcome, samples
from x2sam.language.tokens import Vocabulary
from x2sam.model.build import build
from x2sam.model.predictor import Predictor


@pytest.fixture(scope="module")
def predictor():
    return Predictor(build(CONFIG, seed=1), Vocabulary.load(TOKENIZER))


def test_a_sheet_has_a_tile_for_every_sample(predictor, bank, monkeypatch):  # noqa: F811
    script(predictor, monkeypatch, SURE)
    monkeypatch.setattr(contact_sheet, "COUNT", COLUMNS + 1)
    sheet = contact_sheet.contact_sheet(predictor, Material(bank, seed=2))
    assert sheet.size == (COLUMNS * (SIDE + 8), 2 * (SIDE + TEXT + 4))
    pixels = np.asarray(sheet)
    assert (pixels[SIDE + TEXT + 8 :, SIDE + 20 :] == 255).all()  # the second row has one tile
    assert (pixels[:SIDE, 4:SIDE] < 250).any()
    again = contact_sheet.contact_sheet(predictor, Material(bank, seed=2))
    assert np.array_equal(pixels, np.asarray(again))


def test_what_is_true_is_outlined_where_it_is_wanted(predictor, bank, monkeypatch):  # noqa: F811
    script(predictor, monkeypatch, "There is nothing like that.")
    material = Material(bank, seed=2)
    plain, outlined = (
        np.asarray(contact_sheet.contact_sheet(predictor, material, 1, truth=truth))[4 : SIDE + 4]
        for truth in (False, True)
    )
    changed = (plain != outlined).any(axis=2)
    assert 0 < changed.mean() < 0.2
    assert outlined[changed].mean() > plain[changed].mean() + 20  # towards white


def test_a_tracker_has_two_rows_per_clip(bank, monkeypatch):  # noqa: F811
    def follow(tracker, case, row, seed):
        assert row.start in ("mask", "click")
        return case[2] if row.start == "mask" else ~case[2]

    monkeypatch.setattr(contact_sheet, "follow", follow)
    monkeypatch.setattr(contact_sheet, "CLIPS", 2)
    sheet = contact_sheet.tracking_sheet(None, Material(bank, seed=2).stream("seen"))
    assert sheet.size == (COLUMNS * (SIDE + 8), 4 * (SIDE + TEXT + 4))
    rows = np.asarray(sheet).reshape(4, SIDE + TEXT + 4, -1, 3)[:, 4 : SIDE + 4]
    painted = (np.abs(rows - np.array((230, 159, 0))).sum(axis=3) < 150).mean(axis=(1, 2))
    assert painted[:2].max() < painted[2:].min()  # the whole but the thing is filled below


@pytest.mark.parametrize(
    ("family", "words"),
    [("pointing", "(box) this"), ("exemplars", "all like this"), ("describe", "Describe")],
)
def test_what_was_asked(predictor, bank, monkeypatch, family, words):  # noqa: F811
    script(predictor, monkeypatch, SURE)
    stream = Material(bank, seed=2).stream("seen")
    (sample,) = samples(Draw(families=(family,), region="box"), stream, 1)
    assert words in asked(outcome(predictor, sample, stream))


def test_what_came_back(predictor, bank, monkeypatch):  # noqa: F811
    stream = Material(bank, seed=2).stream("seen")
    (sample,) = samples(Draw(families=("noun",)), stream, 1)
    script(predictor, monkeypatch, SURE)
    assert answered(outcome(predictor, sample, stream)).startswith("= 1 mask, IoU 0.")
    script(predictor, monkeypatch, "There is no dog in this image.")
    silent = outcome(predictor, sample, stream)
    assert answered(silent) == "= There is no dog in this image."
    assert asked(silent) == sample.draft.phrases[0]


@pytest.mark.parametrize("largest", [400_000, 40_000])
def test_a_file_is_as_small_as_it_must_be(tmp_path, largest):
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    save(Image.fromarray(noise), tmp_path / "docs" / "sheet.png", largest)
    assert (tmp_path / "docs" / "sheet.png").stat().st_size <= largest
    with Image.open(tmp_path / "docs" / "sheet.png") as read:
        assert read.size == (300, 300)
