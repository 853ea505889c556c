"""Drawings: colours that stay and stay apart, what is painted and what is left alone.

Colour blindness is simulated with the matrices of Machado, Oliveira and Fernandes (2009).
Nothing is faked.
"""

import itertools

import numpy as np
import pytest
from filming import scene

from x2sam.media.drawing import (
    PALETTE,
    Mark,
    anchor,
    colour_of,
    cutout,
    edge,
    font_for,
    line_width,
    overlay,
    solo,
)

PICTURE = np.full((120, 160, 3), 100, np.uint8)
BLIND = {  # severity 1, on linear RGB
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
    "none": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
}  # fmt: skip


def square(y, x, size=40, shape=(120, 160)):
    mask = np.zeros(shape, bool)
    mask[y : y + size, x : x + size] = True
    return mask


def lab(colour, sight):
    """CIE L*a*b* of a colour as somebody sees it."""
    value = np.array(colour) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(BLIND[sight]) @ linear, 0, 1)
    matrix = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    ratio = np.array(matrix) @ seen / [0.9505, 1.0, 1.089]
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", BLIND)
def test_colours_stay_apart_for_colour_blind_people(sight):
    for count, distance in ((7, 14), (len(PALETTE), 6)):
        colours = [lab(colour, sight) for colour in PALETTE[:count]]
        nearest = min(np.linalg.norm(a - b) for a, b in itertools.combinations(colours, 2))
        assert nearest > distance, (sight, count, nearest)


def test_the_same_object_has_the_same_colour_for_ever():
    assert colour_of(1) == (230, 159, 0)
    assert len({colour_of(id_) for id_ in range(1, 13)}) == 12
    assert colour_of(13) == colour_of(1)
    assert Mark(3, square(0, 0)).paint == colour_of(3)
    assert Mark(3, square(0, 0), colour=(1, 2, 3)).paint == (1, 2, 3)


def test_only_the_mask_is_painted():
    mask = square(20, 30)
    drawn = overlay(PICTURE, [Mark(1, mask)], opacity=0.5)
    assert (drawn[~mask] == 100).all()
    assert (PICTURE == 100).all()
    assert drawn[40, 50].tolist() == [165, 130, 50]
    assert drawn[20, 30].tolist() == list(colour_of(1))
    plain = overlay(PICTURE, [Mark(1, mask)], opacity=0, outline=False)
    assert (plain == PICTURE).all()


def test_small_objects_lie_on_large_ones():
    large, small = Mark(1, square(0, 0, 100)), Mark(2, square(30, 30, 20))
    drawn = [overlay(PICTURE, order, opacity=1) for order in ([large, small], [small, large])]
    assert (drawn[0] == drawn[1]).all()
    assert drawn[0][40, 40].tolist() == list(colour_of(2))


def test_outlines_follow_the_size_and_not_the_rim():
    assert [line_width(np.zeros((h, w, 3))) for h, w in ((360, 640), (1080, 1920), (9, 9))] == [
        *(2, 6, 1)
    ]
    mask = square(0, 0, 50)
    outline = edge(mask, 3)
    assert not outline[:40, :40].any()
    assert outline[10, 47:50].all()
    assert not outline[10, 46]
    assert (outline <= mask).all()


def test_labels_lie_inside_the_picture_and_off_each_other():
    marks = [Mark(id_, square(50, 60), f"object {id_}") for id_ in (1, 2, 3)]
    bare = overlay(PICTURE, [Mark(mark.id, mark.mask) for mark in marks])
    drawn = overlay(PICTURE, marks)
    plates = [(drawn == colour_of(id_)).all(-1) & ~(bare == drawn).all(-1) for id_ in (1, 2, 3)]
    rows = [np.flatnonzero(plate.sum(1) > 20) for plate in plates]
    assert all(len(row) for row in rows)
    for one, other in itertools.combinations(rows, 2):
        assert one[-1] < other[0] or other[-1] < one[0]
    corner = overlay(PICTURE, [Mark(1, square(110, 150, 10), "in the very corner")])
    assert corner.shape == PICTURE.shape


@pytest.mark.parametrize(
    "label", ["", " ", "x" * 500, "a\nb\tc", "🐕", "左边的狗", "\ufeff", "é ß"]
)
def test_any_label_can_be_drawn(label):
    drawn = overlay(PICTURE, [Mark(5, square(30, 30), label)])
    assert drawn.shape == PICTURE.shape
    tiny = np.zeros((1, 1, 3), np.uint8)
    assert overlay(tiny, [Mark(5, np.ones((1, 1), bool), label)]).shape == (1, 1, 3)


@pytest.mark.parametrize(("label", "instead"), [("狗", "#4"), ("Café", "Cafe"), ("🐕", "#4")])
def test_letters_that_no_font_has_are_replaced(label, instead, monkeypatch):
    monkeypatch.setattr("x2sam.media.drawing.FONTS", ())
    assert font_for(instead, 12) is not None
    assert font_for(label, 12) is None
    drawn, expected = (
        overlay(PICTURE, [Mark(4, square(30, 30), text)]) for text in (label, instead)
    )
    assert (drawn == expected).all()


def test_the_anchor_lies_deep_inside():
    ring = square(10, 10, 60) & ~square(20, 20, 40)
    ring[12:70, 70:110] = True
    x, y = anchor(ring)
    assert ring[y - 10 : y + 10, x - 10 : x + 10].all()
    assert anchor(np.zeros((5, 5), bool)) is None
    assert anchor(np.ones((1, 1), bool)) == (0, 0)


def test_empty_masks_draw_nothing():
    assert (overlay(PICTURE, [Mark(1, np.zeros((120, 160), bool), "gone")]) == PICTURE).all()


def test_solo_and_cutout():
    picture, mask = scene(3), square(5, 8, 16, (48, 64))
    alone = solo(picture, mask)
    assert (alone[mask] == picture[mask]).all()
    assert (alone[~mask].max(-1) == alone[~mask].min(-1)).all()
    assert alone[~mask].mean() < picture[~mask].mean() / 2
    cut = cutout(picture, mask)
    assert cut.shape == (48, 64, 4)
    assert (cut[..., :3][mask] == picture[mask]).all()
    assert (cut[..., 3] == mask * 255).all()
    assert not cut[~mask].any()
