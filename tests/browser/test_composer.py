"""The box that is written into, in Chromium; faked as in test_chat.py."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chatting import Chat


@pytest.fixture
def chat(page: Page) -> Chat:
    chat = Chat(page)
    chat.medium()
    return chat


def test_enter_sends_but_not_while_a_character_is_composed(chat):
    box = chat.page.locator(".x-box")
    box.focus()
    session = chat.page.context.new_cdp_session(chat.page)
    session.send(
        "Input.imeSetComposition", {"text": "ping", "selectionStart": 4, "selectionEnd": 4}
    )
    box.evaluate(
        """(box) => {
          for (const how of [{ isComposing: true }, { keyCode: 229 }]) {
            const enter = { key: "Enter", bubbles: true, ...how };
            box.dispatchEvent(new KeyboardEvent("keydown", enter));
          }
        }"""
    )
    assert chat.calls("send") == []
    session.send("Input.insertText", {"text": "苹果"})
    box.press("Shift+Enter")
    box.press_sequentially("red")
    expect(box).to_have_value("苹果\nred")
    assert box.evaluate("(box) => box.offsetHeight") > 60  # it grew
    box.press("Enter")
    expect(box).to_have_value("")
    assert chat.calls("send") == [["send", "苹果\nred"]]


def test_the_box_says_why_it_does_not_send(chat):
    box, send = chat.page.locator(".x-box"), chat.page.locator(".x-send")
    expect(send).to_be_disabled()
    box.fill("🍏" * 9_500)
    chat.shows(".x-count", "9,500 of 10,000 characters")
    expect(send).to_be_enabled()
    box.fill("a" * 10_001)
    expect(chat.page.locator(".x-count")).to_contain_text("too long to send")
    box.press("Enter")
    assert chat.calls("send") == []
    box.fill("")
    chat.set(drawings=[{"kind": "point"}])  # a mark alone says enough
    chat.shows(".x-pending", "1 mark goes with your words.")
    send.click()
    assert chat.calls("send") == [["send", ""]]
    chat.page.get_by_role("button", name="Remove the marks").click()
    assert chat.get("drawings") == []
    chat.set(medium=None)
    expect(box).to_be_disabled()
    expect(box).to_have_attribute("placeholder", "Open a picture or clip first.")


def test_suggestions_fit_what_is_open(chat):
    picture = chat.page.locator(".x-suggestion").all_inner_texts()
    chat.medium("video")
    clip = chat.page.locator(".x-suggestion").all_inner_texts()
    assert len(picture) == len(clip) == 4
    assert picture != clip
    chat.page.locator(".x-suggestion").first.click()
    assert chat.calls("send") == [["send", clip[0]]]
    chat.ask(clip[0])
    expect(chat.page.locator(".x-suggestion")).to_have_count(0)


def test_what_a_question_about_a_clip_takes_is_said_before_it_is_sent(chat):
    chat.medium("video", frames=48)
    cost = chat.page.locator(".x-cost")
    box = chat.page.get_by_role("textbox")
    box.fill("the apple")
    expect(cost).to_have_text("Estimate: 3–8 s · frames: 16 read, 48 masked")
    box.fill("")
    expect(cost).to_have_text("")
