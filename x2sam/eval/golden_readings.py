"""Recorded results of the official post-processing against our readings.

Two numbers come of each frame: the share of pixels that differ, and the largest difference
of scores. Where the official result is ambiguous, the comparison is what can be said:

- panoptic ids collide, so a pixel agrees if its id stands for our label too, and pieces of
  fused stuff are listed one by one, so the best score of each label counts;
- instances have no order and may be empty, so they are matched;
- a 0/1 drawing is taken for an empty one when an object is followed, so ours is emptied.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from x2sam.model.prediction import Prediction, Sizes
from x2sam.model.readout import READOUTS, Rules, Segments

Arrays = dict[str, npt.NDArray[Any]]
Difference = tuple[float, float]  # share of pixels, scores
DIFFERENT: Difference = (math.inf, math.inf)
OUTSIDE = 255  # of one mask, in official maps

# From what the official function (or its task) is called to the reading.
NAMES = MappingProxyType(
    {
        "panoptic": "panoptic",
        "semantic": "semantic",
        "instance": "instance",
        "vgdseg": "regions",
        "grefseg": "generalised",
        "refseg": "referring",
        "reaseg": "referring",
        "gcgseg": "phrases",
        "intseg": "interactive",
        "objseg": "objects",
    }
)


def compare_readings(
    variant: str,
    case: dict[str, Any],
    frames: list[Prediction],
    arrays: Arrays,
    things: frozenset[int] | None,
) -> Iterator[tuple[str, Difference]]:
    """Read all frames of a recorded case.

    Args:
        variant: the case's name, by which its arrays are called.
        case: its entry in `tasks.json` or `postprocess.json`.
        frames: what the network says of each frame.
        arrays: the recorded maps, masks and drawings.
        things: countable conditions; None: all.

    Yields:
        A name and the differences of each frame.
    """
    kwargs = case["kwargs"]
    said = kwargs.get("task_name", "") + case["fn"]
    reading = next(reading for name, reading in NAMES.items() if name in said)
    drawn = arrays.get(f"post.{variant}.0.vprompt_masks")
    if reading == "objects" and drawn is not None and drawn.max() < OUTSIDE:
        drawn = np.zeros_like(drawn)
    rules = Rules(
        threshold=kwargs.get("threshold", Rules().threshold),
        overlap=kwargs.get("overlap_mask_area_threshold", Rules().overlap),
        fill=True,
        things=things,
        regions=None if drawn is None else torch.from_numpy(drawn > 0),
    )
    read = READOUTS[reading](rules)
    for index, (seen, expected) in enumerate(zip(frames, case["results"], strict=True)):
        if case["fn"].startswith("img"):
            read = READOUTS[reading](rules)  # a list of pictures is no clip
        name = f"post.{variant}.{index}"
        if reading == "interactive" and f"{name}.vprompt_masks" not in arrays:
            continue  # only the first picture's drawing was recorded at its size
        given = {
            key.removeprefix(f"{name}."): value
            for key, value in arrays.items()
            if key.startswith(f"{name}.")
        }
        yield name, COMPARISONS.get(reading, _phrases)(read(seen), expected, given)


def _panoptic(found: Segments, expected: dict[str, Any], arrays: Arrays) -> Difference:
    official = torch.from_numpy(arrays["segmentation"].astype(np.int64))
    labels: dict[int, set[int]] = {}
    scores: dict[int, float] = {}
    for segment in expected["segments_info"]:
        label = segment["category_id"]
        labels.setdefault(segment["id"], set()).add(label)
        scores[label] = max(segment["score"], scores.get(label, 0.0))
    ours = found.paint(found.labels, void=-1)
    agrees = (official == 0) & (ours < 0)
    for known, its in labels.items():
        agrees |= (official == known) & torch.isin(ours, torch.tensor([*its]))
    best = {
        label: float(found.scores[found.labels == label].max())
        for label in found.labels.unique().tolist()
    }
    if best.keys() != scores.keys():
        return DIFFERENT
    off = max((abs(best[label] - score) for label, score in scores.items()), default=0.0)
    return float((~agrees).float().mean()), off


def _semantic(found: Segments, _: dict[str, Any], arrays: Arrays) -> Difference:
    return _differing(found.paint(found.labels, void=-1), arrays["segmentation"]), 0.0


def _instances(found: Segments, expected: dict[str, Any], arrays: Arrays) -> Difference:
    masks = arrays.get("instances.pred_masks")
    left = list(range(len(found)))
    pixels, scores = 0.0, 0.0
    for index, segment in enumerate(expected["segments_info"]):
        if segment["score"] <= 0:
            continue  # an empty mask
        alike = [i for i in left if int(found.labels[i]) == segment["label_id"]]
        offs = {i: abs(float(found.scores[i]) - segment["score"]) for i in alike}
        shares = {
            i: 0.0 if masks is None else _differing(found.masks[i], masks[index]) for i in alike
        }
        if not alike:
            return DIFFERENT
        best = min(alike, key=lambda i: (shares[i], offs[i]))
        left.remove(best)
        pixels, scores = max(pixels, shares[best]), max(scores, offs[best])
    return DIFFERENT if left else (pixels, scores)


def _phrases(found: Segments, expected: dict[str, Any], arrays: Arrays) -> Difference:
    """Official maps hold the phrase, counted from 1, and 255 elsewhere."""
    info = expected["segments_info"]
    official = [segment["score"] for segment in (info if isinstance(info, list) else [info])]
    if len(official) != len(found):
        return DIFFERENT
    pixels = _differing(found.paint(found.ids, void=OUTSIDE), arrays["segmentation"])
    return pixels, float((found.scores - torch.tensor(official)).abs().max())


COMPARISONS: MappingProxyType[str, Callable[[Segments, dict[str, Any], Arrays], Difference]] = (
    MappingProxyType(
        {
            "panoptic": _panoptic,
            "semantic": _semantic,
            "instance": _instances,
            "regions": _instances,
        }
    )
)


def _differing(ours: Tensor, official: npt.NDArray[Any]) -> float:
    return float((ours.numpy() != official).mean())


def things_of(about: dict[str, Any]) -> frozenset[int] | None:
    """Which conditions of a task or case are countable; None: all."""
    if about.get("classes"):
        names, things, _ = about["classes"]
        return frozenset(map(names.index, things))
    if metadata := about.get("metadata"):
        return frozenset(metadata["thing_dataset_id_to_contiguous_id"].values())
    return None


def frames_of_task(
    task: dict[str, Any], predictions: list[tuple[Tensor, Tensor]], side: int
) -> list[Prediction]:
    """Give the network's logits of a task's frames the sizes of its pictures."""
    about = task["data_samples_metainfo"]
    scaled, original = about["scaled_sizes"], about["image_sizes"]
    if isinstance(original[0][0], list):  # of a clip
        scaled, original = scaled[0], original[0]
    return [
        Prediction.from_logits(classes[0], masks[0], Sizes(side, tuple(s), tuple(o)))
        for (classes, masks), s, o in zip(predictions, scaled, original, strict=True)
    ]


def frames_of_unit(case: dict[str, Any], arrays: Arrays) -> list[Prediction]:
    """Give a case's recorded logits their sizes."""
    classes = torch.from_numpy(arrays[f"in.{case['logits']}.class_logits"])
    masks = torch.from_numpy(arrays[f"in.{case['logits']}.mask_logits"])
    scaled, original = case["scaled_sizes"], case["image_sizes"]
    if isinstance(original[0][0], list):
        scaled, original = scaled[0], original[0]
    # The official video code gives every frame the size of the first.
    side = masks.shape[-1]
    return [
        Prediction.from_logits(c, m, Sizes(side, tuple(s), tuple(o)))
        for c, m, s, o in zip(classes, masks, scaled, original, strict=True)
    ]
