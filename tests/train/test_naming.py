"""The lesson of names: what is told of cells, and what learns from it. Nothing is faked."""

from dataclasses import replace

import micro
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from x2sam.model.build import build
from x2sam.model.language_model import Visual
from x2sam.train.batches import collate
from x2sam.train.losses import LossConfig, uniform
from x2sam.train.naming import NOTHING, UNKNOWN, Naming, nouns_of, shares
from x2sam.train.objective import Objective
from x2sam.train.samples import examples
from x2sam.train.scenes import Scene

CPU = torch.device("cpu")
NOUNS = len(micro.COLOURS)
TABLE = "language.model.language_model.embed_tokens.weight"
SPELT = [micro.vocabulary().encode(f" {noun}") for noun in micro.COLOURS]
NAMED = Objective(losses=LossConfig(points=32), spread=1.0, naming=2.0)


def batched(*given):
    return collate(given, micro.vocabulary(), micro.CONFIG, CPU)


def losses_of(model, *given, learnt="names", naming=None, objective=NAMED):
    naming = naming or Naming(micro.CONFIG, SPELT)
    model.zero_grad()
    chance = uniform(torch.Generator().manual_seed(0))
    losses = objective(model, batched(*given), chance, learnt, naming)
    losses["loss"].backward()
    return losses


@pytest.fixture(scope="module")
def model():
    return build(micro.CONFIG, seed=1).train()


# What is true of cells


@pytest.mark.parametrize(("frames", "times"), [(1, 1), (4, 2), (4, 4), (3, 1)])
def test_shares_are_means_over_the_cells_pixels(frames, times):
    names = torch.randint(UNKNOWN, 5, (2, frames, 32, 32))
    hot = F.one_hot(names + 1, 6)[..., 1:].float()  # unknown pixels are of no class
    cells = hot.view(2, times, frames // times, 4, 8, 4, 8, 5).mean(dim=(2, 4, 6))
    found = shares(names, 2 * times * 16, 5, times)
    torch.testing.assert_close(found, cells.flatten(0, 3))


@given(st.integers(0, 10**6))
def test_known_pixels_are_shared_out_and_no_others(seed):
    generator = torch.Generator().manual_seed(seed)
    names = torch.randint(UNKNOWN, 4, (1, 1, 24, 24), generator=generator)
    total = shares(names, 9, 4).sum().item() / 9
    assert total == pytest.approx((names != UNKNOWN).float().mean().item())


def test_a_mask_is_named_by_most_of_its_known_pixels():
    names = torch.tensor([[UNKNOWN, UNKNOWN, 2], [3, 3, NOTHING], [1, 1, 1]])
    masks = torch.tensor([[[1, 1, 1], [0, 0, 0], [0, 0, 0]], [[0, 0, 1], [1, 1, 1], [0, 0, 0]]])
    assert nouns_of(names, masks.bool(), 3).tolist() == [1, 2]
    assert len(nouns_of(names, masks[:0].bool(), 3)) == 0


def test_frames_are_shared_out_even_if_unevenly_many():
    """Three frames in two temporal patches: all that is known in a cell still adds up to one."""
    names = torch.randint(NOTHING, 4, (1, 3, 16, 16))
    torch.testing.assert_close(shares(names, 2 * 16, 4, 2).sum(dim=1), torch.ones(32))


# What learns from it


def test_names_are_learnt_without_reading(model):
    """All that sees learns, the words, and the masks; the text model does not even run."""
    losses = losses_of(model, micro.named(0), micro.named(1))
    assert losses.keys() >= {"loss_tokens", "loss_maps", "loss_seg"}
    assert "loss_lm" not in losses
    touched = {name for name, w in model.named_parameters() if w.grad is not None and w.grad.any()}
    assert [name for name in touched if "language_model" in name] == [TABLE]
    for part in ("mask_encoder", "pixel_decoder", "mask_decoder", "class_head", "background"):
        assert any(name.startswith(part) for name in touched), part
    total = sum(losses[f"loss_{name}"] for name in ("tokens", "maps", "spread", "seg"))
    torch.testing.assert_close(losses["loss"], total)


@pytest.mark.parametrize("frames", [1, 2])
def test_cells_alone_teach_what_sees_and_draw_nothing(model, frames):
    losses = losses_of(model, micro.named(0, frames), micro.named(1, frames), learnt="cells")
    assert losses.keys() == {"loss", "loss_tokens", "loss_maps", "loss_spread"}
    whole = losses_of(model, micro.named(0), micro.named(1))
    if frames == 1:
        torch.testing.assert_close(losses["loss_maps"], whole["loss_maps"])
        torch.testing.assert_close(losses["loss_tokens"], whole["loss_tokens"])


def test_what_sees_learns_from_cells_once_the_layers_say_something(model):
    """Layers of zeros pass on nothing; words say something from the start."""
    naming = Naming(micro.CONFIG, SPELT)
    for weight, expected in ((0.0, False), (1.0, True)):
        with torch.no_grad():
            for layer in naming.of_maps:
                layer.weight.normal_(std=weight, generator=torch.Generator().manual_seed(0))
        alone = replace(NAMED, spread=0.0)
        losses_of(model, micro.named(0), learnt="cells", naming=naming, objective=alone)
        for part in (model.mask_encoder, model.pixel_decoder):
            assert learns(part) == expected
        assert learns(model.language.model.visual)
        assert model.language.lm_head.weight.grad[SPELT[0]].any()


def learns(part):
    return any(bool(w.grad.any()) for w in part.parameters() if w.grad is not None)


def test_a_token_that_is_like_a_word_shows_what_the_word_names():
    """Words of several tokens are like the mean of them; nothing is like none of them."""
    naming = Naming(micro.CONFIG, [[3], [5, 8], [13]])
    with torch.no_grad():
        for spelling in naming.of_tokens:
            spelling.scale.fill_(1.0)
            spelling.nothing.bias.fill_(1.0)
    width = micro.CONFIG.language.hidden_size
    table = torch.randn(20, width, generator=torch.Generator().manual_seed(0))
    names = torch.tensor([[[[NOTHING, 1], [2, 3]]]])  # one cell of each

    def loss(tokens):
        levels = 1 + len(micro.CONFIG.vision.deepstack_layers)
        visual = Visual(tokens, (tokens,) * (levels - 1))
        return naming.tokens(names, visual, 1, table).item()

    right = torch.stack([torch.zeros(width), table[3], table[5] + table[8], table[13]])
    assert loss(right) < 0.3
    assert loss(right.roll(1, dims=0)) > 3


def test_names_are_learnt_of_clips_in_which_nothing_shows_for_a_while(model):
    clip = micro.named(0, frames=3)
    masks, names = clip.masks.clone(), clip.names.clone()
    masks[1], names[1] = False, NOTHING
    losses = losses_of(model, replace(clip, masks=masks, names=names))
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert losses["loss_maps"] > 0


def test_other_batches_tell_names_as_well(model):
    """Requests of what is looked at, words alone of what the language model sees."""
    whole = losses_of(model, micro.named(0, frames=3), learnt="words and masks")
    assert whole.keys() >= {"loss_lm", "loss_tokens", "loss_maps"}
    words = losses_of(model, micro.named(0), learnt="words")
    assert "loss_maps" not in words
    total = 3 * words["loss_lm"] + words["loss_tokens"] + words["loss_spread"]
    torch.testing.assert_close(words["loss"], total)


@pytest.mark.parametrize("learnt", ["words and masks", "words"])
def test_nothing_is_told_of_what_nobody_named(model, learnt):
    for shown, objective in (
        ([micro.squares(0)], NAMED),
        ([micro.named(0), micro.squares(1)], NAMED),
        ([micro.named(0)], replace(NAMED, naming=0.0)),
    ):
        losses = losses_of(model, *shown, learnt=learnt, objective=objective)
        assert not losses.keys() & {"loss_tokens", "loss_maps"}


def test_every_target_is_asked_for_by_its_noun(model):
    """The classes of targets are the names of their pixels, whatever labels they have."""
    example = micro.named(0)
    naming = Naming(micro.CONFIG, SPELT)
    with torch.no_grad():
        naming.nouns.copy_(torch.eye(NOUNS, micro.CONFIG.width) + 0.1)

    def loss(example):
        return losses_of(model, example, naming=naming)["loss_cls"]

    usual = loss(example)
    assert loss(replace(example, labels=example.labels + 1)) == usual
    assert loss(replace(example, names=example.names % NOUNS + 1)) != usual


def test_names_of_a_few_pictures_can_be_learnt():
    """Both halves tell the colours of squares after a few steps, and did not before."""
    model, naming = build(micro.CONFIG, seed=0).train(), Naming(micro.CONFIG, SPELT)
    optimizer = torch.optim.Adam([*model.parameters(), *naming.parameters()], lr=3e-3)
    history = []
    for step in range(40):
        losses = losses_of(model, micro.named(step % 4), micro.named(step % 4 + 4), naming=naming)
        history.append((losses["loss_tokens"].item(), losses["loss_maps"].item()))
        optimizer.step()
        optimizer.zero_grad()
    for before, after in zip(history[0], history[-1], strict=True):
        assert after < 0.6 * before, history


# What scenes and photos say of their pixels


def test_pixels_of_scenes_say_what_they_show(stream):
    samples = [stream.sample(i, "picture", "noun") for i in range(8)]
    for sample, example in zip(samples, examples(samples, stream, 32), strict=True):
        assert isinstance(sample.scene, Scene)
        shown = {stream.bank.sprites[row].noun.name for row in sample.scene.rows}
        names = {stream.nouns[number - 1] for number in example.names.unique() if number > NOTHING}
        assert names <= shown
        assert (example.names == NOTHING).any()
        wanted = nouns_of(example.names[0], example.masks[0], len(stream.nouns))
        assert {stream.nouns[number] for number in wanted} <= shown
