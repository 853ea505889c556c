"""What training minimises, on the smallest network.

Covered: words without masks, both in one batch, drawn regions, neighbours of other lengths,
clips, several processes; `test_naming.py` covers masks without words. Faked: the sum over
processes, which `test_loop.py` takes for real.
"""

from dataclasses import replace
from itertools import chain

import micro
import numpy as np
import pytest
import torch

from x2sam.language.prompts import Turn
from x2sam.model.build import build
from x2sam.model.pixels import image_patches
from x2sam.train.batches import collate
from x2sam.train.losses import LossConfig, uniform
from x2sam.train.objective import Objective, read

CPU = torch.device("cpu")
FEW = Objective(losses=LossConfig(points=32))


@pytest.fixture(scope="module")
def model():
    model = build(micro.CONFIG, seed=1).train()
    with torch.no_grad():  # masks and conditions that depend on what goes in
        for name, weight in model.named_parameters():
            if name.startswith(("condition_projector", "region_projector", "language")):
                weight.mul_(3)
    return model


def batched(*examples):
    return collate(examples, micro.vocabulary(), micro.CONFIG, CPU)


def chance(seed=0):
    return uniform(torch.Generator().manual_seed(seed))


def step(model, *examples, learnt="words and masks"):
    """Losses of a batch; gradients are left in the network."""
    model.zero_grad()
    losses = FEW(model, batched(*examples), chance(), learnt)
    losses["loss"].backward()
    return losses


def touched(model):
    """The parts of the network that got a gradient."""
    return {
        name.partition(".")[0]
        for name, weight in model.named_parameters()
        if weight.grad is not None and bool(weight.grad.any())
    }


MASKS = {"mask_encoder", "pixel_decoder", "mask_decoder", "class_head", "background"}
MEMORY = {"memory_encoder", "memory_attention"}
WORDS = {"language", "condition_projector"}


def test_chat_alone_has_no_masks_to_learn(model):
    losses = step(model, micro.chatting(0), micro.chatting(1, "I do not know."))
    assert losses.keys() == {"loss", "loss_lm"}
    assert touched(model) == {"language"}


def test_words_alone_are_those_of_the_whole(model):
    """What is read is the same, drawn regions included; nothing but it is learnt."""
    for example in (micro.squares(0), micro.squares(1, regions=2)):
        whole = step(model, example)
        words = step(model, example, learnt="words")
        assert words.keys() == {"loss", "loss_lm"}
        assert words["loss_lm"] == whole["loss_lm"]
        assert touched(model) <= {"language", "region_projector", "mask_encoder"}


def test_answers_without_a_seg_may_stand_beside_others(model):
    """They take part in the words only; the masks are those of the others alone."""
    mixed = step(model, micro.chatting(0), micro.squares(1), micro.chatting(2), micro.squares(3))
    alone = step(model, micro.squares(1), micro.squares(3))
    for name in alone.keys() - {"loss", "loss_lm"}:
        torch.testing.assert_close(mixed[name], alone[name], rtol=1e-4, atol=1e-4)


def test_clips_learn_through_the_memory_and_pictures_do_not(model):
    step(model, micro.squares(0, frames=3), micro.squares(1, frames=3))
    assert touched(model) - {"no_memory_embedding"} >= MASKS | MEMORY | WORDS
    step(model, micro.squares(0), micro.squares(1))
    assert touched(model) - {"no_memory_embedding"} == MASKS | WORDS


def test_the_words_are_learnt_at_the_answers_only(model):
    """What is asked weighs nothing: with all labels but the answers' taken away, same loss."""
    batch = batched(micro.squares(0))
    answer = micro.vocabulary().encode("It is <SEG>.<|im_end|>")
    assert batch.labels[batch.labels >= 0].tolist() == answer
    states = read(model, batch, model.mask_encoder(batch.pixels.flatten(0, 1)))
    logits = model.language.logits(states)[0]
    where = [i - 1 for i in range(batch.ids.shape[1]) if batch.labels[0, i] >= 0]
    expected = torch.nn.functional.cross_entropy(logits[where], torch.tensor(answer))
    torch.testing.assert_close(FEW(model, batch, chance())["loss_lm"], expected)


# Neighbours in a batch


def conditions_of(model, *examples):
    """States (B, L, D) and conditions of a batch."""
    batch = batched(*examples)
    with torch.no_grad():
        states = read(model, batch, model.mask_encoder(batch.pixels.flatten(0, 1)))
        return batch, states, model.conditions(states, batch.phrases, batch.segs)


def assert_same_example(model, examples, number):
    """Number `number` of a batch is what it would be by itself."""
    _, states, conditions = conditions_of(model, *examples)
    alone, its_states, its_conditions = conditions_of(model, examples[number])
    length, classes = alone.ids.shape[1], its_conditions.classes.shape[1] - 1
    tokens = its_conditions.tokens.shape[1]
    pairs = [
        (states[number, :length], its_states[0]),
        (conditions.classes[number, :classes], its_conditions.classes[0, :-1]),
        (conditions.classes[number, -1], its_conditions.classes[0, -1]),
        (conditions.tokens[number, :tokens], its_conditions.tokens[0]),
        (conditions.seg[number], its_conditions.seg[0]),
    ]
    for found, expected in pairs:
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert not conditions.class_mask[number, classes:-1].any()
    assert not conditions.token_mask[number, tokens:].any()


def long(seed):
    """A request for three things, worded at length."""
    phrases = ", ".join(f"<p>the large {name} square</p>" for name in micro.COLOURS)
    return micro.squares(seed, turns=[Turn(f"Could you find {phrases}?", "Sure, it is <SEG>.")])


def test_an_example_does_not_depend_on_its_neighbours(model):
    for number in range(3):
        assert_same_example(model, [micro.squares(0), long(1), micro.squares(2)], number)


def test_regions_belong_to_their_own_example(model):
    """Two on the first, one on the third: each is read from the picture it was drawn on."""
    examples = [micro.squares(0, regions=2), micro.squares(1), micro.squares(2, regions=1)]
    for number in range(3):
        assert_same_example(model, examples, number)
    swapped = conditions_of(model, *examples[::-1])[1]
    states = conditions_of(model, *examples)[1]
    torch.testing.assert_close(swapped.flip(0), states, rtol=1e-4, atol=1e-4)


def test_a_region_of_a_clip_is_read_from_its_first_frame(model):
    clips = [micro.squares(seed, frames=3, regions=1) for seed in range(2)]
    for number in range(2):
        assert_same_example(model, clips, number)
    assert not torch.allclose(conditions_of(model, clips[0])[1], conditions_of(model, clips[1])[1])


# Several conversations about one picture


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("learnt", ["words and masks", "words"])
def test_sharing_a_picture_changes_no_loss_and_no_gradient(model, frames, learnt):
    """Examples about one picture teach what they would with a copy each, whatever their order."""
    one, other = (micro.squares(seed, frames=frames, regions=1) for seed in range(2))
    asked = long(0).turns
    shared = [one, other, replace(one, turns=asked, regions=None), replace(other, turns=asked)]
    copies = [replace(example, pictures=example.pictures.clone()) for example in shared]
    assert batched(*shared).views == (0, 1, 0, 1)
    assert batched(*copies).views == (0, 1, 2, 3)
    found = []
    for examples in (shared, copies):
        losses = step(model, *examples, learnt=learnt)
        gradients = torch.cat([w.grad.flatten() for w in model.parameters() if w.grad is not None])
        found.append((losses, gradients))
    (losses, gradients), (expected, its_gradients) = found
    torch.testing.assert_close(losses, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(gradients, its_gradients, rtol=1e-3, atol=1e-4)


def test_what_is_seen_of_pictures_of_different_size_goes_to_the_right_example(model):
    wide, high = (
        image_patches(np.full((*size, 3), 90, np.uint8), micro.CONFIG.vision)
        for size in ((32, 96), (64, 32))
    )
    one, other = replace(micro.squares(0), seen=wide), replace(micro.squares(1), seen=high)
    together = read(model, batch := batched(one, other, one, other))
    for number, example in enumerate((one, other, one, other)):
        alone = read(model, batched(example))[0]
        torch.testing.assert_close(together[number, : len(alone)], alone, rtol=1e-4, atol=1e-4)
    assert len(batch.grids) == 2


# Several processes


def points_alike(shape):
    """The same points for every mask, whatever else is in the batch."""
    return torch.rand(shape[-2:], generator=torch.Generator().manual_seed(3)).expand(shape)


def mask_gradients(model, *examples):
    model.zero_grad()
    losses = FEW(model, batched(*examples), points_alike)
    masks = [losses[name] for name in losses if name.startswith(("loss_mask", "loss_dice"))]
    if masks:
        torch.stack(masks).sum().backward()
    return torch.cat(
        [
            (torch.zeros_like(weight) if weight.grad is None else weight.grad).flatten()
            for weight in model.parameters()
        ]
    )


def test_a_mask_counts_alike_in_all_processes(model, monkeypatch):
    """Gradients averaged over processes are those of one that has everything."""
    shares = [[micro.squares(0)], [micro.squares(1), micro.squares(2)], [micro.chatting(3)]]
    expected = mask_gradients(model, *chain.from_iterable(shares))
    told = []

    def all_reduce(count):
        told.append(count.item())
        count.fill_(3.0)

    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: len(shares))
    monkeypatch.setattr(torch.distributed, "all_reduce", all_reduce)
    found = torch.stack([mask_gradients(model, *share) for share in shares]).mean(dim=0)
    assert told == [1, 2, 0]
    assert expected.abs().max() > 0
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
