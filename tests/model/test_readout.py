"""Readings of frames made by hand, and what holds for any logits. Nothing is faked.

What the official code made of recorded logits is in `test_readout_recorded.py`.
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from x2sam.model.prediction import Prediction, Sizes
from x2sam.model.readout import READOUTS, Rules, Segments

SIDE = 8


def square(top, left, size, value=9.0):
    """Mask logits (8, 8) of a square object."""
    logits = torch.full((SIDE, SIDE), -value)
    logits[top : top + size, left : left + size] = value
    return logits


def frame(*queries):
    """One frame from (mask logits, probabilities of the conditions) of each query."""
    masks, probabilities = zip(*queries, strict=True)
    sizes = Sizes.squashed(SIDE, (SIDE, SIDE))
    return Prediction(torch.tensor(probabilities), torch.stack(masks), sizes)


A, B = square(0, 0, 4), square(4, 4, 4)
REGION = (A > 0)[None]


def test_panoptic_drops_a_segment_that_loses_most_of_its_mask():
    hidden = frame((A, [0.9]), (square(0, 0, 3), [0.8]), (B, [0.7]))
    found = read_one("panoptic", hidden)
    assert found.masks.sum(dim=(1, 2)).tolist() == [16, 16]
    assert found.scores.tolist() == pytest.approx([0.9, 0.7])


def test_panoptic_leaves_void_unless_told_to_fill():
    alone = frame((A, [0.9]), (B, [0.4]))
    assert torch.equal(read_one("panoptic", alone).masks, REGION)
    assert read_one("panoptic", alone, fill=True).masks.all()


def test_panoptic_fuses_stuff_and_not_things():
    two = frame((A, [0.9]), (B, [0.7]))
    assert len(read_one("panoptic", two)) == 2
    fused = read_one("panoptic", two, things=frozenset())
    assert fused.scores.tolist() == pytest.approx([0.9])
    assert torch.equal(fused.masks[0], (A > 0) | (B > 0))


def test_semantic_adds_up_weak_votes():
    votes = frame((A, [0.4, 0.0]), (A, [0.4, 0.0]), (A, [0.0, 0.6]), (B, [0.0, 0.9]))
    found = read_one("semantic", votes)
    assert found.labels.tolist() == [0, 1]
    assert found.masks[0][:4, :4].all()
    assert found.masks[1][4:, 4:].all()
    assert found.scores[0] == pytest.approx(0.8 / 1.4, abs=1e-3)


def test_instance_is_sorted_and_scores_confidence_inside_the_mask():
    weak = square(4, 0, 4, value=1.0)
    found = read_one("instance", frame((weak, [0.9, 0.0]), (A, [0.0, 0.8]), (B, [0.3, 0.3])))
    assert found.labels.tolist() == [1, 0]
    assert found.scores.tolist() == pytest.approx([0.8 * 0.99988, 0.9 * 0.73106], abs=1e-5)
    assert read_one("instance", frame((A, [0.9])), things=frozenset()).masks.shape == (0, 8, 8)


def test_phrases_may_share_a_query_and_overlap():
    found = read_one("phrases", frame((A, [0.5, 0.4, 0.1]), (B, [0.2, 0.3, 0.2])))
    assert torch.equal(found.masks, torch.stack([A, A, B]) > 0)
    assert found.ids.tolist() == [1, 2, 3]
    assert found.paint(found.ids)[0, 0] == 2


def test_generalised_joins_all_likely_queries():
    both = read_one("generalised", frame((A, [0.9]), (B, [0.7]), (square(0, 4, 4), [0.5])))
    assert torch.equal(both.masks[0], (A > 0) | (B > 0))
    assert both.scores.tolist() == pytest.approx([0.8])
    alone = read_one("generalised", frame((A, [0.2]), (B, [0.3])))
    assert torch.equal(alone.masks[0], B > 0)


@pytest.mark.parametrize("answer", ["referring", "generalised", "interactive", "objects"])
def test_absent_means_no_segment_and_zero_gives_the_nearest(answer):
    doubtful = frame((A, [0.3]), (B, [0.1]))
    assert len(read_one(answer, doubtful, regions=REGION, absent=0.5)) == 0
    assert torch.equal(read_one(answer, doubtful, regions=REGION).masks, REGION)


def test_interactive_takes_the_fitting_mask_not_the_best_score():
    two = frame((A, [0.6]), (B, [0.9]), (square(0, 0, 3), [0.6]))
    assert torch.equal(read_one("interactive", two, regions=REGION).masks, REGION)


def test_interactive_takes_the_best_score_when_nothing_touches_or_nothing_is_fair():
    nowhere = torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
    two = frame((A, [0.6]), (B, [0.9]))
    assert torch.equal(read_one("interactive", two, regions=nowhere).masks[0], B > 0)
    assert torch.equal(read_one("interactive", two, regions=REGION, threshold=0.99).masks[0], B > 0)


def test_interactive_reads_every_region_and_wants_one_each():
    regions = torch.stack([A, B]) > 0
    found = read_one("interactive", frame((B, [0.6, 0.7]), (A, [0.7, 0.6])), regions=regions)
    assert torch.equal(found.masks, regions)
    with pytest.raises(AssertionError, match="2 regions for 1 conditions"):
        read_one("interactive", frame((A, [0.6])), regions=regions)


def test_objects_keeps_the_object_when_a_distractor_scores_better():
    read = READOUTS["objects"](Rules(regions=REGION))
    blind = READOUTS["objects"](Rules(regions=torch.zeros_like(REGION)))
    distracted = frame((A, [0.7]), (B, [0.8]))
    assert torch.equal(read(distracted).masks, REGION)
    assert torch.equal(blind(distracted).masks[0], B > 0)


def test_objects_follows_a_moving_object_by_what_it_last_accepted():
    """At the end the object overlaps its drawing no longer, and a twin stands on the drawing."""
    read = READOUTS["objects"](Rules(regions=REGION))
    for step in (0, 1, 1, 2, 2, 3, 3):
        read(frame((square(step, step, 4), [0.9])))
    found = read(frame((A, [0.7]), (square(3, 3, 4), [0.7])))
    assert torch.equal(found.masks[0], square(3, 3, 4) > 0)


def test_objects_remembers_four_good_masks_and_no_bad_one():
    read = READOUTS["objects"](Rules(regions=REGION, threshold=0.1))
    read(frame((B, [0.6])))  # scores 0.48: not remembered
    assert not read._accepted[0]
    for _ in range(9):
        read(frame((A, [0.9])))
    assert len(read._accepted[0]) == 4
    assert all(mask.untyped_storage().nbytes() == SIDE**2 for mask, _ in read._accepted[0])


# --- numbers over frames ------------------------------------------------------------------


def test_an_object_keeps_its_number_in_any_order():
    read = READOUTS["instance"](Rules())
    assert read(frame((A, [0.9]), (B, [0.8]))).ids.tolist() == [1, 2]
    assert read(frame((A, [0.7]), (B, [0.8]))).ids.tolist() == [2, 1]
    assert read(frame((B, [0.8]), (square(0, 4, 4), [0.9]))).ids.tolist() == [3, 2]
    assert read(frame((A, [0.8]), (B, [0.9]))).ids.tolist() == [2, 4]  # A was gone for a frame


def test_a_number_is_given_once_to_the_better_overlap():
    read = READOUTS["instance"](Rules())
    assert read(frame((A, [0.9]))).ids.tolist() == [1]
    assert read(frame((square(0, 0, 3), [0.9]), (A, [0.8]))).ids.tolist() == [2, 1]


def test_a_label_does_not_inherit_from_another():
    read = READOUTS["panoptic"](Rules())
    assert read(frame((A, [0.9, 0.0]))).ids.tolist() == [1]
    assert read(frame((A, [0.0, 0.9]))).ids.tolist() == [2]


def test_stuff_has_one_number_for_ever():
    read = READOUTS["panoptic"](Rules(things=frozenset({1})))
    assert read(frame((A, [0.9, 0.0]), (B, [0.0, 0.9]))).ids.tolist() == [1, 2]
    assert read(frame((B, [0.0, 0.1]))).ids.tolist() == []
    assert read(frame((square(4, 0, 4), [0.9, 0.0]))).ids.tolist() == [1]


# --- what every reading must stand --------------------------------------------------------

EVERY = pytest.mark.parametrize("answer", READOUTS)


def read_one(answer, seen, **rules):
    return READOUTS[answer](Rules(**rules))(seen)


@EVERY
@pytest.mark.parametrize("original", [(1, 1), (1, 9), (5, 3)])
def test_tiny_pictures_and_one_query(answer, original):
    seen = Prediction(torch.tensor([[0.9]]), torch.full((1, 2, 2), 5.0), Sizes(8, (8, 6), original))
    found = read_one(answer, seen, regions=torch.ones(1, *original, dtype=torch.bool))
    assert found.masks.shape == (1, *original)
    assert found.masks.all()


@EVERY
def test_all_background(answer):
    logits = torch.tensor([[-9.0, -9.0, 9.0]]).expand(4, 3)
    seen = Prediction.from_logits(logits, -torch.ones(4, 2, 2), Sizes.squashed(8, (6, 5)))
    found = read_one(answer, seen, regions=torch.zeros(2, 6, 5, dtype=torch.bool))
    if answer == "semantic":  # every pixel is given to the least unlikely
        assert found.masks.any(dim=0).all()
        return
    assert found.masks.shape == (0, 6, 5)
    assert len(found.labels) == len(found.scores) == len(found.ids) == 0


@EVERY
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(answer, dtype):
    generator = torch.Generator().manual_seed(0)
    classes = 4 * torch.randn(6, 3, generator=generator)
    masks = 4 * torch.randn(6, 4, 4, generator=generator)
    sizes = Sizes(16, (16, 12), (20, 18))
    seen = Prediction.from_logits(classes.to(dtype), masks.to(dtype), sizes)
    rules = {"regions": torch.ones(2, 20, 18, dtype=torch.bool)}
    assert same(
        read_one(answer, seen, **rules),
        read_one(
            answer,
            Prediction.from_logits(classes.to(dtype).float(), masks.to(dtype).float(), sizes),
            **rules,
        ),
    )


def same(one, other):
    pairs = [(getattr(one, f), getattr(other, f)) for f in ("masks", "labels", "scores", "ids")]
    return all(torch.equal(a, b) for a, b in pairs)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), queries=st.integers(1, 7), conditions=st.integers(1, 4))
def test_what_holds_for_any_logits(seed, queries, conditions):
    generator = torch.Generator().manual_seed(seed)
    seen = Prediction.from_logits(
        3 * torch.randn(queries, conditions + 1, generator=generator),
        3 * torch.randn(queries, 4, 4, generator=generator),
        Sizes(16, (16, 11), (13, 9)),
    )
    regions = torch.rand(conditions, 13, 9, generator=generator) > 0.5
    for answer in READOUTS:
        found = read_one(answer, seen, threshold=0.1, regions=regions)
        assert found.masks.any(dim=2).any(dim=1).all()
        assert ((found.labels >= 0) & (found.labels < conditions)).all()
        assert ((found.scores >= 0) & (found.scores <= 1)).all()
        assert len(set(found.ids.tolist())) == len(found)
        if answer in ("panoptic", "semantic"):
            assert found.masks.sum(dim=0).max() <= 1 if len(found) else True
        if answer == "semantic":
            assert found.masks.any(dim=0).all()


def test_later_segments_are_painted_on_top():
    both = Segments(torch.ones(2, 1, 2, dtype=torch.bool), *(torch.arange(2) for _ in range(3)))
    both.masks[1, 0, 1] = False
    assert both.paint(torch.tensor([5, 7]), void=-1).tolist() == [[7, 5]]
    assert both[torch.tensor([False, False])].paint(both.ids[:0], void=-1).tolist() == [[-1, -1]]
