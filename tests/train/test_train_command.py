"""`x2sam train`, from the command line to a model folder, with the smallest network.

Faked: the preset, which is the smallest network on pictures of 64 pixels, and the number of
conversations that the vocabulary is learnt from.
"""

import argparse
import json
from functools import partial

import micro
import pytest
from micro_suite import write_suite
from PIL import Image, ImageDraw

from x2sam.errors import LimitError, MediaError, WeightsError
from x2sam.language.tokens import Vocabulary
from x2sam.model.build import build
from x2sam.model.pretrained import load
from x2sam.model.weights import save
from x2sam.tracker.build import load as load_tracker
from x2sam.train import command
from x2sam.train.nano import PRESETS, Preset
from x2sam.train.recipe import Recipe
from x2sam.train.tracker import TrackerRecipe
from x2sam.train.vocabulary import nouns

NAMES = ("apple", "banana", "pear", "carrot", "dog", "cat", "car", "bus", "hammer", "guitar")


def train(*words):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args([*map(str, words)]))


def steps_of(out):
    """How many steps the log of a run tells of."""
    log = out / "log.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    return max((json.loads(line)["step"] for line in lines), default=0)


@pytest.fixture(scope="module")
def sprites(tmp_path_factory):
    """A folder of ellipses that are said to be apples, dogs and so on."""
    folder = tmp_path_factory.mktemp("sprites")
    (folder / "plain").mkdir()
    codes = [code for code, noun in nouns().items() if noun.name in NAMES]
    for number, code in enumerate(codes):
        picture = Image.new("RGBA", (64, 64))
        colour = [(230, 40, 40), (40, 160, 60), (40, 80, 230)][number % 3]
        ImageDraw.Draw(picture).ellipse((4, 14, 60, 50), fill=colour)
        picture.save(folder / "plain" / f"{code}.png")
    (folder / "index.json").write_text(json.dumps([{"hex": code} for code in codes]))
    return folder


@pytest.fixture
def small(monkeypatch):
    recipe = Recipe(batch=2, size=micro.SIDE, last_size=micro.SIDE, frames=(2,))
    monkeypatch.setitem(PRESETS, "nano", Preset(micro.CONFIG, recipe))
    monkeypatch.setattr(command, "prepare", partial(command.prepare, conversations=30))


def test_nano_from_nothing_to_a_model(small, sprites, tmp_path, capsys):
    out = tmp_path / "run"
    words = ("nano", "--sprites", sprites, "--out", out, "--steps", 3)
    assert train(*words, "--slice", 0.001) == 0
    assert steps_of(out) < 3
    made = (out / "tokenizer.json").stat().st_mtime_ns
    assert train(*words) == 0
    assert capsys.readouterr().out == f"{out}\n" * 2
    assert (out / "tokenizer.json").stat().st_mtime_ns == made  # learnt once
    assert steps_of(out) == 3
    predictor = load(out, device="cpu")
    assert predictor.model.config == micro.CONFIG


def test_nano_begins_at_its_layers_size_and_in_halves_if_asked_to(
    small, sprites, tmp_path, monkeypatch, precisions
):
    begun, halves = [], []
    begin, run = command.begin, command.Run

    def watched(lesson, settings, out, **more):
        halves.append(settings.halves)
        return run(lesson, settings, out, **more)

    monkeypatch.setattr(command, "begin", lambda *given: begun.append(given) or begin(*given))
    monkeypatch.setattr(command, "Run", watched)
    words = ("nano", "--sprites", sprites, "--seed", 3, "--steps", 1)
    train(*words, "--out", tmp_path / "whole")
    precisions()
    train(*words, "--out", tmp_path / "halves", "--bf16")
    assert [seed for _, seed in begun] == [3, 3]
    assert halves == [None, True]


def test_a_tracker_with_the_eyes_of_nano(sprites, tmp_path, capsys, monkeypatch, precisions):
    monkeypatch.setattr(
        "x2sam.train.tracker.TrackerRecipe", partial(TrackerRecipe, pictures=1, picture_objects=2)
    )
    halves, run = [], command.Run

    def watched(lesson, settings, out, **more):
        halves.append(settings.halves)
        return run(lesson, settings, out, **more)

    monkeypatch.setattr(command, "Run", watched)
    out = tmp_path / "run"
    words = ("tracker", "--sprites", sprites, "--out", out)
    assert train(*words, "--steps", 1) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert load_tracker(out, device="cpu").network.config.name == "small-320"
    precisions()
    train(*words[:-1], tmp_path / "halves", "--steps", 1, "--bf16")
    assert load_tracker(tmp_path / "halves", device="cpu").network.config.name == "small-320"
    assert halves == [None, True]
    precisions()
    train(*words[:-1], tmp_path / "further", "--steps", 1, "--further", out)
    assert load_tracker(tmp_path / "further", device="cpu").network.config.name == "small-320"


def test_a_folder_goes_on_from_a_model(tmp_path, capsys):
    start, suite, out = (tmp_path / name for name in ("start", "suite", "out"))
    save(build(micro.CONFIG, seed=0), start)
    micro.vocabulary().save(start / "tokenizer.json")
    suite.mkdir()
    write_suite(suite)
    words = ("folder", suite, "--from", start, "--out", out, "--steps", 2, "--batch", 2)
    assert train(*words) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert load(out, device="cpu").vocabulary.seg == Vocabulary.load(micro.TOKENIZER).seg


def test_every_run_is_judged_by_what_it_is_given(small, sprites, tmp_path, monkeypatch):
    """A folder, only where there is another to be scored on."""
    start, suite = (tmp_path / name for name in ("start", "suite"))
    save(build(micro.CONFIG, seed=0), start)
    micro.vocabulary().save(start / "tokenizer.json")
    suite.mkdir()
    write_suite(suite)
    given = {}

    def judge(what, *told):
        given[what] = told
        return lambda _: {"score": 0.5}

    def scores(what, *words):
        out = tmp_path / f"run-{len(list(tmp_path.iterdir()))}"
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        judges = {name: partial(judge, name) for name in ("nano", "tracker", "folder")}
        words = (what, *words, "--out", out, "--steps", 1)
        assert command.run(parser.parse_args([*map(str, words)]), judges) == 0
        return [line for line in (out / "log.jsonl").read_text().splitlines() if "score" in line]

    assert len(scores("nano", "--sprites", sprites)) == 1
    assert given["nano"][0].name == "training"
    assert scores("folder", suite, "--from", start) == []
    assert len(scores("folder", suite, "--from", start, "--validation", suite)) == 1
    assert given["folder"][0] == suite


def test_mistakes_are_said_in_a_sentence(small, sprites, tmp_path):
    with pytest.raises(MediaError, match="nothing at"):
        train("nano", "--sprites", tmp_path / "none", "--out", tmp_path / "run", "--steps", 1)
    with pytest.raises(WeightsError):
        train("folder", tmp_path, "--from", tmp_path, "--out", tmp_path / "run", "--steps", 1)
    with pytest.raises(LimitError, match="--steps should be more than 0"):
        train("nano", "--sprites", sprites, "--out", tmp_path / "run", "--steps", 0)


@pytest.mark.parametrize("more", [("--steps", "2", "--seconds", "9"), ()])
def test_nano_takes_one_budget(sprites, tmp_path, more):
    with pytest.raises(SystemExit):
        train("nano", "--sprites", sprites, "--out", tmp_path, *more)
