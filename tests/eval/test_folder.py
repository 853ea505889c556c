"""A model on a suite: the questions, the way through a clip, and what a perfect model scores.

The suite is made on the spot. The network is small and random and its answers are given to
it; for perfect scores its masks are replaced by the truth as well.
"""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.asking import SURE, script
from tests.eval.small_suite import CLIP, FRAMES, PHOTO, clip_ids, make_suite, photo_ids
from tests.train.micro import CONFIG, TOKENIZER
from x2sam.errors import MediaError
from x2sam.eval import folder
from x2sam.eval.folder import drawn, evaluate, probes_of, score
from x2sam.eval.visual_prompts import VisualPrompt
from x2sam.language.tokens import Vocabulary
from x2sam.media.suite import read_suite
from x2sam.model.build import build
from x2sam.model.predictor import Predictor
from x2sam.model.readout import Segments

SIZE = (48, 64)


@pytest.fixture(scope="module")
def predictor():
    return Predictor(build(CONFIG, seed=1), Vocabulary.load(TOKENIZER))


@pytest.fixture
def suite(tmp_path):
    return make_suite(tmp_path)


def values(results):
    return {(result.task, result.metric): (result.value, result.n) for result in results}


def test_the_questions_about_a_photo_and_a_clip(suite):
    photo, clip = read_suite(suite)
    asked = list(probes_of(photo, photo.ids(), 0, "image"))
    rows = ["referring", "referring", "reasoning", "class", *["click", "box", "scribble"] * 3]
    assert [probe.row for probe in asked] == rows
    assert asked[0].question == "Please segment <p>the bus on the left</p> in this image."
    assert asked[2].question.startswith("<p>What could fly here?</p> Please")
    assert "<p>bus</p>, <p>dog</p>, <p>zebra</p>" in asked[3].question
    assert [probe.targets for probe in asked[2:4]] == [((),), ((1, 2), (3,), ())]

    asked = list(probes_of(clip, clip.ids(), 0, "video"))
    assert [probe.row for probe in asked] == [
        "referring",
        "class",
        *["click", "box", "scribble", "mask"] * 2,
    ]
    assert [probe.start for probe in asked] == [0] * 6 + [2] * 4  # the second comes in late
    assert all("video" in probe.question for probe in asked)
    # Whoever is shown one frame of it alone takes it for a picture.
    alone = list(probes_of(clip, clip.ids(), 0, "image"))
    assert all("image" in probe.question for probe in alone)
    assert {probe.task for probe in alone} == {"refseg", "genseg", "intseg"}


def test_prompts_are_drawn_as_a_person_would():
    point = drawn(VisualPrompt(kind="click", object=1, frame=0, points=((30, 20),)), SIZE)
    assert point[20, 30]
    assert 1 < point.sum() < 20
    box = drawn(VisualPrompt(kind="box", object=1, frame=0, box=(4, 6, 24, 20)), SIZE)
    assert np.array_equal(np.argwhere(box).min(0), (6, 4))
    assert box.sum() == 20 * 14  # the end is exclusive
    stroke = VisualPrompt(kind="scribble", object=1, frame=0, points=((5, 5), (30, 5), (30, 40)))
    stroke = drawn(stroke, SIZE)
    assert stroke[5, 5:31].all()
    assert stroke[5:41, 30].all()
    assert not stroke[20, 10]
    mask = photo_ids() == 1
    assert drawn(VisualPrompt(kind="mask", object=1, frame=0, mask=mask), SIZE) is mask


def perfect(monkeypatch, suite):
    """Put the truth in place of the network: a probe is its own condition and prediction."""
    truths = {"street": photo_ids()[None], "pond": clip_ids()}
    by_question = {}

    def answers(_, sample, ids, probes, __):
        assert np.array_equal(ids, truths[sample.id])
        by_question.update({id(probe): (probe, truths[sample.id]) for probe in probes})
        return list(probes)

    def side_by_side(_, probes, frames):
        for index, _ in enumerate(frames, start=probes[0].start):
            yield tuple((probe, index) for probe in probes)

    def groups(prediction, *, parts):
        probe, index = prediction
        ids = by_question[id(probe)][1][index]
        for label, target in enumerate(probe.targets):
            for group in [(number,) for number in target] if parts else [target]:
                yield label, np.isin(ids, group)

    def read(prediction, _=None, *, parts=True):
        found = [(label, mask) for label, mask in groups(prediction, parts=parts) if mask.any()]
        masks = torch.from_numpy(np.array([mask for _, mask in found]).reshape(-1, *SIZE))
        labels = torch.tensor([label for label, _ in found], dtype=torch.int64)
        numbers = torch.arange(1, len(found) + 1)
        return Segments(masks, labels, torch.ones(len(found)), numbers)

    monkeypatch.setattr(folder, "shown", lambda _, frames: range(frames))
    monkeypatch.setattr(folder, "_answers", answers)
    monkeypatch.setattr(folder, "side_by_side", side_by_side)
    monkeypatch.setattr(folder, "reader", lambda *_: read)
    monkeypatch.setattr(folder, "instance", read)
    return SimpleNamespace(features=lambda _: None)


def test_a_perfect_model_scores_one(suite, monkeypatch):
    results, failures = evaluate(perfect(monkeypatch, suite), suite, quiet=True)
    assert failures == []
    found = values(results)
    assert {value for value, _ in found.values()} == {1.0}
    assert {key: n for key, (_, n) in found.items()} == {
        ("photos, referring", "gIoU"): 2,
        ("photos, referring", "cIoU"): 2,
        ("photos, reasoning", "gIoU"): 1,
        ("photos, reasoning", "cIoU"): 1,
        ("photos, class", "mIoU"): 1,
        ("photos, class", "PQ"): 1,
        ("photos, class", "AP"): 1,
        ("photos, class", "AP50"): 1,
        ("photos, click", "mIoU"): 3,
        ("photos, box", "mIoU"): 3,
        ("photos, scribble", "mIoU"): 3,
        **{("clips, referring", metric): 1 for metric in ("J&F", "J", "F")},
        **{("clips, class", metric): 1 for metric in ("J&F", "J", "F")},
        **{
            (f"clips, {kind}", metric): 2
            for kind in ("click", "box", "scribble", "mask")
            for metric in ("J&F", "J", "F")
        },
    }


def test_a_model_that_finds_nothing_is_right_about_what_is_not_there(predictor, suite, monkeypatch):
    script(predictor, monkeypatch, "There is no such thing here.")
    found = values(evaluate(predictor, suite, quiet=True)[0])
    assert found["photos, reasoning", "gIoU"][0] == 1
    for row in ("photos, referring", "photos, click"):
        assert found[row, "mIoU" if "click" in row else "gIoU"][0] == 0
    assert found["photos, class", "PQ"][0] == 0
    assert found["clips, mask", "J&F"][0] == 0


def test_what_is_unlikely_is_not_there(predictor, suite, monkeypatch):
    """A random network is never sure; what is asked for by a click is always there."""
    script(predictor, monkeypatch, SURE)
    strict, official = (values(evaluate(predictor, suite, absent=p, quiet=True)[0]) for p in (1, 0))
    assert (strict["photos, reasoning", "gIoU"][0], strict["photos, referring", "gIoU"][0]) == (
        1,
        0,
    )
    assert official["photos, reasoning", "gIoU"][0] == 0
    assert strict["photos, click", "mIoU"] == official["photos, click", "mIoU"]


def test_a_network_goes_the_whole_way(predictor, suite, monkeypatch):
    script(predictor, monkeypatch, SURE)
    results, failures = evaluate(predictor, suite, quiet=True)
    assert failures == []
    assert all(0 <= result.value <= 1 for result in results)
    assert values(results) == values(evaluate(predictor, suite, quiet=True)[0])


def test_the_first_mask_is_given_and_not_asked_for(predictor, suite, monkeypatch):
    script(predictor, monkeypatch, SURE)
    _, clip = read_suite(suite)
    records = score(predictor, clip)
    frames = [(record.row, len(record.overlaps)) for record in records]
    assert frames == [
        *(("referring", FRAMES), ("class", FRAMES)),
        *((kind, FRAMES) for kind in ("click", "box", "scribble")),
        ("mask", FRAMES - 1),
        *(("click", 2), ("box", 2), ("scribble", 2), ("mask", 1)),
    ]


def test_frames_are_encoded_one_by_one_and_once_for_all_questions(predictor, suite, monkeypatch):
    script(predictor, monkeypatch, SURE)
    seen, features = [], predictor.features

    def counted(frames):
        seen.append(len(frames))
        return features(frames)

    monkeypatch.setattr(predictor, "features", counted)
    score(predictor, read_suite(suite)[1])
    # One pass from each frame that was pointed at, and those frames before all.
    assert seen == [1] * (2 + FRAMES + (FRAMES - 2))


def test_a_clip_without_a_folder_of_frames_is_decoded(predictor, suite, monkeypatch):
    script(predictor, monkeypatch, SURE)
    _, clip = read_suite(suite)
    pictures, read = list(clip.pictures()), []

    def decode(file, indices):
        read.append((file.name, tuple(indices)))
        yield from (pictures[index // 5] for index in indices)

    monkeypatch.setattr(folder, "frames_at", decode)
    film = replace(clip, frames=(), stride=5)
    assert [r.overlaps for r in score(predictor, film)] == [
        r.overlaps for r in score(predictor, clip)
    ]
    assert set(read) == {("pond.mp4", (0, 5, 10, 15))}


def test_a_damaged_sample_is_left_out_and_reported(predictor, suite, monkeypatch):
    script(predictor, monkeypatch, SURE)
    (suite / "pond" / "frames" / "3.png").write_bytes(b"damaged")
    results, failures = evaluate(predictor, suite, quiet=True)
    assert [failure.id for failure in failures] == ["pond"]
    assert "3.png" in failures[0].why
    assert {result.task.split(",")[0] for result in results} == {"photos"}


def test_a_clip_alone_a_photo_alone_and_no_suite(predictor, tmp_path, monkeypatch):
    script(predictor, monkeypatch, SURE)
    only = values(evaluate(predictor, make_suite(tmp_path, CLIP), quiet=True)[0])
    assert all(task.startswith("clips") for task, _ in only)
    bare = {**PHOTO, "expressions": [], "class_queries": []}
    only = values(evaluate(predictor, make_suite(tmp_path, bare), quiet=True)[0])
    assert [task for task, _ in only] == ["photos, click", "photos, box", "photos, scribble"]
    with pytest.raises(MediaError, match=r"no suite\.json"):
        evaluate(predictor, tmp_path / "pond", quiet=True)
