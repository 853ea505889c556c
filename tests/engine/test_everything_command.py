"""`x2sam everything`: what it prints and writes.

Faked: the network of SAM 2, which knows squares (`following`); the rest is the real command.
"""

import json

import numpy as np
import pytest
from PIL import Image

from tests.engine.acting import clip, picture, square
from tests.engine.following import follower
from x2sam.cli import main
from x2sam.media.masks import Rle
from x2sam.tracker import build

FAST = ("--points-per-side", "8", "--tracker", "pretended")


@pytest.fixture(autouse=True)
def loaded(monkeypatch):
    monkeypatch.setattr(build, "load", lambda source, backend, device=None: follower()[0])


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "scene.png"
    Image.fromarray(picture(red=(2, 2), blue=(20, 12))).save(path)
    return str(path)


def test_overlay_masks_and_json_come_out(file, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["everything", file, "-o", str(out), *FAST]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["id", "quality", "stability", "area", "box"]
    assert lines[1].split()[:4] == ["1", "0.90", "1.00", "64"]
    assert len(lines) == 6
    written = json.loads((out / "coco.json").read_text())
    assert [each["area"] for each in written["annotations"]] == [64, 64]
    assert len(list((out / "masks").glob("*.png"))) >= 1
    assert list(out.glob("overlay*"))


def test_json_has_the_masks(file, capsys):
    assert main(["everything", file, "--json", *FAST]) == 0
    first, second = json.loads(capsys.readouterr().out)
    masks = [Rle.from_json(each["mask"]).mask() for each in (first, second)]
    assert any(np.array_equal(masks[0], square(*at)) for at in ((2, 2), (20, 12)))
    assert first["box"] == [2, 2, 10, 10]


def test_nothing_is_an_answer_too(file, capsys):
    assert main(["everything", file, "--quality", "0.95", *FAST]) == 1
    assert "Nothing was found" in capsys.readouterr().out


def test_a_clip_and_a_wrong_number_are_refused(file, tmp_path, capsys):
    path = tmp_path / "clip.gif"
    first, *rest = (Image.fromarray(frame) for frame in clip(3, red=(2, 2)))
    first.save(path, save_all=True, append_images=rest)
    assert main(["everything", str(path), *FAST]) == 2
    assert "this is a clip" in capsys.readouterr().err
    assert main(["everything", file, "--stability", "2", *FAST]) == 2
    assert "“stability” should be from 0 to 1, not 2" in capsys.readouterr().err
