"""Validation samples: which are drawn, how they are asked, and what is kept of the answers.

Sprites are plain shapes; the network is small and random, its answers are given to it.
"""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.asking import SURE, asked, same_conditions, script
from tests.train.conftest import bank  # noqa: F401 (a fixture)
from tests.train.micro import CONFIG, SIDE, TOKENIZER
from x2sam.eval.nano_samples import (
    QUESTIONS,
    Draw,
    Material,
    missing,
    outcome,
    reworded,
    samples,
)
from x2sam.language.prompts import Turn
from x2sam.language.tokens import Vocabulary
from x2sam.model.build import build
from x2sam.model.predictor import Drawing, Predictor
from x2sam.train.batches import collate
from x2sam.train.objective import read
from x2sam.train.samples import Stream, examples
from x2sam.train.sprites import UNSEEN_STYLE


@pytest.fixture(scope="module")
def material(bank):  # noqa: F811
    return Material(bank, seed=4)


@pytest.fixture(scope="module")
def predictor():
    return Predictor(build(CONFIG, seed=1), Vocabulary.load(TOKENIZER))


def test_the_same_seed_draws_the_same_samples_and_training_never_does(bank, material):  # noqa: F811
    draw = Draw(families=("noun", "position"))
    stream = material.stream("seen")
    first, again = (list(samples(draw, stream, 6)) for _ in range(2))
    assert [s.family for s in first] == ["noun", "position"] * 3
    assert [s.draft for s in first] == [s.draft for s in again]
    training = Stream(bank, seed=4)
    for index, sample in enumerate(first):
        other = training.sample(index, "picture", sample.family)
        assert not np.array_equal(other.scene.poses[:, :1], sample.scene.poses[:, :1])


def test_held_out_sprites_are_shown_only_where_they_belong(bank, material):  # noqa: F811
    for split, style, held_out in (
        ("seen", False, False),
        ("unseen style", True, False),
        ("unseen nouns", False, True),
    ):
        stream = material.stream(split)
        for sample in samples(Draw(families=("noun",), split=split), stream, 5):
            shown = [bank.sprites[row] for row in sample.scene.rows]
            assert {sprite.style == UNSEEN_STYLE for sprite in shown} == {style}
            assert {sprite.noun.held_out for sprite in shown} == {held_out}


def test_what_cannot_be_drawn_is_said(material, monkeypatch):
    stream = material.stream("seen")
    assert missing(Draw(families=("noun",)), stream) == ""
    assert missing(Draw(families=("noun",), source="photo"), stream) == "no photos were given"
    bare = replace(stream, split="unseen style")
    bare.__dict__["rows"] = {}  # as with a font, which has one style
    assert "unseen style" in missing(Draw(families=("noun",), split="unseen style"), bare)


@pytest.mark.parametrize("kind", QUESTIONS)
def test_plain_questions_are_of_the_kind_that_was_asked_for(material, kind):
    for sample in samples(Draw(families=("chat",), asks=kind), material.stream("seen"), 4):
        assert sample.draft.turns[-1].question.startswith(QUESTIONS[kind])


@pytest.mark.parametrize("kind", ["click", "box", "scribble"])
def test_things_are_pointed_at_as_asked(material, kind):
    draw = Draw(families=("pointing",), region=kind)
    assert {
        region.kind
        for sample in samples(draw, material.stream("seen"), 4)
        for region in sample.draft.regions
    } == {kind}


def test_requests_are_worded_as_the_application_does(material):
    stream = material.stream("seen")
    expected = {
        "noun": "Please segment <p>",
        "categories": "Can you segment the image based on the following categories: <p>",
        "pointing": "Can you segment the image based on the following regions: <p><region></p>",
        "exemplars": "Could you output segmentation masks for this image that highlight",
        "describe": "Could you please give me a brief description of the image?",
    }
    for family, start in expected.items():
        for sample in samples(Draw(families=(family,)), stream, 3):
            assert reworded(sample.draft, sample.media).startswith(start)
    for sample in samples(Draw(families=("chat",)), stream, 3):
        assert reworded(sample.draft, sample.media) == sample.draft.turns[-1].question


@pytest.mark.parametrize(
    ("family", "source"),
    [
        *((name, "picture") for name in ("noun", "categories", "pointing", "exemplars", "chat")),
        *((name, "picture") for name in ("describe", "dialogue", "reason", "absence")),
        *((name, "clip") for name in ("motion", "pointing", "exemplars")),
    ],
)
def test_any_sample_can_be_answered(predictor, material, monkeypatch, family, source):
    script(predictor, monkeypatch, SURE)
    stream = material.stream("seen")
    (sample,) = samples(Draw(families=(family,), source=source), stream, 1)
    seen = outcome(predictor, sample, stream)
    count = 6 if source == "clip" else 1
    assert seen.frames.shape == (count, SIDE, SIDE, 3)
    assert seen.truth.shape[0] == count
    assert seen.marked().shape == seen.meant().shape == (count, SIDE, SIDE)
    # A description's phrases are the answer's own, and this answer has none.
    assert len(seen.found) == (0 if family in ("chat", "describe") else count)
    assert seen.reply.has_mask
    assert len(seen.drawn) == len(sample.draft.regions)


@pytest.mark.parametrize(
    ("name", "frames", "media"), [("nano", 1, "image"), ("another", 6, "video")]
)
def test_of_a_clip_is_shown_what_the_application_shows(
    predictor, material, monkeypatch, name, frames, media
):
    script(predictor, monkeypatch, SURE)
    config = replace(predictor.model.config, name=name)
    monkeypatch.setattr(predictor.model, "config", config)
    views, look = [], predictor.look

    def noted(pixels, *rest):
        views.append((pixels, rest[0]))
        return look(pixels, *rest)

    monkeypatch.setattr(predictor, "look", noted)
    stream = material.stream("seen")
    (sample,) = samples(Draw(families=("pointing",), source="clip"), stream, 1)
    seen = outcome(predictor, sample, stream)
    ((pixels, taken_for),) = views
    assert (len(pixels), taken_for) == (frames, media)
    assert media in seen.turn.question
    if frames == 1:
        assert np.array_equal(pixels[0], seen.frames[3])


def test_masks_are_united_by_phrase(predictor, material, monkeypatch):
    script(predictor, monkeypatch, SURE)
    stream = material.stream("seen")
    several = (
        sample
        for sample in samples(Draw(families=("categories",)), stream, 20)
        if len(set(sample.draft.labels)) > 1
    )
    seen = outcome(predictor, next(several), stream)
    labels = range(len(seen.sample.draft.phrases))
    parts = [seen.meant(label) for label in labels]
    assert np.array_equal(np.any(parts, axis=0), seen.meant())
    assert all(not (a & b).any() for a, b in itertools.combinations(parts, 2))
    assert np.array_equal(np.any([seen.marked(k) for k in labels], axis=0), seen.marked())


def test_silence_marks_nothing(predictor, material, monkeypatch):
    script(predictor, monkeypatch, "There is no dog here.")
    stream = material.stream("seen")
    (sample,) = samples(Draw(families=("noun",)), stream, 1)
    seen = outcome(predictor, sample, stream)
    assert not seen.marked().any()
    assert seen.meant().any()
    assert not seen.reply.has_mask


def test_the_picture_is_what_training_shows(predictor, material, monkeypatch):
    script(predictor, monkeypatch, SURE)
    stream = material.stream("seen")
    (sample,) = samples(Draw(families=("noun",)), stream, 1)
    seen = outcome(predictor, sample, stream)
    pictures = examples([sample], stream, SIDE)[0].pictures
    shown = torch.from_numpy(seen.frames).permute(0, 3, 1, 2) / 255
    assert (shown - pictures).abs().max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize(
    ("family", "source"),
    [
        *((name, "picture") for name in ("noun", "categories", "pointing", "exemplars")),
        *((name, "picture") for name in ("describe", "dialogue", "reason")),
        *((name, "clip") for name in ("motion", "pointing", "describe")),
    ],
)
def test_training_and_use_look_for_the_same_thing(predictor, material, family, source):
    """One sample through the training code and through the predictor: equal conditions."""
    stream = material.stream("seen")
    draw = Draw(families=(family,), source=source)
    sample = next(s for s in samples(draw, stream, 20) if "<SEG>" in s.draft.turns[-1].answer)
    example = examples([sample], stream, SIDE)[0]
    frames = (example.pictures * 255).round().byte()
    shown = replace(example, pictures=frames / 255)
    model = predictor.model
    with torch.inference_mode():
        batch = collate([shown], predictor.vocabulary, CONFIG, predictor.device)
        features = model.mask_encoder(batch.pixels.flatten(0, 1))
        trained = model.conditions(read(model, batch, features), batch.phrases, batch.segs)

    pixels = frames.permute(0, 2, 3, 1).numpy()
    features = predictor.features(pixels).frame(0)
    drawn = [] if example.regions is None else list(example.regions.numpy())
    *before, last = example.turns
    _, used = asked(
        predictor,
        predictor.look(pixels, sample.media),
        [*before, Turn(last.question)],
        drawings=[Drawing(mask, features) for mask in drawn],
        forced=last.answer,
    )
    same_conditions(used.conditions, trained)
