"""COCO mask AP: instances found, and the surest ones right.

The counting is pycocotools' own `COCOeval`, so that a number here means what it means
elsewhere; this module only hands it masks from memory.
"""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pycocotools import mask as run_lengths
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Instances:
    """What is in one picture: masks (N, H, W), their classes, and scores if predicted."""

    masks: NDArray[np.bool_]
    classes: Sequence[str]
    scores: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class AveragePrecision:
    """COCO's three numbers; nan if no class has a true instance."""

    ap: float  # mean over IoU thresholds .50, .55, … .95
    ap50: float
    ap75: float


def average_precision(
    predicted: Sequence[Instances], truth: Sequence[Instances]
) -> AveragePrecision:
    """Score the pictures of a set, predicted and true in the same order."""
    names = sorted({name for picture in truth for name in picture.classes})
    if not names:
        return AveragePrecision(np.nan, np.nan, np.nan)
    classes = {name: number for number, name in enumerate(names, start=1)}
    real = COCO()
    real.dataset = {
        "info": {},
        "images": [
            dict(zip(("id", "height", "width"), (image, *picture.masks.shape[1:]), strict=True))
            for image, picture in enumerate(truth)
        ],
        "categories": [{"id": number, "name": name} for name, number in classes.items()],
        "annotations": _rows(truth, classes),
    }
    # Classes that occur nowhere in truth have no AP, so their predictions do not count.
    found = COCO()
    found.dataset = {**real.dataset, "annotations": _rows(predicted, classes, scored=True)}
    with redirect_stdout(io.StringIO()):  # pycocotools talks
        real.createIndex()
        found.createIndex()
        counting = COCOeval(real, found, "segm")
        counting.evaluate()
        counting.accumulate()
        counting.summarize()
    ap, ap50, ap75 = (float(value) for value in counting.stats[:3])
    return AveragePrecision(ap, ap50, ap75)


def _rows(
    pictures: Sequence[Instances], classes: dict[str, int], *, scored: bool = False
) -> list[dict[str, Any]]:
    """Annotations as COCO writes them, numbered from 1: COCOeval takes 0 for "no match"."""
    rows: list[dict[str, Any]] = []
    for image, picture in enumerate(pictures):
        scores = picture.scores if scored else [1.0] * len(picture.masks)
        instances = zip(picture.masks, picture.classes, scores, strict=True)
        for mask, name, score in instances:
            if name not in classes:
                continue
            code = run_lengths.encode(np.asfortranarray(mask, dtype=np.uint8))
            rows.append(
                {
                    "id": len(rows) + 1,
                    "image_id": image,
                    "category_id": classes[name],
                    "segmentation": code,
                    "area": int(mask.sum()),
                    "bbox": run_lengths.toBbox(code).tolist(),
                    "score": score,
                    "iscrowd": 0,
                }
            )
    return rows
