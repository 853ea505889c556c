"""One workspace of the real page, and what a person does there.

Places on the picture are in pixels of the display. `there` is what the server has of the same
workspace: the page's own token, used over HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page, Request, expect

from tests.demo.visiting import Page as Line
from x2sam.media.masks import Rle

ASSETS = Path(__file__).parents[2] / "assets"
TOKEN = re.compile(r"/x2sam/(?:media|upload|files)/([\w-]{20,})/?")
Place = tuple[float, float]
COVERED = 12  # change of a channel from which something is painted over a pixel


class Workbench:
    """The Image or the Video tab, open and ready."""

    def __init__(self, page: Page, site: str, kind: str = "image", query: str = "") -> None:
        self.page, self.site, self.kind = page, site, kind
        self._token = ""
        page.on("request", self._overheard)
        page.goto(f"{site}/{query}")
        if kind == "video":
            page.get_by_role("tab").nth(1).click()  # its name is of the language
        self.root = page.locator('.x-workspace[data-ready="true"]:visible')
        expect(self.root).to_be_visible()
        self.work = self.root.locator(".x-work")
        self.stage = self.root.locator(".x-stage")
        self.canvas = self.root.locator(".x-canvas")
        self.rows = self.root.locator(".x-row")
        self.messages = self.root.locator(".x-message")
        self.box = self.root.get_by_role("textbox", name="Your question")
        self.notice = self.root.locator(".x-notice")

    def _overheard(self, request: Request) -> None:
        # Two workspaces are on a page; only the one that is used fetches anything.
        if found := TOKEN.search(request.url):
            self._token = found[1]

    # Doing

    def example(self, words: str) -> None:
        """Open a card."""
        self.root.locator(".x-card-open", has_text=words).click()
        self.opened()

    def upload(self, *files: Any) -> None:
        """Choose a file, on the first screen or instead of what is open."""
        chooser = ".x-another" if self.work.is_visible() else ".x-choose"
        self.root.locator(f"{chooser} input").set_input_files(list(files))

    def open(self, name: str) -> None:
        """Upload one of the pictures and clips of the package."""
        self.upload(ASSETS / name)
        expect(self.root.locator(".x-name")).to_have_text(name)
        self.opened()

    def ask(self, text: str) -> Locator:
        """Send words, and return their message; it may still be answered."""
        before = self.messages.count()
        self.box.fill(text)
        self.box.press("Enter")
        return self.messages.nth(before)

    def answered(self, text: str) -> Locator:
        """Send words and wait for the end of the answer."""
        message = self.ask(text)
        self.done(message)
        return message

    def tool(self, name: str) -> None:
        self.root.get_by_role("toolbar").get_by_role("button", name=name, exact=True).click()

    def click(self, place: Place, **options: Any) -> None:
        self.page.mouse.click(*self.at(place), **options)

    def drag(self, *path: Place) -> None:
        mouse = self.page.mouse
        mouse.move(*self.at(path[0]))
        mouse.down()
        for place in path[1:]:
            mouse.move(*self.at(place), steps=5)
        mouse.up()

    def goto(self, frame: int) -> None:
        """Type the number of a frame, and wait until it is seen."""
        field = self.root.get_by_role("spinbutton", name="Frame")
        field.fill(str(frame))
        field.press("Enter")
        expect(self.stage).to_have_attribute("data-shown", str(frame))

    # Waiting and seeing

    def opened(self) -> None:
        """Wait until the first frame is seen."""
        expect(self.stage).to_have_attribute("data-shown", re.compile(r"\d+"))

    def done(self, message: Locator, status: str = "done") -> None:
        expect(message).to_have_attribute("data-status", status, timeout=60_000)

    def idle(self) -> None:
        expect(self.root).to_have_attribute("data-busy", "false", timeout=60_000)

    def place(self) -> dict[str, float]:
        """Where the picture stands on the screen: scale, and its corner."""
        return self.stage.evaluate(
            """(stage) => {
                const canvas = stage.querySelector("canvas").getBoundingClientRect();
                const ratio = stage.style.getPropertyValue("--x-ratio");
                const [width, height] = ratio.split("/").map(Number);
                const scale = Math.min(canvas.width / width, canvas.height / height);
                const x = canvas.x + (canvas.width - width * scale) / 2;
                return { scale, x, y: canvas.y + (canvas.height - height * scale) / 2 };
            }"""
        )

    def at(self, place: Place) -> Place:
        """Where a pixel of the picture is in the window; scrolls there."""
        self.canvas.scroll_into_view_if_needed()
        there = self.place()
        return place[0] * there["scale"] + there["x"], place[1] * there["scale"] + there["y"]

    def colour(self, place: Place) -> NDArray[np.int64]:
        """What the canvas shows at a pixel of the picture (RGB)."""
        x, y = self.at(place)
        rgba = self.canvas.evaluate(
            """(canvas, [x, y]) => new Promise((done) => requestAnimationFrame(() => {
                const box = canvas.getBoundingClientRect();
                const by = canvas.width / box.width;
                const at = [Math.round((x - box.x) * by), Math.round((y - box.y) * by)];
                done([...canvas.getContext("2d").getImageData(...at, 1, 1).data]);
            }))""",
            [x, y],
        )
        return np.array(rgba[:3])

    def covered(self, place: Place, bare: NDArray[np.int64]) -> bool:
        """Tell whether something is painted over a pixel whose colour was `bare`."""
        return bool(np.abs(self.colour(place) - bare).max() > COVERED)

    def watch(self, place: Place) -> None:
        """Note from now on, whenever the page is drawn, a pixel and the last message."""
        x, y = self.at(place)
        self.canvas.evaluate(
            """(canvas, [x, y]) => {
                const box = canvas.getBoundingClientRect();
                const share = [(x - box.x) / box.width, (y - box.y) / box.height];
                const root = canvas.closest(".x-workspace");
                window.watched = [];
                const look = () => {
                    const at = [share[0] * canvas.width, share[1] * canvas.height].map(Math.round);
                    const message = [...root.querySelectorAll(".x-message")].at(-1);
                    window.watched.push({
                        colour: [...canvas.getContext("2d").getImageData(...at, 1, 1).data],
                        status: message?.dataset.status,
                        progress: message?.querySelector(".x-progress-text")?.textContent,
                    });
                    requestAnimationFrame(look);
                };
                look();
            }""",
            [x, y],
        )

    def watched(self, status: str) -> tuple[NDArray[np.int64], list[str]]:
        """Colours (N, 3) and what was told while the last message had a status."""
        noted = [each for each in self.page.evaluate("window.watched") if each["status"] == status]
        colours = np.array([each["colour"][:3] for each in noted]).reshape(-1, 3)
        return colours, [each.get("progress") or "" for each in noted]

    def colours(self, places: Sequence[Place]) -> list[NDArray[np.int64]]:
        return [self.colour(place) for place in places]

    # The server's side

    @property
    def token(self) -> str:
        assert self._token, "the page has not fetched anything of its own yet"
        return self._token

    def there(self) -> Line:
        """The same workspace over HTTP."""
        line = Line(self.site, self.kind)
        line.token = self.token
        return line

    def call(self, name: str, **sent: Any) -> dict[str, Any]:
        line = self.there()
        try:
            return line.call(name, **sent)
        finally:
            line.close()

    def objects(self) -> list[dict[str, Any]]:
        return self.call("state")["state"]["objects"]

    def masks(self, first: int = 0, last: int | None = None) -> dict[tuple[int, int], NDArray]:
        """All masks of the server by object and frame; (H, W) bool at the display's size."""
        answer = self.call("masks", first=first, last=first if last is None else last)
        return {
            (each["object"], each["frame"]): Rle.from_json(each["rle"]).mask()
            for each in answer["masks"]
            if each["rle"]
        }
