"""Commands: what words change in the list of objects without asking the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from x2sam.errors import PromptError
from x2sam.types import Action, Command

if TYPE_CHECKING:
    from x2sam.engine.session import Session


def obey(session: Session, command: Command, turn: int) -> None:
    """Change the list as the words of a turn say; `PromptError` if there is nothing to undo."""
    ids = command.objects
    actions: Mapping[Action, Callable[[], object]] = {
        "undo": session.history.undo,
        "redo": session.history.redo,
        "show": lambda: session.show(*ids),
        "hide": lambda: session.hide(*ids),
        "only": lambda: session.only(*ids),
        "delete": lambda: session.delete(*ids),
        "merge": lambda: session.merge(*ids),
        "rename": lambda: session.rename(ids[0], command.name),
        "select": lambda: _mention(session, ids, turn),
    }
    if actions[command.action]() is False:
        raise PromptError(f"There is nothing to {command.action}.")


def _mention(session: Session, ids: Sequence[int], turn: int) -> None:
    changed = [replace(session.objects.by_id(id_), mentioned=turn) for id_ in ids]
    session.history.edit(lambda objects: objects.put(*changed))
