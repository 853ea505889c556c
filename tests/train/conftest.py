"""A small sprite bank, drawn on the spot: plain shapes in plain colours, in two styles."""

from __future__ import annotations

import pytest
import torch
from accelerate.state import AcceleratorState
from PIL import Image, ImageDraw

from x2sam.train.samples import Stream
from x2sam.train.sprites import UNSEEN_STYLE, Sprite, SpriteBank
from x2sam.train.vocabulary import nouns

COLOURS = {
    "red": (225, 40, 40),
    "orange": (245, 140, 20),
    "green": (40, 170, 60),
    "blue": (40, 90, 230),
    "purple": (140, 50, 210),
    "white": (250, 250, 250),
    "brown": (120, 70, 30),
}
# Nouns of many kinds; the last four are never seen in training.
NAMES = (
    *("apple", "banana", "pear", "carrot", "cake", "glass of milk", "dog", "cat", "horse"),
    *("eagle", "duck", "butterfly", "shark", "lion", "car", "bus", "airplane", "sailboat"),
    *("hammer", "saw", "guitar", "drum", "chair", "bed", "key", "rose", "hat", "doctor"),
    *("owl", "axe", "broccoli", "violin"),
)
_FORMS = ("ellipse", "rectangle", "triangle", "ring")


def drawn(form: str, colour: tuple[int, int, int]) -> Image.Image:
    """One flat shape on a transparent square."""
    picture = Image.new("RGBA", (96, 96))
    pen = ImageDraw.Draw(picture)
    box = (6, 6, 90, 90)
    if form == "ellipse":
        pen.ellipse((6, 16, 90, 80), fill=colour)
    elif form == "rectangle":
        pen.rectangle((16, 6, 80, 90), fill=colour)
    elif form == "triangle":
        pen.polygon(((48, 6), (90, 90), (6, 90)), fill=colour)
    else:
        pen.ellipse(box, fill=colour)
        pen.ellipse((34, 34, 62, 62), fill=(0, 0, 0, 0))
    return picture


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Pictures this small are drawn faster by one thread than by several that wait."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def precisions():
    """Forget the precision of earlier runs: accelerate keeps one for a whole process."""
    AcceleratorState._reset_state()
    yield AcceleratorState._reset_state
    AcceleratorState._reset_state()


@pytest.fixture(scope="session")
def bank() -> SpriteBank:
    known = {noun.name: noun for noun in nouns().values()}
    shades = list(COLOURS.values())
    pairs = [
        (Sprite(known[name], style), drawn(_FORMS[(k + turn) % 4], shades[k % len(shades)]))
        for k, name in enumerate(name for name in NAMES if name in known)
        for turn, style in enumerate(("plain", UNSEEN_STYLE))
    ]
    return SpriteBank.build(pairs)


@pytest.fixture(scope="session")
def stream(bank: SpriteBank) -> Stream:
    return Stream(bank, seed=5)
