"""Everything a person can take away of a picture or clip, as files in a folder.

`FORMATS` is the list: one row per format, and what it writes for a picture and for a clip. Masks
come back bit for bit from PNG, COCO, YouTube-VIS and YOLO; MP4 and WebM are for looking at.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from x2sam.errors import MediaError, PromptError
from x2sam.media.annotations import Item, coco, names_of, yolo_line, youtube_vis
from x2sam.media.clip_writer import WEBM, write_clip
from x2sam.media.drawing import cutout
from x2sam.media.effects import choose, draw
from x2sam.media.images import Picture, Pixels
from x2sam.media.transcript import Turn, transcript
from x2sam.media.videos import Clip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parcel:
    """What is taken away: the medium, the objects found in it, and what was said."""

    medium: Picture | Clip
    items: Sequence[Item]
    turns: Sequence[Turn] = ()
    opacity: float = 0.45
    labels: bool = True
    effect: str = "overlay"  # as `media.effects.choose` reads it

    @property
    def frames(self) -> int:
        """How many frames there are; 1 for a picture."""
        return len(self.medium) if isinstance(self.medium, Clip) else 1

    def pictures(self) -> Iterator[Pixels]:
        """Yield the frames (H, W, 3)."""
        if isinstance(self.medium, Clip):
            yield from self.medium.frames()
        else:
            yield self.medium.pixels


_WRITTEN: Final = ".x2sam-export.json"  # files by format, relative to the folder

Writer = Callable[[Parcel, Path], Iterator[Path]]
"""Writes a format into a folder, and yields each file once it is complete."""


@dataclass(frozen=True, slots=True)
class Format:
    """One thing to take away."""

    title: str
    write: Writer


def export(parcel: Parcel, folder: Path, formats: Sequence[str] = ()) -> Iterator[Path]:
    """Write some formats, or all, into a folder, and yield the files as they become complete.

    What an earlier export wrote of these formats is replaced; a hidden list in the folder says
    what that is, so that nothing else is touched.

    Raises:
        PromptError: there is no such format or effect.
        MediaError: a file cannot be written.
    """
    for name in formats:
        if name not in FORMATS:
            raise PromptError(f"There is no format “{name}”; there are {', '.join(FORMATS)}.")
    choose(parcel.effect)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in formats or FORMATS:
            yield from _anew(name, parcel, folder)
    except OSError as error:
        raise MediaError(f"{folder} cannot be written to: {error.strerror}.") from error


def _anew(name: str, parcel: Parcel, folder: Path) -> Iterator[Path]:
    """Write a format in the place of what was written of it before."""
    others = _written(folder)
    for old in others.pop(name, ()):
        _remove(folder, old)
    files: list[str] = []
    try:
        for path in FORMATS[name].write(parcel, folder):
            files.append(path.relative_to(folder).as_posix())
            yield path
    finally:
        value = json.dumps({**others, name: files}, ensure_ascii=False)
        (folder / _WRITTEN).write_text(value, encoding="utf-8")


def _written(folder: Path) -> dict[str, list[str]]:
    """Read which files earlier exports wrote; none where the list is missing or damaged."""
    try:
        value = json.loads((folder / _WRITTEN).read_text(encoding="utf-8"))
        return {name: list(map(str, value[name])) for name in FORMATS if name in value}
    except (OSError, ValueError, TypeError):
        return {}


def _remove(folder: Path, name: str) -> None:
    """Delete a file of a folder, and the folders inside that it leaves empty."""
    inside = Path(name)
    if inside.is_absolute() or ".." in inside.parts:
        return
    (folder / inside).unlink(missing_ok=True)
    for parent in list(inside.parents)[:-1]:
        if not (folder / parent).is_dir() or any((folder / parent).iterdir()):
            break
        (folder / parent).rmdir()


def pack(files: Iterable[Path], folder: Path, archive: Path) -> None:
    """Zip files of a folder under the names they have in it; `MediaError` if that fails."""
    try:
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for file in files:
                packed.write(file, file.relative_to(folder))
    except OSError as error:
        raise MediaError(f"{archive} cannot be written: {error.strerror}.") from error


def _overlay(parcel: Parcel, folder: Path) -> Iterator[Path]:
    drawn = (_drawn(parcel, index, picture) for index, picture in enumerate(parcel.pictures()))
    if isinstance(parcel.medium, Clip):
        path = folder / "overlay.mp4"
        write_clip(path, drawn, parcel.medium.timing, sound=parcel.medium.origin)
        yield path
    else:
        yield _saved(next(drawn), folder / "overlay.png")


def _drawn(parcel: Parcel, index: int, picture: Pixels) -> Pixels:
    if not parcel.items:
        return picture
    marks = (item.mark(index, label=parcel.labels) for item in parcel.items)
    effect = choose(parcel.effect)
    return draw(picture, [mark for mark in marks if mark], effect, opacity=parcel.opacity)


def _masks(parcel: Parcel, folder: Path) -> Iterator[Path]:
    """Black and white PNG: one per object of a picture, a folder of them per object of a clip."""
    for item in parcel.items:
        for index in item.track:
            name = file_stem(item)
            if isinstance(parcel.medium, Clip):
                name += f"/{index:05d}"
            yield _saved(item.track[index].astype(np.uint8) * 255, folder / f"masks/{name}.png")


def _coco(parcel: Parcel, folder: Path) -> Iterator[Path]:
    size, name = parcel.medium.size, parcel.medium.name
    if isinstance(parcel.medium, Clip):
        frames = [f"{Path(name).stem}/{index:05d}.png" for index in range(parcel.frames)]
        path, value = folder / "youtube_vis.json", youtube_vis(parcel.items, size, frames)
    else:
        path, value = folder / "coco.json", coco(parcel.items, size, name)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    yield path


def _yolo(parcel: Parcel, folder: Path) -> Iterator[Path]:
    """One text file per frame with objects, and data.yaml with the names of the classes."""
    labels = folder / "yolo/labels"
    labels.mkdir(parents=True, exist_ok=True)
    names = names_of(parcel.items)
    stem = Path(parcel.medium.name).stem
    for index in sorted({index for item in parcel.items for index in item.track}):
        lines = (
            yolo_line(item.track[index], names.index(item.name))
            for item in parcel.items
            if index in item.track
        )
        suffix = f"_{index:05d}" if isinstance(parcel.medium, Clip) else ""
        path = labels / f"{stem}{suffix}.txt"
        path.write_text("".join(f"{line}\n" for line in lines if line), encoding="utf-8")
        yield path
    rows = [f"  {number}: {json.dumps(name)}\n" for number, name in enumerate(names)]
    data = folder / "yolo/data.yaml"
    data.write_text("path: .\nnames:\n" + "".join(rows), encoding="utf-8")
    yield data


def _cutouts(parcel: Parcel, folder: Path) -> Iterator[Path]:
    for item in parcel.items:
        path = folder / "cutouts" / file_stem(item)
        if isinstance(parcel.medium, Clip):
            path = path.with_name(path.name + ".webm")
            path.parent.mkdir(parents=True, exist_ok=True)
            medium = parcel.medium
            write_clip(path, _cut(parcel, item), medium.timing, sound=medium.origin, kind=WEBM)
            yield path
        elif 0 in item.track:
            cut = cutout(parcel.medium.pixels, item.track[0])
            yield _saved(cut, path.with_name(path.name + ".png"))


def _cut(parcel: Parcel, item: Item) -> Iterator[NDArray[np.uint8]]:
    """Cut one object out of all frames; where nobody looked for it, nothing is left."""
    nothing = np.zeros(parcel.medium.size, bool)
    for index, picture in enumerate(parcel.pictures()):
        yield cutout(picture, item.track.get(index, nothing))


def _chat(parcel: Parcel, folder: Path) -> Iterator[Path]:
    path = folder / "chat.md"
    path.write_text(transcript(parcel.medium.name, parcel.turns, parcel.items), encoding="utf-8")
    yield path


FORMATS: dict[str, Format] = {
    "overlay": Format("With its masks or an effect (PNG, or MP4 with its sound)", _overlay),
    "masks": Format("Black and white masks (PNG), per object and frame", _masks),
    "coco": Format("Run-length masks (COCO JSON; YouTube-VIS JSON for clips)", _coco),
    "yolo": Format("Outlines (YOLO segmentation)", _yolo),
    "cutouts": Format("Cut-outs with alpha (PNG, or WebM)", _cutouts),
    "chat": Format("The conversation (Markdown)", _chat),
}


def file_stem(item: Item) -> str:
    """Make a file name of an object: its number, and what of its name is safe everywhere.

    >>> from x2sam.media.masks import Track
    >>> file_stem(Item(id=3, name="the dog / 狗: “left”", track=Track((1, 1))))
    '3-the-dog-狗-left'
    """
    words = re.findall(r"\w+", item.name)
    return "-".join([str(item.id), *words])[:60]


def _saved(pixels: NDArray[np.uint8], path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path
