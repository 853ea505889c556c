"""Which states become classes, tokens and seg: states that name their own place."""

import pytest
import torch

from x2sam.model.conditions import gather_conditions

BACKGROUND = torch.tensor([[-1.0]])


def gather(phrases, segs, *, shared=False):
    phrases, segs = torch.tensor(phrases), torch.tensor(segs)
    states = torch.arange(phrases.shape[1]).float()[None, :, None].repeat(len(phrases), 1, 1)
    states += 100 * torch.arange(len(phrases))[:, None, None]
    return gather_conditions(states, phrases, segs, BACKGROUND, shared=shared)


def test_a_class_is_the_mean_of_its_tokens_and_the_background_is_last():
    found = gather([[-1, 0, 0, 0, -1, 1, 1, -1]], [[-1] * 7 + [0]])
    assert found.classes[0, :, 0].tolist() == [2, 5.5, -1]
    assert found.class_mask.tolist() == [[True, True, True]]
    assert found.tokens[0, :, 0].tolist() == [1, 2, 3, 5, 6]
    assert found.seg.tolist() == [[[7]]]


def test_of_several_segs_the_last_counts():
    assert gather([[0, -1, -1]], [[-1, 0, 1]]).seg.item() == 2


BATCH = ([[0, 0, 1, -1], [0, -1, -1, -1]], [[-1, -1, -1, 0], [-1, 0, -1, -1]])


def test_a_batch_is_padded_with_nothing():
    found = gather(*BATCH)
    assert found.classes[..., 0].tolist() == [[0.5, 2, -1], [100, 0, -1]]
    assert found.class_mask.tolist() == [[True, True, True], [True, False, True]]
    assert found.tokens[..., 0].tolist() == [[0, 1, 2], [100, 0, 0]]
    assert found.token_mask.tolist() == [[True] * 3, [True, False, False]]
    assert found.seg[:, 0, 0].tolist() == [3, 101]


def test_sharing_gives_everybody_all_phrases_and_keeps_the_segs():
    found = gather(*BATCH, shared=True)
    assert found.classes[..., 0].tolist() == [[0.5, 2, 100, -1]] * 2
    assert found.tokens[..., 0].tolist() == [[0, 1, 2, 100]] * 2
    assert found.class_mask.all()
    assert found.token_mask.all()
    assert found.seg[:, 0, 0].tolist() == [3, 101]


def test_means_are_taken_in_single_precision():
    states = torch.full((1, 2000, 1), 1.001).bfloat16()
    zeros, segs = torch.zeros(1, 2000, dtype=torch.long), torch.zeros(1, 2000, dtype=torch.long)
    found = gather_conditions(states, zeros, segs, BACKGROUND)
    assert found.classes.dtype == torch.bfloat16
    assert torch.equal(found.classes[0, 0], states[0, 0])


def test_a_sample_without_phrase_or_seg_is_our_mistake():
    with pytest.raises(AssertionError, match="every sample needs a phrase"):
        gather([[-1, -1]], [[-1, 0]])
    with pytest.raises(AssertionError, match="every sample needs a <SEG>"):
        gather([[0, -1]], [[-1, -1]])
