"""Records and sums, on squares whose numbers can be worked out by hand."""

import math

import numpy as np
import pytest
import torch

from x2sam.eval.folder_scores import Record, Scores
from x2sam.model.readout import Segments

IDS = np.zeros((8, 8), np.uint8)
IDS[:4, :4], IDS[4:, 4:] = 1, 2


def marks(*masks, labels=None):
    masks = torch.from_numpy(np.array(masks).reshape(-1, 8, 8))
    labels = torch.tensor(labels or [0] * len(masks), dtype=torch.int64)
    return Segments(masks, labels, torch.ones(len(masks)), torch.arange(1, len(masks) + 1))


def summed(*records):
    scores = Scores()
    for record in records:
        scores.add(record)
    return {(r.task, r.metric): r for r in scores.results()}


def test_half_a_square_and_nothing():
    half = IDS == 1
    half[2:] = False
    record, silent = (Record("referring", False, ((1,),)) for _ in range(2))
    record.frame(IDS, marks(half))
    silent.frame(IDS, None)
    found = summed(record, silent)
    assert found["photos, referring", "gIoU"].value == 0.25
    assert found["photos, referring", "cIoU"].value == 8 / 32
    assert found["photos, referring", "gIoU"].n == 2


def test_several_ids_are_united_and_void_does_not_count():
    ids = IDS.copy()
    ids[0] = 255
    record = Record("referring", False, ((1, 2),))
    record.frame(ids, marks(IDS == 1, IDS == 2))  # marks the void, too
    assert summed(record)["photos, referring", "gIoU"].value == 1


def test_each_class_is_its_own_label():
    record = Record("class", False, ((1,), (2,), ()), ("dog", "cat", "zebra"))
    found = marks(IDS == 1, IDS == 1, labels=[0, 1])  # the dog is taken for a cat as well
    record.frame(IDS, found)
    record.classes(IDS, marks(IDS == 1), found)
    sums = summed(record)
    assert sums["photos, class", "mIoU"].value == 0.5
    assert sums["photos, class", "mIoU"].parts["cat"] == 0
    assert sums["photos, class", "PQ"].value == 0.5
    assert sums["photos, class", "AP"].value == pytest.approx(0.5)


def test_an_object_of_two_classes_counts_for_the_first():
    record = Record("class", False, ((1,), (1, 2)), ("dog", "animal"))
    record.frame(IDS, None)
    record.classes(IDS, None, None)
    assert record.cut[1].classes == {1: "dog", 2: "animal"}
    assert list(record.instances[1].classes) == ["dog", "animal"]


def test_a_clip_is_the_mean_of_its_frames():
    record = Record("click", True, ((1,),))
    record.frame(IDS, marks(IDS == 1))
    record.frame(IDS, None)
    record.frame(np.zeros_like(IDS), None)  # gone, and not marked
    found = summed(record)
    assert found["clips, click", "J"].value == pytest.approx(2 / 3)
    assert found["clips, click", "F"].value == pytest.approx(2 / 3)
    assert found["clips, click", "J&F"].n == 1


def test_a_record_without_frames_is_no_zero():
    """A mask given in the last frame leaves nothing to be asked for."""
    full = Record("mask", True, ((1,),))
    full.frame(IDS, marks(IDS == 1))
    assert summed(full, Record("mask", True, ((1,),)))["clips, mask", "J"].value == 1


def test_classes_that_are_nowhere_have_no_number():
    record = Record("class", False, ((),), ("zebra",))
    record.frame(IDS, None)
    record.classes(IDS, None, None)
    found = summed(record)
    assert math.isnan(found["photos, class", "mIoU"].value)
    assert math.isnan(found["photos, class", "AP"].value)


def test_nothing_at_all():
    assert Scores().results() == []
