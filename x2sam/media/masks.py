"""Masks as runs: small, frozen, and exactly as COCO writes them.

A mask of a 4K frame is 8 MB of bools, and a few hundred bytes of runs. A `Track` is one object
through a clip: runs by frame number, which read and write as masks.

    >>> mask = np.zeros((4, 6), bool)
    >>> mask[1:3, 2:5] = True
    >>> runs = Rle.of(mask)
    >>> runs.area, runs.box, bool((runs.mask() == mask).all())
    (6, (2, 1, 5, 3), True)
    >>> track = Track((4, 6))
    >>> track[7] = mask
    >>> track[8] = mask & False
    >>> list(track), track.area(8), track.spans()
    ([7, 8], 0, [(7, 8)])

Runs go down the columns, from the top left, and begin with what is not in the mask.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from x2sam.errors import MediaError

LARGEST = 1 << 27  # pixels of a mask that is read from JSON; a few bytes may claim any size
BITS, SIGN, MORE, PLAIN, LONGEST = 5, 16, 32, 2, 40  # of COCO's compressed text

Mask = NDArray[np.bool_]
"""A mask: H W bool."""

Size = tuple[int, int]
"""Height and width."""

Box = tuple[int, int, int, int]
"""Pixels x0 y0 x1 y1, end-exclusive."""


@dataclass(frozen=True, slots=True)
class Rle:
    """One mask as run lengths in COCO's compressed text."""

    size: Size
    counts: bytes

    @classmethod
    def of(cls, mask: NDArray[np.generic]) -> Self:
        """Encode a mask (H, W); every value but 0 is in it."""
        assert len(mask.shape) == 2, mask.shape  # noqa: PLR2004
        height, width = mask.shape
        encoded = _coco().encode(np.asfortranarray(mask.astype(bool).view(np.uint8)))
        return cls((height, width), encoded["counts"])

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read COCO's {"size": [H, W], "counts": text or list}, and check it.

        Raises `MediaError` where the runs do not fill the size.
        """
        try:
            height, width = (int(side) for side in value["size"])
            counts = value["counts"]
            runs = counts if isinstance(counts, list) else _runs(counts)
        except (KeyError, TypeError, ValueError) as error:
            raise MediaError(
                "A mask should have a size and counts, as COCO writes them."
            ) from error
        whole = all(type(run) is int and run >= 0 for run in runs)
        if not (whole and height > 0 and width > 0 and sum(runs) == height * width < LARGEST):
            raise MediaError(f"The runs of a mask do not fill its {width} × {height} pixels.")
        return cls.of(_filled(runs, (height, width)))

    @classmethod
    def union(cls, several: Sequence[Rle]) -> Self:
        """Merge masks of one size; at least one."""
        assert len({rle.size for rle in several}) == 1, [rle.size for rle in several]
        merged = _coco().merge([rle.raw for rle in several])
        return cls(several[0].size, merged["counts"])

    @property
    def raw(self) -> dict[str, Any]:
        """The value that pycocotools takes."""
        return {"size": list(self.size), "counts": self.counts}

    def to_json(self) -> dict[str, Any]:
        """Write as COCO does: {"size": [H, W], "counts": text}."""
        return {"size": list(self.size), "counts": self.counts.decode("ascii")}

    def mask(self) -> Mask:
        """Decode: (H, W)."""
        return _filled(_runs(self.counts), self.size)

    @property
    def area(self) -> int:
        """Pixels in the mask."""
        return int(_coco().area(self.raw))

    @property
    def box(self) -> Box | None:
        """The smallest box around it; None if the mask is empty."""
        if not self.area:
            return None
        x, y, width, height = (int(side) for side in _coco().toBbox(self.raw))
        return x, y, x + width, y + height

    def iou(self, other: Rle) -> float:
        """Intersection over union from 0 to 1; two empty masks are alike."""
        assert self.size == other.size, (self.size, other.size)
        if not self.area and not other.area:
            return 1.0
        return float(_coco().iou([self.raw], [other.raw], [0])[0, 0])


class Track(MutableMapping[int, Mask]):
    """One object in a clip: its mask by frame number, for the frames that were looked at.

    A frame where the object was looked for and is not to be seen has an empty mask; a frame
    that nobody looked at has none. What is stored never changes in place, so a copy is cheap.
    """

    def __init__(self, size: Size, runs: Mapping[int, Rle] | None = None) -> None:
        self.size = size
        self._runs: dict[int, Rle] = {}
        for index, rle in (runs or {}).items():
            self.put(index, rle)

    @classmethod
    def still(cls, mask: Mask) -> Track:
        """The track of an object in a picture: one frame, number 0."""
        height, width = mask.shape
        return cls((height, width), {0: Rle.of(mask)})

    def __getitem__(self, index: int) -> Mask:
        return self._runs[index].mask()

    def __setitem__(self, index: int, mask: Mask) -> None:
        self.put(index, Rle.of(mask))

    def __delitem__(self, index: int) -> None:
        del self._runs[index]

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._runs))

    def __len__(self) -> int:
        return len(self._runs)

    def put(self, index: int, rle: Rle) -> None:
        """Set the mask of a frame from its runs."""
        assert index >= 0, index
        assert rle.size == self.size, (rle.size, self.size)
        self._runs[index] = rle

    def rle(self, index: int) -> Rle:
        """The runs of a frame; `KeyError` if nobody looked at it."""
        return self._runs[index]

    def copy(self) -> Track:
        """A track that may be changed on its own; the runs are shared."""
        return Track(self.size, self._runs)

    def area(self, index: int) -> int:
        """Pixels of the mask in a frame."""
        return self._runs[index].area

    def box(self, index: int) -> Box | None:
        """The box around the mask in a frame; None where it is empty."""
        return self._runs[index].box

    def boxes(self) -> dict[int, Box]:
        """All boxes by frame number, without the frames where the mask is empty."""
        found = {index: self.box(index) for index in self}
        return {index: box for index, box in found.items() if box is not None}

    def visible(self) -> list[int]:
        """Frames where the object is to be seen."""
        return [index for index in self if self.area(index)]

    def spans(self, gap: int = 1) -> list[tuple[int, int]]:
        """Stretches of frames where the object is to be seen: first, and one after the last.

        Frames up to `gap` apart count as one stretch, which a stride between looks needs.
        """
        spans: list[tuple[int, int]] = []
        for index in self.visible():
            if spans and index < spans[-1][1] + gap:
                spans[-1] = spans[-1][0], index + 1
            else:
                spans.append((index, index + 1))
        return spans

    def merged(self, other: Track) -> Track:
        """The union with another track, frame by frame."""
        union = self.copy()
        for index in other:
            rle = other.rle(index)
            union.put(index, Rle.union([self.rle(index), rle]) if index in self._runs else rle)
        return union

    def to_json(self) -> dict[str, Any]:
        """Write as {"size": [H, W], "frames": {"0": counts}}."""
        frames = {str(index): self._runs[index].counts.decode("ascii") for index in self}
        return {"size": list(self.size), "frames": frames}

    @classmethod
    def from_json(cls, value: Any) -> Track:
        """Read what `to_json` wrote; `MediaError` if it is something else."""
        try:
            size, frames = value["size"], value["frames"]
            runs = {
                int(key): Rle.from_json({"size": size, "counts": frames[key]}) for key in frames
            }
            if min(runs, default=0) < 0:
                raise MediaError("A track has a frame with a number below 0.")
            return cls((int(size[0]), int(size[1])), runs)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise MediaError("A track should have a size and frames.") from error


def resized(mask: Mask, size: Size) -> Mask:
    """Scale a mask to (H, W) by taking the nearest pixel."""
    height, width = size
    scaled = Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST)
    return np.asarray(scaled, bool)


def largest_component(mask: Mask) -> Mask:
    """Keep the largest connected part, and of equal parts the first from the top."""
    labels, parts = ndimage.label(mask, np.ones((3, 3)))
    if not parts:
        return mask.copy()
    sizes = np.bincount(labels.ravel())
    return np.asarray(labels == 1 + int(sizes[1:].argmax()), bool)


def box_iou(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, from 0 to 1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0, width) * max(0, height)
    areas = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (one, other))
    return shared / (areas - shared) if areas else 0.0


def union(masks: Iterable[Mask], size: Size) -> Mask:
    """Merge masks; none at all is an empty mask."""
    merged = np.zeros(size, bool)
    for mask in masks:
        merged |= mask
    return merged


def _coco() -> Any:
    """Import pycocotools where runs are first written: training does without it."""
    from pycocotools import mask  # noqa: PLC0415

    return mask


def _filled(runs: Sequence[int], size: Size) -> Mask:
    """Lay runs down the columns: (H, W)."""
    height, width = size
    inside = np.arange(len(runs)) % 2 == 1
    return np.ascontiguousarray(np.repeat(inside, runs).reshape(width, height).T)


def _runs(counts: str | bytes) -> list[int]:
    """Unpack COCO's compressed text; `ValueError` if it is no such text.

    A number is written as groups of 5 bits, lowest first, in a character each: 48 + group, and
    + 32 where another one follows. From the fourth on, numbers are differences to the last but
    one, and the highest bit of their last group is the sign.

    >>> _runs("9220003")
    [9, 2, 2, 2, 2, 2, 5]
    """
    code = np.frombuffer(counts.encode() if isinstance(counts, str) else counts, np.uint8)
    groups = code.astype(int) - ord("0")
    if len(groups) == 0 or groups.min() < 0 or groups.max() >= 2 * MORE or groups[-1] & MORE:
        raise ValueError(counts)
    runs: list[int] = []
    value = shift = 0
    for group in groups.tolist():
        if shift > LONGEST:
            raise ValueError(counts)
        value |= (group & (MORE - 1)) << shift
        shift += BITS
        if group < MORE:
            difference = value - (1 << shift) if group & SIGN else value
            runs.append(difference + (runs[-2] if len(runs) > PLAIN else 0))
            value = shift = 0
    return runs
