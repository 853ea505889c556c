"""Packs of sprites, photos and cut-outs, and the sources that commands take. All is drawn here."""

import argparse
import json

import numpy as np
import pytest
from PIL import Image

from tests.train.conftest import COLOURS, drawn
from x2sam import cli
from x2sam.errors import MediaError
from x2sam.train import packs
from x2sam.train.packs import add_arguments, read_sources, run
from x2sam.train.photos import Photos
from x2sam.train.sprites import SpriteBank
from x2sam.train.vocabulary import nouns

APPLE = next(noun.code for noun in nouns().values() if noun.name == "apple")


@pytest.fixture
def sprites(tmp_path):
    folder = tmp_path / "drawn"
    (folder / "plain").mkdir(parents=True)
    drawn("ellipse", COLOURS["red"]).save(folder / "plain" / f"{APPLE}.png")
    (folder / "index.json").write_text(json.dumps([{"hex": APPLE}]))
    return folder


@pytest.fixture
def photos(tmp_path):
    """Two grey photos with a car (class 7) that stands free."""
    folder = tmp_path / "voc"
    folder.mkdir()
    for number in range(2):
        classes = np.zeros((80, 120), np.uint8)
        classes[20:60, 30:90] = 7
        picture = np.full((80, 120, 3), 90, np.uint8)
        picture[classes == 7] = COLOURS["blue"]
        Image.fromarray(picture).save(folder / f"{number}.jpg")
        Image.fromarray(classes).save(folder / f"{number}.png")
    (folder / "index.json").write_text(json.dumps([{"id": str(number)} for number in range(2)]))
    return folder


def pack(*words):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([*map(str, words)]))


def test_packs_are_what_training_takes(sprites, photos, tmp_path, capsys):
    files = {name: tmp_path / "packs" / f"{name}.npz" for name in ("s", "p", "c", "d")}
    assert pack("sprites", sprites, "--out", files["s"]) == 0
    assert pack("photos", photos, "--out", files["p"]) == 0
    assert pack("cut-outs", photos, "--out", files["c"]) == 0
    assert pack("cut-outs", files["p"], "--out", files["d"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"{files['s']}: 1 sprites"
    assert told[1] == f"{files['p']}: 2 photos"
    assert files["c"].read_bytes() == files["d"].read_bytes()
    bank, shown = read_sources([files["s"], files["c"]], files["p"], tmp_path)
    assert {sprite.style for sprite in bank.sprites} == {"plain", "photo"}
    assert len(shown) == 2
    assert not list(tmp_path.glob("*.npz"))


def test_folders_are_as_good_as_packs_and_packed_once(sprites, photos, tmp_path):
    bank, shown = read_sources([sprites], photos, tmp_path)
    assert [sprite.noun.name for sprite in bank.sprites] == ["apple"]
    assert len(shown) == len(Photos.load(tmp_path / "photos.npz")) == 2
    (sprites / "index.json").unlink()
    assert len(read_sources([sprites], None, tmp_path)[0].sprites) == 1


def test_the_font_of_the_system_is_taken_by_itself(sprites, tmp_path, monkeypatch):
    monkeypatch.setattr(packs, "FONTS", (tmp_path / "none.ttf", sprites))
    assert len(read_sources(None, None, tmp_path)[0].sprites) == 1
    monkeypatch.setattr(packs, "FONTS", (tmp_path / "none.ttf",))
    with pytest.raises(MediaError, match="fonts-noto-color-emoji, is not installed"):
        read_sources(None, None, tmp_path)


def test_scenes_need_no_more_than_a_place(sprites, photos, tmp_path, monkeypatch, capsys):
    codes = [code for code, noun in nouns().items() if noun.name in ("dog", "cat", "banana")]
    for code, colour in zip(codes, COLOURS.values(), strict=False):
        drawn("ellipse", colour).save(sprites / "plain" / f"{code}.png")
    (sprites / "index.json").write_text(json.dumps([{"hex": code} for code in (APPLE, *codes)]))
    monkeypatch.setattr(packs, "FONTS", (sprites,))
    words = ["scenes", "--out", str(tmp_path / "a"), "--n", "5", "--size", "48"]
    assert cli.main(words) == 0
    assert cli.main([*words, "--photos", str(photos), "--family", "noun"]) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "a" / "pictures_000.png")] * 2


def test_mistakes_are_said_in_a_sentence(sprites, photos, tmp_path):
    with pytest.raises(MediaError, match=r"end in \.npz"):
        pack("sprites", sprites, "--out", tmp_path / "sprites")
    with pytest.raises(MediaError, match="nothing at"):
        pack("photos", tmp_path / "none", "--out", tmp_path / "photos.npz")
    for number in range(2):
        Image.fromarray(np.full((80, 120), 7, np.uint8)).save(photos / f"{number}.png")
    with pytest.raises(MediaError, match="stands free"):
        pack("cut-outs", photos, "--out", tmp_path / "cut.npz")
    with pytest.raises(MediaError, match="packed file"):
        SpriteBank.load([tmp_path / "cut.npz"])
