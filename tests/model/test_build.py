"""Networks from configs: every weight set, the same from the same seed, other sizes too.

Nothing is faked; networks are tiny.
"""

from dataclasses import replace

import pytest
import torch
from tiny import tiny_config

from x2sam.model.build import build, initialise
from x2sam.model.conditions import Conditions
from x2sam.model.memory_encoder import FuserBlock


def weights(model):
    return dict(model.named_parameters())


def test_the_same_seed_makes_the_same_network():
    one, same, other = (weights(build(tiny_config(), seed=seed)) for seed in (3, 3, 4))
    assert all(torch.equal(one[name], same[name]) for name in one)
    differ = [name for name in one if not torch.equal(one[name], other[name])]
    matrices = [name for name, weight in one.items() if weight.ndim > 1 and weight.any()]
    assert set(differ) == set(matrices)


@torch.no_grad()
def test_every_weight_is_set_whatever_was_in_memory():
    model, fresh = build(tiny_config()), weights(build(tiny_config()))
    for weight in model.parameters():
        weight.fill_(torch.nan)
    initialise(model, seed=0)
    for name, weight in model.named_parameters():
        assert weight.isfinite().all(), name
        assert torch.equal(weight, fresh[name]), name


def test_a_new_network_starts_quietly():
    model = build(tiny_config())
    assert not model.no_memory_embedding.any()
    for layer in model.mask_decoder.decoder.layers:
        assert not layer.text_cross_attn.out_proj.weight.any()
    blocks = [module for module in model.modules() if isinstance(module, FuserBlock)]
    assert blocks
    assert all(block.scale.eq(1e-6).all() for block in blocks)
    assert model.class_head.logit_scale.exp().item() == pytest.approx(1 / 0.07)
    assert not model.training


def test_sampling_offsets_are_a_star():
    attention = build(tiny_config()).pixel_decoder.encoder.layers[0].self_attn
    star = attention.sampling_offsets.bias.view(4, 3, 4, 2)  # heads, levels, points, (x, y)
    for head, (x, y) in enumerate([(1, 0), (0, 1), (-1, 0), (0, -1)]):
        for level in range(3):
            expected = torch.tensor([[n * x, n * y] for n in (1.0, 2.0, 3.0, 4.0)])
            assert torch.allclose(star[head, level], expected, atol=1e-5)


def test_an_empty_network_takes_no_memory():
    model = build(tiny_config(), empty=True)
    assert all(weight.is_meta for weight in model.parameters())
    assert model.language.lm_head.weight is model.language.model.language_model.embed_tokens.weight


@torch.no_grad()
def test_four_maps_make_a_coarser_cheaper_network():
    tiny = tiny_config()
    config = replace(
        tiny,
        mask_encoder=replace(tiny.mask_encoder, maps=4),
        memory=replace(tiny.memory, grid_stride=32, growth=2),
    )
    model = build(config)
    features = model.mask_encoder(torch.randn(3, 3, 128, 128))
    assert [level.shape[-1] for level in features.maps] == [32, 16, 8, 4]
    stream = model.stream(
        Conditions(
            classes=torch.randn(1, 3, 32),
            class_mask=torch.ones(1, 3, dtype=torch.bool),
            tokens=torch.randn(1, 5, 32),
            token_mask=torch.ones(1, 5, dtype=torch.bool),
            seg=torch.randn(1, 1, 32),
        )
    )
    for index in range(3):
        (found,) = stream.step(features.frame(index))
        assert found.mask_logits.shape == (1, 20, 32, 32)
        assert found.mask_logits.isfinite().all()
    content, _ = stream.memory.read(now=2, scale=0)
    assert content.shape == (1, 2 * 4 * 4, 32)
