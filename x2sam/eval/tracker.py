"""`x2sam eval tracker`: how well a tracker marks, and how far it carries what was marked.

`ROWS` is the whole evaluation: drawn and photographed pictures, clips of `FRAMES` frames, and
real clips if a folder of them is given (`<clip>/frames/*.jpg` and `<clip>/masks/*.png`, one
object each, as DAVIS 2016 is laid out). All goes through `Tracker.open`, as in use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from x2sam.errors import MediaError
from x2sam.eval.metrics import j_and_f, mean, overlap
from x2sam.eval.results import Result
from x2sam.tracker.tracker import Frames, Tracker, Tracking
from x2sam.train.moving import draw_clips
from x2sam.train.samples import Stream
from x2sam.train.tracking import box, click
from x2sam.types import Mask

FRAMES = 8  # of a drawn clip
SIDE = 256
Start = Literal["click", "box", "mask", "click and correction"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One number: a kind of clip, how its object is marked, and the bar."""

    kind: Literal["scenes", "photos", "real clips"]
    start: Start
    moving: bool = True
    bar: float | None = None

    @property
    def task(self) -> str:
        """What the table says."""
        return f"{self.kind if self.moving else self.kind + ', pictures'}: {self.start}"


ROWS = (
    Row(kind="scenes", start="click", moving=False),
    Row(kind="scenes", start="box", moving=False),
    Row(kind="photos", start="click", moving=False),
    Row(kind="photos", start="box", moving=False),
    Row(kind="photos", start="click and correction", moving=False),
    Row(kind="scenes", start="mask", bar=0.85),
    Row(kind="scenes", start="click", bar=0.75),
    Row(kind="photos", start="mask"),
    Row(kind="photos", start="click"),
    Row(kind="real clips", start="mask", bar=0.60),
    Row(kind="real clips", start="click"),
)


class Shown:
    """A clip that lies in memory, (T, H, W, 3)."""

    def __init__(self, frames: NDArray[np.uint8]) -> None:
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    def frame(self, index: int) -> NDArray[np.uint8]:
        """One frame."""
        frame: NDArray[np.uint8] = self._frames[index]
        return frame


Case = tuple[str, Frames, Mask]  # name, clip, and the object's masks (T, H, W)


def evaluate(
    tracker: Tracker,
    stream: Stream,
    limit: int,
    clips: Path | None = None,
    rows: Sequence[Row] = ROWS,
    *,
    quiet: bool = False,
) -> list[Result]:
    """Measure rows on `limit` objects each; real clips on all there are."""
    results = []
    for row in rows:
        if row.kind == "photos" and stream.photos is None:
            results.append(_missing(row, "no photos were given"))
            continue
        if row.kind == "real clips" and clips is None:
            results.append(_missing(row, "no folder of clips was given"))
            continue
        cases = real(clips) if row.kind == "real clips" and clips else drawn(stream, row, limit)
        scored = [
            (case[0], score(tracker, case, row, seed))
            for seed, case in enumerate(tqdm(cases, desc=row.task, disable=quiet, leave=False))
        ]
        results.append(
            Result(
                task=row.task,
                metric=_metric(row),
                value=mean(value for _, value in scored),
                n=len(scored),
                bar=row.bar,
                parts=dict(scored) if row.kind == "real clips" else {},
            )
        )
    return results


def follow(tracker: Tracker, case: Case, row: Row, seed: int) -> Mask:
    """Mark the object on the first frame and carry it: its masks (T, H, W), one of a picture."""
    _, clip, truth = case
    with tracker.open(clip) as tracking:
        first = _mark(tracking, truth[0], row.start, torch.Generator().manual_seed(seed))
        if not row.moving:
            return first[None]
        return np.stack([tracked.shapes[1].mask for tracked in tracking.propagate(0)])


def score(tracker: Tracker, case: Case, row: Row, seed: int) -> float:
    """Score what `follow` finds: J&F, or IoU of a picture."""
    found, truth = follow(tracker, case, row, seed), case[2]
    if not row.moving:
        return overlap(found[0], truth[0]).iou
    # The frame of a given mask is no achievement.
    begin = 1 if row.start == "mask" else 0
    return j_and_f(found[begin:], truth[begin:]).jf


def _mark(tracking: Tracking, truth: Mask, start: Start, generator: torch.Generator) -> Mask:
    masks = torch.from_numpy(truth)[None]
    if start == "mask":
        return tracking.add(1, 0, mask=truth).mask
    if start == "box":
        x0, y0, x1, y1 = box(masks, generator, steady=True).at[0].flatten().tolist()
        return tracking.add(1, 0, box=(x0, y0, x1, y1)).mask
    points = [_point(click(masks, generator).at)]
    mask = tracking.add(1, 0, points=points).mask
    if start == "click and correction" and (mask != truth).any():
        wrong = torch.from_numpy(mask != truth)[None]
        points.append(_point(click(wrong, generator).at))
        x, y = map(int, points[-1])
        mask = tracking.add(1, 0, points=points, labels=[1, int(truth[y, x])]).mask
    return mask


def _point(at: torch.Tensor) -> tuple[float, float]:
    x, y = at.flatten().tolist()
    return x, y


def drawn(stream: Stream, row: Row, limit: int) -> Iterator[Case]:
    """Yield generated clips, always the same."""
    frames = FRAMES if row.moving else 1
    for index in range(limit):
        clips = draw_clips(
            stream,
            index,
            clips=1,
            frames=frames,
            objects=1,
            size=SIDE,
            photo=row.kind == "photos",
        )
        pictures = (clips.pictures[0] * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        yield str(index), Shown(pictures), clips.masks[0, :, 0].cpu().numpy()


def real(folder: Path) -> Iterator[Case]:
    """Yield the clips of a folder.

    Raises:
        MediaError: there is none, or frames and masks do not go together.
    """
    found = sorted(path.parent for path in folder.glob("*/masks") if path.is_dir())
    if not found:
        raise MediaError(f"{folder} has no clips: <clip>/frames/*.jpg and <clip>/masks/*.png.")
    for clip in found:
        pictures = sorted((clip / "frames").glob("*.jpg"))
        masks = sorted((clip / "masks").glob("*.png"))
        if not masks or len(pictures) != len(masks):
            raise MediaError(f"{clip} has {len(pictures)} frames and {len(masks)} masks.")
        frames = np.stack([np.asarray(Image.open(path).convert("RGB")) for path in pictures])
        truth = np.stack([np.asarray(Image.open(path).convert("L")) > 0 for path in masks])
        yield clip.name, Shown(frames), truth


def _metric(row: Row) -> str:
    return "J&F" if row.moving else "mIoU"


def _missing(row: Row, why: str) -> Result:
    return Result(task=row.task, metric=_metric(row), bar=row.bar, why=why)
