r"""A conversation as Markdown, with the objects it found.

What people and models write is text, and stays text: signs that Markdown or HTML would take
for their own are escaped.

    >>> plain("2 < 3 *really*")
    '2 \\< 3 \\*really\\*'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from x2sam.media.annotations import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One request and its answer."""

    request: str
    reply: str
    objects: tuple[int, ...] = ()  # ids of the objects that it found or changed
    note: str = ""  # how it was understood, say


def transcript(name: str, turns: Sequence[Turn], items: Sequence[Item]) -> str:
    """Write a conversation about a medium called `name`."""
    known = {item.id: item for item in items}
    parts = [f"# {plain(name)}"]
    for turn in turns:
        parts += [f"**You:** {plain(turn.request)}", f"**x2sam:** {plain(turn.reply)}"]
        found = [f"{id_} ({plain(known[id_].name)})" for id_ in turn.objects if id_ in known]
        if found:
            parts.append(f"Objects: {', '.join(found)}")
        if turn.note:
            parts.append(f"*{plain(turn.note)}*")
    if items:
        parts.append("\n".join(["## Objects", "", *_table(items)]))
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """Escape what Markdown would read as more than text; lines stay lines."""
    escaped = re.sub(r"([\\`*_{}\[\]()<>#|!&~$])", r"\\\1", text.strip())
    return re.sub(r"\s*\n\s*", "  \n", escaped)


def _table(items: Sequence[Item]) -> list[str]:
    rows = ["| id | name | score | frames | largest area (pixels) |", "|---|---|---|---|---|"]
    for item in items:
        areas = [item.track.area(index) for index in item.track]
        score = "" if item.score is None else f"{item.score:.2f}"
        name = plain(" ".join(item.name.split()))
        seen = sum(area > 0 for area in areas)
        rows.append(f"| {item.id} | {name} | {score} | {seen} | {max(areas, default=0)} |")
    return rows
