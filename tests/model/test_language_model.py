"""Reading, resuming and writing: what must be equal however the tokens come.

Recorded states and generated words are compared in `tests/eval/test_golden.py`. Nothing is
faked; the weights are the recorded network's.
"""

import itertools

import pytest
import torch
from recording import network
from transformers.models.qwen3_vl.modeling_qwen3_vl import (
    Qwen3VLVisionModel,
    Qwen3VLVisionPatchEmbed,
)

from x2sam.language.tokens import REGION, VISUAL
from x2sam.model.language_model import PatchEmbedding, Sampling, Visual

NEVER = frozenset({-1})


@pytest.fixture
def language():
    return network().language


def some_ids(length, batch=1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 340, (batch, length), generator=generator)


def run(language, ids, cache=None):
    return language.run(language.embed(ids)[0], cache=cache)


@pytest.mark.parametrize("cut", [1, 7, 11])
def test_a_cached_prefix_changes_nothing(language, cut):
    ids, cache = some_ids(12), language.new_cache()
    pieces = [run(language, part, cache) for part in (ids[:, :cut], ids[:, cut:])]
    assert torch.allclose(torch.cat(pieces, dim=1), run(language, ids), atol=1e-4)


def test_a_cropped_cache_is_as_good_as_a_fresh_one(language):
    ids, other, cache = some_ids(9), some_ids(6, seed=1), language.new_cache()
    prompt = run(language, ids, cache)
    run(language, other, cache)
    cache.shorten(ids.shape[1])
    fresh = language.new_cache()
    run(language, ids, fresh)
    again, first = (write(language, prompt, c) for c in (cache, fresh))
    assert again == first


def write(language, states, cache, **options):
    options = {"stop": NEVER, "limit": 5} | options
    return [token for token, _ in language.generate(states[:, -1:], cache, **options)]


def test_right_padding_changes_nothing(language):
    short = some_ids(5)
    padded = torch.cat([short, torch.zeros(1, 4, dtype=torch.long)], dim=1)
    batch = run(language, torch.cat([padded, some_ids(9, seed=1)]))
    assert torch.allclose(batch[:1, :5], run(language, short), atol=1e-4)


def test_writing_is_reading_ones_own_words(language):
    ids, cache = some_ids(6), language.new_cache()
    states = run(language, ids, cache)
    written = list(language.generate(states[:, -1:], cache, stop=NEVER, limit=6))
    for token, state in written:
        whole = run(language, ids)
        assert token == int(language.logits(whole)[0, -1].argmax())
        ids = torch.cat([ids, torch.tensor([[token]])], dim=1)
        if state is not None:
            assert torch.allclose(state[:, -1], run(language, ids)[:, -1], atol=1e-4)
    assert [state is None for _, state in written] == [False] * 5 + [True]
    assert cache.length == 6 + 5


def test_writing_ends_with_a_stop_token_that_is_not_read(language):
    ids, cache = some_ids(6), language.new_cache()
    states = run(language, ids, cache)
    (first,) = write(language, states, cache, limit=1)
    assert write(language, states, cache, stop=frozenset({first})) == [first]
    assert cache.length == 6


def test_chance_is_seeded_and_cool_chance_is_none(language):
    ids = some_ids(6)

    def drawn(**sampling):
        cache = language.new_cache()
        states = run(language, ids, cache)
        return write(language, states, cache, limit=8, sampling=Sampling(**sampling))

    assert drawn(temperature=3.0, top_k=50, seed=1) == drawn(temperature=3.0, top_k=50, seed=1)
    assert drawn(temperature=3.0, top_k=50, seed=1) != drawn(temperature=3.0, top_k=50, seed=2)
    assert drawn(temperature=3.0, top_k=1) == drawn() == drawn(temperature=1e-6)


def test_features_fill_their_places_in_reading_order(language):
    visual = Visual(torch.full((3, 64), 7.0) * torch.arange(1, 4)[:, None], (torch.ones(3, 64),))
    regions = torch.full((2, 64), -5.0)
    ids = torch.tensor([[9, VISUAL, VISUAL, REGION], [VISUAL, 9, REGION, 9]])
    embeds, (deepstack,) = language.embed(ids, visual, regions)
    table = language.embed(torch.tensor([[9]]))[0][0, 0]
    assert embeds[0, 1:, 0].tolist() == [7, 14, -5]
    assert embeds[1, [0, 2], 0].tolist() == [21, -5]
    assert torch.equal(embeds[0, 0], table)
    assert torch.equal(deepstack[..., 0] != 0, ids == VISUAL)


def test_reading_and_writing_share_one_table(language):
    assert language.lm_head.weight is language.model.language_model.embed_tokens.weight


@pytest.mark.parametrize("grids", [[[1, 4, 6]], [[3, 4, 4]], [[1, 4, 6], [2, 2, 4]]])
def test_frames_are_seen_as_transformers_sees_them(language, grids):
    grids = torch.tensor(grids)
    theirs = Qwen3VLVisionModel._from_config(
        language.model.config.vision_config, attn_implementation="sdpa"
    ).eval()
    theirs.load_state_dict(language.model.visual.state_dict())
    patches = torch.randn(
        int(grids.prod(dim=1).sum()), 1536, generator=torch.Generator().manual_seed(0)
    )
    with torch.inference_mode():
        seen, expected = language.see(patches, grids), theirs(patches, grid_thw=grids)
    assert torch.allclose(seen.tokens, expected.pooler_output, atol=1e-5)
    for level, other in itertools.zip_longest(seen.deepstack, expected.deepstack_features):
        assert torch.allclose(level, other, atol=1e-5)


def test_patches_are_embedded_as_by_the_convolution_but_without_it(monkeypatch):
    embedding = PatchEmbedding(network().language.model.config.vision_config)
    patches = torch.randn(9, 1536, generator=torch.Generator().manual_seed(0), requires_grad=True)
    watched = [patches, *embedding.parameters()]
    assert [name for name, _ in embedding.named_parameters()] == ["proj.weight", "proj.bias"]
    expected = Qwen3VLVisionPatchEmbed.forward(embedding, patches)
    pull = torch.randn_like(expected)
    wanted = torch.autograd.grad(expected, watched, pull)

    def refuse(*_):
        raise AssertionError("it is slow on a GPU")

    monkeypatch.setattr(torch.nn.Conv3d, "forward", refuse)
    assert isinstance(network().language.model.visual.patch_embed, PatchEmbedding)
    embedded = embedding(patches)
    torch.testing.assert_close(embedded, expected, atol=1e-5, rtol=1e-5)
    for ours, theirs in zip(torch.autograd.grad(embedded, watched, pull), wanted, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_joining_views(language):
    parts = [Visual(torch.full((n, 2), float(n)), (torch.zeros(n, 2),)) for n in (1, 2)]
    joined = Visual.join(parts)
    assert joined.tokens[:, 0].tolist() == [1, 2, 2]
    assert joined.deepstack[0].shape == (3, 2)
