"""Recorded tasks of the official code, from pictures and a question to conditions and masks.

The recordings' answers are forced, as their random network never writes `<SEG>`; the points
that regions are read at were random and are given too.
"""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.asking import asked, script
from tests.recording import GOLDEN, network
from x2sam.eval.golden_pixels import Pictures
from x2sam.eval.golden_readings import compare_readings, things_of
from x2sam.language.prompts import Turn
from x2sam.language.tokens import Vocabulary
from x2sam.model.predictor import Drawing, Predictor

TASKS = json.loads((GOLDEN / "tasks" / "tasks.json").read_text())


@pytest.fixture(scope="module")
def recorded_network():
    return Predictor(network(), Vocabulary.load(GOLDEN / "tokenizer.json"))


def recorded(name, predictor, monkeypatch):
    """Look at the recorded pictures and ask the recorded question."""
    task, truth = TASKS[name], load_file(GOLDEN / "tasks" / f"{name}.safetensors")
    pictures = Pictures.load(GOLDEN / "inputs")
    clip = name.startswith("vid")
    frames = pictures.clip if clip else pictures.images["image"][None]
    view = predictor.look(frames, "video" if clip else "image")
    features = predictor.features(frames)
    words = task["conversation"][0]["input"]
    turn = Turn(words.partition("<|vision_end|>")[2].rpartition("<|im_end|>")[0])
    drawings = []
    if "sampler.points.0" in truth:
        points = [truth[key] for key in sorted(truth) if key.startswith("sampler.points")]
        drawings = [Drawing(mask, features.frame(0)) for mask in pictures.drawn[: len(points)]]
        tokens, left = predictor.model.region_tokens, iter(points)
        monkeypatch.setattr(
            predictor.model, "region_tokens", lambda f, _: tokens(f, points=next(left)[None])
        )
    if forced := task["forced_generation"]:
        text = predictor.vocabulary.decode(forced[:-1])
        assert [*predictor.vocabulary.encode(text), predictor.vocabulary.eos] == forced
        script(predictor, monkeypatch, text)
    written, reading = asked(
        predictor, view, [turn], drawings=drawings, limit=len(forced or range(16))
    )
    return task, truth, frames, features, view, written, reading


@pytest.mark.parametrize("name", ["img_chat.predict", "vid_chat.predict"])
def test_recorded_chat(name, recorded_network, monkeypatch):
    _, truth, _, _, view, written, reading = recorded(name, recorded_network, monkeypatch)
    assert written == truth["gen.sequences"][0].tolist()
    assert view.ids[: -len(written) + 1].tolist() == [
        -1000 if id_ == -200 else id_ for id_ in truth["prepare.input_ids"][0].tolist()
    ]
    assert reading.conditions is None
    assert reading.text == recorded_network.vocabulary.decode(written)


@pytest.mark.parametrize(
    "name",
    [n for n, task in TASKS.items() if task["mode"] == "predict" and task["forced_generation"]],
)
def test_recorded_predictions(name, recorded_network, monkeypatch):
    task, truth, frames, features, _, _, reading = recorded(name, recorded_network, monkeypatch)
    found = reading.conditions
    exact = {"rtol": 0, "atol": 1e-4}
    torch.testing.assert_close(found.classes, truth["process_embeds.cond_embeds"], **exact)
    torch.testing.assert_close(found.tokens, truth["process_embeds.token_embeds"], **exact)
    torch.testing.assert_close(found.seg, truth["process_embeds.seg_embeds"], **exact)

    size = tuple(frames.shape[1:3])
    seen = [
        *recorded_network.segment(found, ((features.frame(i), size) for i in range(len(frames))))
    ]
    likelihoods = torch.stack([frame.probabilities for frame in seen])
    if "segmentor.class_queries_logits" in truth:
        official = truth["segmentor.class_queries_logits"].softmax(dim=-1)[..., :-1]
        torch.testing.assert_close(likelihoods, official, rtol=0, atol=5e-3)
    for index, frame in enumerate(seen):
        if (official := truth.get(f"decoder.frame{index}.mask_logits")) is not None:
            difference = (frame.mask_logits - official[0]).abs()
            assert difference.max() < (0.1 if len(frames) > 1 else 1e-3)
            assert difference.mean() < 1e-3
    with np.load(GOLDEN / "tasks" / f"{name}.post.npz") as arrays:
        post = dict(arrays)
    compared = 0
    for variant, case in task["post"].items():
        for _, (pixels, scores) in compare_readings(variant, case, seen, post, things_of(task)):
            assert pixels <= 1e-3
            assert scores <= 1e-3
            compared += 1
    assert compared
