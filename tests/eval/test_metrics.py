"""Metrics of masks and words: known answers, and what must hold for any masks.

Covered: every public function; F is compared with a plain twin that walks over all outline
pixels. Nothing is faked.
"""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from x2sam.eval.metrics import (
    Overlap,
    absence,
    boundary_f,
    ciou,
    exact_match,
    giou,
    j_and_f,
    matched_ious,
    mean,
    miou,
    overlap,
)

masks = arrays(bool, (9, 12))


def rectangle(x0, y0, x1, y1, size=(40, 60)):
    mask = np.zeros(size, bool)
    mask[y0:y1, x0:x1] = True
    return mask


def test_overlap_counts_pixels():
    pair = overlap(rectangle(0, 0, 10, 10), rectangle(5, 0, 15, 10))
    assert pair == Overlap(50, 150)
    assert pair.iou == pytest.approx(1 / 3)


def test_ignored_pixels_are_left_out():
    ignored = rectangle(10, 0, 60, 40)
    pair = overlap(rectangle(0, 0, 10, 10), rectangle(5, 0, 15, 10), ignored)
    assert pair == Overlap(50, 100)


def test_masks_of_two_sizes_are_a_mistake_of_ours():
    with pytest.raises(AssertionError):
        overlap(np.zeros((2, 3), bool), np.zeros((3, 2), bool))


@given(masks, masks)
def test_overlap_is_symmetric_and_bounded(a, b):
    assert overlap(a, b) == overlap(b, a)
    assert 0 <= overlap(a, b).iou <= 1
    assert overlap(a, a).iou == 1


def test_means_of_three_samples():
    pairs = [Overlap(10, 10), Overlap(0, 90), Overlap(0, 0)]  # right, wrong, rightly empty
    assert giou(pairs) == pytest.approx(2 / 3)
    assert ciou(pairs) == pytest.approx(0.1)


def test_a_mask_where_nothing_is_meant_scores_nothing():
    empty = np.zeros((40, 60), bool)
    assert giou([overlap(rectangle(0, 0, 1, 1), empty)]) == 0
    assert giou([overlap(empty, empty)]) == ciou([overlap(empty, empty)]) == 1


def test_miou_averages_classes_not_samples():
    cats = [Overlap(1, 1)] * 9
    dogs = [Overlap(0, 50), Overlap(50, 50)]
    never_seen = [Overlap(0, 0)]
    assert miou([cats, dogs, never_seen, []]) == pytest.approx((1 + 0.5) / 2)


def test_a_mean_of_nothing_is_no_number():
    assert math.isnan(mean([]))
    assert math.isnan(giou([]))
    assert math.isnan(ciou([]))
    assert math.isnan(miou([[]]))


def test_matching_finds_the_best_pairs():
    left, right = rectangle(0, 0, 10, 10), rectangle(20, 0, 30, 10)
    half = rectangle(0, 0, 5, 10)
    truth = np.stack([left, right])
    assert matched_ious(np.stack([right, half]), truth) == [0.5, 1.0]
    assert matched_ious(np.stack([half, left]), truth) == [1.0, 0.0]
    assert matched_ious(truth[:0], truth) == [0.0, 0.0]
    assert matched_ious(truth, truth[:0]) == []


def naive_f(predicted, truth, reach):
    """Outline pixels and their neighbours, one by one."""

    def outline(mask):
        rows, columns = mask.shape
        return {
            (y, x)
            for y in range(rows)
            for x in range(columns)
            if any(
                mask[y, x] != mask[min(y + dy, rows - 1), min(x + dx, columns - 1)]
                for dy, dx in [(0, 1), (1, 0), (1, 1)]
            )
        }

    def close(own, other):
        return sum(any(math.dist(p, q) <= reach for q in other) for p in own) / len(own)

    drawn, real = outline(predicted), outline(truth)
    if not drawn or not real:
        return float(bool(drawn) == bool(real))
    precision, recall = close(drawn, real), close(real, drawn)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@given(masks, masks, st.sampled_from([1, 2]))
def test_f_is_what_its_definition_says(a, b, reach):
    tolerance = reach / 15  # the diagonal of 9 x 12
    assert boundary_f(a, b, tolerance) == pytest.approx(naive_f(a, b, reach))


@given(masks, masks)
def test_f_is_symmetric_and_bounded(a, b):
    assert boundary_f(a, b) == pytest.approx(boundary_f(b, a))
    assert 0 <= boundary_f(a, b) <= 1
    assert boundary_f(a, a) == 1


def test_f_forgives_the_tolerance_and_no_more():
    """A picture of 300 x 400 has a diagonal of 500, so four pixels are forgiven."""
    mask = rectangle(100, 100, 200, 200, size=(300, 400))
    assert boundary_f(np.roll(mask, 4, axis=1), mask) == 1
    # Five pixels: the two vertical sides are off, the horizontal ones still on each other.
    assert 0.4 < boundary_f(np.roll(mask, 5, axis=1), mask) < 0.6


def test_empty_frames_of_a_clip():
    empty, full = np.zeros((1, 20, 20), bool), np.zeros((1, 20, 20), bool)
    full[:, 5:15, 5:15] = True
    assert j_and_f(empty, empty).jf == 1
    assert j_and_f(full, empty).jf == j_and_f(empty, full).jf == 0
    half = j_and_f(np.concatenate([full, full]), np.concatenate([full, empty]))
    assert (half.j, half.f, half.jf) == (0.5, 0.5, 0.5)


def test_the_further_off_the_lower():
    clip = np.stack([rectangle(20 + t, 20, 50 + t, 50, size=(100, 200)) for t in range(3)])
    scores = [j_and_f(np.roll(clip, shift, axis=2), clip) for shift in (0, 3, 6, 12, 40)]
    assert scores[0].jf == 1
    assert scores[-1].j == 0
    for better, worse in pairwise(scores):
        assert better.j > worse.j
        assert better.f > worse.f


def test_absence_counts_both_mistakes():
    said = [True, True, False, False, True]
    true = [True, True, True, False, False]
    found = absence(said, true)
    assert found.n_acc == pytest.approx(2 / 3)
    assert found.t_acc == found.false_not_found == 0.5
    assert math.isnan(absence([False], [False]).n_acc)


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("Two.", ["2"]),
        ("a red kite", ["The Red Kite!"]),
        ("yes", ["no", "Yes"]),
        ("top  left", ["top-left"]),
        ("", ["the"]),
    ],
)
def test_answers_that_say_the_same(answer, accepted):
    assert exact_match(answer, *accepted)


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [("three", ["2"]), ("not red", ["red"]), ("red", []), ("12", ["1", "2"])],
)
def test_answers_that_do_not(answer, accepted):
    assert not exact_match(answer, *accepted)
