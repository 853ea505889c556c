"""Loading the page again, on the real page with nano behind it; nothing is faked.

Covered: the picture, its objects and the whole conversation are there again, drawings and what
was not found included; asking once more sends the drawings again; a clip comes back at its frame
and with its tab; a copy of the browser's tab is somebody else.
"""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.workbench import Workbench

LEMON, BARE = (424, 375), (30, 480)  # of fruit.png


@pytest.fixture
def bench(page, site):
    return Workbench(page, site)


def reload(bench):
    bench.page.reload()
    bench.opened()
    expect(bench.root).to_be_visible()


def told(bench):
    """What the conversation says, message by message."""
    asked = bench.root.locator('.x-message[data-kind="ask"]')
    parts = ".x-question, .x-route, .x-reply, .x-also, .x-notes, .x-answer-tools"
    return [message.locator(parts).all_inner_texts() for message in asked.all()]


def test_a_picture_and_its_conversation_are_there_again(bench):
    bench.open("fruit.png")
    bare = bench.colour(LEMON)
    bench.answered("the green apple")
    bench.click(LEMON)
    expect(bench.rows).to_have_count(2)
    bench.idle()
    bench.answered("the elephant")
    bench.answered("describe this with masks")
    before, names, masks = told(bench), bench.rows.all_inner_texts(), bench.masks()
    phrases = bench.messages.last.locator(".x-phrase").all_inner_texts()
    old = bench.token
    reload(bench)
    assert told(bench) == before
    assert bench.rows.all_inner_texts() == names
    assert bench.messages.last.locator(".x-phrase").all_inner_texts() == phrases
    assert bench.token != old
    now = bench.masks()
    assert now.keys() == masks.keys()
    assert all((now[key] == masks[key]).all() for key in masks)
    expect(bench.root.locator(".x-name")).to_have_text("fruit.png")
    assert bench.covered(LEMON, bare)
    count = bench.messages.count()
    bench.answered("the banana")  # and it goes on
    expect(bench.messages).to_have_count(count + 1)
    assert bench.page.request.get(f"{bench.site}/x2sam/media/{old}/x/picture.webp").status == 404


def test_what_was_drawn_is_sent_again_after_a_reload(bench):
    bench.open("fruit.png")
    bench.root.get_by_text("Use marks with my words").click()
    bench.tool("Box")
    bench.drag((350, 300), (500, 450))
    sent = []

    def hear(request):
        if "/queue/join" in request.url and (data := json.loads(request.post_data)["event_data"]):
            sent.append(data)

    bench.page.on("request", hear)
    bench.answered("all like this")
    first = sent[-1]
    reload(bench)
    expect(bench.messages.last.locator(".x-mark")).to_have_text("1 box")
    with bench.page.expect_request(re.compile("/queue/join")):
        bench.messages.last.get_by_role("button", name="Ask again").click()
    expect(bench.messages).to_have_count(1)
    bench.done(bench.messages.last)
    assert len(sent) == 2
    assert sent[-1]["text"] == "all like this"
    assert sent[-1]["drawings"][0]["box"] == first["drawings"][0]["box"]


def test_a_clip_comes_back_at_its_frame_and_with_its_tab(page, site):
    bench = Workbench(page, site, "video")
    bench.open("race.mp4")
    bench.answered("the blue car")
    bench.goto(7)
    reload(bench)
    expect(page.get_by_role("tab").nth(1)).to_have_attribute("aria-selected", "true")
    expect(bench.stage).to_have_attribute("data-shown", "7")
    expect(bench.rows).to_have_text(re.compile("the blue car"))
    expect(bench.messages).to_have_count(1)
    page.get_by_role("tab").nth(0).click()
    bench.open("fruit.png")
    reload(bench)
    expect(page.get_by_role("tab").nth(0)).to_have_attribute("aria-selected", "true")
    expect(bench.root.locator(".x-name")).to_have_text("fruit.png")
    page.get_by_role("tab").nth(1).click()
    expect(bench.root.locator(".x-name")).to_have_text("race.mp4")
