"""The page of chat_page.html, and how tests hand it events and read what it asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from playwright.sync_api import Page, Route, expect

STATIC = Path(__file__).parents[2] / "demo/static"
PAGE = Path(__file__).with_name("chat_page.html")
TYPES = {".js": "text/javascript", ".css": "text/css"}
ORANGE, BLUE = "#e69f00", "#56b4e9"


def fulfil(route: Route) -> None:
    path = urlparse(route.request.url).path
    file = PAGE if path == "/" else STATIC / path[1:]
    kind = TYPES.get(file.suffix, "text/html")
    route.fulfill(body=file.read_text("utf-8"), content_type=f"{kind}; charset=utf-8")


def thing(id_: int, name: str, colour: str = ORANGE, **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "name": name,
        "colour": colour,
        "score": 0.93,
        "shown": True,
        "version": 1,
        "area": 0.12,
        "first": 0,
        "visible": [[0, 0]],
        "origins": [],
        **more,
    }


class Chat:
    """The open page, and how events and clicks reach it."""

    def __init__(self, page: Page, language: str = "en") -> None:
        self.page = page
        page.route("http://localhost/**", fulfil)
        page.goto(f"http://localhost/?language={language}")
        page.wait_for_function("window.x")

    def set(self, **patch: Any) -> None:
        self.page.evaluate("(patch) => x.store.set(patch)", patch)

    def get(self, key: str) -> Any:
        return self.page.evaluate("(key) => x.store.get()[key]", key)

    def medium(self, kind: str = "image", **more: Any) -> None:
        self.set(medium={"kind": kind, "id": "m", "name": "fruit", "frames": 1, **more})

    def ask(self, text: str = "the apple", run: str = "r", **more: Any) -> None:
        request = {"kind": "ask", "text": text, **more}
        self.page.evaluate("([run, request]) => x.chat.begin(run, request)", [run, request])

    def hear(self, kind: str, run: str = "r", **event: Any) -> None:
        self.page.evaluate("([run, e]) => x.chat.event(run, e)", [run, {"kind": kind, **event}])

    def calls(self, *names: str) -> list[list[Any]]:
        """All that was asked of the actions, in order; the named ones if any are named."""
        calls = self.page.evaluate("x.calls")
        return [call for call in calls if not names or call[0] in names]

    def shows(self, selector: str, text: str | list[str]) -> None:
        expect(self.page.locator(selector)).to_have_text(text)
