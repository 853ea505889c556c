"""`x2sam doctor`: what a bug report needs to know, found out in a few seconds.

Nothing here touches the network.
"""

from __future__ import annotations

from collections.abc import Iterable

from x2sam.doctor import codecs, machine, models
from x2sam.doctor.report import Finding, Row, as_json, as_text, run

__all__ = ["Finding", "as_json", "as_text", "examine"]


def examine(table: Iterable[Row] | None = None) -> list[Finding]:
    """Run every probe (of `table`, by default all) and keep what it said, or why it failed."""
    parts = (machine.rows, codecs.rows, models.rows)
    return run([row for rows in parts for row in rows()] if table is None else table)
