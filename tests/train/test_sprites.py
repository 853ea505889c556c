"""Sprites: folders, fonts and packs, levels, splits, colours. All of them are drawn here."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from tests.train.conftest import COLOURS, drawn
from x2sam.errors import MediaError
from x2sam.train.colours import clear, dominant, hue_matrix, name_of, swatches_of
from x2sam.train.sprites import SIDE, UNSEEN_STYLE, SpriteBank, pack
from x2sam.train.vocabulary import nouns

CODES = {noun.name: noun.code for noun in nouns().values()}


@pytest.fixture
def folder(tmp_path):
    """Two styles of an apple and a dog, and a thing that has no name here."""
    source = tmp_path / "sprites"
    entries = [{"hex": CODES["apple"]}, {"hex": CODES["dog"]}, {"hex": "0000"}]
    for style in ("plain", UNSEEN_STYLE):
        (source / style).mkdir(parents=True)
        for k, entry in enumerate(entries):
            colour = list(COLOURS.values())[k]
            drawn("ellipse", colour).save(source / style / f"{entry['hex']}.png")
    (source / "index.json").write_text(json.dumps(entries))
    return source


def test_a_folder_is_packed_and_read_again(folder, tmp_path):
    assert pack(folder, tmp_path / "all.npz") == 4
    bank = SpriteBank.load([tmp_path / "all.npz"])
    assert {(s.noun.name, s.style) for s in bank.sprites} == {
        (name, style) for name in ("apple", "dog") for style in ("plain", UNSEEN_STYLE)
    }
    assert [level.shape[-1] for level in bank.levels] == [SIDE, SIDE // 2, SIDE // 4]
    assert set(bank.rows("seen")) == {"apple", "dog"} == set(bank.rows("unseen style"))
    assert bank.rows("unseen nouns") == {}
    apple = bank.rows("seen")["apple"][0]
    assert bank.colour(apple) == "red"
    pixels = bank.levels[0][apple].float()
    assert (pixels[:3] <= pixels[3:] + 1).all()  # premultiplied


def test_sprites_touch_the_border_of_their_square(bank):
    alpha = bank.levels[0][:, 3] > 127
    assert (alpha.any(dim=1).sum(dim=1).maximum(alpha.any(dim=2).sum(dim=1)) >= SIDE - 4).all()
    assert alpha.shape[0] == len(bank.sprites) == len(bank.outlines)


def test_bad_sources_are_named(tmp_path):
    with pytest.raises(MediaError, match=r"index\.json"):
        pack(tmp_path, tmp_path / "x.npz")
    (tmp_path / "font.ttf").write_bytes(b"no font")
    with pytest.raises(MediaError, match="font"):
        pack(tmp_path / "font.ttf", tmp_path / "x.npz")
    (tmp_path / "bad.npz").write_bytes(b"no pack")
    with pytest.raises(MediaError, match="packed"):
        SpriteBank.load([tmp_path / "bad.npz"])
    (tmp_path / "index.json").write_text("[]")
    with pytest.raises(MediaError, match="no picture"):
        pack(tmp_path, tmp_path / "x.npz")


def font(file, name, *, coloured=True):
    """Write a font in which an apple is a square, red or of no colour."""
    pytest.importorskip("fontTools")
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen, nothing = TTGlyphPen(None), TTGlyphPen(None)
    pen.moveTo((100, 0))
    for corner in ((100, 800), (900, 800), (900, 0)):
        pen.lineTo(corner)
    pen.closePath()
    square = pen.glyph()
    glyphs = {".notdef": nothing.glyph(), "apple": square, "layer": square}
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap({int(CODES["apple"], 16): "apple"})
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (1000, 0)))
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": name, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    if coloured:
        builder.setupCOLR({"apple": [("layer", 0)]})
        builder.setupCPAL([[(0.9, 0.1, 0.1, 1.0)]])
    builder.save(file)
    return file


@pytest.mark.parametrize(
    ("name", "style", "split"),
    [
        ("Noto Color Emoji", "noto", "seen"),
        ("Twemoji Mozilla", UNSEEN_STYLE, "unseen style"),
        ("Twitter Color Emoji", UNSEEN_STYLE, "unseen style"),
    ],
)
def test_a_font_gives_its_name_to_the_style(tmp_path, name, style, split):
    """The style that is kept out of training stays out, whatever it is drawn with."""
    assert pack(font(tmp_path / "font.ttf", name), tmp_path / "font.npz") == 1
    bank = SpriteBank.load([tmp_path / "font.npz"])
    assert [(s.noun.name, s.style) for s in bank.sprites] == [("apple", style)]
    assert bank.rows(split) == {"apple": [0]}
    assert bank.colour(0) == "red"


def test_a_font_without_colours_is_refused(tmp_path):
    plain = font(tmp_path / "font.ttf", "Noto Emoji", coloured=False)
    with pytest.raises(MediaError, match="without colours"):
        pack(plain, tmp_path / "font.npz")
    assert not (tmp_path / "font.npz").exists()


@pytest.mark.parametrize("name", list(COLOURS))
def test_plain_colours_have_their_name(name):
    swatches, shares = swatches_of(drawn("ellipse", COLOURS[name]))
    assert dominant(swatches, shares) == name
    assert shares.sum() == pytest.approx(1)


def test_two_colours_have_no_name():
    swatches = np.array([COLOURS["red"], COLOURS["blue"]], np.float32)
    assert dominant(swatches, np.array([0.6, 0.4], np.float32)) is None
    assert dominant(swatches, np.array([0.9, 0.1], np.float32)) == "red"
    assert not clear((255, 180, 0))
    assert name_of((240, 220, 190)) is None


def test_turning_hues_keeps_grey_and_comes_back():
    turn = hue_matrix(1.3)
    np.testing.assert_allclose(turn @ np.full(3, 90.0), np.full(3, 90.0), atol=0.5)
    np.testing.assert_allclose(hue_matrix(-1.3) @ turn, np.eye(3), atol=1e-5)


def test_bank_is_on_the_device_it_was_asked_for(bank):
    assert bank.device == torch.device("cpu")
    assert bank.levels[0].dtype == torch.uint8
