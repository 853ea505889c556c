"""What scenes are made of, as a person names it: packs, folders and fonts.

    x2sam pack sprites NotoColorEmoji.ttf --out sprites.npz
    x2sam pack photos VOC --out photos.npz
    x2sam pack cut-outs photos.npz --out cut-outs.npz

A machine that trains needs the packs only. Where a command asks for sprites or photos, it takes
a pack, or makes one of the folder or font that is named.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from x2sam.errors import MediaError
from x2sam.train.photos import Photos, pack_cut_outs, pack_photos
from x2sam.train.sprites import SpriteBank, pack

FONTS = tuple(  # where Debian, Arch and Fedora put their colour emoji
    Path("/usr/share/fonts") / folder / "NotoColorEmoji.ttf"
    for folder in ("truetype/noto", "noto", "google-noto-color-emoji-fonts")
)
Write = Callable[[Path, Path], int]


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Describe `--sprites` and `--photos`."""
    parser.add_argument(
        "--sprites",
        type=Path,
        nargs="+",
        help="packed sprites, folders of them, or colour-emoji fonts (the Noto of this system)",
    )
    parser.add_argument("--photos", type=Path, help="packed photos, or a folder of them")


def read_sources(
    sprites: Sequence[Path] | None,
    photos: Path | None,
    scratch: Path,
    device: str | torch.device = "cpu",
) -> tuple[SpriteBank, Photos | None]:
    """Read what was named.

    Args:
        sprites: packs, folders or fonts; the system's colour-emoji font if there are none.
        photos: a pack or a folder.
        scratch: where packs are made of what is none yet; what lies there is used again.
        device: of the sprites.

    Raises:
        MediaError: a source is missing or is not what it should be.
    """
    packs = [
        packed(pack, source, scratch / f"sprites-{number}.npz")
        for number, source in enumerate(sprites or [_font()])
    ]
    shown = Photos.load(packed(pack_photos, photos, scratch / "photos.npz")) if photos else None
    return SpriteBank.load(packs, device), shown


def packed(write: Write, source: Path, file: Path) -> Path:
    """Make a pack of what is none yet, and say where it is.

    Raises:
        MediaError: there is nothing, or nothing of use.
    """
    if file.exists():
        return file
    if not source.exists():
        raise MediaError(f"There is nothing at {source}.")
    if source.suffix == ".npz":
        return source
    write(source, file)
    return file


def _font() -> Path:
    for font in FONTS:
        if font.exists():
            return font
    raise MediaError(
        "Name the sprites that scenes are made of: --sprites with a pack, a folder of pictures, "
        "or a colour-emoji font. The one that is taken by itself, Debian's "
        "fonts-noto-color-emoji, is not installed."
    )


def _cut_outs(source: Path, file: Path) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        return pack_cut_outs(packed(pack_photos, source, Path(scratch) / "photos.npz"), file)


WRITERS: dict[str, Write] = {"sprites": pack, "photos": pack_photos, "cut-outs": _cut_outs}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `x2sam pack`."""
    parser.add_argument(
        "what", choices=WRITERS, help="cut-outs are sprites of what stands free in photos"
    )
    parser.add_argument(
        "source",
        type=Path,
        help="of sprites a folder or a colour-emoji font, else a folder or pack of photos",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.npz")


def run(arguments: argparse.Namespace) -> int:
    """Write one pack, and say how much is in it.

    Raises:
        MediaError: the source is not what it should be, or the pack is named as none.
    """
    source, out = arguments.source, arguments.out
    if out.suffix != ".npz":
        raise MediaError(f"The name of a pack should end in .npz, not as {out} does.")
    if not source.exists():
        raise MediaError(f"There is nothing at {source}.")
    out.parent.mkdir(parents=True, exist_ok=True)
    count = WRITERS[arguments.what](source, out)
    sys.stdout.write(f"{out}: {count} {arguments.what}\n")
    return 0
