"""COCO mask AP of pictures made by hand; the counting is pycocotools' own."""

import math

import numpy as np
import pytest

from x2sam.eval.average_precision import Instances, average_precision


def squares(*corners, side=10):
    masks = np.zeros((len(corners), 40, 60), bool)
    for mask, (x, y) in zip(masks, corners, strict=True):
        mask[y : y + side, x : x + side] = True
    return masks


TRUTH = Instances(squares((0, 0), (20, 0), (40, 20)), ["cat", "cat", "dog"])


def test_the_truth_scores_one(capsys):
    found = average_precision([Instances(TRUTH.masks, TRUTH.classes, [0.9, 0.5, 0.1])], [TRUTH])
    assert (found.ap, found.ap50, found.ap75) == pytest.approx((1, 1, 1))
    assert capsys.readouterr().out == ""


def test_a_loose_mask_passes_the_lower_thresholds_only():
    """Ten by ten against eight by ten: an IoU of 0.8 passes .50 to .80, seven of ten."""
    truth = Instances(squares((0, 0)), ["cat"])
    loose = truth.masks.copy()
    loose[:, 8:] = False
    found = average_precision([Instances(loose, ["cat"], [1.0])], [truth])
    assert found.ap == pytest.approx(0.7)
    assert (found.ap50, found.ap75) == pytest.approx((1, 1))


def test_a_sure_mistake_costs_more_than_an_unsure_one():
    truth = Instances(squares((0, 0)), ["cat"])
    both = squares((0, 0), (20, 0))

    def ap(*scores):
        return average_precision([Instances(both, ["cat", "cat"], scores)], [truth]).ap

    assert ap(0.9, 0.1) == pytest.approx(1)
    assert ap(0.1, 0.9) == pytest.approx(0.5)


def test_classes_and_pictures_are_kept_apart():
    truth = [Instances(squares((0, 0)), ["cat"]), Instances(squares((20, 20)), ["dog"])]
    scored = [Instances(own.masks, own.classes, [1.0]) for own in truth]
    assert average_precision(scored, truth).ap == pytest.approx(1)
    assert average_precision(scored[::-1], truth).ap == 0
    named_wrong = [Instances(own.masks, ["fox"], [1.0]) for own in truth]
    assert average_precision(named_wrong, truth).ap == 0


def test_nothing_found_and_nothing_there():
    nothing = Instances(squares(), [])
    assert average_precision([nothing], [TRUTH]).ap == 0
    assert math.isnan(average_precision([nothing], [nothing]).ap)
