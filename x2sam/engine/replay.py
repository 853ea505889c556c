"""A conversation as one file, `session.json`, and back.

The file holds the turns, the marks, the objects with their masks as runs, and a hash of the
medium, but not the medium itself. What it brings back is the list of objects, mask by mask, and
a conversation that goes on where it was left; earlier states of the list are not in it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, Final

from x2sam.engine.engine import Engine
from x2sam.engine.objects import History, Object, Objects
from x2sam.engine.options import Options
from x2sam.engine.running import Exchange
from x2sam.engine.session import Session
from x2sam.errors import MediaError, PromptError
from x2sam.media.images import Source
from x2sam.media.limits import Limits

VERSION: Final = 1
_LARGEST: Final = 200 << 20  # bytes of a file that is read
_DAMAGED: Final = "{} is not a saved session, or it is damaged."


def save(session: Session, file: Path) -> Path:
    """Write a session; raises `MediaError` if the file cannot be written."""
    medium = session.film
    value = {
        "x2sam_session": VERSION,
        "medium": {
            "name": session.medium.name,
            "size": list(medium.size),
            "frames": len(medium),
            "sha256": medium.fingerprint(),
        },
        "options": asdict(session.options),
        "turns": [turn.to_json() for turn in session.turns],
        "objects": [each.to_json() for each in session.objects],
        "next_id": session.history.next_id,
    }
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    except OSError as error:
        raise MediaError(f"{file} cannot be written: {error.strerror}.") from error
    return file


def replay(
    engine: Engine, file: str | Path, source: Source, *, limits: Limits | None = None
) -> Session:
    """Open a medium and go on with the conversation about it that was saved.

    Raises:
        MediaError: the file or the medium cannot be read.
        PromptError: the file is of another medium, or damaged.
    """
    value = _read(Path(file))
    try:
        known = {field.name for field in fields(Options)}
        options = Options(**{k: v for k, v in value["options"].items() if k in known})
        turns = [Exchange.from_json(turn) for turn in value["turns"]]
        objects = Objects(map(Object.from_json, value["objects"]))
        next_id = max([int(value["next_id"]), *(each.id + 1 for each in objects)])
        medium = dict(value["medium"])
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise PromptError(_DAMAGED.format(Path(file).name)) from error
    if engine.tracker is None and options.propagation == "sam2":
        options = replace(options, propagation="auto")
    session = engine.open(source, options=options, limits=limits)
    if session.film.fingerprint() != medium.get("sha256"):
        session.close()
        raise PromptError(
            f"This session is about another medium: “{str(medium.get('name'))[:60]}”, "
            f"{medium.get('frames')} frames."
        )
    if any(each.masks.size != session.film.size for each in objects):
        session.close()
        raise PromptError(_DAMAGED.format(Path(file).name))
    session.restore(turns, History(objects, next_id))
    return session


def _read(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > _LARGEST:
            raise MediaError(f"{file.name} is too large for a saved session.")
        value = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise MediaError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise PromptError(_DAMAGED.format(file.name)) from error
    if not isinstance(value, dict) or value.get("x2sam_session") != VERSION:
        raise PromptError(_DAMAGED.format(file.name))
    return value
