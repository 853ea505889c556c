"""Training samples for the eye: pictures, what is asked, and the masks that answer it.

`write_scenes` makes contact sheets, one cell per sample: every frame as the network sees it,
the same with the targets painted over and the prompts outlined, and the conversation below.
Whoever changes the recipe should look at these before anything is trained.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from x2sam.train.packs import add_sources, read_sources
from x2sam.train.samples import Stream, examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from x2sam.train.batches import Example
    from x2sam.train.samples import Sample, Source

_PALETTE = np.array(
    [(230, 159, 0), (86, 180, 233), (0, 158, 115), (213, 94, 0), (0, 114, 178), (204, 121, 167)]
)
_COLUMNS = {1: 4, 4: 1}  # of a sheet, by the number of frames
_ROWS = 5
_TEXT = 120  # pixels of height for the words


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `x2sam scenes`."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--n", type=int, default=50, help="how many samples (50)")
    parser.add_argument("--clips", action="store_true", help="clips instead of pictures")
    add_sources(parser)
    parser.add_argument("--family", help="only texts of this kind")
    parser.add_argument("--size", type=int, default=192, help="pixels of a side (192)")
    parser.add_argument("--seed", type=int, default=0)


def run(arguments: argparse.Namespace) -> int:
    """Write the sheets and say where they are."""
    options = vars(arguments).copy()
    options.pop("command", None)
    for sheet in write_scenes(options.pop("out"), **options):
        sys.stdout.write(f"{sheet}\n")
    return 0


def write_scenes(
    out: str | Path,
    *,
    n: int = 50,
    clips: bool = False,
    sprites: Sequence[Path] | None = None,
    photos: Path | None = None,
    family: str | None = None,
    size: int = 192,
    seed: int = 0,
) -> list[Path]:
    """Write `n` samples of the preview stream as contact sheets; returns the files.

    For `sprites` and `photos` see `read_sources`.
    """
    with tempfile.TemporaryDirectory() as folder:
        bank, stored = read_sources(sprites, photos, Path(folder))
    backgrounds = stored.backgrounds(64, bank.device) if stored else None
    stream = Stream(bank, seed=seed, name="preview", photos=stored, backgrounds=backgrounds)
    frames = 4 if clips else 1
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    cells = []
    for index in range(n):
        source: Source = "clip" if clips else "picture"
        if photos and family is None and index % _ROWS == _ROWS - 1:
            source = "photo clip" if clips else "photo"
        sample = stream.sample(index, source, family, frames)
        cells.append(_cell(sample, examples([sample], stream, size)[0]))
    columns = _COLUMNS[frames]
    files = []
    for start in range(0, n, columns * _ROWS):
        file = out / f"{'clips' if clips else 'pictures'}_{start:03}.png"
        _sheet(cells[start : start + columns * _ROWS], columns).save(file)
        files.append(file)
    return files


def _cell(sample: Sample, example: Example) -> Image.Image:
    """Draw one sample: frames above, overlays below, then its words."""
    bare = [_rgb(frame) for frame in example.pictures]
    painted = [_painted(picture, example, frame) for frame, picture in enumerate(bare)]
    picture = np.concatenate([np.concatenate(bare, axis=1), np.concatenate(painted, axis=1)])
    height, width = picture.shape[:2]
    if len(bare) == 1:
        picture = np.concatenate([bare[0], painted[0]], axis=1)
        height, width = picture.shape[:2]
    cell = Image.new("RGB", (width, height + _TEXT), "white")
    cell.paste(Image.fromarray(picture))
    lines = [f"[{sample.family}: {sample.draft.task}]"]
    for turn in sample.draft.turns:
        lines += [f"Q: {turn.question}", f"A: {turn.answer}"]
    wrapped = [part for line in lines for part in textwrap.wrap(line, width // 6)]
    font = ImageFont.load_default(10)
    ImageDraw.Draw(cell).multiline_text(
        (3, height + 2), "\n".join(wrapped), "black", font, spacing=1
    )
    return cell


def _rgb(frame: Tensor) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = (frame.permute(1, 2, 0) * 255).round().byte().cpu().numpy()
    return pixels


def _painted(picture: NDArray[np.uint8], example: Example, frame: int) -> NDArray[np.uint8]:
    """Paint the targets over a picture in the colour of their phrase; prompts are white."""
    painted = picture.astype(np.float32) * 0.6
    for number, mask in enumerate(example.masks[frame].cpu().numpy()):
        colour = _PALETTE[(int(example.labels[number]) + number) % len(_PALETTE)]
        painted[mask] = 0.4 * picture[mask] + 0.6 * colour
        painted[_edge(mask)] = 255 - colour
    if example.regions is not None and frame == 0:
        for region in example.regions.cpu().numpy():
            painted[_edge(region)] = 255
    return painted.clip(0, 255).astype(np.uint8)


def _edge(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    padded = np.pad(mask, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & ~inner


def _sheet(cells: Sequence[Image.Image], columns: int) -> Image.Image:
    width, height = cells[0].size
    rows = -(-len(cells) // columns)
    sheet = Image.new("RGB", (columns * (width + 6), rows * (height + 6)), "gray")
    for number, cell in enumerate(cells):
        sheet.paste(cell, (number % columns * (width + 6), number // columns * (height + 6)))
    return sheet
