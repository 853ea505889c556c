"""Training where only PyTorch, transformers, accelerate and what these bring are installed.

A fresh interpreter cannot import anything else. Faked: the preset, which is the smallest
network, and how many conversations the vocabulary is learnt from, things are seen in a step and
scores are taken of.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.train.conftest import COLOURS, drawn
from x2sam.model.pretrained import load
from x2sam.tracker.build import load as load_tracker
from x2sam.train.vocabulary import nouns

NAMES = ("apple", "banana", "pear", "carrot", "dog", "cat", "car", "bus", "hammer", "guitar")
BARE = """
import sys
REFUSED = ("av", "bitsandbytes", "cv2", "gradio", "matplotlib", "peft", "pycocotools", "sam2")
sys.modules.update(dict.fromkeys(REFUSED))
sys.path.insert(0, sys.argv.pop(1))
"""
TRAIN = """
from functools import partial
import micro, torch
from x2sam import cli
from x2sam.eval import during_training
from x2sam.train import command, tracker
from x2sam.train.nano import PRESETS, Preset
from x2sam.train.recipe import Recipe

torch.set_num_threads(1)
recipe = Recipe(batch=2, size=micro.SIDE, last_size=micro.SIDE, frames=(2,))
PRESETS["nano"] = Preset(micro.CONFIG, recipe)
command.prepare = partial(command.prepare, conversations=30)
tracker.TrackerRecipe = partial(tracker.TrackerRecipe, pictures=1, picture_objects=2)
during_training.SAMPLES, during_training.SHOWN, during_training.LONGEST = 1, 2, 4
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.fixture
def sprites(tmp_path):
    """A folder of plain shapes that are said to be apples, dogs and so on."""
    folder = tmp_path / "sprites"
    (folder / "plain").mkdir(parents=True)
    codes = [code for code, noun in nouns().items() if noun.name in NAMES]
    for number, code in enumerate(codes):
        colour = list(COLOURS.values())[number % len(COLOURS)]
        drawn("ellipse", colour).save(folder / "plain" / f"{code}.png")
    (folder / "index.json").write_text(json.dumps([{"hex": code} for code in codes]))
    return folder


def bare(program, *words):
    command = [sys.executable, "-c", BARE + program, str(Path(__file__).parent)]
    return subprocess.run(
        [*command, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def test_nano_is_trained_and_scored(sprites, tmp_path):
    out = tmp_path / "run"
    done = bare(TRAIN, "train", "nano", "--sprites", sprites, "--out", out, "--steps", 2)
    assert (done.returncode, done.stdout) == (0, f"{out}\n"), done.stderr[-3000:]
    assert load(out, device="cpu").model.config.name == "micro"
    last = json.loads((out / "log.jsonl").read_text().splitlines()[-1])
    assert last["step"] == 2
    assert {"referring gIoU", "absent object says so"} <= last["scores"].keys()
    assert (out / "panels.png").exists()


def test_a_tracker_is_trained_and_not_scored(sprites, tmp_path):
    out = tmp_path / "run"
    done = bare(TRAIN, "train", "tracker", "--sprites", sprites, "--out", out, "--steps", 1)
    assert (done.returncode, done.stdout) == (0, f"{out}\n"), done.stderr[-3000:]
    assert "pycocotools is not installed" in done.stderr
    assert load_tracker(out, device="cpu").network.config.name == "small-320"
