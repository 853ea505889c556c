"""`x2sam doctor`: what a bug report needs to know, found out in a few seconds.

Nothing here touches the network.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from x2sam.doctor import codecs, gpu, machine, models
from x2sam.doctor.report import Finding, Row, as_json, as_text, run

__all__ = ["Finding", "as_json", "as_text", "examine"]
ON_THE_DEVICE: Final = ("devices", "self-test")  # sections of the report


def examine(table: Iterable[Row] | None = None, *, lent: bool = False) -> list[Finding]:
    """Run every probe (of `table`, by default all) and keep what it said, or why it failed.

    Where a GPU is only lent for single requests, no other process can examine it: then what needs
    it says so.
    """
    parts = (machine.rows, codecs.rows, models.rows, gpu.rows)
    rows = [row for part in parts for row in part()] if table is None else list(table)
    if lent:
        rows = [(s, name, _lent if s in ON_THE_DEVICE else probe) for s, name, probe in rows]
    return run(rows)


def _lent() -> str:
    return "not examined: a GPU is lent for single requests, and this process has none"
