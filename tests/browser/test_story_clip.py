"""What people do with a clip, on the real page with nano behind it.

Covered: masks on every frame while they are computed, words that lead to a frame, a correction
on a later frame that is followed from there, and Stop. Nothing is faked.
"""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.workbench import COVERED, Workbench

FRAMES = 48  # of flight.mp4
BOAT, FISH = (140, 420), (415, 450)  # on its first frame


@pytest.fixture
def clip(page, site):
    bench = Workbench(page, site, "video")
    bench.open("flight.mp4")
    return bench


def test_masks_come_in_while_they_are_computed(clip):
    bare = clip.colour(BOAT)
    clip.watch(BOAT)
    clip.answered("the sailboat")
    colours, told = clip.watched("running")
    assert any(re.search(rf"\d+ / {FRAMES}", text) for text in told)
    painted = np.abs(colours - bare).max(axis=1) > COVERED
    assert painted.any(), "the mask on this frame waits for those on others"
    expect(clip.rows).to_have_count(1)
    assert len(clip.masks(0, FRAMES - 1)) > FRAMES / 2
    expect(clip.rows.locator(".x-spans span").first).to_be_visible()
    clip.goto(FRAMES - 1)
    expect(clip.stage).to_have_attribute("data-shown", str(FRAMES - 1))


def test_a_double_click_on_words_leads_to_where_it_is_first_seen(clip):
    message = clip.answered("the sailboat")
    (boat,) = clip.objects()
    clip.goto(20)
    message.locator(".x-phrase").dblclick()
    expect(clip.stage).to_have_attribute("data-shown", str(boat["first"]))
    expect(clip.rows.first).to_have_class(re.compile("x-selected"))
    expect(message.locator(".x-phrase")).to_have_attribute("aria-pressed", "false")


def test_a_correction_changes_only_what_follows_from_it(clip):
    clip.answered("the sailboat")
    before = clip.masks(0, FRAMES - 1)
    clip.goto(30)
    clip.rows.first.get_by_role("button", name="Object 1").click()
    ys, xs = np.nonzero(before[(1, 30)])
    clip.click((float(xs.mean()) - 100, float(ys.mean()) + 40))
    clip.idle()
    marked = clip.masks(0, FRAMES - 1)
    changed = {
        frame for _, frame in before.keys() | marked.keys() if not same(before, marked, frame)
    }
    assert changed <= {30}
    assert [30, 30, "corrected"] in clip.objects()[0]["origins"]

    clip.root.locator(".x-directions").get_by_text("Forward").click()
    clip.root.get_by_role("button", name="Follow through the clip").click()
    message = clip.messages.last
    clip.done(message)
    followed = clip.masks(0, FRAMES - 1)
    changed = {
        frame for _, frame in marked.keys() | followed.keys() if not same(marked, followed, frame)
    }
    assert changed
    assert changed <= set(range(31, FRAMES))
    clip.tool("Undo")
    expect(clip.root.locator(".x-notice")).to_be_hidden()


def same(before, after, frame):
    one, other = before.get((1, frame)), after.get((1, frame))
    return one is other is None or (one is not None and other is not None and (one == other).all())


def test_stop_keeps_what_is_done(clip):
    message = clip.ask("the sailboat")
    expect(message.locator(".x-progress-text")).to_contain_text(re.compile(r"[2-9] / "))
    message.get_by_role("button", name="Stop").click()
    clip.done(message, "stopped")
    expect(message).to_contain_text("Stopped. What was found is kept.")
    expect(clip.rows).to_have_count(1)
    kept = clip.masks(0, FRAMES - 1)
    assert 0 < len(kept) < FRAMES
    clip.answered("the helicopter")
    expect(clip.rows).to_have_count(2)


def test_the_clip_plays_and_stops_at_a_click(clip):
    clip.answered("the sailboat")
    clip.root.get_by_role("button", name="Play", exact=True).click()
    expect(clip.stage).not_to_have_attribute("data-shown", "0")
    clip.click(FISH)
    expect(clip.root.get_by_role("button", name="Play", exact=True)).to_be_visible()
    expect(clip.rows).to_have_count(2)
    clip.idle()
