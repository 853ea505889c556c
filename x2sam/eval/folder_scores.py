"""What a model found on a suite: counted frame by frame, summed up at the end.

A `Record` is one question about one sample. It keeps pixel counts, not masks, so the length
of a clip costs nothing; only what was found of the classes of a picture is kept as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from x2sam.eval import panoptic
from x2sam.eval.average_precision import Instances, average_precision
from x2sam.eval.metrics import Overlap, boundary_f, ciou, giou, mean, miou, overlap
from x2sam.eval.results import Result
from x2sam.media.suite import IGNORED
from x2sam.model.readout import Segments

Ids = npt.NDArray[np.uint8]
Masks = npt.NDArray[np.bool_]

POINTING = ("click", "box", "scribble", "mask")


@dataclass(slots=True)
class Record:
    """One question: what should be marked for each thing it asks for, and what was."""

    row: str
    clip: bool
    targets: tuple[tuple[int, ...], ...]  # object ids
    names: tuple[str, ...] = ()  # of classes
    overlaps: list[list[Overlap]] = field(default_factory=list)  # frames × targets
    outlines: list[list[float]] = field(default_factory=list)  # likewise, of clips
    cut: tuple[panoptic.Segments, panoptic.Segments] | None = None  # of a picture: found, true
    instances: tuple[Instances, Instances] | None = None  # likewise

    def frame(self, ids: Ids, found: Segments | None) -> None:
        """Compare the next frame with its object ids (H, W); None: nothing was marked."""
        void = ids == IGNORED
        overlaps, outlines = [], []
        for number, target in enumerate(self.targets):
            truth = np.isin(ids, target)
            marked = np.zeros_like(truth)
            if found is not None:
                marked = found.masks[found.labels == number].any(dim=0).cpu().numpy()
            overlaps.append(overlap(marked, truth, void))
            if self.clip:
                outlines.append(boundary_f(marked & ~void, truth))
        self.overlaps.append(overlaps)
        self.outlines.append(outlines)

    def classes(self, ids: Ids, parts: Segments | None, objects: Segments | None) -> None:
        """Keep what was found in a picture, pixel by pixel and object by object."""
        named: dict[int, str] = {}
        for name, target in zip(self.names, self.targets, strict=True):
            named |= {number: name for number in target if number not in named}
        blank = np.zeros_like(ids)
        cut = panoptic.Segments(blank, {})
        if parts is not None:
            labels = zip(parts.ids.tolist(), parts.labels.tolist(), strict=True)
            painted = parts.paint(parts.ids).cpu().numpy().astype(np.uint8)
            cut = panoptic.Segments(painted, {number: self.names[k] for number, k in labels})
        self.cut = cut, panoptic.Segments(ids, named)
        masks = [ids == number for number in named]
        truth = Instances(np.array(masks).reshape(-1, *ids.shape), [*named.values()])
        found = Instances(np.zeros((0, *ids.shape), bool), [])
        if objects is not None:
            words = [self.names[k] for k in objects.labels.tolist()]
            found = Instances(objects.masks.cpu().numpy(), words, objects.scores.tolist())
        self.instances = found, truth


@dataclass(slots=True)
class Scores:
    """All records of a suite."""

    photos: dict[str, list[Overlap]] = field(default_factory=lambda: defaultdict(list))
    names: dict[str, list[Overlap]] = field(default_factory=lambda: defaultdict(list))
    cuts: list[tuple[panoptic.Segments, panoptic.Segments]] = field(default_factory=list)
    instances: list[tuple[Instances, Instances]] = field(default_factory=list)
    clips: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, record: Record) -> None:
        """Count a record whose frames have all been seen; without any it says nothing."""
        if not record.overlaps:
            return
        for number in range(len(record.targets)):
            overlaps = [frame[number] for frame in record.overlaps]
            if record.clip:
                j = mean(pair.iou for pair in overlaps)
                self.clips[record.row].append((j, mean(f[number] for f in record.outlines)))
            elif record.names:
                self.names[record.names[number]] += overlaps
            else:
                self.photos[record.row] += overlaps
        if record.cut and record.instances:
            self.cuts.append(record.cut)
            self.instances.append(record.instances)

    def results(self) -> list[Result]:
        """Sum up, pictures first."""
        return [*self._words(), *self._classes(), *self._pointing(), *self._clips()]

    def _words(self) -> Iterator[Result]:
        for row, pairs in self.photos.items():
            if row not in POINTING:
                task = f"photos, {row}"
                yield Result(task=task, metric="gIoU", value=giou(pairs), n=len(pairs))
                yield Result(task=task, metric="cIoU", value=ciou(pairs), n=len(pairs))

    def _classes(self) -> Iterator[Result]:
        if not self.cuts:
            return
        task, n = "photos, class", len(self.cuts)
        each = {name: ciou(pairs) for name, pairs in sorted(self.names.items())}
        yield Result(task=task, metric="mIoU", value=miou(self.names.values()), n=n, parts=each)
        quality = panoptic.panoptic_quality(self.cuts)
        yield Result(task=task, metric="PQ", value=quality.pq, n=n, parts=quality.classes)
        found, truth = zip(*self.instances, strict=True)
        precision = average_precision(found, truth)
        yield Result(task=task, metric="AP", value=precision.ap, n=n)
        yield Result(task=task, metric="AP50", value=precision.ap50, n=n)

    def _pointing(self) -> Iterator[Result]:
        for row in POINTING:
            if pairs := self.photos.get(row):
                task = f"photos, {row}"
                yield Result(task=task, metric="mIoU", value=giou(pairs), n=len(pairs))

    def _clips(self) -> Iterator[Result]:
        for row, pairs in _pointing_last(self.clips):
            j, f = (mean(pair[k] for pair in pairs) for k in (0, 1))
            for metric, value in (("J&F", (j + f) / 2), ("J", j), ("F", f)):
                yield Result(task=f"clips, {row}", metric=metric, value=value, n=len(pairs))


def _pointing_last(
    rows: dict[str, list[tuple[float, float]]],
) -> Sequence[tuple[str, list[tuple[float, float]]]]:
    return sorted(rows.items(), key=lambda item: item[0] in POINTING)
