"""Masks on their way back to the picture, against the two plain resizes. Nothing is faked."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from x2sam.model import prediction
from x2sam.model.prediction import Prediction, Sizes


def enlarge_all(seen):
    """The naive twin: every mask, to the square, cut, to the picture."""
    side, (height, width) = seen.sizes.side, seen.sizes.scaled
    square = F.interpolate(seen.mask_logits[None].float(), (side, side), mode="bilinear")
    cut = square[..., :height, :width]
    return F.interpolate(cut, seen.sizes.original, mode="bilinear")[0]


def random_prediction(seed, sizes, queries=5):
    generator = torch.Generator().manual_seed(seed)
    classes = torch.randn(queries, 3, generator=generator)
    return Prediction.from_logits(classes, torch.randn(queries, 4, 6, generator=generator), sizes)


side = st.integers(1, 24)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 999), scaled=st.tuples(side, side), original=st.tuples(side, side))
def test_choosing_first_equals_enlarging_all(seed, scaled, original):
    seen = random_prediction(seed, Sizes(24, scaled, original))
    chosen = torch.tensor([3, 0])
    whole = torch.cat([logits for _, logits in seen.strips(chosen)], dim=1)
    torch.testing.assert_close(whole, enlarge_all(seen)[chosen], rtol=0, atol=1e-5)


@pytest.mark.parametrize("budget", [1, 24 * 5, 24 * 5 * 4])
def test_strips_stay_within_the_budget_and_change_nothing(budget, monkeypatch):
    seen = random_prediction(0, Sizes(24, (24, 18), (31, 23)))
    everything = torch.arange(5)
    masks, quality = seen.masks(everything), seen.quality(everything)
    monkeypatch.setattr(prediction, "STRIP", budget)
    strips = list(seen.strips(everything))
    assert [row for rows, _ in strips for row in range(rows.start, rows.stop)] == list(range(31))
    assert all(logits.numel() <= max(budget, 5 * 23) for _, logits in strips)
    assert torch.equal(seen.masks(everything), masks)
    torch.testing.assert_close(seen.quality(everything), quality)


def test_quality_is_the_mean_confidence_inside_the_mask():
    logits = torch.tensor([[[2.0, 2.0], [-1.0, -1.0]], [[-1.0, -1.0], [-1.0, -1.0]]])
    seen = Prediction(torch.ones(2, 1), logits, Sizes.squashed(2, (2, 2)))
    inside = torch.tensor(2.0).sigmoid().item()
    assert seen.quality(torch.arange(2)).tolist() == pytest.approx([inside, 0.0])
    assert seen.quality(torch.tensor([1])).tolist() == [0.0, 0.0]
    assert seen.masks(torch.tensor([0]))[0].tolist() == [[True, True], [False, False]]


def test_padding_is_cut_off():
    logits = torch.full((1, 4, 4), 5.0)
    logits[:, :, 2:] = -5.0  # the picture is the left half, the rest is padding
    seen = Prediction(torch.ones(1, 1), logits, Sizes(16, (16, 7), (10, 3)))
    assert seen.masks(torch.tensor([0])).all()


def test_nothing_chosen_nothing_enlarged():
    seen = random_prediction(0, Sizes.squashed(24, (7, 9)))
    nothing = torch.tensor([], dtype=torch.int64)
    assert list(seen.strips(nothing)) == []
    assert seen.masks(nothing).shape == (0, 7, 9)


def test_background_is_left_out():
    logits = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 60.0]])
    seen = Prediction.from_logits(logits, torch.zeros(2, 2, 2), Sizes.squashed(8, (8, 8)))
    expected = torch.tensor([[1 / 3, 1 / 3], [0.0, 0.0]])
    torch.testing.assert_close(seen.probabilities, expected)
    with pytest.raises(AssertionError, match="nothing to look for"):
        Prediction.from_logits(logits[:, :1], torch.zeros(2, 2, 2), seen.sizes)
