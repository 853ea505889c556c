"""`x2sam eval`: arguments, files and sentences; the checkpoint is small and random."""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.eval.small_suite import make_suite
from tests.tracker.moving import MICRO
from tests.train.conftest import COLOURS, NAMES, drawn
from tests.train.micro import CONFIG, TOKENIZER
from x2sam.errors import MediaError, PromptError, WeightsError
from x2sam.eval import nano
from x2sam.eval.command import add_arguments, run
from x2sam.model.build import build
from x2sam.model.weights import save
from x2sam.tracker import transformers_backend
from x2sam.train.sprites import UNSEEN_STYLE
from x2sam.train.tracker import write
from x2sam.train.vocabulary import nouns


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    save(build(CONFIG, seed=1), folder)
    shutil.copy(TOKENIZER, folder / "tokenizer.json")
    return folder


@pytest.fixture(scope="module")
def sprites(tmp_path_factory):
    """A folder of sprites, in two styles."""
    folder = tmp_path_factory.mktemp("sprites")
    codes = {noun.name: noun.code for noun in nouns().values() if noun.name in NAMES}
    shades = list(COLOURS.values())
    for style in ("plain", UNSEEN_STYLE):
        (folder / style).mkdir()
        for number, name in enumerate(codes):
            shape = ("ellipse", "rectangle", "triangle", "ring")[number % 4]
            drawn(shape, shades[number % len(shades)]).save(folder / style / f"{codes[name]}.png")
    index = [{"hex": code, "label": name} for name, code in codes.items()]
    (folder / "index.json").write_text(json.dumps(index))
    return folder


@pytest.fixture(autouse=True)
def short_answers(monkeypatch, tmp_path):
    monkeypatch.setattr("x2sam.eval.answering.LONGEST", 4)
    monkeypatch.chdir(tmp_path)


def stored(name):
    return json.loads(Path(name).read_text())


def called(*words):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([str(word) for word in words]))


def test_nano_prints_a_table_and_writes_json(checkpoint, sprites, capsys):
    words = ("nano", "--model", checkpoint, "--sprites", sprites, "--limit", 1)
    assert called(*words, "--rows", "referring", "photos", "--out", "out.json") == 0
    printed = capsys.readouterr().out
    assert "| referring, unseen style" in printed
    assert "not run (no photos were given)" in printed
    assert "0 of 2 bars met" in printed
    content = stored("out.json")
    rows = [row for row in nano.ROWS if row.task.startswith(("referring", "photos"))]
    assert [row["task"] for row in content["results"]] == [row.task for row in rows]
    assert content["sprites"] > 50
    assert len(content["sha256"]) == 64
    assert {"date", "commit", "machine", "seconds", "limit", "seed"} <= content.keys()


def test_nano_is_deterministic(checkpoint, sprites):
    words = ("nano", "--model", checkpoint, "--sprites", sprites, "--limit", 2)
    for out in ("one.json", "two.json"):
        called(*words, "--rows", "pointing", "categories", "--out", out)
    one, two = (stored(f"{name}.json")["results"] for name in ("one", "two"))
    assert one == two


def test_a_tracker_has_a_table_of_its_own(sprites, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("x2sam.tracker.build.CONFIGS", (MICRO,))
    weights = tmp_path / "tracker"
    write(transformers_backend.build(MICRO), MICRO, weights)
    words = ("tracker", "--tracker", weights, "--sprites", sprites, "--limit", 1)
    assert called(*words, "--out", "out.json") == 0
    printed = capsys.readouterr().out
    assert "| scenes: mask " in printed
    assert "photos: mask: not run (no photos were given)" in printed
    assert "0 of 2 bars met" in printed
    assert stored("out.json")["backend"] == "sam2"


def test_a_sheet(checkpoint, sprites, monkeypatch, capsys):
    monkeypatch.setattr("x2sam.eval.contact_sheet.COUNT", 3)
    assert called("nano", "--model", checkpoint, "--sprites", sprites, "--sheet", "a/b.png") == 0
    assert capsys.readouterr().out == "a/b.png\n"
    with Image.open("a/b.png") as sheet:
        assert sheet.width > 500


def test_a_folder_prints_a_table_and_writes_json(checkpoint, tmp_path, capsys):
    suite = tmp_path / "holiday"
    suite.mkdir()
    make_suite(suite)
    (suite / "street.png").write_bytes(b"damaged")
    assert called("folder", suite, "--model", checkpoint) == 0
    printed = capsys.readouterr().out
    assert "left out street:" in printed
    assert "| clips, referring" in printed
    content = stored("eval-holiday.json")
    assert content["failures"][0]["id"] == "street"
    assert content["results"][0]["metric"] == "J&F"


def test_a_folder_of_which_nothing_can_be_used(checkpoint, tmp_path, capsys):
    make_suite(
        tmp_path,
        {**json.loads('{"id": "a", "type": "photo", "file": "street.png"}'), "mask": "street.png"},
    )
    assert called("folder", tmp_path, "--model", checkpoint) == 1
    assert "nothing could be measured" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "error", "sentence"),
    [
        (("nano",), MediaError, "--sprites with a pack"),
        (("nano", "--sprites", "s.npz", "--rows", "riding"), PromptError, "There are: referring,"),
        (("nano", "--sprites", "s.npz", "--limit", "0"), PromptError, "at least 1, not 0"),
        (("nano", "--sprites", "s.npz", "--model", "nowhere"), WeightsError, "'nowhere'"),
        (("folder", "nowhere"), MediaError, r"no suite\.json"),
    ],
)
def test_mistakes_are_said_in_a_sentence(checkpoint, monkeypatch, words, error, sentence):
    monkeypatch.setattr("x2sam.train.packs.FONTS", ())
    model = () if "--model" in words else ("--model", checkpoint)
    with pytest.raises(error, match=sentence):
        called(*words, *model)


def test_sprites_that_are_not_there(checkpoint):
    with pytest.raises(MediaError, match="nothing at"):
        called("nano", "--model", checkpoint, "--sprites", "nowhere.npz")


def test_a_pack_is_used_as_it_is(checkpoint, sprites, tmp_path):
    from x2sam.train.sprites import pack

    pack(sprites, tmp_path / "pack.npz")
    words = ("--limit", 1, "--rows", "reasoning")
    for source, out in ((sprites, "folder.json"), (tmp_path / "pack.npz", "pack.json")):
        called("nano", "--model", checkpoint, "--sprites", source, *words, "--out", out)
    one, two = (stored(name)["results"] for name in ("folder.json", "pack.json"))
    assert np.all(one == two)
