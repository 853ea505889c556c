"""The player's controls and the timeline in Chromium: they go where they are told, and say so.

The frames are those of a real clip with sound; faked are the actions and the list of objects.
"""

import pytest

from tests.browser.filmed import Shown, film, serving

OBJECTS = [
    {"id": 1, "name": "the red car", "colour": "#E69F00", "shown": True, "first": 4,
     "visible": [[4, 20], [30, 52]], "origins": [[0, 8, "seen"], [9, 59, "carried"]]},
    {"id": 2, "name": "a cyclist in a very long yellow coat", "colour": "#56B4E9", "shown": True,
     "first": 0, "visible": [[0, 59]],
     "origins": [[0, 23, "carried"], [24, 24, "corrected"], [25, 40, "carried"], [41, 59, "seen"]]},
    {"id": 3, "name": "road", "colour": "#009E73", "shown": False, "first": 0,
     "visible": [[0, 0], [10, 12], [40, 41]], "origins": [[0, 0, "seen"], [10, 41, "carried"]]},
]  # fmt: skip
MOUNT = """async ([medium, language]) => {
  const { createStore, EMPTY } = await import("/static/store.js");
  const { createFrames } = await import("/static/frames.js");
  const { mountTransport } = await import("/static/transport.js");
  const { mountTimeline } = await import("/static/timeline.js");
  const texts = await import("/static/texts_player.js");
  const t = (key, ...args) => texts[language][key].replace(/\\{(\\d)\\}/g, (_, i) => args[i]);
  const frames = createFrames(medium);
  window.store = createStore(EMPTY);
  window.done = [];
  const keep = (name) => (...args) => done.push([name, ...args]);
  window.actions = {
    frames,
    goto: (frame) => store.set({ frame: Math.max(0, Math.min(medium.frames - 1, frame)) }),
    play() {
      store.set({ playing: true });
      const stop = () => store.set({ playing: false });
      frames.play(store.get().frame, (frame) => store.set({ frame }), stop);
    },
    pause() {
      frames.pause();
      store.set({ playing: false });
    },
    select: (selected) => store.set({ selected }),
    hover: (hovered) => store.set({ hovered }),
    ...Object.fromEntries(["propagate", "stop", "notice", "jumpTo"].map((n) => [n, keep(n)])),
  };
  const root = document.querySelector("#root");
  window.mounted = [mountTransport, mountTimeline].map((mount) => {
    const place = document.createElement("div");
    place.style.margin = "12px";
    root.append(place);
    return mount(place, store, actions, t);
  });
  store.set({ medium });
}"""


@pytest.fixture
def controls(page, tmp_path):
    """The transport and the timeline over the clip with sound, with three objects."""
    shown = Shown(film(tmp_path / "a.mkv", "sound"), tmp_path)
    with serving(shown) as address:
        assert shown.proxy.wait(60)
        page.goto(address)
        page.evaluate(MOUNT, [{**shown.medium(address), "shown": [0, 20, 40]}, "en"])
        page.wait_for_function("actions.frames.source() === 'video'")
        page.evaluate("(objects) => store.set({ objects })", OBJECTS)
        page.wait_for_function("document.querySelector('.x-timeline').dataset.drawn > 0")
        yield page


def state(page, key):
    return page.evaluate("(key) => store.get()[key]", key)


def test_the_transport_moves_through_the_clip(controls):
    page = controls
    scrubber = page.get_by_role("slider", name="Position")
    assert scrubber.get_attribute("aria-valuetext") == "frame 0 of 59, 0.00 s"
    page.get_by_role("button", name="One frame forward").click()
    assert state(page, "frame") == 1
    page.get_by_role("button", name="Last frame").click()
    assert state(page, "frame") == 59
    page.get_by_role("button", name="One frame back").click()
    assert scrubber.get_attribute("aria-valuetext") == "frame 58 of 59, 2.32 s"
    number = page.get_by_role("spinbutton", name="Frame")
    number.fill("12")
    number.press("Enter")
    assert state(page, "frame") == 12
    time = page.get_by_role("textbox", name="Time")
    for typed, frame in [("0:01.00", 25), ("2", 50), ("nonsense", 50), ("0:00.04", 1)]:
        time.fill(typed)
        time.press("Enter")
        assert state(page, "frame") == frame
    assert time.input_value() == "0:00.04"
    scrubber.press("End")
    assert state(page, "frame") == 59


def test_the_transport_plays(controls):
    page = controls
    page.get_by_role("combobox", name="Speed").select_option("2")
    page.get_by_role("button", name="Turn sound off").click()
    page.get_by_role("button", name="Turn sound on").wait_for()
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("store.get().frame > 20")
    page.get_by_role("button", name="Pause").click()
    frame = state(page, "frame")
    assert 20 < frame < 59
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("!store.get().playing")
    assert state(page, "frame") == 59


def test_the_timeline_seeks_and_selects(controls):
    page = controls
    box = page.locator(".x-lanes").bounding_box()
    width = box["width"] - 18
    page.mouse.click(box["x"] + 9 + width * 30 / 59, box["y"] + 36 * 1.5)
    assert (state(page, "frame"), state(page, "selected")) == (30, 2)
    page.mouse.move(box["x"] + 9, box["y"] + 36 * 2.5)
    assert state(page, "hovered") == 3
    page.mouse.down()
    page.mouse.move(box["x"] + 9 + width, box["y"] + 10, steps=3)
    page.mouse.up()
    assert (state(page, "frame"), state(page, "selected")) == (59, 3)
    page.mouse.move(5, 5)
    assert state(page, "hovered") is None
    page.get_by_role("button", name="1: the red car, seen in 40 of 60 frames").click()
    assert state(page, "selected") == 1
    playhead = page.locator(".x-playhead").bounding_box()
    assert playhead["x"] + 1 == pytest.approx(box["x"] + 9 + width, abs=1)


COLOUR_AT = """([x, y]) => {
  const lanes = document.querySelector(".x-lanes"), by = lanes.width / lanes.clientWidth;
  return [...lanes.getContext("2d").getImageData(x * by, y * by, 1, 1).data].slice(0, 3);
}"""


def test_a_lane_fades_where_sam_2_doubts_and_is_a_rim_where_it_believes_it_hidden(controls):
    page = controls
    sure = {**OBJECTS[1], "id": 4, "origins": [[0, 59, "seen"]]}
    doubted = {
        **sure,
        "id": 2,
        "visible": [[0, 39], [50, 59]],
        "doubts": [[20, 29, 0.625], [40, 49, 0.125]],
    }
    page.evaluate("(objects) => store.set({ objects })", [sure, doubted])
    page.wait_for_timeout(200)
    box = page.locator(".x-lanes").bounding_box()
    width = box["width"] - 18

    def seen(row, frame):
        return page.evaluate(COLOUR_AT, [9 + width * frame / 59, 36 * (row + 0.5) + 3])

    assert seen(0, 25) == seen(1, 10)
    assert min(seen(1, 25)) > min(seen(1, 10))  # paler
    assert seen(1, 45) not in (seen(1, 25), seen(1, 10))
    for frame, words in ((10, ""), (25, "about 63 % sure"), (45, "believes that it is hidden")):
        page.mouse.move(box["x"] + 9 + width * frame / 59, box["y"] + 36 * 1.5)
        title = page.locator(".x-lanes").get_attribute("title")
        assert words in title
        assert bool(words) == bool(title)


def test_a_range_is_chosen_by_pointer_and_keys(controls):
    page = controls
    start = page.get_by_role("slider", name="Start of the range")
    end = page.get_by_role("slider", name="End of the range")
    start.focus()
    for key in ("ArrowRight", "PageUp", "ArrowRight"):
        page.keyboard.press(key)
    assert state(page, "range") == [8, 59]
    assert start.get_attribute("aria-valuetext") == "frame 8, 0.32 s"
    assert state(page, "frame") == 0
    box = page.locator(".x-ruler").bounding_box()
    at = end.bounding_box()
    page.mouse.move(at["x"] + 3, at["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 9 + (box["width"] - 18) * 20 / 59, at["y"], steps=4)
    page.mouse.up()
    assert state(page, "range") == [8, 20]
    end.focus()
    page.keyboard.press("Home")
    assert state(page, "range") == [8, 8]
    page.get_by_role("button", name="Whole clip").click()
    assert state(page, "range") is None


def test_an_object_is_followed_both_ways_or_one(controls):
    page = controls
    follow = page.get_by_role("button", name="Follow through the clip")
    follow.click(force=True)  # it says that it is disabled, and why
    assert page.evaluate("done[0][0]") == "notice"
    page.evaluate("store.set({ selected: 2, range: [5, 30] }); done.length = 0")
    page.get_by_role("radio", name="Backward").check()
    follow.click()
    sent = [["propagate", 2, {"direction": "backward", "range": [5, 30]}]]
    assert page.evaluate("done") == sent
    page.evaluate("store.set({ busy: { run: 'a', done: 15, total: 60 } })")
    assert page.get_by_role("progressbar").get_attribute("aria-valuenow") == "25"
    assert follow.get_attribute("aria-disabled") == "true"
    page.get_by_role("button", name="Stop").click()
    assert page.evaluate("done.at(-1)") == ["stop"]


LONG = """async () => {
  const frames = 10000;
  const times = Array.from({ length: frames }, (_, i) => i / 25);
  const objects = Array.from({ length: 30 }, (_, i) => ({
    id: i + 1, name: `object ${i}`, colour: "#0072B2", shown: true, first: 0,
    visible: Array.from({ length: 500 }, (_, j) => [j * 20, j * 20 + 12]),
    origins: Array.from({ length: 1000 }, (_, j) =>
      [j * 10, j * 10 + 9, j % 2 ? "carried" : "seen"]),
  }));
  store.set({ objects: [], medium: { ...store.get().medium, frames, times, seconds: 400 } });
  const panel = document.querySelector(".x-timeline");
  const drawn = () => Number(panel.dataset.drawn ?? 0);
  const paint = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  await paint();
  const begun = performance.now();
  store.set({ objects });
  while (!panel.querySelector(".x-track-name")) await paint();
  await paint();
  const once = performance.now() - begun;
  const before = drawn();
  const then = performance.now();
  for (let frame = 0; frame < 1000; frame += 1) store.set({ frame });
  return { once, thousand: performance.now() - then, drawings: drawn() - before };
}"""


def test_ten_thousand_frames_of_thirty_objects(controls):
    took = controls.evaluate(LONG)
    assert took["once"] < 1000  # ms; about 60 on a laptop that has nothing else to do
    assert took["thousand"] < 1000
    assert took["drawings"] == 0, "the lanes were drawn again though only the playhead moved"


def test_nothing_is_left_behind(controls):
    page = controls
    page.evaluate("mounted.forEach((each) => each.destroy())")
    assert page.locator("#root *").count() == 2
    page.evaluate("store.set({ frame: 3, objects: [], range: [1, 2], busy: null, playing: true })")
