"""Cut-out pictures with names: what scenes are put together from.

Any colour-emoji font makes a bank, and so does a folder of pictures with an `index.json`.
`pack` writes either into one small file; a machine that trains needs that file only.

    pack("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf", "sprites.npz")
    bank = SpriteBank.load(["sprites.npz"], "cuda")

Pixels are premultiplied by alpha, so that drawing one over another is one multiplication.
One drawing style and some nouns are kept out of training to measure how well a model copes
with what it has never seen; `SpriteBank.rows` is where that is enforced.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont

from x2sam.errors import MediaError
from x2sam.train.colours import dominant, hue_matrix, swatches_of
from x2sam.train.vocabulary import Noun, nouns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

Split = Literal["seen", "unseen style", "unseen nouns"]

SIDE = 96  # pixels of a sprite
OUTLINE = 24  # cells of its outline, from which scenes are planned
UNSEEN_STYLE = "twemoji"
_FONT_SIZE = 109  # the one size of a bitmap colour font
_STYLES = {"twitter": UNSEEN_STYLE}  # fonts that are named otherwise than their style
_LEVELS = 3  # a sprite is also kept at half and quarter size, to be drawn small


@dataclass(frozen=True, slots=True)
class Sprite:
    """One cut-out: what it shows, and how it is drawn."""

    noun: Noun
    style: str


@dataclass(frozen=True, slots=True, eq=False)
class SpriteBank:
    """All sprites as tensors on one device, and what is known of each on the host."""

    sprites: tuple[Sprite, ...]
    levels: tuple[Tensor, ...]  # (S, 4, P, P) uint8 premultiplied RGBA; P halves per level
    outlines: NDArray[np.bool_]  # (S, OUTLINE, OUTLINE): is it solid there?
    swatches: NDArray[np.float32]  # (S, K, 3)
    shares: NDArray[np.float32]  # (S, K)

    @classmethod
    def load(cls, packs: Sequence[str | Path], device: str | torch.device = "cpu") -> SpriteBank:
        """Read files that `pack` wrote; a damaged one is a `MediaError`."""
        known = nouns()
        pairs: list[tuple[Sprite, Image.Image]] = []
        for file in packs:
            for code, style, data in _read_pack(Path(file)):
                if code in known:
                    pairs.append((Sprite(known[code], style), Image.open(io.BytesIO(data))))
        return cls.build(pairs, device)

    @classmethod
    def build(
        cls, pairs: Iterable[tuple[Sprite, Image.Image]], device: str | torch.device = "cpu"
    ) -> SpriteBank:
        """Make a bank of named RGBA pictures of any size."""
        sprites, pixels, outlines, swatches, shares = [], [], [], [], []
        for sprite, picture in pairs:
            square = _square(picture.convert("RGBA"))
            rgba = np.asarray(square, np.float32)
            premultiplied = rgba * np.where([True, True, True, False], rgba[..., 3:] / 255, 1)
            sprites.append(sprite)
            pixels.append(premultiplied.round().astype(np.uint8).transpose(2, 0, 1))
            alpha = np.asarray(
                square.getchannel("A").resize((OUTLINE, OUTLINE), Image.Resampling.BOX)
            )
            outlines.append(alpha > 127)  # noqa: PLR2004
            colours, amounts = swatches_of(square)
            swatches.append(colours)
            shares.append(amounts)
        if not sprites:
            raise MediaError("There is no sprite with a known name in these files.")
        level = torch.from_numpy(np.stack(pixels)).to(device)
        levels = [level]
        for _ in range(_LEVELS - 1):
            level = F.avg_pool2d(level.float(), 2).round().to(torch.uint8)
            levels.append(level)
        return cls(
            tuple(sprites), tuple(levels), np.stack(outlines), np.stack(swatches), np.stack(shares)
        )

    @property
    def device(self) -> torch.device:
        """Where the pixels are."""
        return self.levels[0].device

    def rows(self, split: Split) -> dict[str, list[int]]:
        """List the sprites that may be used, by noun: never a held-out one for "seen"."""
        table: dict[str, list[int]] = {}
        for row, sprite in enumerate(self.sprites):
            unseen = (sprite.style == UNSEEN_STYLE, sprite.noun.held_out)
            if unseen == (split == "unseen style", split == "unseen nouns"):
                table.setdefault(sprite.noun.name, []).append(row)
        return table

    def colour(self, row: int, hue: float = 0.0) -> str | None:
        """Name the colour of a sprite whose hues are turned by `hue` radians."""
        swatches = self.swatches[row]
        if hue:
            swatches = np.clip(swatches @ hue_matrix(hue).T, 0, 255)
        return dominant(swatches, self.shares[row])


def pack(source: str | Path, file: str | Path) -> int:
    """Write every sprite of a folder or of a colour-emoji font into one file.

    Returns how many there are; a source without any raises `MediaError`.
    """
    source = Path(source)
    pictures = _from_folder(source) if source.is_dir() else _from_font(source)
    index, blobs = [], []
    for code, style, picture in pictures:
        buffer = io.BytesIO()
        _square(picture).save(buffer, "WEBP", quality=88, alpha_quality=95, method=4)
        index.append((code, style))
        blobs.append(buffer.getvalue())
    if not blobs:
        raise MediaError(f"{source} has no picture of a noun that is known here.")
    write_blobs(Path(file), index, blobs)
    return len(blobs)


def write_blobs(file: Path, index: Sequence[object], blobs: Sequence[bytes]) -> None:
    """Write files inside one file: their descriptions as JSON, their bytes end to end."""
    np.savez(
        file,
        index=np.frombuffer(json.dumps(index).encode(), np.uint8),
        ends=np.cumsum([len(blob) for blob in blobs]),
        blob=np.frombuffer(b"".join(blobs), np.uint8),
    )


def read_blobs(file: Path) -> tuple[list[list[object]], list[bytes]]:
    """Read what `write_blobs` wrote; anything else is a `MediaError`."""
    try:
        with np.load(file) as stored:
            index = json.loads(stored["index"].tobytes())
            ends, blob = stored["ends"].tolist(), stored["blob"].tobytes()
    except (OSError, ValueError, KeyError) as error:
        raise MediaError(f"{file} is not a packed file of this package.") from error
    return index, [blob[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _read_pack(file: Path) -> Iterator[tuple[str, str, bytes]]:
    index, blobs = read_blobs(file)
    for (code, style), data in zip(index, blobs, strict=True):
        yield str(code), str(style), data


def _from_folder(folder: Path) -> Iterator[tuple[str, str, Image.Image]]:
    """Read `index.json` and `<style>/<code>.webp|png` of the nouns in our table."""
    try:
        entries = json.loads((folder / "index.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise MediaError(f"{folder} has no readable index.json.") from error
    known = nouns()
    for style in sorted(path.name for path in folder.iterdir() if path.is_dir()):
        for entry in entries:
            code = entry["hex"]
            found = [folder / style / f"{code}{end}" for end in (".webp", ".png")]
            file = next((path for path in found if path.exists()), None)
            if code in known and file:
                yield code, style, Image.open(file).convert("RGBA")


def _from_font(file: Path) -> Iterator[tuple[str, str, Image.Image]]:
    """Draw the nouns of our table with a colour font; the style is the first word of its name."""
    try:
        font = ImageFont.truetype(str(file), _FONT_SIZE)
    except OSError as error:
        raise MediaError(f"{file} is not a colour-emoji font of {_FONT_SIZE} pixels.") from error
    first = (font.getname()[0] or file.stem).lower().split()[0]
    style = _STYLES.get(first, first)
    blank = _drawn(font, "\U0010fffe")
    pictures = []
    for code in nouns():
        if code.startswith("voc"):
            continue
        text = "".join(chr(int(point, 16)) for point in code.split("-"))
        picture = _drawn(font, text)
        one_glyph = font.getlength(text) < 1.5 * _FONT_SIZE
        if one_glyph and picture.getbbox() and picture.tobytes() != blank.tobytes():
            pictures.append((code, style, picture))
    if pictures and all(_is_grey(picture) for _, _, picture in pictures):
        raise MediaError(f"{file} draws without colours: take a colour-emoji font.")
    yield from pictures


def _is_grey(picture: Image.Image) -> bool:
    red, green, blue, _ = (channel.tobytes() for channel in picture.split())
    return red == green == blue


def _drawn(font: ImageFont.FreeTypeFont, text: str) -> Image.Image:
    canvas = Image.new("RGBA", (160, 160))
    ImageDraw.Draw(canvas).text((10, 10), text, font=font, embedded_color=True)
    return canvas


def _square(picture: Image.Image) -> Image.Image:
    """Cut away the empty border and fit the rest into the middle of a square."""
    solid = picture.getchannel("A").point(lambda alpha: 255 * (alpha > 25))  # noqa: PLR2004
    cut = picture.crop(solid.getbbox() or (0, 0, *picture.size))
    scale = (SIDE - 2) / max(cut.size)
    width, height = (max(1, round(length * scale)) for length in cut.size)
    if cut.size != (width, height):
        # Premultiplied while resizing, or transparent colours bleed into the edge.
        cut = cut.convert("RGBa").resize((width, height), Image.Resampling.LANCZOS).convert("RGBA")
    canvas = Image.new("RGBA", (SIDE, SIDE))
    canvas.paste(cut, ((SIDE - width) // 2, (SIDE - height) // 2))
    return canvas
