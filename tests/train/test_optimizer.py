"""Which weights decay and how fast they learn. The network is the smallest one."""

import micro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from x2sam.model.build import build
from x2sam.train.lesson import Trainee
from x2sam.train.objective import Objective
from x2sam.train.optimizer import curve, groups


@pytest.fixture(scope="module")
def trainee():
    return Trainee(build(micro.CONFIG, seed=0), Objective(naming=1.0), nouns=[[1], [2], [3]])


def sorted_names(trainee, **slower):
    """Name -> weight decay and share of the learning rate."""
    names = {id(weight): name for name, weight in trainee.named_parameters()}
    return {
        names[id(weight)]: (group["weight_decay"], group["share"])
        for group in groups(trainee, 0.05, slower)
        for weight in group["params"]
    }


def test_every_weight_is_in_one_group(trainee):
    everything = [weight for group in groups(trainee, 0.05, {}) for weight in group["params"]]
    assert len(everything) == len(set(map(id, everything))) == len(list(trainee.parameters()))


def test_norms_biases_embeddings_and_queries_do_not_decay(trainee):
    decays = {name for name, (decay, _) in sorted_names(trainee).items() if decay}
    for name, weight in trainee.named_parameters():
        if weight.ndim == 1:
            assert name not in decays
    bare = [
        "model.language.model.language_model.embed_tokens.weight",
        "model.language.model.visual.pos_embed.weight",
        "model.mask_encoder.backbone.pos_embed",
        "model.mask_encoder.backbone.pos_embed_window",
        "model.mask_decoder.queries_embedder.weight",
        "model.mask_decoder.queries_features.weight",
        "model.mask_decoder.level_embed.weight",
        "model.pixel_decoder.level_embed",
        "model.background.weight",
        "model.no_memory_embedding",
        "naming.nouns",
    ]
    names = dict(trainee.named_parameters())
    for name in bare:
        assert name in names, name
        assert name not in decays
    for name in (
        "model.language.model.visual.patch_embed.proj.weight",
        "model.mask_encoder.backbone.patch_embed.projection.weight",
        "model.condition_projector.0.weight",
    ):
        assert name in decays, name


def test_some_parts_learn_slower():
    trainee = Trainee(build(micro.CONFIG, seed=0), Objective())
    trainee.model.language.requires_grad_(False)
    shares = sorted_names(trainee, **{"model.mask_encoder.": 0.1})
    for name, _ in trainee.named_parameters():
        if name.startswith("model.language."):
            assert name not in shares
        else:
            assert shares[name][1] == (0.1 if name.startswith("model.mask_encoder.") else 1.0)


@given(st.integers(0, 10**6), st.integers(0, 1000), st.floats(0, 1))
def test_the_learning_rate_stays_within_bounds(step, warmup, progress):
    assert 0 <= curve(step, warmup, progress) <= 1


def test_the_learning_rate_rises_and_falls():
    assert [curve(step, 4, 0) for step in range(5)] == [0.25, 0.5, 0.75, 1, 1]
    assert curve(99, 4, 1.0) == pytest.approx(0)
