"""A suite: a folder of pictures and clips with masks, and what to ask about them.

`suite.json` is a list of entries,

    {"id", "type": "photo", "file": "x.jpg", "mask": "x.png", "labels": {"1": "bus"},
     "expressions": [{"kind": "referring", "text": "the red bus", "target": [1]}],
     "class_queries": [{"text": "bus", "target": [1, 2]}]}

and for a clip `"type": "video"`, `"file"`, `"frames_dir"`, `"mask_dir"` and `"stride"` instead.
A mask is a PNG of object ids, 0 where there is nothing and 255 where nobody knows. A target of
several ids means their union, an empty one that the thing is not there. Mask k of a clip
belongs to frame k · stride of its file, and to picture k of its folder of frames.

Reading a suite opens no picture: `Sample.pictures` and `Sample.ids` do, one sample at a time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
from PIL import Image, ImageOps

from x2sam.errors import MediaError, PromptError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Decode = Callable[[Path, Sequence[int]], Iterable[NDArray[np.uint8]]]
    """Reads some frames of a clip file, by number: pictures (H, W, 3)."""

IGNORED = 255
_PICTURES = {".jpg", ".jpeg", ".png", ".webp"}
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Request:
    """Something to ask, and the ids of the objects that should be found."""

    kind: str  # "referring", "reasoning" ..., "class"
    text: str
    target: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One picture or clip of a suite."""

    id: str
    type: Literal["photo", "video"]
    file: Path
    frames: tuple[Path, ...]  # the annotated pictures; empty if the clip has to be decoded
    masks: tuple[Path, ...]
    stride: int
    labels: Mapping[int, str]
    expressions: tuple[Request, ...]
    class_queries: tuple[Request, ...]

    def pictures(self, decode: Decode | None = None) -> Iterator[NDArray[np.uint8]]:
        """Read the T annotated pictures (H, W, 3), one by one.

        A clip without a folder of frames needs `decode`. A picture of another size than its
        mask is a `MediaError`.
        """
        pictures: Iterable[NDArray[np.uint8]] = map(_read_picture, self.frames)
        if not self.frames:
            assert decode is not None, f"{self.file} has to be decoded"
            pictures = decode(self.file, range(0, len(self.masks) * self.stride, self.stride))
        count = 0
        for mask, picture in zip(self.masks, pictures, strict=False):
            with _opened(mask) as image:
                if picture.shape[1::-1] != image.size:
                    message = (
                        f"{mask} is {image.width}×{image.height}, but its picture is "
                        f"{picture.shape[1]}×{picture.shape[0]}."
                    )
                    raise MediaError(message)
            count += 1
            yield picture
        if count < len(self.masks):
            raise MediaError(f"{self.file} ends after {count} of {len(self.masks)} masks.")

    def ids(self) -> NDArray[np.uint8]:
        """Read all masks: object ids (T, H, W), T = 1 for a photo.

        A request for an object that no mask shows is a `PromptError`.
        """
        masks = [_read_ids(path) for path in self.masks]
        if len({mask.shape for mask in masks}) > 1:
            raise MediaError(f"The masks of {self.id} are not all of one size.")
        stack = np.stack(masks)
        seen = objects(stack)
        for request in (*self.expressions, *self.class_queries):
            if missing := sorted(set(request.target) - set(seen)):
                raise PromptError(
                    f"“{request.text}” of {self.id} should find object {missing[0]}, "
                    "which no mask shows."
                )
        return stack


def objects(ids: NDArray[np.uint8]) -> tuple[int, ...]:
    """List the object ids in a mask.

    >>> objects(np.array([[0, 3], [255, 1]], np.uint8))
    (1, 3)
    """
    return tuple(int(value) for value in np.unique(ids) if value not in (0, IGNORED))


def read_suite(folder: Path) -> tuple[Sample, ...]:
    """Read what `folder`/suite.json describes; damage is a `MediaError` that says where."""
    path = folder / "suite.json"
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MediaError(f"There is no suite.json in {folder}.") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise MediaError(f"{path} is not JSON: {error}.") from error
    if not isinstance(entries, list):
        raise MediaError(f"{path} should be a list of pictures and clips.")
    samples = tuple(_sample(folder, entry, number) for number, entry in enumerate(entries))
    ids = [sample.id for sample in samples]
    if doubled := sorted({id_ for id_ in ids if ids.count(id_) > 1}):
        raise MediaError(f"{path} has more than one entry {doubled[0]!r}.")
    return samples


def _sample(folder: Path, entry: Any, number: int) -> Sample:
    """Check one entry and find its files."""
    where = f"entry {number} of {folder / 'suite.json'}"
    name = _get(entry, "id", str, where)
    where = f"{name!r} in {folder / 'suite.json'}"
    kind = _get(entry, "type", str, where)
    file = folder / _get(entry, "file", str, where)
    type_: Literal["photo", "video"]
    if kind == "photo":
        type_ = "photo"
        frames: tuple[Path, ...] = (_existing(file),)
        masks: tuple[Path, ...] = (_existing(folder / _get(entry, "mask", str, where)),)
    elif kind == "video":
        type_ = "video"
        masks = _listed(folder / _get(entry, "mask_dir", str, where), {".png"})
        frames_dir = _get(entry, "frames_dir", str, where, "")
        frames = _listed(folder / frames_dir, _PICTURES) if frames_dir else ()
        if frames and len(frames) != len(masks):
            raise MediaError(f"{name} has {len(frames)} frames, but {len(masks)} masks.")
        if not frames:
            _existing(file)
    else:
        raise MediaError(f"The type of {where} should be photo or video, not {kind!r}.")
    stride = _get(entry, "stride", int, where, 1)
    if stride < 1:
        raise MediaError(f"The stride of {where} should be at least 1, not {stride}.")
    return Sample(
        id=name,
        type=type_,
        file=file,
        frames=frames,
        masks=masks,
        stride=stride,
        labels=_labels(_get(entry, "labels", dict, where, {}), where),
        expressions=_requests(entry, "expressions", where),
        class_queries=_requests(entry, "class_queries", where),
    )


def _requests(entry: dict[str, Any], field: str, where: str) -> tuple[Request, ...]:
    """Check the expressions or class queries of an entry."""
    requests = []
    for row in _get(entry, field, list, where, []):
        place = f"one of the {field} of {where}"
        text = _get(row, "text", str, place)
        target = _get(row, "target", list, place)
        if not text.strip():
            raise PromptError(f"The text of {place} is empty.")
        if not all(type(id_) is int and 0 < id_ < IGNORED for id_ in target):
            raise PromptError(f"“{text}” of {where} should have object ids from 1 to 254.")
        kind = "class" if field == "class_queries" else _get(row, "kind", str, place)
        requests.append(Request(kind, text.strip(), tuple(target)))
    return tuple(requests)


def _labels(labels: dict[str, Any], where: str) -> dict[int, str]:
    """Turn JSON's text keys into ids."""
    if not all(key.isdecimal() and isinstance(name, str) for key, name in labels.items()):
        raise MediaError(f"The labels of {where} should give each object id its name.")
    return {int(key): name for key, name in labels.items()}


def _get(row: Any, field: str, kind: type[_T], where: str, default: _T | None = None) -> _T:
    """Read a field of a JSON object; without a default it has to be there."""
    if not isinstance(row, dict):
        raise MediaError(f"{where[0].upper()}{where[1:]} should be an object in braces.")
    value = row.get(field, default)
    if not isinstance(value, kind):
        problem = "is missing" if value is None else f"is {value!r}"
        raise MediaError(f"The field “{field}” of {where} {problem}.")
    return value


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise MediaError(f"The suite names {path}, which is not there.")
    return path


def _listed(folder: Path, endings: set[str]) -> tuple[Path, ...]:
    """Files of a folder with these endings, by name; at least one."""
    if not folder.is_dir():
        raise MediaError(f"The suite names the folder {folder}, which is not there.")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in endings)
    if not files:
        raise MediaError(f"{folder} holds no pictures.")
    return tuple(files)


def _opened(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except OSError as error:
        raise MediaError(f"{path} cannot be read as a picture.") from error


def _read_picture(path: Path) -> NDArray[np.uint8]:
    with _opened(path) as image:
        try:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        except OSError as error:
            raise MediaError(f"{path} is damaged.") from error


def _read_ids(path: Path) -> NDArray[np.uint8]:
    """Read object ids (H, W); a black and white mask has one object, 1."""
    with _opened(path) as image:
        if image.mode not in ("1", "L", "P"):
            raise MediaError(f"{path} should have one byte per pixel, the object's number.")
        try:
            return np.asarray(image).astype(np.uint8)
        except OSError as error:
            raise MediaError(f"{path} is damaged.") from error
