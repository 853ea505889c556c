"""What is done on the prompt canvas: tools with mouse, finger and keyboard, keys, the toolbar.

Covered: that no click is lost or out of order, signs, boxes, scribbles, erasing, marks that wait,
undo, two fingers, the keyboard's cursor, the table of keys. Faked: the player and the actions
(see `desk.py`).
"""

import pytest

from tests.browser.desk import CLIP, PICTURE, Desk, files, rectangle


@pytest.fixture(scope="module")
def address():
    with files() as address:
        yield address


@pytest.fixture
def desk(page, address):
    return Desk(page, address)


@pytest.fixture
def clip(page, address):
    return Desk(page, address, CLIP)


# Marks


def test_twenty_quick_clicks_arrive_in_order(desk):
    wanted = [(30 * i + 20.5, 200.5) for i in range(20)]
    for place in [desk.at(x, y) for x, y in wanted]:
        desk.page.mouse.click(*place)
    calls = desk.calls()
    assert [len(marks) for marks, _ in calls] == list(range(1, 21))
    assert all(object_ is None for _, object_ in calls)
    xs = [mark["points"][0][0] for mark in calls[-1][0]]
    assert xs == pytest.approx([2.5 * x for x, _ in wanted], abs=2.5)


def test_the_first_click_passes_under_the_status_of_gradio(page, address):
    desk = Desk(page, address)
    page.add_style_tag(content=".wrap { position: fixed; inset: 0; z-index: 9; }")
    desk.click(100, 100)
    assert len(desk.state("marks")) == 1


@pytest.mark.parametrize("how", ["right", "Alt", "sign"])
def test_not_this(desk, how):
    if how == "sign":
        desk.page.get_by_role("button", name="Not this").click()
        desk.click(50, 50)
    elif how == "right":
        desk.click(50, 50, button="right")
    else:
        desk.page.keyboard.down("Alt")
        desk.click(50, 50)
        desk.page.keyboard.up("Alt")
    ((marks, _),) = desk.calls()
    assert [mark["positive"] for mark in marks] == [False]
    assert desk.said() == "Negative point added to a new object."


def test_a_box_is_cut_to_the_picture(page, address):
    """The picture is tall, so that a drag may begin and end on the stage beside it."""
    desk = Desk(page, address, {**PICTURE, "width": 300, "height": 400, "source": [600, 800]})
    desk.set(tool="box")
    desk.drag((250, 100), (340, 300))
    desk.drag((60, 350), (-50, 200))
    boxes = [marks[-1]["box"] for marks, _ in desk.calls()]
    assert boxes[0] == pytest.approx([500, 200, 600, 600], abs=3)
    assert boxes[0][2] == 600
    assert boxes[1] == pytest.approx([0, 400, 120, 700], abs=3)
    desk.drag((100, 100), (100.5, 180))
    assert len(desk.calls()) == 2
    assert "too small" in desk.said()


def test_a_scribble_has_the_width_of_the_brush(desk):
    desk.press("s", "]", "]", "[")
    brush = desk.state("brush")
    desk.drag((100, 100), (200, 120), (260, 300))
    (((mark,), object_),) = desk.calls()
    box = desk.canvas.bounding_box()
    scale = min(box["width"] / 640, box["height"] / 400)
    assert object_ is None
    assert mark["kind"] == "scribble"
    assert mark["width"] == pytest.approx(brush / scale * 2.5, abs=0.05)
    assert mark["points"][0] == pytest.approx([250, 250], abs=3)
    assert mark["points"][-1] == pytest.approx([650, 750], abs=8)
    assert len(mark["points"]) > 4


def test_erasing_takes_from_the_selected_object_or_removes_marks(desk):
    desk.set(hold=True)
    for x in (100, 200, 300):
        desk.click(x, 100)
    desk.set(tool="erase")
    desk.drag((180, 100), (320, 100))
    assert [mark["points"][0][0] for mark in desk.state("drawings")] == pytest.approx([250], abs=3)
    assert desk.calls() == []
    desk.put((4, "apple", rectangle(50, 50, 200, 200)))
    desk.set(hold=False, marks=[], selected=4)
    desk.drag((180, 100), (320, 100))
    (((mark,), object_),) = desk.calls()
    assert (mark["kind"], mark["positive"], mark["object"], object_) == ("scribble", False, 4, 4)


def test_marks_wait_for_words_if_wanted(desk):
    desk.page.get_by_text("Use marks with my words").click()
    desk.click(50, 50)
    desk.set(tool="box")
    desk.drag((100, 100), (200, 200))
    assert desk.calls() == []
    assert [mark["kind"] for mark in desk.state("drawings")] == ["point", "box"]
    desk.press("z")
    assert len(desk.state("drawings")) == 1
    desk.press("y")
    assert len(desk.state("drawings")) == 2
    assert (desk.calls("undo"), desk.state("marks")) == ([], [])


def test_a_new_object_keeps_its_marks_once_it_has_a_number(desk):
    desk.click(50, 50)
    desk.run("desk.adopt(desk.store, desk.store.get().marks, 7)")
    assert desk.state("selected") == 7
    desk.click(60, 60)
    marks, object_ = desk.calls()[-1]
    assert object_ == 7
    assert [mark["object"] for mark in marks] == [7, 7]
    desk.press("n")
    assert (desk.state("selected"), desk.state("marks")) == (None, [])
    desk.click(70, 70)
    late = "desk.adopt(desk.store, [{ key: -1 }], 8)"  # the answer to marks of long ago
    desk.run(late)
    assert desk.state("selected") is None
    assert len(desk.calls()[-1][0]) == 1


def test_all_marks_are_cleared(desk):
    clear = desk.page.get_by_role("button", name="Clear marks")
    assert clear.is_disabled()
    desk.click(50, 50)
    desk.set(hold=True)
    desk.click(80, 80)
    clear.click()
    assert (desk.state("marks"), desk.state("drawings")) == ([], [])
    assert clear.is_disabled()


def test_undo_takes_the_last_mark_along(desk):
    desk.click(50, 50)
    desk.click(60, 60)
    desk.press("Control+z")
    assert (len(desk.state("marks")), len(desk.calls("undo"))) == (1, 1)
    desk.press("Control+Shift+z")
    assert (len(desk.state("marks")), len(desk.calls("redo"))) == (2, 1)


def test_marks_leave_with_their_frame(clip):
    clip.click(50, 50)
    clip.press("ArrowRight")
    assert (clip.state("frame"), clip.state("marks")) == (1, [])
    clip.press("Shift+ArrowRight")
    assert clip.state("frame") == 11


# Fingers


@pytest.fixture
def fingers(browser, address):
    context = browser.new_context(
        viewport={"width": 390, "height": 800},
        device_scale_factor=2,
        has_touch=True,
        is_mobile=True,
    )
    page = context.new_page()
    desk = Desk(page, address)
    session = context.new_cdp_session(page)

    def touch(kind, *places):
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    desk.touch = touch
    yield desk
    context.close()


def test_a_tap_makes_a_point_and_a_finger_drags_a_box(fingers):
    fingers.page.touchscreen.tap(*fingers.at(320, 200))
    (((mark,), _),) = fingers.calls()
    assert mark["points"][0] == pytest.approx([800, 500], abs=5)
    fingers.set(tool="box")
    a, b = fingers.at(100, 100), fingers.at(400, 300)
    fingers.touch("touchStart", a)
    fingers.touch("touchMove", ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2))
    fingers.touch("touchMove", b)
    fingers.touch("touchEnd")
    assert fingers.calls()[-1][0][-1]["box"] == pytest.approx([250, 250, 1000, 750], abs=5)
    assert fingers.run("scrollY") == 0


def test_two_fingers_zoom_and_make_no_mark(fingers):
    fingers.set(tool="scribble")
    a, b = fingers.at(300, 200), fingers.at(340, 200)
    middle = fingers.at(320, 200)
    fingers.touch("touchStart", a)
    fingers.touch("touchStart", a, b)
    for grow in (20, 40, 60):
        fingers.touch("touchMove", (a[0] - grow, a[1]), (b[0] + grow, b[1]))
    fingers.touch("touchEnd")
    assert fingers.state("view")["zoom"] > 3
    assert fingers.at(320, 200) == pytest.approx(middle, abs=3)
    assert fingers.state("marks") == []


def test_a_lost_finger_leaves_no_mark(fingers):
    fingers.set(tool="box")
    fingers.touch("touchStart", fingers.at(100, 100))
    fingers.touch("touchMove", fingers.at(300, 300))
    fingers.touch("touchCancel")
    assert fingers.state("marks") == []
    fingers.set(tool="point")
    fingers.page.touchscreen.tap(*fingers.at(320, 200))
    assert len(fingers.state("marks")) == 1


# Keys


def test_a_point_without_a_pointer(desk):
    desk.page.locator(".x-stage").focus()
    desk.press("x", "ArrowRight", "Shift+ArrowDown", "Enter")
    ((marks, object_),) = desk.calls()
    assert object_ is None
    assert marks[0]["points"] == [[2.5 * 321.5, 2.5 * 210.5]]
    desk.press("ArrowLeft", "Backspace")
    assert [mark["positive"] for mark in desk.state("marks")] == [True, False]
    assert desk.state("marks")[1]["points"] == [[2.5 * 320.5, 2.5 * 210.5]]
    desk.press("Escape")
    assert desk.state("crosshair") is None


def test_a_box_without_a_pointer(clip):
    clip.page.locator(".x-stage").focus()
    clip.press("x", "b", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowDown", "Enter")
    ((marks, _),) = clip.calls()
    assert marks[0]["box"] == [round(2.5 * side) for side in (320.5, 200.5, 340.5, 210.5)]
    assert clip.state("frame") == 0
    clip.press("b", "ArrowRight", "Escape", "x", "ArrowRight")
    assert (len(clip.calls()), clip.state("frame")) == (1, 1)


def test_keys_do_what_the_table_says(clip):
    for key, tool in (
        ("v", "select"),
        ("b", "box"),
        ("s", "scribble"),
        ("e", "erase"),
        ("-", "point"),
    ):
        clip.press(key)
        assert clip.state("tool") == tool
    assert clip.state("positive") is False
    clip.press("+")
    assert clip.state("positive") is True
    clip.press("i", "i")
    assert clip.state("view")["zoom"] == pytest.approx(1.96)
    clip.press("0", "Space")
    assert (clip.state("view")["zoom"], len(clip.calls("play"))) == (1, 1)


def test_keys_are_left_to_who_types(desk):
    desk.page.locator(".elsewhere").focus()
    desk.press("b", "z", "Space", "?")
    assert desk.page.locator(".elsewhere").input_value() == "bz ?"
    assert (desk.state("tool"), desk.calls("undo"), desk.state("help")) == ("point", [], False)


def test_single_keys_can_be_switched_off(desk):
    desk.press("?")
    dialog = desk.page.get_by_role("dialog", name="Keys")
    assert dialog.locator("tr").count() > 15
    dialog.get_by_label("Single keys work").uncheck()
    desk.press("Escape")
    assert dialog.is_hidden()
    desk.press("b")
    assert desk.state("tool") == "point"
    desk.press("Control+z")
    assert len(desk.calls("undo")) == 1


# The toolbar


def test_the_toolbar_is_one_stop_for_tab_and_names_its_buttons(desk):
    bar = desk.page.get_by_role("toolbar", name="Tools")
    assert bar.locator("[tabindex='0']").count() == 1
    bar.get_by_role("button", name="Select", exact=True).focus()
    desk.press("ArrowRight", "ArrowRight", "Enter")
    assert desk.state("tool") == "box"
    assert bar.get_by_role("button", name="Box").get_attribute("aria-pressed") == "true"
    desk.press("End", "Enter")
    assert desk.state("help") is True


def test_the_look_of_masks_is_set_in_its_panel(desk):
    desk.page.get_by_role("button", name="How masks look").click()
    desk.page.get_by_label("Opacity").fill("0.2")
    desk.page.get_by_label("Outlines").uncheck()
    wanted = {"opacity": 0.2, "outline": False, "labels": True}
    assert wanted.items() <= desk.state("look").items()
    desk.press("Escape")
    assert desk.page.get_by_label("Opacity").is_hidden()


def test_both_languages_have_every_text(desk):
    english, chinese = desk.run("[desk.texts.en, desk.texts.zh].map(Object.keys)")
    assert english == chinese
    assert desk.run("desk.missing") == []


def test_nothing_is_left_behind(desk):
    desk.run("desk.parts.forEach(part => part.destroy())")
    assert desk.page.locator(".x-stage, .x-tools, .x-help").count() == 0
    desk.press("b")
    assert desk.state("tool") == "point"
