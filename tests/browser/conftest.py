"""A real Chromium for the tests of the page, and the real page with nano behind it.

The server is the command that a person would type, in a process of its own. Each test gets a
browser context of its own, which is a visitor of its own. A test fails if the page wrote an
error to its console.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from tests.browser.chromium import chromium

ROOT = Path(__file__).parents[2]
READY = re.compile(r"(http://[\d.]+:\d+)")
# A healthy page says these too: the browser's own asking for icons, Gradio's for a manifest, a
# clip whose proxy is being made, and whatever a test has refused.
HARMLESS = re.compile(r"favicon|manifest|apple-touch-icon|proxy\.mp4|x2sam/upload")
PATIENCE = 20_000  # ms; a busy machine is slow, not broken
LIMITS = ("--max-picture-mb", "3", "--max-clip-mb", "20")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = chromium()
    if program is None:
        pytest.fail("There is no Chromium; run scripts/browser.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        expect.set_options(timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    said: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        where = message.location.get("url", "")
        if message.type == "error" and not HARMLESS.search(message.text + where):
            said.append(f"{message.text} ({where})")

    page.on("console", heard)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    assert said == []


def serve(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """Start the page as a person would; returns when it says that it is ready."""
    command = [sys.executable, "-m", "x2sam", "demo", "--port", "0", *arguments]
    quiet = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=quiet, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines = []
    for line in process.stdout or ():
        lines.append(line)
        if ready := READY.search(line):
            return process, ready[1]
    raise AssertionError(f"The page did not start: {''.join(lines)}")


def stop(process: subprocess.Popen[str]) -> str:
    """End the page; what it wrote since it was ready."""
    process.send_signal(signal.SIGTERM)
    try:
        return process.communicate(timeout=60)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        raise


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The address of the real page; whatever was done there, it must not have gone wrong."""
    process, address = serve(*LIMITS)
    yield address
    written = stop(process)
    assert "Traceback" not in written, written
