"""What a person takes away of a workspace, in one zip.

Whatever the formats, the newest zip is the only one that is kept, so that what a visitor leaves
on the disk has a bound.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from demo.medium import Medium
from x2sam.errors import MediaError, PromptError
from x2sam.media.effects import choose
from x2sam.media.exports import FORMATS, Parcel, export, pack
from x2sam.media.videos import Clip

if TYPE_CHECKING:
    from x2sam.engine.session import Session

SESSION: Final = "session"
"""The format that holds everything, and can be replayed."""

TITLES: Final = {name: each.title for name, each in FORMATS.items()} | {
    SESSION: "The whole session, which can be replayed (JSON)"
}


def check(formats: Sequence[str], effect: str) -> None:
    """Raise `PromptError` unless there are formats, and all are known, as is the effect."""
    choose(effect)
    if not formats or not all(name in TITLES for name in formats):
        raise PromptError(f"Choose among the formats: {', '.join(TITLES)}.")


def write(
    medium: Medium,
    session: Session,
    folder: Path,
    formats: Sequence[str],
    *,
    opacity: float = 0.45,
    labels: bool = True,
    effect: str = "overlay",
) -> Path:
    """Write what is shown into one zip in a folder that holds nothing else; its path.

    Raises `MediaError` where that is not possible.
    """
    parts = folder / "parts"
    source = medium.again()
    try:
        shutil.rmtree(folder, ignore_errors=True)
        parts.mkdir(parents=True)
        parcel = Parcel(
            medium=source,
            items=[each.item() for each in session.objects if each.shown],
            turns=[turn.transcript() for turn in session.turns],
            opacity=opacity,
            labels=labels,
            effect=effect,
        )
        plain = [name for name in formats if name != SESSION]
        files = list(export(parcel, parts, plain)) if plain else []
        if SESSION in formats:
            files.append(session.save(parts / "session.json"))
        archive = folder / f"x2sam-{token_hex(4)}.zip"
        pack(files, parts, archive)
    except OSError as error:
        raise MediaError("The server has no room for these files.") from error
    finally:
        shutil.rmtree(parts, ignore_errors=True)
        if isinstance(source, Clip):
            source.close()
    return archive
