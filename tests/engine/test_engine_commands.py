"""The commands for a terminal: what is printed, written and returned.

Faked: loading, which gives an actor that knows coloured squares. Files are real.
"""

import argparse
import json

import numpy as np
import pytest
from PIL import Image

from tests.engine.acting import clip, picture, square, stage
from tests.engine.following import follower
from x2sam.engine import commands
from x2sam.errors import MediaError, PromptError
from x2sam.media.clip_writer import write_clip
from x2sam.media.videos import open_clip
from x2sam.types import NotFound


@pytest.fixture
def actor(monkeypatch):
    engine, actor = stage()
    monkeypatch.setattr(commands, "load", lambda *_, **__: engine)
    return actor


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "squares.png"
    Image.fromarray(picture(red=(2, 2), blue=(20, 4))).save(path)
    return path


def run(name, *arguments):
    parser = argparse.ArgumentParser()
    getattr(commands, f"{name}_arguments")(parser)
    return getattr(commands, f"run_{name}")(parser.parse_args([str(each) for each in arguments]))


def test_ask_prints_what_was_found_and_writes_it(actor, file, tmp_path, capsys):
    out = tmp_path / "out"
    assert run("ask", file, "the red square", "-o", out) == 0
    printed = capsys.readouterr()
    assert "the red square" in printed.out
    assert "0.90" in printed.out
    assert "words for a thing" in printed.err
    mask = np.asarray(Image.open(out / "masks" / "1-the-red-square.png")) > 0
    assert (mask == square(2, 2)).all()
    assert {"overlay.png", "coco.json", "chat.md", "session.json"} <= {
        path.name for path in out.iterdir()
    }


def test_the_overlay_has_the_effect(actor, file, tmp_path):
    out = tmp_path / "out"
    effect = "cover:background:#00b140"
    assert run("ask", file, "the red square", "-o", out, "--effect", effect) == 0
    drawn = np.asarray(Image.open(out / "overlay.png"))
    assert (drawn[square(2, 2)] == picture(red=(2, 2), blue=(20, 4))[square(2, 2)]).all()
    assert (drawn[~square(2, 2)] == (0, 177, 64)).all()


@pytest.mark.parametrize("name", ["ask", "batch"])
def test_an_unknown_effect_is_told_before_the_work(monkeypatch, file, name):
    monkeypatch.setattr(commands, "load", None)
    medium = file if name == "ask" else file.parent
    with pytest.raises(PromptError, match="no effect “sepia”"):
        run(name, medium, "the red square", "--effect", "sepia")


def test_ask_says_that_nothing_was_found(actor, file, capsys):
    assert run("ask", file, "the purple square") == 1
    assert "Not found: the purple square" in capsys.readouterr().out


def test_of_a_clip_it_says_on_how_many_frames(capsys):
    commands._tell(NotFound("a cat", (("a cat", 0.31),), 9))
    assert capsys.readouterr().out == "\nNot found: a cat, on 9 frames (31% likely)\n"


def test_ask_answers_a_question(actor, file, capsys):
    assert run("ask", file, "what is in this picture?") == 0
    assert capsys.readouterr().out == "Squares, I think.\n"


def test_json_is_one_line(actor, file, capsys):
    assert run("ask", file, "red box, blue box", "--json") == 0
    value = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in value["objects"]] == ["red box", "blue box"]
    assert value["objects"][0]["masks"]["0"]["size"] == [32, 32]


def test_point(actor, file, capsys):
    assert run("point", file, "--at", "5,5", "--not", "30,30", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["objects"]
    assert found["name"] == "object"
    assert run("point", file, "--box", "19,3,30,13") == 0
    assert "64" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [[], ["--not", "3,3"], ["--at", "3"], ["--at", "a,b"], ["--box", "1,2,3"], ["--at", "99,1"]],
)
def test_wrong_points_are_sentences(actor, file, arguments):
    with pytest.raises(PromptError, match=r"\.$"):
        run("point", file, *arguments)


def test_a_clip_file(actor, tmp_path, capsys):
    path = tmp_path / "squares.mp4"
    frames = clip(6, red=(2, 2))
    write_clip(path, iter(frames), open_clip(frames).timing)
    out = tmp_path / "out"
    assert run("ask", path, "what is in this clip?", "-o", out) == 0
    assert len(open_clip(out / "overlay.mp4")) == 6


@pytest.fixture
def moving(tmp_path):
    path = tmp_path / "moving"
    path.mkdir()
    for index, frame in enumerate(clip(6, red=(2, 2))):
        Image.fromarray(frame).save(path / f"{index}.png")
    return path


def test_sam_2_is_loaded_by_name_and_chosen(monkeypatch, moving, capsys):
    engine, _ = stage(tracker=follower()[0])
    asked = {}
    monkeypatch.setattr(commands, "load", lambda *_, **named: asked.update(named) or engine)
    arguments = ["--tracker", "tiny.pt", "--propagation", "sam2", "--frames", 2, "--json"]
    assert run("ask", moving, "the red square", *arguments) == 0
    assert asked["tracker"] == "tiny.pt"
    assert frames_found(capsys.readouterr().out) == [*range(6)]


def test_sam_2_that_is_not_loaded_is_a_sentence(actor, moving):
    with pytest.raises(PromptError, match="--tracker"):
        run("ask", moving, "the red square", "--propagation", "sam2")


def frames_found(printed):
    (found,) = json.loads(printed)["objects"]
    return [int(frame) for frame in found["masks"]]


@pytest.mark.parametrize(
    ("arguments", "frames"),
    [
        ([], [0, 1, 2, 3, 4, 5]),
        (["--from", 2, "--to", 4], [2, 3, 4]),
        (["--from", 4], [4, 5]),
        (["--to", 2, "--direction", "backward"], [0, 1, 2]),
        (["--best", "--from", 1, "--propagation", "one_token"], [1, 2, 3, 4, 5]),
        (["--frames", 8, "--policy", "sparse_dense"], [0, 1, 2, 3, 4, 5]),
    ],
)
def test_ask_about_some_frames(actor, moving, capsys, arguments, frames):
    assert run("ask", moving, "the red square", "--json", *arguments) == 0
    assert frames_found(capsys.readouterr().out) == frames


@pytest.mark.parametrize(
    ("arguments", "frames"),
    [
        (["--direction", "forward"], [3, 4, 5]),
        (["--direction", "backward"], [0, 1, 2, 3]),
        (["--from", 2, "--to", 3], [2, 3]),
    ],
)
def test_point_at_some_frames(actor, moving, capsys, arguments, frames):
    assert run("point", moving, "--at", "8,5", "--frame", 3, "--json", *arguments) == 0
    assert frames_found(capsys.readouterr().out) == frames


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("ask", ["the red square", "--to", 6], "no frame 6"),
        ("ask", ["the red square", "--from", 4, "--to", 2], "Swap"),
        ("point", ["--at", "8,5", "--from", 2], "Frame 0 is not among frames 2 to 5"),
        ("ask", ["the red square", "--policy", "sparse_dense", "--frames", 2], "at least 8"),
    ],
)
def test_wrong_frames_are_sentences(actor, moving, name, arguments, says):
    with pytest.raises(PromptError, match=says):
        run(name, moving, *arguments)


# Many files


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    Image.fromarray(picture(red=(2, 2))).save(folder / "a.png")
    (folder / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n no picture")
    Image.fromarray(picture(blue=(2, 2))).save(folder / "c.png")
    return folder


def states(output):
    return [line.split("  ")[0].strip() for line in output.splitlines()]


def test_one_bad_file_does_not_stop_a_batch(actor, folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert run("batch", folder, "the red square", "-o", out) == 1
    printed = capsys.readouterr().out
    assert states(printed) == ["done", "failed", "done"]
    assert "the red square (0.90)" in printed.splitlines()[0]
    assert printed.splitlines()[2].endswith("not found")
    assert (out / "a.png" / "overlay.png").exists()


def test_a_batch_goes_on_where_it_was(actor, folder, capsys):
    run("batch", folder, "the red square")
    (folder / "b.png").unlink()
    Image.fromarray(picture(red=(4, 4))).save(folder / "d.png")
    asked = len(actor.asked)
    capsys.readouterr()
    assert run("batch", folder, "the red square") == 0
    printed = capsys.readouterr().out
    assert states(printed) == ["done before", "done before", "done"]
    assert "the red square (0.90)" in printed.splitlines()[0]
    assert len(actor.asked) == asked + 1
    assert run("batch", folder, "the blue square", "--json") == 0  # other words, other results
    rows = json.loads(capsys.readouterr().out)
    assert [row["state"] for row in rows] == ["done"] * 3


def test_a_batch_of_nothing(actor, tmp_path):
    with pytest.raises(MediaError, match="no folder"):
        run("batch", tmp_path / "none", "the red square")
    with pytest.raises(MediaError, match="no file"):
        run("batch", tmp_path, "the red square")
