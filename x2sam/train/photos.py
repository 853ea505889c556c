"""Real photos with masks: nouns and clicks that are not drawings, and places to stand before.

The source is a folder in the manner of Pascal VOC: `index.json`, `<id>.jpg` and `<id>.png`,
whose pixels are class ids (0 background, 255 undecided edge). A class is no object, so its
connected parts are taken for one each; an edge goes to whatever is nearest. All this is done
once, by `pack_photos`; `pack_cut_outs` makes sprites of what stands free.

A `View` is to a photo what a `Scene` is to sprites: a plain description of what is shown, in
one frame or in several between which the camera moves.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from scipy import ndimage

from x2sam.errors import MediaError
from x2sam.train.facts import observe_ids
from x2sam.train.sprites import read_blobs, write_blobs
from x2sam.train.vocabulary import Noun, nouns

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray
    from torch import Tensor

    from x2sam.train.facts import Facts

_UNDECIDED = 255
_LEAST = 0.006  # share of the photo below which a part is no object of its own
_CLEAR = 0.015  # share of a view from which an object is spoken of
_MOST_OBJECTS = 12
_VALIDATION_EVERY = 10  # every tenth photo is kept for validation
_BACKGROUND_SIDE = 160
_GRID = 64


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A part of a photo, per frame."""

    photo: int
    objects: tuple[int, ...]  # numbers of those that are clearly shown
    others: tuple[int, ...]  # numbers of those that may be seen as well
    boxes: NDArray[np.float64]  # (T, 4) x0 y0 x1 y1 as fractions of the photo
    flip: bool
    gain: float
    times: tuple[float, ...]

    @property
    def frames(self) -> int:
        """How many frames it has."""
        return len(self.boxes)


@dataclass(frozen=True, slots=True, eq=False)
class Photos:
    """Photos and their objects, compressed in memory and decoded when shown."""

    jpegs: tuple[bytes, ...]
    maps: tuple[bytes, ...]  # PNG: 0 background, n the n-th object
    classes: tuple[tuple[Noun, ...], ...]  # of the objects

    @classmethod
    def load(cls, file: str | Path) -> Photos:
        """Read what `pack_photos` wrote."""
        index, blobs = read_blobs(Path(file))
        known = nouns()
        classes = tuple(tuple(known[str(code)] for code in codes) for codes in index)
        return cls(tuple(blobs[0::2]), tuple(blobs[1::2]), classes)

    def __len__(self) -> int:
        return len(self.jpegs)

    def rows(self, *, validation: bool) -> list[int]:
        """Which photos belong to training or to validation."""
        return [row for row in range(len(self)) if (row % _VALIDATION_EVERY == 0) == validation]

    def draw_view(self, rng: Generator, rows: list[int], frames: int = 1) -> View:
        """Choose a photo and what is shown of it."""
        ends = []
        for _ in range(2):
            width, height = rng.uniform(0.65, 1.0, size=2)
            x, y = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
            ends.append((x, y, x + width, y + height))
        time = np.linspace(0, 1, frames)[:, None]
        view = View(
            photo=int(rng.choice(rows)),
            objects=(),
            others=(),
            boxes=np.array(ends[0]) * (1 - time) + np.array(ends[1]) * time,
            flip=bool(rng.random() < 0.5),  # noqa: PLR2004
            gain=float(rng.uniform(0.8, 1.2)),
            times=tuple(0.5 * frame for frame in range(frames)),
        )
        ids = self._cut(view, self.maps[view.photo], _GRID, Image.Resampling.NEAREST)
        numbers = range(1, len(self.classes[view.photo]) + 1)
        shares = {number: (ids == number).mean(axis=(1, 2)) for number in numbers}
        clear = [n for n in numbers if shares[n][0] >= _CLEAR and shares[n].min() > 0]
        if not clear:
            return self.draw_view(rng, rows, frames)
        others = [n for n in numbers if n not in clear]
        return replace(view, objects=tuple(clear), others=tuple(others))

    def observe(self, view: View) -> Facts:
        """State what a view shows."""
        ids = self._cut(view, self.maps[view.photo], _GRID, Image.Resampling.NEAREST)
        names = self.classes[view.photo]
        shown = [(number, names[number - 1]) for number in view.objects]
        return observe_ids(ids, shown, [names[number - 1] for number in view.others], view.times)

    def compose(self, view: View, size: int) -> tuple[Tensor, Tensor]:
        """Show a view: pictures (T, 3, S, S) in 0..1 and masks (T, N, S, S) bool."""
        frames = self._cut(view, self.jpegs[view.photo], size, Image.Resampling.BILINEAR)
        ids = self._cut(view, self.maps[view.photo], size, Image.Resampling.NEAREST)
        pictures = torch.from_numpy(frames.transpose(0, 3, 1, 2).copy()).float() / 255
        numbers = np.array(view.objects, np.uint8)
        masks = torch.from_numpy(ids[:, None] == numbers[None, :, None, None])
        return (pictures * view.gain).clamp(0, 1), masks

    def _cut(self, view: View, data: bytes, size: int, how: Image.Resampling) -> NDArray[np.uint8]:
        picture = Image.open(io.BytesIO(data))
        picture.load()
        scale = np.array([picture.width, picture.height] * 2)
        frames = []
        for corners in view.boxes * scale:
            box = (float(corners[0]), float(corners[1]), float(corners[2]), float(corners[3]))
            cut = np.asarray(picture.resize((size, size), how, box=box))
            frames.append(cut[:, ::-1] if view.flip else cut)
        return np.stack(frames)

    def backgrounds(
        self, count: int, device: str | torch.device
    ) -> tuple[Tensor, tuple[tuple[Noun, ...], ...]]:
        """Photos to stand before, (P, 3, 160, 160) uint8, and what each of them shows."""
        rows = self.rows(validation=False)
        rows = rows[:: max(1, len(rows) // count)][:count]
        side = (_BACKGROUND_SIDE, _BACKGROUND_SIDE)
        pictures = [
            np.asarray(Image.open(io.BytesIO(self.jpegs[row])).convert("RGB").resize(side))
            for row in rows
        ]
        stacked = torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2).copy())
        return stacked.to(device), tuple(self.classes[row] for row in rows)


def pack_photos(folder: str | Path, file: str | Path, *, side: int = 256, quality: int = 78) -> int:
    """Write the photos of a folder and their objects into one file; returns how many."""
    folder = Path(folder)
    try:
        entries = json.loads((folder / "index.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise MediaError(f"{folder} has no readable index.json.") from error
    index, blobs = [], []
    for entry in entries:
        photo = Image.open(folder / f"{entry['id']}.jpg").convert("RGB")
        classes = np.asarray(Image.open(folder / f"{entry['id']}.png"))
        objects, codes = objects_of(classes)
        if not codes:
            continue
        scale = min(1.0, side / max(photo.size))
        shape = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
        jpeg, png = io.BytesIO(), io.BytesIO()
        photo.resize(shape, Image.Resampling.LANCZOS).save(jpeg, "JPEG", quality=quality)
        Image.fromarray(objects).resize(shape, Image.Resampling.NEAREST).save(png, "PNG")
        index.append(codes)
        blobs += [jpeg.getvalue(), png.getvalue()]
    write_blobs(Path(file), index, blobs)
    return len(index)


def objects_of(classes: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], list[str]]:
    """Part a map of class ids (H, W) into objects: their map, and the noun code of each."""
    if (classes == _UNDECIDED).any():
        nearest = ndimage.distance_transform_edt(
            classes == _UNDECIDED, return_distances=False, return_indices=True
        )
        classes = classes[tuple(nearest)]
    objects = np.zeros_like(classes)
    codes: list[str] = []
    for number in np.unique(classes[(classes > 0) & (classes < _UNDECIDED)]):
        parts, count = ndimage.label(classes == number)
        for part in range(1, count + 1):
            here = parts == part
            if here.mean() >= _LEAST and len(codes) < _MOST_OBJECTS:
                codes.append(f"voc-{number}")
                objects[here] = len(codes)
    return objects, codes


def pack_cut_outs(photos: str | Path, file: str | Path, *, most: int = 40) -> int:
    """Write sprites of objects that stand free in packed photos, at most so many per class.

    Returns how many there are; photos without any raise `MediaError`.
    """
    bank = Photos.load(photos)
    index: list[tuple[str, str]] = []
    blobs: list[bytes] = []
    counts: dict[str, int] = {}
    for row in bank.rows(validation=False):
        objects = np.asarray(Image.open(io.BytesIO(bank.maps[row])))
        inner = np.zeros_like(objects, bool)
        inner[2:-2, 2:-2] = True
        for number, noun in enumerate(bank.classes[row], 1):
            mask = objects == number
            alone = bank.classes[row].count(noun) == 1
            if not alone or (mask & ~inner).any() or not 0.06 < mask.mean() < 0.6:  # noqa: PLR2004
                continue
            counts[noun.code] = counts.get(noun.code, 0) + 1
            if counts[noun.code] > most:
                continue
            photo = Image.open(io.BytesIO(bank.jpegs[row])).convert("RGBA")
            photo.putalpha(Image.fromarray((255 * mask).astype(np.uint8)))
            buffer = io.BytesIO()
            box = photo.getchannel("A").getbbox()
            photo.crop(box).save(buffer, "WEBP", quality=85)
            index.append((noun.code, "photo"))
            blobs.append(buffer.getvalue())
    if not blobs:
        raise MediaError(f"No object stands free in the photos of {photos}.")
    write_blobs(Path(file), index, blobs)
    return len(index)
