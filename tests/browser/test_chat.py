"""The chat, the list of objects, the gallery and the dialogs in Chromium.

The page is `chat_page.html` with the real parts and the real styles. Faked: the server, whose
events are handed in by the tests, and the actions, which note what was asked of them in `calls`
and answer at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.chatting import BLUE, Chat, thing

FRUIT = [thing(1, "the apple"), thing(3, "the knife", BLUE)]
BAD = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'


@pytest.fixture
def chat(page: Page) -> Chat:
    chat = Chat(page)
    chat.medium()
    chat.set(objects=FRUIT)
    return chat


@pytest.fixture
def evaluate(page: Page) -> Callable[..., Any]:
    return Chat(page).page.evaluate


# What was said, as data


@pytest.mark.parametrize(
    ("reply", "phrases", "pieces"),
    [
        ("a dog", [(2, 5, [1])], ["a ", "dog*"]),
        ("🐶🐶 and 👩‍👧", [(0, 2, [1]), (7, 10, [2])], ["🐶🐶*", " and ", "👩‍👧*"]),
        ("the cat, the cat", [(9, 16, [2]), (0, 7, [1])], ["the cat*", ", ", "the cat*"]),
        ("half wri", [(5, 12, [1])], ["half wri"]),
        ("across", [(0, 4, [1]), (2, 6, [2])], ["acro*", "ss"]),
        ("no object", [(0, 2, [])], ["no object"]),
        ("", [], []),
    ],
)
def test_a_reply_is_cut_at_code_points(evaluate, reply, phrases, pieces):
    given = [{"start": a, "end": b, "objects": objects} for a, b, objects in phrases]
    cut = evaluate("([reply, phrases]) => x.cut(reply, phrases)", [reply, given])
    assert [each["text"] + "*" * bool(each["objects"]) for each in cut] == pieces


def test_events_become_messages(evaluate):
    messages = evaluate(
        """() => {
          let all = x.state.asked([], "a", { kind: "ask", text: "one" });
          const before = all;
          all = x.state.heard(all, "b", { kind: "text", text: "of another run" });
          const untouched = all === before;
          all = x.state.heard(all, "a", { kind: "text", text: "Hel" });
          all = x.state.heard(all, "a", { kind: "text", text: "lo" });
          all = x.state.asked(all, "b", { kind: "ask", text: "two" });
          all = x.state.heard(all, "a", { kind: "text", text: " too late" });
          all = x.state.heard(all, "b", { kind: "done", turn: 2, seconds: 1, objects: [4] });
          return [untouched, before[0].reply, all];
        }"""
    )
    untouched, before, (one, two) = messages
    assert untouched
    assert before == ""  # a list that was handed out never changes
    assert (one["reply"], one["status"]) == ("Hello", "stopped")
    assert (two["status"], two["turn"], two["objects"]) == ("done", 2, [4])


def test_a_rewound_turn_takes_what_came_after_it_along(evaluate):
    kept = evaluate(
        """() => {
          let all = [];
          for (const turn of [1, 2, 3]) {
            all = x.state.asked(all, `r${turn}`, { kind: "ask", text: `question ${turn}` });
            all = x.state.heard(all, `r${turn}`, { kind: "done", turn });
          }
          return x.state.recalled(all, [{ turn: 1, text: "question 1" }]).map((each) => each.text);
        }"""
    )
    assert kept == ["question 1"]


def test_turns_that_the_server_no_longer_tells_stay(evaluate):
    kept = evaluate(
        """() => {
          let all = [];
          for (const turn of [1, 2, 3, 4]) {
            all = x.state.asked(all, `r${turn}`, { kind: "ask", text: `question ${turn}` });
            all = x.state.heard(all, `r${turn}`, { kind: "done", turn });
          }
          const told = [{ turn: 2 }, { turn: 3 }];
          return x.state.recalled(all, told).map((each) => each.turn);
        }"""
    )
    assert kept == [1, 2, 3]


def test_turns_from_before_are_shown_and_marks_make_one_line(chat):
    turns = [
        {"turn": 1, "text": "the apple", "reply": "Here: it.", "phrases": [], "objects": [1]},
        {"turn": 2, "text": "", "reply": "", "objects": [1]},
        {"turn": 3, "text": "", "reply": "", "objects": [3]},
    ]
    chat.page.evaluate("(turns) => x.chat.restore(turns)", turns)
    chat.shows(".x-asked", "the apple")
    chat.shows(".x-also", ["Also found:the apple1", "Marked by hand:the apple1the knife3"])


def test_numbers_as_people_read_them(evaluate):
    said = evaluate(
        """() => [x.amounts.share(0), x.amounts.share(0.0004), x.amounts.share(0.0123),
          x.amounts.share(1), x.amounts.seconds(4.25), x.amounts.seconds(75),
          x.amounts.span([3, 8]), x.amounts.span([2, 2]), x.amounts.span([50, 70]),
          x.amounts.bytes(12), x.amounts.bytes(1_250_000)]"""
    )
    numbers = ["0 %", "<0.1 %", "1.2 %", "100 %", "4.3 s", "1:15 min", "3–8 s", "2 s"]
    assert said == [*numbers, "50 s – 1:10 min", "12 bytes", "1.3 MB"]


def test_both_languages_say_the_same_things(evaluate):
    en, zh = evaluate("[x.texts.en, x.texts.zh]")
    assert en.keys() == zh.keys()
    for key, text in en.items():
        holes = {hole for hole in ("{0}", "{1}") if hole in text}
        assert all(hole in zh[key] for hole in holes), key


# The conversation


def test_an_answer_streams_and_its_phrases_find_their_objects(chat):
    chat.ask("describe", drawings=[{"kind": "point"}, {"kind": "point"}, {"kind": "box"}])
    chat.shows(".x-mark", ["2 points", "1 box"])
    chat.hear("phrase", start=2, end=11, objects=[1])  # before its words
    chat.hear("text", text="🍏 the a")
    expect(chat.page.locator(".x-phrase")).to_have_count(0)
    chat.hear("text", text="pple\nand the knife.")
    chat.shows(".x-reply .x-phrase", "the apple1")
    first = chat.page.locator(".x-reply .x-phrase").element_handle()
    chat.hear("phrase", start=16, end=25, objects=[3])
    chat.hear("done", turn=1, seconds=2.5, objects=[1, 3])
    chat.shows(".x-reply .x-phrase", ["the apple1", "the knife3"])
    assert chat.page.locator(".x-reply").text_content() == "🍏 the apple1\nand the knife3."
    assert first.evaluate("(element) => element.isConnected")  # focus would have survived
    assert "2.5 s" in chat.page.locator(".x-answer-tools").inner_text()
    underline = chat.page.locator(".x-reply .x-phrase").first.evaluate(
        "(phrase) => getComputedStyle(phrase).borderBottomColor"
    )
    assert underline == "rgb(230, 159, 0)"


def test_a_screen_reader_hears_an_answer_once(chat):
    log, spoken = chat.page.get_by_role("log"), chat.page.locator(".x-chat > .x-sr")
    expect(log).to_have_attribute("aria-live", "off")
    chat.ask()
    chat.hear("text", text="Here ")
    expect(spoken).to_have_text("")
    chat.hear("text", text="it is.")
    chat.hear("done", turn=1)
    expect(spoken).to_have_text("Here it is. Finished.")


def test_what_is_said_stays_text(chat):
    chat.set(objects=[thing(1, BAD)], drawings=[])
    chat.ask(BAD)
    chat.hear("routed", turn=1, chip=BAD, task="chat", reason=BAD)
    chat.hear("text", text=BAD)
    chat.hear("phrase", start=0, end=len(BAD), objects=[1])
    chat.hear("warning", text=BAD)
    chat.hear("notfound", what=BAD + "!", candidates=[[BAD, 0.3]])
    chat.hear("progress", stage=BAD, done=1, total=2)
    chat.shows(".x-progress-text", f"{BAD} · 1 / 2")
    chat.hear("error", text=BAD)
    chat.shows(".x-asked", BAD)
    chat.shows(".x-phrase-text", BAD)
    chat.shows(".x-note", [BAD, BAD])
    chat.shows(".x-object-name", BAD)
    expect(chat.page.locator(".x-workspace :is(img, script)")).to_have_count(0)
    assert chat.page.evaluate("window.hit") is None


def test_phrases_and_objects_light_each_other_up(chat):
    chat.ask()
    chat.hear("text", text="the apple, the knife")
    chat.hear("phrase", start=0, end=9, objects=[1])
    chat.hear("phrase", start=11, end=20, objects=[3, 1])
    chat.hear("done", turn=1)
    apple, both = chat.page.locator(".x-phrase").all()
    apple.hover()
    assert chat.get("hovered") == 1
    expect(chat.page.locator('.x-row[data-id="1"]')).to_contain_class("x-glow")
    chat.page.locator('.x-row[data-id="3"] .x-numbers').hover()
    assert chat.get("hovered") == 3
    expect(both).to_contain_class("x-glow")
    expect(apple).not_to_contain_class("x-glow")
    for alone in (3, 1, None):  # one click after the other
        both.click()
        assert chat.get("solo") == alone
    both.dblclick()
    assert chat.calls("jumpTo") == [["jumpTo", 3]]
    assert chat.get("solo") is None
    apple.focus()
    chat.page.keyboard.press("Enter")
    assert chat.get("solo") == 1
    chat.set(objects=[FRUIT[1]])  # the apple is deleted
    expect(apple).to_contain_class("x-gone")
    expect(both).to_have_text("the knife3")


def test_progress_queue_estimate_and_stop(chat):
    chat.ask()
    line, stop = chat.page.locator(".x-progress-text"), chat.page.locator(".x-stop")
    expect(line).to_have_text("Working…")
    chat.hear("estimate", seconds=[3, 8], frames_shown=16, frames_masked=48, bytes=1.2e9)
    expect(line).to_have_text("Estimate: 3–8 s · frames: 16 read, 48 masked · 1.2 GB of memory")
    chat.hear("waiting", ahead=2)
    expect(line).to_have_text("2 requests before yours")
    stop.focus()
    chat.hear("progress", stage="segmenting frames", done=3, total=12, left=9)
    expect(line).to_have_text("Making masks · 3 / 12 · about 9 s left")
    assert chat.page.locator("progress").evaluate("(bar) => bar.value / bar.max") == 0.25
    expect(stop).to_be_focused()
    chat.page.keyboard.press("Enter")
    assert chat.calls("stop") == [["stop"]]
    chat.hear("done", turn=1, stopped=True, objects=[1])
    expect(stop).to_be_hidden()
    assert "Stopped" in chat.page.locator(".x-answer-tools").inner_text()
    chat.shows(".x-also", "Found:the apple1")


def test_the_task_is_overruled_from_the_chip(chat):
    chat.set(turns=[{"turn": 4}])
    marks = [{"kind": "point"}]
    chat.ask("the red one", drawings=marks)
    chat.hear("routed", turn=4, chip="Found by name", task="refseg", reason="words for a thing")
    expect(chat.page.locator("span.x-chip")).to_have_attribute("title", "words for a thing")
    chat.hear("done", turn=4)
    chip = chat.page.locator("button.x-chip")
    chip.focus()
    chat.page.keyboard.press("ArrowDown")
    expect(chat.page.get_by_role("menuitemradio", name="Find what is described")).to_be_focused()
    chat.page.keyboard.press("Escape")
    expect(chat.page.get_by_role("menu")).to_be_hidden()
    expect(chip).to_be_focused()
    chip.click()
    chat.page.keyboard.press("<")
    chat.page.keyboard.press("Enter")
    [call] = chat.calls("rewind")
    assert call == ["rewind", 4, "the red one", {"task": "newseg", "drawings": marks}]
    chip.click()
    expect(chat.page.get_by_role("menu")).to_be_visible()
    chip.click()
    expect(chat.page.get_by_role("menu")).to_be_hidden()


def test_not_found_offers_what_comes_nearest(chat):
    chat.ask("the pear")
    chat.hear("notfound", what="the pear", candidates=[["the apple", 0.31], ["the plum", 0.2]])
    chat.hear("notfound", what="the fig", candidates=[["the fig", 0.12]], frames=9)
    chat.hear("done", turn=1)
    expect(chat.page.locator(".x-missing").first).to_contain_text("“the pear” was not found.")
    expect(chat.page.locator(".x-missing").last).to_contain_text("only 12 % certain")
    expect(chat.page.locator(".x-missing").last).to_contain_text(
        "on the 9 frames that were looked at"
    )
    for button in chat.page.locator(".x-candidate").all():
        button.click()
    assert chat.calls("select", "send") == [["select", 1], ["send", "the plum"]]


def test_retry_edit_and_copy(chat, context: BrowserContext):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.set(turns=[{"turn": 1}])
    chat.ask("the aple")
    chat.hear("text", text="Not sure.")
    chat.hear("done", turn=1)
    chat.page.get_by_role("button", name="Ask again").click()
    chat.page.get_by_role("button", name="Copy the answer").click()
    assert chat.page.evaluate("navigator.clipboard.readText()") == "Not sure."
    chat.page.get_by_role("button", name="Change the question").click()
    box = chat.page.locator(".x-box")
    expect(box).to_have_value("the aple")
    expect(chat.page.locator(".x-editing")).to_be_visible()
    box.fill("the apple")
    box.press("Enter")
    expect(chat.page.locator(".x-editing")).to_be_hidden()
    options = {"task": None, "drawings": []}
    assert chat.calls("rewind", "send") == [
        ["rewind", 1, "the aple", options],
        ["rewind", 1, "the apple", options],
    ]


def test_what_failed_before_it_was_a_turn_is_sent_again(chat):
    chat.ask("the apple")
    chat.hear("error", text="The server cannot be reached.")
    chat.shows(".x-error", "The server cannot be reached.")
    chat.page.get_by_role("button", name="Ask again").click()
    assert chat.calls("send") == [["send", "the apple", {"task": None, "drawings": []}]]


def test_a_new_conversation_is_confirmed(chat):
    chat.ask()
    chat.hear("done", turn=1)
    fresh = chat.page.get_by_role("button", name="New conversation")
    fresh.click()
    chat.page.keyboard.press("Escape")
    expect(fresh).to_be_focused()
    assert chat.calls("forget") == []
    fresh.click()
    chat.page.get_by_role("button", name="Begin anew").press("Enter")
    expect(chat.page.locator("dialog")).to_have_count(0)
    assert chat.calls("forget") == [["forget"]]


def test_who_reads_above_is_not_pulled_down(chat):
    chat.ask()
    chat.hear("text", text="line\n" * 80)
    log = chat.page.get_by_role("log")
    below = "(log) => log.scrollHeight - log.scrollTop - log.clientHeight"
    assert log.evaluate(below) < 2
    log.evaluate("(log) => new Promise((seen) => { log.onscroll = seen; log.scrollTop = 100; })")
    chat.hear("text", text="line\n" * 20)
    assert log.evaluate("(log) => log.scrollTop") == 100
