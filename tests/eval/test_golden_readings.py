"""Comparing readings with recorded maps, by hand-made frames whose answer is known.

The recorded ones are compared in `test_golden`.
"""

import math

import numpy as np
import pytest
import torch

from x2sam.eval.golden_readings import compare_readings, frames_of_task, things_of
from x2sam.model.prediction import Prediction, Sizes

SIDE = 4
LEFT = torch.tensor([9.0, 9.0, -9.0, -9.0]).expand(SIDE, SIDE)
MAP = np.array([1, 1, 255, 255], np.int16) * np.ones((SIDE, 1), np.int16)


def frame(*queries):
    masks, probabilities = zip(*queries, strict=True)
    sizes = Sizes.squashed(SIDE, (SIDE, SIDE))
    return Prediction(torch.tensor(probabilities), torch.stack(masks), sizes)


def compared(fn, seen, info, recorded, **kwargs):
    case = {"fn": fn, "kwargs": kwargs, "results": [{"segments_info": info}]}
    arrays = {f"post.v.0.{name}": value for name, value in recorded.items()}
    ((name, difference),) = compare_readings("v", case, [seen], arrays, None)
    assert name == "post.v.0"
    return difference


def test_one_mask():
    seen = frame((LEFT, [0.9]), (-LEFT, [0.2]))
    info = {"score": 0.9}
    recorded = {"segmentation": MAP}
    assert compared("img_refseg_postprocess_fn", seen, info, recorded) == pytest.approx(
        (0, 0), abs=1e-6
    )
    moved = {"segmentation": np.roll(MAP, 1, axis=1)}
    pixels, scores = compared("img_refseg_postprocess_fn", seen, {"score": 0.8}, moved)
    assert pixels == pytest.approx(0.5)
    assert scores == pytest.approx(0.1)


def test_panoptic_ids_may_stand_for_two_labels():
    seen = frame((LEFT, [0.9, 0.0]), (-LEFT, [0.0, 0.7]))
    info = [{"id": 1, "category_id": 0, "score": 0.9}, {"id": 1, "category_id": 1, "score": 0.7}]
    everywhere = {"segmentation": np.ones((SIDE, SIDE), np.int16)}
    args = ("img_genseg_postprocess_fn", seen)
    panoptic = {"task_name": "img_genseg_panoptic"}
    assert compared(*args, info, everywhere, **panoptic) == pytest.approx((0, 0), abs=1e-6)
    void = {"segmentation": np.zeros((SIDE, SIDE), np.int16)}
    assert compared(*args, info, void, **panoptic)[0] == 1.0
    assert compared(*args, info[:1], everywhere, **panoptic) == (math.inf, math.inf)


def test_instances_are_matched_in_any_order_and_none_may_be_left():
    seen = frame((LEFT, [0.9]), (-LEFT, [0.7]))
    info = [{"label_id": 0, "score": s} for s in (0.7 * 0.99988, 0.9 * 0.99988, 0.0)]
    masks = {"instances.pred_masks": np.stack([MAP != 1, MAP == 1, MAP == 0])}
    args = ("img_vgdseg_postprocess_fn", seen)
    assert compared(*args, info, masks) == pytest.approx((0, 0), abs=1e-5)
    assert compared(*args, info[:1], masks) == (math.inf, math.inf)
    assert compared(*args, [*info, info[0]], masks) == (math.inf, math.inf)


def test_frames_of_a_clip_have_their_sizes():
    about = {"scaled_sizes": [[[8, 8], [8, 8]]], "image_sizes": [[[6, 8], [6, 8]]]}
    logits = torch.zeros(1, 3, 2), torch.zeros(1, 3, 2, 2)
    frames = frames_of_task({"data_samples_metainfo": about}, [logits, logits], 8)
    assert [seen.sizes.original for seen in frames] == [(6, 8), (6, 8)]


def test_countable_conditions():
    assert things_of({"classes": [["sky", "dog"], ["dog"], ["sky"]]}) == {1}
    assert things_of({"classes": None}) is None
