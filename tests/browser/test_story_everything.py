"""Everything in a picture on the real page: search, look, keep, take back, leave.

Behind it are nano and the smallest SAM 2 with random weights, loaded from a file as a person would
load one: what is found means nothing, so the thresholds are low.
"""

import re

import pytest
from playwright.sync_api import expect
from safetensors.torch import save_file

from tests.browser.conftest import LIMITS, serve, stop
from tests.browser.workbench import Workbench
from x2sam.tracker.build import random_weights
from x2sam.tracker.config import SMALL

MIDDLE = (256, 256)  # of fruit.png


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    file = tmp_path_factory.mktemp("sam2") / "small.safetensors"
    save_file({name: weight.clone() for name, weight in random_weights(SMALL, 0).items()}, file)
    process, address = serve(*LIMITS, "--tracker", str(file))
    yield address
    written = stop(process)
    assert "Traceback" not in written, written


@pytest.fixture
def bench(page, tracked):
    bench = Workbench(page, tracked)
    bench.open("fruit.png")
    return bench


def searched(bench, points=8):
    bench.tool("Find everything")
    bench.root.get_by_text("Advanced").click()
    for name, value in (("points_per_side", points), ("quality", 0.2), ("stability", 0.5)):
        bench.root.locator(f'.x-everything input[name="{name}"]').fill(str(value))
    bench.root.locator('[data-name="search"]').click()


def test_everything_is_found_seen_kept_and_taken_back(bench):
    searched(bench)
    words = bench.root.locator(".x-everything-words")
    expect(words).to_contain_text("found", timeout=60_000)
    before = int(re.match(r"\d+", words.inner_text())[0])
    assert before > 0
    expect(bench.messages).to_have_count(0)
    bench.page.mouse.move(*bench.at(MIDDLE))
    expect(bench.root.locator(".x-tip")).to_have_text(re.compile(r"^\d+ % sure$"))
    bench.click(MIDDLE)
    expect(bench.rows).to_have_count(1)
    expect(words).to_have_text(re.compile(rf"^{before - 1} thing"))
    ((mask),) = bench.masks().values()
    assert mask[MIDDLE[1], MIDDLE[0]]
    bench.page.keyboard.press("z")
    expect(bench.rows).to_have_count(0)
    expect(words).to_have_text(re.compile(rf"^{before} thing"))
    bench.page.keyboard.press("Escape")
    expect(words).to_be_hidden()
    bench.click(MIDDLE)  # a point again
    expect(bench.rows).to_have_count(1)


def test_a_search_tells_how_far_it_is_and_can_be_stopped(bench):
    searched(bench, points=64)
    stops = bench.root.locator(".x-everything .x-stop")
    bar = bench.root.locator(".x-everything progress")
    expect(bar).to_have_attribute("max", "4096", timeout=60_000)
    stops.click()
    expect(stops).to_be_hidden(timeout=60_000)
    expect(bench.root.get_by_role("button", name="Search again")).to_be_visible()


def test_without_sam_2_there_is_no_such_tool(page, site):
    bench = Workbench(page, site)
    bench.open("fruit.png")
    expect(bench.root.locator('[data-name="box"]')).to_be_visible()
    expect(bench.root.locator('[data-name="everything"]')).to_have_count(0)
