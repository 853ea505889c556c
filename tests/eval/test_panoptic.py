"""Panoptic quality on hand-made pictures; nothing is faked."""

import math

import numpy as np
import pytest

from x2sam.eval.panoptic import VOID, Segments, panoptic_quality


def stripes(*ids, height=4, width=10):
    """One column block of 10 x 4 pixels per id."""
    return np.repeat(np.array(ids), width)[None].repeat(height, axis=0)


NAMES = {1: "cat", 2: "dog", 3: "cat"}
TRUTH = Segments(stripes(1, 2, 3, 0), NAMES)


def test_the_truth_is_perfect():
    found = panoptic_quality([(TRUTH, TRUTH), (TRUTH, TRUTH)])
    assert (found.pq, found.sq, found.rq) == (1, 1, 1)
    assert found.classes == {"cat": 1, "dog": 1}


def test_ids_do_not_matter_but_classes_do():
    other = Segments(stripes(7, 9, 8, 0), {7: "cat", 8: "cat", 9: "dog"})
    assert panoptic_quality([(other, TRUTH)]).pq == 1
    wrong = Segments(stripes(1, 2, 3, 0), {1: "cat", 2: "fox", 3: "cat"})
    found = panoptic_quality([(wrong, TRUTH)])
    assert found.classes == {"cat": 1, "dog": 0, "fox": 0}
    assert found.pq == pytest.approx(1 / 3)


def test_one_match_one_missed_one_invented():
    """A cat drawn 8 of 10 columns wide; the other cat missed, a third one in the background."""
    ids = np.zeros((4, 40), int)
    ids[:, :8] = 1
    ids[:, 30:] = 3
    found = panoptic_quality([(Segments(ids, {1: "cat", 3: "cat"}), TRUTH)])
    assert found.classes["cat"] == pytest.approx(0.8 / (1 + 0.5 + 0.5))
    assert found.classes["dog"] == 0
    assert found.sq == pytest.approx(0.8 / 2)
    assert found.rq == pytest.approx(0.5 / 2)


def test_half_is_not_enough():
    ids = stripes(1, 1, 0, 0)  # IoU with the cat is exactly one half
    found = panoptic_quality([(Segments(ids, {1: "cat"}), Segments(TRUTH.ids, {1: "cat"}))])
    assert found.pq == 0


def test_void_pixels_are_nobodys_fault():
    truth = Segments(stripes(1, VOID, VOID, 0), {1: "cat"})
    spilled = Segments(stripes(1, 1, 0, 0), {1: "cat"})
    assert panoptic_quality([(spilled, truth)]).pq == 1
    also_there = Segments(stripes(1, 2, 2, 0), {1: "cat", 2: "dog"})
    assert panoptic_quality([(also_there, truth)]).classes == {"cat": 1}
    in_the_open = Segments(stripes(1, 0, 0, 2), {1: "cat", 2: "dog"})
    assert panoptic_quality([(in_the_open, truth)]).classes == {"cat": 1, "dog": 0}


def test_void_cannot_have_a_class():
    with pytest.raises(AssertionError, match="void"):
        panoptic_quality([(TRUTH, Segments(TRUTH.ids, {VOID: "cat"}))])


def test_nothing_to_find_and_nothing_found():
    nothing = Segments(np.zeros((4, 4), int), {})
    assert math.isnan(panoptic_quality([(nothing, nothing)]).pq)
    assert panoptic_quality([(TRUTH, Segments(np.zeros((4, 40), int), {}))]).pq == 0


def test_a_clip_is_one_picture_with_tubes():
    tube = Segments(np.stack([TRUTH.ids] * 4), NAMES)
    swapped = tube.ids.copy()
    swapped[1:] = stripes(3, 2, 1, 0)  # the two cats change their names after the first frame
    assert panoptic_quality([(tube, tube)]).pq == 1
    assert panoptic_quality([(Segments(swapped, NAMES), tube)]).classes == {
        "cat": pytest.approx(0.6),  # each found for three frames of four, so IoU = 3 / 5
        "dog": 1,
    }
