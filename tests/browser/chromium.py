"""Where the Chromium is that the tests drive: named, installed, or Playwright's own.

As a program it prints the path, or exits with 1 if there is none that starts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def candidates() -> Iterator[str]:
    """Yield programs that may be a Chromium, best first."""
    if named := os.environ.get("X2SAM_CHROMIUM"):
        yield named
        return
    yield from filter(None, map(shutil.which, NAMES))
    cache = Path.home() / ".cache/ms-playwright"
    yield from map(str, sorted(cache.glob("chromium*/*/*headless*shell"), reverse=True))


def starts(program: str) -> bool:
    """Tell whether it runs at all; a distribution may ship an empty shell."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def chromium() -> str | None:
    """Find the first that starts."""
    return next(filter(starts, candidates()), None)


if __name__ == "__main__":
    path = chromium()
    if path is None:
        sys.exit(1)
    print(path)  # noqa: T201 (what it is run for)
