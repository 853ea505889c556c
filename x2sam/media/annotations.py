"""Objects in the formats that annotation tools and trainers read.

| format | of | holds |
|---|---|---|
| COCO | a picture | one run-length mask per object; cocodataset.org/#format-results |
| YouTube-VIS | a clip | one list of run-length masks per object, null where it is not seen |
| YOLO segmentation | a picture or frame | one line per object: class, then corners from 0 to 1 |

All three number the names of objects as categories: COCO and YouTube-VIS from 1, YOLO from 0.
Everything here returns plain values, ready for `json` or a text file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from x2sam.media.contours import polygon
from x2sam.media.drawing import Colour, Mark, colour_of
from x2sam.media.masks import Box, Mask, Rle, Size, Track


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Item:
    """An object to take away."""

    id: int
    name: str
    track: Track  # of a picture: one frame, number 0
    score: float | None = None
    colour: Colour | None = None  # None: the object's own

    @property
    def paint(self) -> Colour:
        """Its colour on screen."""
        return self.colour or colour_of(self.id)

    def mark(self, index: int, *, label: bool = True) -> Mark | None:
        """How it is drawn on a frame; None where nobody looked for it."""
        if index not in self.track:
            return None
        return Mark(self.id, self.track[index], self.name if label else "", self.paint)


def names_of(items: Sequence[Item]) -> list[str]:
    """List the names that occur, each once, in the order of first use."""
    return list(dict.fromkeys(item.name for item in items))


def coco(items: Sequence[Item], size: Size, file_name: str) -> dict[str, Any]:
    """Describe a picture (H, W) as a COCO data set of one image."""
    categories = _categories(items)
    return {
        "images": [{"id": 1, "file_name": file_name, "height": size[0], "width": size[1]}],
        "categories": [{"id": id_, "name": name} for name, id_ in categories.items()],
        "annotations": [
            {
                "id": item.id,
                "image_id": 1,
                "category_id": categories[item.name],
                **_described(item.track.rle(0)),
                "iscrowd": 0,
                **_scored(item),
            }
            for item in items
            if 0 in item.track
        ],
    }


def youtube_vis(items: Sequence[Item], size: Size, frame_names: Sequence[str]) -> dict[str, Any]:
    """Describe a clip (H, W) as a YouTube-VIS data set of one video.

    An empty mask is null, as is a frame that nobody looked at: the format has one word for both.
    """
    categories = _categories(items)
    length = len(frame_names)
    video = {"id": 1, "file_names": list(frame_names), "length": length}
    annotations = []
    for item in items:
        seen = {index: _described(item.track.rle(index)) for index in item.track.visible()}
        columns = {
            several: [seen[index][one] if index in seen else None for index in range(length)]
            for one, several in (
                ("segmentation", "segmentations"),
                ("bbox", "bboxes"),
                ("area", "areas"),
            )
        }
        annotations.append(
            {
                "id": item.id,
                "video_id": 1,
                "category_id": categories[item.name],
                **columns,
                "height": size[0],
                "width": size[1],
                "iscrowd": 0,
                **_scored(item),
            }
        )
    return {
        "videos": [{**video, "height": size[0], "width": size[1]}],
        "categories": [{"id": id_, "name": name} for name, id_ in categories.items()],
        "annotations": annotations,
    }


def yolo_line(mask: Mask, category: int) -> str | None:
    """Write one object for YOLO; None if its mask is empty.

    Corners have digits enough that no pixel centre changes sides. Parts and holes are joined
    into one outline; `contours` says what that costs.
    """
    height, width = mask.shape
    corners = polygon(mask)
    if not corners:
        return None
    numbers = (f"{x / width:.6g} {y / height:.6g}" for x, y in corners)
    return f"{category} {' '.join(numbers)}"


def _categories(items: Sequence[Item]) -> dict[str, int]:
    return {name: number for number, name in enumerate(names_of(items), 1)}


def _described(rle: Rle) -> dict[str, Any]:
    """Mask, box x y width height, and area, as COCO names them."""
    return {"segmentation": rle.to_json(), "bbox": _xywh(rle.box), "area": rle.area}


def _xywh(box: Box | None) -> list[int]:
    x0, y0, x1, y1 = box or (0, 0, 0, 0)
    return [x0, y0, x1 - x0, y1 - y0]


def _scored(item: Item) -> dict[str, float]:
    return {} if item.score is None else {"score": item.score}
