"""The report: a table of probes, what they found, and how it is laid out.

A probe is a function that returns what it found as text, or raises: then the reason is what it
found, and the line is marked. No probe can keep the others from being made.

    >>> print(as_text([Finding("system", "Python", "3.11.7"), Finding("video", "VP9", "?", False)]))
    system
      Python                    3.11.7
    video
    ! VP9                       ?
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from itertools import groupby
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `ok` is False when the probe failed."""

    section: str
    name: str
    value: str
    ok: bool = True


Probe = Callable[[], str]
Row = tuple[str, str, Probe]  # section, name, probe


def run(table: Iterable[Row]) -> list[Finding]:
    """Run every probe of a table, and keep what it said, or why it failed."""
    return [_finding(*row) for row in table]


def as_text(findings: Sequence[Finding]) -> str:
    """Lay the report out for a terminal; lines that failed begin with `!`."""
    lines: list[str] = []
    for section, rows in groupby(findings, key=lambda finding: finding.section):
        lines.append(section)
        lines += [f"{' ' if row.ok else '!'} {row.name:<26}{row.value}" for row in rows]
    return "\n".join(lines)


def as_json(findings: Sequence[Finding]) -> str:
    """Write the report as `{section: {name: {"value": text, "ok": bool}}}`."""
    report: dict[str, dict[str, dict[str, Any]]] = {}
    for finding in findings:
        row = {"value": finding.value, "ok": finding.ok}
        report.setdefault(finding.section, {})[finding.name] = row
    return json.dumps(report, indent=2)


def _finding(section: str, name: str, probe: Probe) -> Finding:
    try:
        return Finding(section, name, probe())
    except metadata.PackageNotFoundError:
        return Finding(section, name, "not installed", ok=False)
    except Exception as error:  # noqa: BLE001 - whatever is wrong here belongs in the report
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return Finding(section, name, f"failed ({reason})", ok=False)


def require(right: bool, complaint: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Raise a complaint unless all is right."""
    if not right:
        raise RuntimeError(complaint)
