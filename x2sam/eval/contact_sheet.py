"""Contact sheets: validation pictures with what was asked, said and marked, and clips.

Numbers say how good a model is, and a sheet says what at. The samples are chosen by the seed
alone, good or bad.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import binary_erosion

from x2sam.eval.metrics import overlap
from x2sam.eval.nano_samples import Draw, Material, Outcome, outcome, samples
from x2sam.eval.tracker import Row, drawn, follow
from x2sam.model.predictor import Predictor
from x2sam.tracker.tracker import Tracker
from x2sam.train.samples import Stream
from x2sam.types import Mask

CLIPS = 4
COUNT, COLUMNS = 24, 6
SIDE, TEXT = 180, 58  # pixels of a tile's picture and of the words below it
LARGEST = 400_000  # bytes
FAMILIES = (
    *("noun", "pointing", "colour", "categories", "relation", "absence"),
    *("ordinal", "exemplars", "reason", "describe", "dialogue", "chat"),
)
_PALETTE = np.array(
    [(230, 159, 0), (86, 180, 233), (0, 158, 115), (213, 94, 0), (204, 121, 167), (240, 228, 66)]
)


def contact_sheet(
    predictor: Predictor, material: Material, count: int | None = None, *, truth: bool = False
) -> Image.Image:
    """Ask about so many pictures, 24 by default, and lay them out in rows.

    What was drawn is outlined in white, and what is true as well if it is wanted.
    """
    stream = material.stream("seen")
    drawn = samples(Draw(families=FAMILIES), stream, count or COUNT)
    tiles = [_tile(outcome(predictor, sample, stream), truth=truth) for sample in drawn]
    return _laid_out(tiles)


def tracking_sheet(tracker: Tracker, stream: Stream) -> Image.Image:
    """Carry one thing through each of 4 drawn clips, from its mask, then from a click; 8 rows.

    What is true is outlined in white. Below stands by how much both overlap.
    """
    tiles = []
    for row in (Row(kind="scenes", start="mask"), Row(kind="scenes", start="click")):
        for seed, case in enumerate(drawn(stream, row, CLIPS)):
            _, clip, truth = case
            found = follow(tracker, case, row, seed)
            for frame in np.linspace(0, len(clip) - 1, COLUMNS).round().astype(int):
                picture = _painted(clip.frame(frame), found[frame][None], truth[frame][None])
                words = f"from a {row.start}" if frame == 0 else f"frame {frame + 1}"
                fit = f"IoU {overlap(found[frame], truth[frame]).iou:.2f}"
                tiles.append(_written(picture, [words, fit]))
    return _laid_out(tiles)


def suite_sheet(
    looks: Iterable[tuple[NDArray[np.uint8], Mask, Mask, str]],
) -> Image.Image:
    """Lay out pictures, what was found in them, what is true, and what was asked; at least one."""
    tiles = []
    for picture, found, truth, words in looks:
        lines = [*textwrap.wrap(words, 34)[:3], f"= IoU {overlap(found, truth).iou:.2f}"]
        tiles.append(_written(_painted(picture, [found], [truth]), lines))
    return _laid_out(tiles)


def save(sheet: Image.Image, file: Path, largest: int = LARGEST) -> None:
    """Write a PNG of at most so many bytes, with as many colours as that allows."""
    colours = 256
    while True:
        buffer = io.BytesIO()
        sheet.quantize(colours, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
        if buffer.tell() <= largest or colours == 2:  # noqa: PLR2004
            break
        colours //= 2
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(buffer.getvalue())


def _laid_out(tiles: Sequence[Image.Image]) -> Image.Image:
    width, height = SIDE + 8, SIDE + TEXT + 4
    rows = -(-len(tiles) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * width, rows * height), "white")
    for number, tile in enumerate(tiles):
        sheet.paste(tile, (number % COLUMNS * width + 4, number // COLUMNS * height + 4))
    return sheet


def _tile(seen: Outcome, *, truth: bool) -> Image.Image:
    """Paint what was marked over the picture, and write the words below it."""
    masks = seen.found[0].masks.cpu().numpy() if seen.found else ()
    lines = [*textwrap.wrap(asked(seen), 34)[:2], *textwrap.wrap(answered(seen), 34)[:3]]
    outlined = (*seen.drawn, *(seen.truth[0] if truth else ()))
    return _written(_painted(seen.frames[0], masks, outlined), lines)


def _painted(
    frame: NDArray[np.uint8], masks: Iterable[Mask], outlined: Iterable[Mask]
) -> NDArray[np.uint8]:
    """Fill masks with colours, and outline others in white."""
    picture = frame.astype(np.float64)
    for number, mask in enumerate(masks):
        colour = _PALETTE[number % len(_PALETTE)]
        picture[mask] = 0.5 * picture[mask] + 0.5 * colour
        picture[_edge(mask)] = colour
    for mask in outlined:
        picture[_edge(mask)] = 255
    return picture.astype(np.uint8)


def _written(picture: NDArray[np.uint8], lines: Sequence[str]) -> Image.Image:
    """Make a tile of a picture and the words below it."""
    tile = Image.new("RGB", (SIDE, SIDE + TEXT), "white")
    tile.paste(Image.fromarray(picture).resize((SIDE, SIDE)))
    font = ImageFont.load_default(10)
    ImageDraw.Draw(tile).multiline_text((0, SIDE + 1), "\n".join(lines), "black", font, spacing=1)
    return tile


def asked(seen: Outcome) -> str:
    """Say what a person would have typed or drawn."""
    draft = seen.sample.draft
    if draft.regions:
        kinds = ", ".join(region.kind for region in draft.regions)
        return f"({kinds}) {'all like this' if draft.task == 'vgdseg' else 'this'}"
    if draft.task == "gcgseg":
        return "Describe the picture."
    return ", ".join(draft.phrases) or seen.turn.question


def answered(seen: Outcome) -> str:
    """Say what came back, and how well it fits."""
    marked = ""
    if seen.reply.has_mask:
        fit = overlap(seen.marked(), seen.meant()).iou
        count = len(seen.found[0]) if seen.found else 0
        marked = f"{count} mask{'' if count == 1 else 's'}, IoU {fit:.2f}"
    return f"= {'; '.join(part for part in (marked, seen.reply.text) if part)}"


def _edge(mask: Mask) -> Mask:
    return np.asarray(mask & ~binary_erosion(mask))
