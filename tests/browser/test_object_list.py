"""The list of objects, the gallery and the dialogs in Chromium; faked as in test_chat.py."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chatting import BLUE, Chat, thing

FRUIT = [thing(1, "the apple"), thing(3, "the knife", BLUE), thing(4, "the bowl", "#009e73")]
CARD = {
    "id": "fruit",
    "title": "Fruit",
    "question": "What is <b>ripe</b>?",
    "thumbnail": "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==",
    "kind": "image",
}


@pytest.fixture
def chat(page: Page) -> Chat:
    chat = Chat(page)
    chat.medium()
    chat.set(objects=FRUIT)
    return chat


def row(chat, id_):
    return chat.page.locator(f'.x-row[data-id="{id_}"]')


def test_an_empty_list_says_what_to_do(chat):
    chat.set(objects=[])
    expect(chat.page.locator(".x-no-objects")).to_contain_text("Ask for something in the chat")
    expect(chat.page.get_by_role("button", name="Export…")).to_be_hidden()


def test_a_row_tells_number_name_certainty_and_size(chat):
    chat.set(objects=[thing(7, "the apple", score=0.414, area=0.0004)])
    chat.shows(".x-objects h2", "Objects (1)")
    chat.shows(".x-number", "7")
    expect(row(chat, 7).locator(".x-numbers")).to_contain_text("41 %")
    expect(row(chat, 7).locator(".x-numbers")).to_contain_text("<0.1 % of the picture")


def test_where_an_object_is_seen_in_a_clip(chat):
    chat.medium("video", frames=40, times=[frame / 10 for frame in range(40)])
    chat.set(objects=[thing(1, "the car", visible=[[0, 9], [30, 39]])])
    spans = row(chat, 1).locator(".x-spans")
    expect(spans).to_have_attribute("aria-label", "Seen: 0 s – 0.9 s, 3 s – 3.9 s")
    whole = spans.bounding_box()["width"]
    assert [
        round(each.bounding_box()["width"] / whole, 2) for each in spans.locator("span").all()
    ] == [
        0.25,
        0.25,
    ]


def test_choosing_goes_both_ways(chat):
    row(chat, 3).locator(".x-numbers").click()
    assert chat.get("selected") == 3
    expect(row(chat, 3)).to_contain_class("x-selected")
    chat.set(selected=4, hovered=1)
    expect(row(chat, 4).locator(".x-swatch")).to_have_attribute("aria-pressed", "true")
    expect(row(chat, 1)).to_contain_class("x-glow")


def test_names_change_in_place(chat):
    row(chat, 1).locator(".x-object-name").click()
    box = chat.page.get_by_role("textbox", name="New name of the apple")
    expect(box).to_be_focused()
    box.fill("left apple")
    box.press("Enter")
    expect(row(chat, 1).locator(".x-object-name")).to_be_focused()
    row(chat, 3).locator(".x-swatch").focus()
    chat.page.keyboard.press("F2")
    chat.page.keyboard.type("nothing")
    chat.page.keyboard.press("Escape")
    row(chat, 3).locator(".x-object-name").click()
    chat.page.keyboard.press("Enter")  # unchanged
    assert chat.calls("rename") == [["rename", 1, "left apple"]]


def test_rows_are_walked_and_deleted_with_keys(chat):
    row(chat, 1).locator(".x-swatch").focus()
    chat.page.keyboard.press("ArrowDown")
    expect(row(chat, 3).locator(".x-swatch")).to_be_focused()
    chat.page.keyboard.press("Delete")
    assert chat.calls("remove") == [["remove", [3]]]
    expect(row(chat, 4).locator(".x-swatch")).to_be_focused()
    expect(chat.page.locator(".x-undo-hint")).to_contain_text("1 object deleted.")
    chat.page.locator(".x-undo-hint").get_by_role("button", name="Undo").click()
    assert chat.calls("undo") == [["undo"]]


def test_several_are_ticked_with_shift_and_merged(chat):
    row(chat, 1).locator(".x-pick").click()
    several = chat.page.locator(".x-several")
    expect(several).to_contain_text("1 ticked")
    expect(several.get_by_role("button", name="Merge")).to_have_count(0)
    row(chat, 4).locator(".x-pick").click(modifiers=["Shift"])
    expect(several).to_contain_text("3 ticked")
    row(chat, 3).locator(".x-pick").click()
    several.get_by_role("button", name="Merge").click()
    assert chat.calls("merge") == [["merge", [1, 4]]]
    expect(several).to_be_hidden()


def test_what_a_row_can_do(chat):
    chat.medium("video", frames=8, times=None)
    here = row(chat, 3)
    here.get_by_role("button", name="Hide").click()
    chat.set(objects=[FRUIT[0], {**FRUIT[1], "shown": False}])
    expect(here.get_by_role("button", name="Show", exact=True)).to_be_focused()
    here.get_by_role("button", name="Show", exact=True).click()
    here.get_by_role("button", name="Show alone").click()
    expect(here.get_by_role("button", name="Show alone")).to_have_attribute("aria-pressed", "true")
    here.get_by_role("button", name="Fix here").click()
    for item in ("Follow through the clip", "Go to where it is first seen", "Show only this"):
        here.get_by_role("button", name="More").click()
        chat.page.get_by_role("menuitem", name=item).click()
    chat.page.get_by_role("button", name="Show all").click()
    names = ("hide", "show", "solo", "setTool", "propagate", "jumpTo", "only")
    assert chat.calls(*names) == [
        ["hide", [3]],
        ["show", [3]],
        ["solo", 3],
        ["setTool", "point"],
        ["propagate", 3, {"direction": "both", "range": None}],
        ["jumpTo", 3],
        ["only", [3]],
        ["show", [1, 3]],
    ]


def test_export(chat):
    opener = chat.page.get_by_role("button", name="Export…")
    opener.click()
    dialog = chat.page.get_by_role("dialog", name="Export")
    for box in dialog.locator('[name="format"]').all():
        box.uncheck()
    make = dialog.get_by_role("button", name="Make the file")
    expect(make).to_be_disabled()
    dialog.get_by_label("COCO JSON").check()
    dialog.get_by_label("Opacity").fill("70")
    make.click()
    link = dialog.get_by_role("link", name="Download fruit.zip (48 kB)")
    expect(link).to_be_focused()
    expect(link).to_have_attribute("download", "fruit.zip")
    ((_, formats, look),) = chat.calls("exportAll")
    assert formats == ["coco"]
    assert {"opacity": 0.7, "labels": True, "effect": "overlay"}.items() <= look.items()
    chat.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()


def test_an_export_that_fails_says_why(chat):
    chat.page.evaluate("() => { x.calls.push = () => { throw new Error('Full.'); }; }")
    chat.page.evaluate("() => { x.dialogs.openExport(x.store, x.actions, x.t); }")
    chat.page.get_by_role("button", name="Make the file").click()
    chat.shows("dialog .x-error", "Full.")


def test_settings_hold_at_once(chat):
    chat.medium("video", frames=8)
    chat.page.evaluate("() => { x.dialogs.openSettings(x.store, x.actions, x.t); }")
    dialog = chat.page.get_by_role("dialog", name="Settings")
    dialog.get_by_label("Every 4th frame, fastest").check()
    dialog.get_by_label("Frames the model reads").fill("32")
    expect(dialog.get_by_label("Let SAM 2 carry masks")).to_have_count(0)
    expect(dialog.get_by_text("clicks are answered by the model")).to_have_count(0)
    dialog.get_by_label("Look at each frame by itself").check()
    dialog.get_by_label("Language").select_option("zh")
    expect(dialog.get_by_text("when you load it again")).to_be_visible()
    assert chat.calls("options") == [
        ["options", {}],  # which hold now?
        ["options", {"stride": 4}],
        ["options", {"frames": 32}],
        ["options", {"propagation": "one_token"}],
    ]
    assert chat.get("language") == "zh"
    assert chat.page.evaluate("localStorage['x2sam.language']") == "zh"


def test_sam_2_can_be_chosen_where_it_is_loaded(chat):
    chat.medium("video", frames=8)
    chat.page.evaluate("() => { x.actions.facts.tracker = true; }")
    chat.page.evaluate("() => { x.dialogs.openSettings(x.store, x.actions, x.t); }")
    dialog = chat.page.get_by_role("dialog", name="Settings")
    expect(dialog.get_by_text("clicks are answered by the model")).to_be_visible()
    dialog.get_by_label("Let SAM 2 carry masks").check()
    assert chat.calls("options")[-1] == ["options", {"propagation": "sam2"}]


def test_keys_pressed_in_a_dialog_stay_there(chat):
    chat.page.evaluate("() => { window.keys = []; document.onkeydown = (e) => keys.push(e.key); }")
    chat.page.evaluate("() => { x.dialogs.openSettings(x.store, x.actions, x.t); }")
    chat.page.keyboard.press("b")
    assert chat.page.evaluate("keys") == []


def test_an_example_is_opened_or_asked_of_ones_own(chat):
    chat.page.evaluate(
        "(card) => { x.mountGallery(x.at('gallery'), [card], x.actions, x.t); }", CARD
    )
    chat.shows(".x-card-question", "“What is <b>ripe</b>?”")
    picture = chat.page.get_by_role("img", name="Result of the example “Fruit”")
    expect(picture).to_have_attribute("loading", "lazy")
    chat.page.locator(".x-card-open").press("Enter")
    own = chat.page.get_by_label("Ask it of my picture")
    own.set_input_files({"name": "mine.png", "mimeType": "image/png", "buffer": b"png"})
    assert [call[0] for call in chat.calls()] == ["openExample", "openFile", "openExample"]
    first, _, last = chat.calls()
    assert first == ["openExample", "fruit", {"keepMedium": False}]
    assert last == ["openExample", "fruit", {"keepMedium": True}]


def contrasts(page: Page) -> list[tuple[str, float]]:
    """The contrast of every visible text with what lies behind it, by WCAG 2."""
    return page.evaluate(
        """() => {
          const canvas = document.createElement("canvas");
          const ink = canvas.getContext("2d", { willReadFrequently: true });
          const paint = (colours) => {
            ink.clearRect(0, 0, 1, 1);
            for (const colour of colours) { ink.fillStyle = colour; ink.fillRect(0, 0, 1, 1); }
            return [...ink.getImageData(0, 0, 1, 1).data].slice(0, 3);
          };
          const light = (rgb) => rgb.map((v) => v / 255)
            .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
          const found = [];
          for (const each of document.querySelectorAll(".x-workspace *")) {
            const own = [...each.childNodes].filter((n) => n.nodeType === 3 && n.data.trim());
            const seen = each.offsetWidth > 0 && !each.closest(".x-sr, :disabled");
            if (own.length === 0 || !seen) continue;
            const behind = [];
            for (let at = each; at; at = at.parentElement) {
              behind.unshift(getComputedStyle(at).backgroundColor);
            }
            const ground = paint(behind);
            const text = paint([...behind, getComputedStyle(each).color]);
            const [low, high] = [light(ground), light(text)].sort((a, b) => a - b);
            found.push([`${each.className}: ${own[0].data}`, (high + 0.05) / (low + 0.05)]);
          }
          return found;
        }"""
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_in_both_themes(chat, theme):
    chat.page.evaluate("(theme) => document.body.classList.add(theme)", theme)
    colours = ["#e69f00", "#f0e442", "#0072b2", "#332288", "#882255"]
    chat.set(objects=[thing(id_, f"thing {id_}", colour) for id_, colour in enumerate(colours, 1)])
    chat.ask("all")
    chat.hear("text", text="1 2 3 4 5")
    for id_ in range(1, 6):
        chat.hear("phrase", start=2 * id_ - 2, end=2 * id_ - 1, objects=[id_])
    chat.hear("warning", text="Careful.")
    chat.hear("notfound", what="a fig", candidates=[["a date", 0.2]])
    chat.hear("routed", turn=1, chip="Found", task="refseg", reason="")
    chat.hear("error", text="It broke.")
    chat.set(selected=5, hovered=4, solo=3, drawings=[{"kind": "point"}])
    seen = contrasts(chat.page)
    assert len(seen) > 40
    assert [each for each in seen if each[1] < 4.5] == []
