"""Training examples from a suite: what is asked, what is shown and which masks answer it.

The suite is drawn into a temporary folder; decoding its clip is faked where it has no frames.
"""

import json
from dataclasses import replace

import micro
import numpy as np
import pytest
import torch
from micro_suite import SIZE, scene, write_suite

from x2sam.errors import MediaError, PromptError
from x2sam.language.wordings import REGIONS
from x2sam.train import folder as folders
from x2sam.train.batches import collate
from x2sam.train.folder import FolderSource, example
from x2sam.train.texts import LIKE_THIS

SIDE = micro.SIDE


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    return write_suite(tmp_path_factory.mktemp("suite"))


@pytest.fixture
def source(suite):
    return FolderSource.read(suite, micro.CONFIG, frames=3)


def asked(source, task, media, text=None):
    """The request of a task about one medium."""
    return next(
        ask
        for ask in source.asks
        if (ask.task, ask.media) == (task, media) and (text is None or ask.texts[0] == text)
    )


def shown(ask, frames=1, seed=0):
    return example(ask, frames, micro.CONFIG, np.random.default_rng(seed))


def test_everything_in_the_suite_is_asked(source):
    tasks = sorted((ask.sample.id, ask.task) for ask in source.asks)
    one = ["genseg", "reaseg", "refseg", "refseg"]
    photo = sorted([*one, "intseg", "intseg"])
    clip = sorted([*one, "objseg", "objseg"])
    assert tasks == [
        *(("c", task) for task in clip),
        *(("p0", task) for task in photo),
        *(("p1", task) for task in photo),
    ]


def test_an_expression_is_one_mask(source):
    made = shown(asked(source, "refseg", "image"))
    assert "<p>the red box</p>" in made.turns[0].question
    assert made.turns[0].answer == "Sure, it is <SEG>."
    assert made.labels.tolist() == [0]
    assert made.masks.shape == (1, 1, SIDE, SIDE)
    height, width = SIZE
    rows, columns = made.masks[0, 0].nonzero().T
    assert rows.min() == pytest.approx(10 / height * SIDE, abs=1)
    assert columns.max() == pytest.approx(34 / width * SIDE, abs=1)


def test_an_expression_without_a_target_has_an_empty_mask(source):
    made = shown(asked(source, "refseg", "image", "the dog"))
    assert made.turns[0].answer == "Sure, it is <SEG>."
    assert made.masks.shape == (1, 0, SIDE, SIDE)


def test_a_sentence_is_reasoned_about(source):
    made = shown(asked(source, "reaseg", "image"))
    assert made.turns[0].question.startswith("<p>What has the colour of the sky?</p> Please")


def test_categories_are_asked_together_and_every_object_is_a_mask(source):
    made = shown(asked(source, "genseg", "image"))
    assert "<p>box</p>, <p>cat</p>" in made.turns[0].question
    assert made.turns[0].answer.count("<SEG>") == 1
    assert made.labels.tolist() == [0, 0]
    assert not (made.masks[0, 0] & made.masks[0, 1]).any()


def test_what_is_pointed_at_is_found_where_it_is_pointed(source):
    ask = asked(source, "intseg", "image")
    kinds = set()
    for seed in range(24):
        made = shown(ask, seed=seed)
        assert "<p><region></p>" in made.turns[0].question
        assert REGIONS.all_questions("image")[LIKE_THIS][:40] not in made.turns[0].question
        region = made.regions[0]
        assert (region & made.masks[0, 0]).sum() > 0
        kinds.add(int(region.sum()))
    assert len(kinds) > 4
    assert int(made.masks.sum()) in kinds  # the mask itself


def test_a_clip_begins_where_its_object_is_seen(source):
    blue = [ask for ask in source.asks if ask.task == "objseg"][1]
    assert blue.starts == (2, 3)
    for seed in range(8):
        made = shown(blue, 3, seed)
        assert made.regions.shape == (1, SIDE, SIDE)
        assert made.masks.flatten(2).any(dim=2).all()


def test_a_clip_is_read_window_by_window(source):
    ask = replace(asked(source, "refseg", "video"), starts=(2,))
    made = shown(ask, 3)
    assert made.media == "video"
    assert made.pictures.shape == (3, 3, SIDE, SIDE)
    for frame in range(3):
        expected = folders.squash(scene(2 * (frame + 2), blue=True)[0][None], SIDE)
        assert torch.equal(made.pictures[frame], expected[0])


def test_a_clip_without_frames_is_decoded(suite, monkeypatch):
    entries = json.loads((suite / "suite.json").read_text())
    entry = next(entry for entry in entries if entry["type"] == "video")
    entry = {key: value for key, value in entry.items() if key != "frames_dir"} | {"stride": 2}
    (suite / "c.mp4").touch()
    alone = suite / "alone"
    alone.mkdir()
    (alone / "suite.json").write_text(
        json.dumps([entry | {"file": "../c.mp4", "mask_dir": "../masks"}])
    )
    read = []

    def decode(file, numbers):
        read.extend(numbers)
        return (np.full((*SIZE, 3), number, np.uint8) for number in numbers)

    monkeypatch.setattr("x2sam.media.videos.frames_at", decode)
    source = FolderSource.read(alone, micro.CONFIG, frames=3)
    made = shown(replace(source.asks[0], starts=(2,)), 3)
    assert read == [4, 6, 8]
    assert torch.equal((made.pictures[:, 0, 0, 0] * 255).round(), torch.tensor([4.0, 6, 8]))


def test_a_batch_is_of_one_kind_and_depends_on_its_step_alone(source):
    words = micro.vocabulary()
    media = set()
    for step in range(12):
        examples, learnt = source.batch(step, 0.5)
        again, _ = source.batch(step, 0.1)
        assert [one.turns for one in examples] == [one.turns for one in again]
        assert len({one.media for one in examples}) == 1
        assert learnt == "words and masks"
        assert len(examples) == (4 if examples[0].media == "image" else 1)
        batch = collate(examples, words, micro.CONFIG, torch.device("cpu"))
        assert batch.pixels.shape[:2] == (len(examples), len(examples[0].pictures))
        media.add(examples[0].media)
    assert media == {"image", "video"}


def test_the_language_model_sees_a_picture_in_its_shape(source):
    grid = shown(asked(source, "refseg", "image")).seen.grid
    assert grid.w > grid.h


def test_mistakes_in_a_suite_are_found_before_training(suite, tmp_path):
    (tmp_path / "suite.json").write_text("[]")
    with pytest.raises(MediaError, match="asks nothing"):
        FolderSource.read(tmp_path, micro.CONFIG)
    entry = json.loads((suite / "suite.json").read_text())[0]
    wrong = entry | {"class_queries": [{"text": "box", "target": [9]}]}
    files = {"file": str(suite / "0.png"), "mask": str(suite / "0-ids.png")}
    (tmp_path / "suite.json").write_text(json.dumps([wrong | files]))
    with pytest.raises(PromptError, match="object 9"):
        FolderSource.read(tmp_path, micro.CONFIG)
