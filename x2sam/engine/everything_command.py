"""`x2sam everything`: all segments of a picture, by SAM 2 alone.

    x2sam everything fruit.png --tracker facebook/sam2.1-hiera-tiny -o out/

It exits with 0 when something was found, and with 1 when nothing was.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from tqdm import tqdm

from x2sam.engine import loading
from x2sam.errors import PromptError
from x2sam.media.annotations import Item
from x2sam.media.effects import choose
from x2sam.media.exports import Parcel, export
from x2sam.media.images import Picture
from x2sam.media.masks import Track
from x2sam.media.videos import Clip, open_medium
from x2sam.tracker import build
from x2sam.tracker.everything import everything
from x2sam.tracker.search import Search, Segment
from x2sam.types import Progress

FORMATS = ("overlay", "masks", "coco")
HELP = {
    "points_per_side": "how many points are tried across and down",
    "points_per_batch": "how many points are tried at once; fewer take less memory",
    "quality": "least quality of a mask, as SAM 2 expects it, 0 to 1",
    "stability": "least overlap of a mask with itself at other thresholds, 0 to 1",
    "offset": "how far apart these thresholds are",
    "box_overlap": "from which overlap of boxes on two masks are one, 0 to 1",
    "min_area": "pixels of the smallest part, and of the smallest hole",
    "threshold": "from which logit on a pixel is in a mask",
    "crop_layers": "how often crops are halved, to look at them as well",
    "crop_overlap": "how much crops overlap, in short sides of the picture, 0 to 1",
    "crop_downscale": "how many times fewer points a crop has a side, with every layer",
    "crop_box_overlap": "as --box-overlap, of masks from different crops, 0 to 1",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options; those of the search are the fields of `Search`."""
    parser.add_argument("picture", metavar="FILE", help="a picture")
    parser.add_argument("-o", "--out", type=Path, metavar="DIR", help="where files are written")
    parser.add_argument("--effect", default="overlay", help="how the overlay is drawn (overlay)")
    parser.add_argument("--json", action="store_true", help="print JSON, with masks as runs")
    for field in fields(Search):
        parser.add_argument(
            "--" + field.name.replace("_", "-"),
            type=int if isinstance(field.default, int) else float,
            default=field.default,
            metavar="N",
            help=f"{HELP[field.name]} ({field.default:.3g})",
        )
    parser.add_argument(
        "--tracker", required=True, metavar="NAME|FILE|FOLDER", help="SAM 2 that does it"
    )
    loading.add_backend(parser)
    parser.add_argument("--device", help="where to run; the accelerator if there is one")


def run(arguments: argparse.Namespace) -> int:
    """Find everything, print it, and write files if asked to."""
    choose(arguments.effect)  # a slip is told before the work
    search = Search(**{field.name: getattr(arguments, field.name) for field in fields(Search)})
    picture = _opened(arguments.picture)
    tracker = build.load(arguments.tracker, arguments.tracker_backend, device=arguments.device)
    segments: list[Segment] = []
    with tqdm(total=search.points, disable=None, leave=False) as bar:
        for event in everything(tracker, picture.pixels, search):
            if isinstance(event, Progress):
                bar.update(event.done - bar.n)
            else:
                segments.append(event)
    files = _written(picture, segments, arguments) if arguments.out else []
    if arguments.json:
        _say(json.dumps([_plain(each) for each in segments]))
    else:
        for line in (*_table(segments), *map(str, files)):
            _say(line)
    return int(not segments)


def _opened(source: str) -> Picture:
    medium = open_medium(source)
    if isinstance(medium, Clip):
        medium.close()
        raise PromptError("Everything at once is found in pictures, and this is a clip.")
    return medium


def _written(
    picture: Picture, segments: Sequence[Segment], arguments: argparse.Namespace
) -> list[Path]:
    items = [
        Item(
            id=number,
            name=f"object {number}",
            track=Track(each.rle.size, {0: each.rle}),
            score=round(each.quality, 4),
        )
        for number, each in enumerate(segments, 1)
    ]
    parcel = Parcel(medium=picture, items=items, labels=False, effect=arguments.effect)
    written = export(parcel, arguments.out, FORMATS)
    tops = (path.relative_to(arguments.out).parts[0] for path in written)
    return [arguments.out / top for top in dict.fromkeys(tops)]


def _plain(segment: Segment) -> dict[str, Any]:
    return {
        "quality": round(segment.quality, 4),
        "stability": round(segment.stability, 4),
        "box": list(segment.box),
        "point": list(segment.point),
        "mask": segment.rle.to_json(),
    }


def _table(segments: Sequence[Segment]) -> list[str]:
    """One line for each segment: number, quality, stability, area, box."""
    head = f"{'id':>3}  {'quality':>7}  {'stability':>9}  {'area':>8}  box"
    rows = [
        f"{number:>3}  {each.quality:>7.2f}  {each.stability:>9.2f}  {each.rle.area:>8}  "
        + " ".join(str(side) for side in each.box)
        for number, each in enumerate(segments, 1)
    ]
    return [head, *rows] if rows else ["Nothing was found; try a lower --quality or --stability."]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
