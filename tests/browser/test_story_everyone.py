"""The page for everyone: by keyboard alone, read aloud, by finger, in the dark, in Chinese.

Covered: the main path without a mouse, axe-core's rules on every tab in both themes, a phone's
width, and that no English is left where a browser speaks Chinese. Nothing is faked.
"""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE
from tests.browser.workbench import Workbench

GREEN, LEMON = (267, 145), (424, 375)
THEMES = ("light", "dark")


# By keyboard


def tab_to(page, selector, stops=80):
    """Press Tab until something has the focus."""
    for _ in range(stops):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not lead to {selector}")


def test_the_main_path_needs_no_mouse(page, site):
    bench = Workbench(page, site)
    keys = page.keyboard
    tab_to(page, ".x-card-open")
    keys.press("Enter")
    bench.opened()
    bench.done(bench.messages.first)
    tab_to(page, ".x-stage")
    keys.press("x")
    for key in ["Shift+ArrowRight"] * 16 + ["Shift+ArrowDown"] * 12:
        keys.press(key)
    keys.press("n")
    keys.press("Enter")
    expect(bench.rows).to_have_count(2)
    bench.idle()
    keys.press("z")
    expect(bench.rows).to_have_count(1)
    keys.press("y")
    expect(bench.rows).to_have_count(2)
    tab_to(page, ".x-row .x-swatch")
    keys.press("F2")
    keys.type("my fruit")
    keys.press("Enter")
    expect(bench.rows.first).to_contain_text("my fruit")
    tab_to(page, ".x-box")
    keys.type("the red apple")
    keys.press("Enter")
    expect(bench.messages).to_have_count(2)
    bench.done(bench.messages.nth(1))
    bench.root.get_by_role("button", name="Export…").focus()
    keys.press("Enter")
    dialog = page.get_by_role("dialog", name="Export")
    tab_to(page, "dialog .x-primary")
    keys.press("Enter")
    expect(dialog.get_by_role("link")).to_be_focused(timeout=30_000)
    keys.press("Escape")
    expect(dialog).to_be_hidden()
    expect(bench.root.get_by_role("button", name="Export…")).to_be_focused()


def test_tabs_are_reached_by_keyboard(page, site):
    bench = Workbench(page, site)
    tab_to(page, "[role=tab]")
    chosen = page.locator("[role=tab][aria-selected=true]")
    steps = ["ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowRight", "ArrowLeft", "Home"]
    names = ["Video", "Batch", "Video", "Model", "Image", "Model", "Image"]
    for key, name in zip(steps, names, strict=True):
        page.keyboard.press(key)
        expect(chosen).to_have_text(name)
        expect(chosen).to_be_focused()
    page.keyboard.press("Shift+ArrowRight")
    expect(chosen).to_have_text("Image")
    page.keyboard.press("Tab")  # the list is one stop: the next is on the page
    expect(page.locator("[role=tab]:focus")).to_have_count(0)
    assert bench.root.evaluate("(root) => root.contains(document.activeElement)")


# Read aloud


def broken(page):
    """What axe-core finds serious or critical: rule, and where."""
    # Without `preload` axe asks for the style sheets that ours imports, at the wrong address.
    options = {"resultTypes": ["violations"], "preload": False}
    found = Axe().run(page, options=options).response["violations"]
    return {
        each["id"]: [node["html"][:160] for node in each["nodes"]]
        for each in found
        if each["impact"] in ("serious", "critical")
    }


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_serious_on_any_tab(page, site, theme):
    Workbench(page, site, query=f"?__theme={theme}")
    found = {}
    for name in ("Image", "Video", "Batch", "Model"):
        page.get_by_role("tab", name=name, exact=True).click()
        expect(page.get_by_role("tabpanel").locator("visible=true").first).to_be_visible()
        if name in ("Image", "Video"):
            expect(page.locator('.x-workspace[data-ready="true"]:visible')).to_be_visible()
        if name == "Model":
            expect(page.get_by_text("What it can and cannot do").first).to_be_visible()
        found[name] = broken(page)
    assert not any(found.values()), found


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("kind", ["image", "video"])
def test_axe_finds_nothing_serious_while_one_works(page, site, kind, theme):
    bench = Workbench(page, site, kind, f"?__theme={theme}")
    bench.example("the green apple" if kind == "image" else "the sailboat")
    bench.done(bench.messages.first)
    bench.rows.first.get_by_role("button", name="Object 1").click()
    bench.tool("Scribble")
    bench.box.fill("and the sky?")
    assert broken(page) == {}
    bench.root.get_by_role("button", name="Export…").click()
    expect(page.get_by_role("dialog", name="Export")).to_be_visible()
    assert broken(page) == {}


def test_the_page_looks_as_its_own_sheets_say(page, site):
    """Gradio's reset of buttons and boxes weighs more than one class does."""
    bench = Workbench(page, site)
    bench.open("fruit.png")
    bench.box.fill("the lemon")
    expect(bench.root.locator(".x-send")).to_have_css("background-color", "rgb(36, 87, 214)")
    bench.box.press("Enter")
    tick = bench.rows.first.get_by_role("checkbox")
    expect(tick).to_have_css("appearance", "auto")
    expect(bench.rows.first.locator(".x-object-name")).to_have_css("padding-left", "6px")


# By finger


@pytest.fixture
def phone(browser):
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        device_scale_factor=2,
        has_touch=True,
        is_mobile=True,
        locale="en-US",
    )
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def wide(page):
    """How much wider than the screen the page is."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


@pytest.mark.parametrize("kind", ["image", "video"])
def test_a_phone_is_wide_enough(phone, site, kind):
    bench = Workbench(phone, site, kind)
    assert wide(phone) == 0
    bench.open("fruit.png" if kind == "image" else "flight.mp4")
    phone.touchscreen.tap(*bench.at(GREEN if kind == "image" else (140, 420)))
    expect(bench.rows).to_have_count(1)
    bench.idle()
    assert wide(phone) == 0
    places = [".x-tools", ".x-stage", ".x-box", ".x-row", ".x-settings", ".x-another"]
    places += [".x-transport", ".x-timeline .x-follow"] if kind == "video" else []
    for each in places:
        spot = bench.root.locator(each).first
        spot.scroll_into_view_if_needed()
        box = spot.bounding_box()
        assert 0 <= box["x"] <= box["x"] + box["width"] <= 390, each
    small = bench.root.locator(
        "button:visible, select:visible, label.x-button:visible"
    ).evaluate_all(
        """(all) => all.map((each) => [each.getBoundingClientRect(), each])
            .filter(([box]) => box.width && (box.width < 36 || box.height < 36))
            .map(([box, each]) => `${each.className} ${box.width} x ${box.height}`)"""
    )
    assert [each for each in small if "x-chip" not in each] == []


@pytest.mark.parametrize("name", ["Batch", "Model"])
def test_the_other_tabs_fit_a_phone(phone, site, name):
    Workbench(phone, site)
    phone.get_by_role("tab", name=name, exact=True).click()
    expect(phone.get_by_text("megapixels").locator("visible=true").first).to_be_visible()
    assert wide(phone) == 0


# In the dark


def test_the_dark_theme_is_dark_everywhere(page, site):
    bench = Workbench(page, site, query="?__theme=dark")
    bench.open("fruit.png")
    bench.answered("the green apple")
    light = page.evaluate(
        """() => [...document.querySelectorAll(".x-workspace *")].filter((each) => {
            if (!each.getClientRects().length) return false;
            const rgb = getComputedStyle(each).backgroundColor.match(/[\\d.]+/g).map(Number);
            const opaque = rgb.length < 4 || rgb[3] === 1;
            return opaque && Math.min(...rgb.slice(0, 3)) > 200;
        }).map((each) => each.outerHTML.slice(0, 120))"""
    )
    assert light == []


# In Chinese

# Names of formats and keys, units, and what people and models have said ("object" is no name).
KEPT = re.compile(
    r"\b(x2sam|nano|object|SAM|COCO|YouTube-VIS|YOLO|PNG|JSON|MP4|WebM|RLE|Markdown|HTML|ZIP|MB|Esc|Enter|"
    r"Shift|Ctrl|Alt|Space|Backspace|English|\w+\.(?:png|mp4))\b"
)
WORDS = """(root) => {
    const found = [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const { parentElement, data } = walker.currentNode;
        if (!parentElement.closest("script, style, .x-asked, .x-phrase")) found.push(data);
    }
    for (const each of root.querySelectorAll("*")) {
        for (const name of ["title", "aria-label", "placeholder", "alt", "aria-valuetext"]) {
            found.push(each.getAttribute(name) ?? "");
        }
    }
    return found;
}"""


@pytest.mark.parametrize("kind", ["image", "video"])
def test_a_chinese_browser_gets_a_chinese_page(browser, site, kind):
    context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    bench = Workbench(context.new_page(), site, kind)
    page = bench.page
    assert bench.root.get_attribute("lang") == "zh-CN"
    english = set()

    def collect():
        texts = [KEPT.sub("", text) for text in bench.root.evaluate(WORDS)]
        english.update(text.strip() for text in texts if re.search(r"[A-Za-z]{3,}", text))

    collect()
    bench.root.locator(".x-card-open").first.click()
    bench.opened()
    bench.done(bench.messages.first)
    collect()
    bench.click((256, 256))
    bench.idle()
    collect()
    bench.root.locator(".x-objects-head .x-button:visible").last.click()
    expect(page.locator("dialog[open]")).to_be_visible()
    collect()
    page.keyboard.press("Escape")
    bench.root.locator(".x-settings").click()
    expect(page.locator("dialog[open]")).to_be_visible()
    collect()
    page.keyboard.press("Escape")
    bench.stage.focus()
    page.keyboard.press("?")
    collect()
    context.close()
    assert sorted(english) == []
