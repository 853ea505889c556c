"""The examples run from beginning to end and say what they should.

Faked: loading, which gives an actor that knows coloured squares of small pictures; for the five
turns nothing is, but the clip is shorter.
"""

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import x2sam
from tests.engine.acting import clip, picture, stage
from x2sam.media.videos import open_medium

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
ASSETS = EXAMPLES.parent / "assets"


@pytest.fixture
def run(monkeypatch, capsys):
    engine, actor = stage()
    actor.answers["escri"] = "<p>A red car</p> and <p>a blue car</p> . And <SEG>."
    monkeypatch.setattr(x2sam, "load", lambda name: engine, raising=False)

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out

    return run


@pytest.fixture
def squares(tmp_path):
    path = tmp_path / "squares.png"
    Image.fromarray(picture(red=(5, 20), blue=(20, 20))).save(path)
    return path


def test_there_is_a_test_for_every_example():
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    assert names == {"picture", "clip", "click", "conversation", "take_away", "five_turns"}


def test_picture(run, squares):
    assert "the red apple: 64 pixels, box (5, 20, 13, 28)" in run("picture", squares)


def test_clip(run, tmp_path):
    for index, frame in enumerate(clip(3, red=(2, 2))):
        Image.fromarray(np.asarray(frame)).save(tmp_path / f"{index}.png")
    printed = run("clip", tmp_path)
    assert "frame 2: 64 pixels" in printed
    assert "the red car is to be seen in frames [(0, 3)]" in printed


def test_click(run, squares):
    printed = run("click", squares)
    assert "here: True, not here: False" in printed
    assert "undone: 64 pixels" in printed


def test_conversation(run, squares):
    printed = run("conversation", squares)
    assert "A red car and a blue car." in printed
    assert "Herbie" in printed
    assert "(hidden)" in printed


def test_take_away(run, squares, tmp_path):
    printed = run("take_away", squares, tmp_path / "out")
    assert "overlay.png" in printed
    assert "1 turn, objects: ['the red apple']" in printed


def test_five_turns(monkeypatch, capsys, tmp_path):
    with open_medium(ASSETS / "chase.mp4") as whole:
        for index in range(0, len(whole), 6):
            Image.fromarray(whole.frame(index)).save(tmp_path / f"{index:02}.png")
    monkeypatch.setattr(sys, "argv", ["five_turns", str(tmp_path)])
    runpy.run_path(str(EXAMPLES / "five_turns.py"), run_name="__main__")
    printed = capsys.readouterr().out
    first, *turns, names = re.split(r"(?m)^(?:> |in the list: )", printed)
    assert not first
    assert [turn.splitlines()[0] for turn in turns] == [
        "the mouse",
        "a click on frame 6",
        "the one to its left",
        "mouse and tree",
        "describe this with masks",
    ]
    for turn in turns:
        assert re.fullmatch(r"  \[.+ → .+\]", turn.splitlines()[1]), turn
        assert len(turn.splitlines()) > 2, turn  # what was found, what was not, or what was said
    assert "1 the mouse: " in turns[0]
    assert "1 the mouse: " in turns[1]  # corrected, not another one
    assert names.startswith("the mouse, ")
