"""Pictures of the page: each tab with work done, in both themes, on a desk and on a phone.

As a program it serves the page with nano and writes WebP files into a folder.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.chromium import chromium
from tests.browser.conftest import PATIENCE, serve, stop
from tests.browser.workbench import ASSETS, Workbench

SIZES = {"desk": (1280, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
MOST = 300_000  # bytes of a file
COVER = ("video", "desk", "light")  # as page.png as well, for the README


def first(page: Page, site: str, query: str) -> None:
    """The first screen."""
    bench = Workbench(page, site, query=query)
    cards = bench.root.locator(".x-card-picture")
    cards.last.scroll_into_view_if_needed()
    for each in cards.all():
        expect(each).to_have_js_property("complete", value=True)
    page.evaluate("scrollTo(0, 0)")


def image(page: Page, site: str, query: str) -> None:
    """A picture, after two questions and a click."""
    bench = Workbench(page, site, query=query)
    bench.open("fruit.png")
    bench.answered("the green apple")
    bench.click((424, 375))
    expect(bench.rows).to_have_count(2)
    bench.idle()
    bench.answered("the one to its left")


def video(page: Page, site: str, query: str) -> None:
    """A clip, with one object of words and one of a click that was followed."""
    bench = Workbench(page, site, "video", query)
    bench.open("flight.mp4")
    bench.answered("the sailboat")
    bench.click((415, 450))
    expect(bench.rows).to_have_count(2)
    bench.idle()
    bench.root.get_by_role("button", name="Follow through the clip").click()
    bench.done(bench.messages.last)
    bench.goto(12)


def batch(page: Page, site: str, query: str) -> None:
    """Two files, answered."""
    Workbench(page, site, query=query)
    page.get_by_role("tab", name="Batch").click()
    files = [ASSETS / "fruit.png", ASSETS / "street.png"]
    page.locator('input[type="file"][multiple]').set_input_files(files)
    expect(page.get_by_text("street").first).to_be_visible()
    page.get_by_label("What do you want in each of them?").fill("the green apple")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("2 files answered")).to_be_visible(timeout=60_000)


def model(page: Page, site: str, query: str) -> None:
    """What the model is."""
    Workbench(page, site, query=query)
    page.get_by_role("tab", name="Model").click()
    expect(page.get_by_role("columnheader", name="nano", exact=True)).to_be_visible()


TABS = {each.__name__: each for each in (first, image, video, batch, model)}


def small(picture: bytes) -> bytes:
    """Encode a screenshot so that it is small enough."""
    for quality in (90, 80, 65, 50):
        out = io.BytesIO()
        Image.open(io.BytesIO(picture)).save(out, "WEBP", quality=quality, method=6)
        if out.tell() < MOST:
            break
    return out.getvalue()


def shoot(browser: Browser, site: str, out: Path) -> None:
    """Write all pictures."""
    for kind, (width, height) in SIZES.items():
        phone = kind == "phone"
        for theme in THEMES:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                has_touch=phone,
                is_mobile=phone,
                locale="en-US",
            )
            for name, prepare in TABS.items():
                page = context.new_page()
                prepare(page, site, f"?__theme={theme}")
                page.mouse.move(1, 1)
                picture = page.screenshot(full_page=True, animations="disabled")
                (out / f"page-{name}-{kind}-{theme}.webp").write_bytes(small(picture))
                if (name, kind, theme) == COVER:
                    colours = Image.open(io.BytesIO(picture)).quantize(255)
                    colours.save(out / "page.png", optimize=True)
                page.close()
            context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="where they go")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=PATIENCE)
    process, site = serve()
    try:
        with sync_playwright() as playwright:
            chrome = playwright.chromium
            browser = chrome.launch(executable_path=chromium(), args=["--no-sandbox"])
            shoot(browser, site, out)
            browser.close()
    finally:
        stop(process)


if __name__ == "__main__":
    main()
