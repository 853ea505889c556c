"""The contact sheet: its size, its words, and its weight; the network's answers are given."""

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
