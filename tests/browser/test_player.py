"""The player in Chromium: every frame drawn is the one asked for, in clips of every kind.

The number that each frame carries is read back from the canvas it was drawn to. Faked is the
server around the real proxy and JPEG frames.
"""

import random
from contextlib import ExitStack

import pytest

from tests.browser.filmed import CLIPS, FRAMES, Shown, film, serving


@pytest.fixture
def show(page, tmp_path):
    """Show a kind of clip in the page; with its proxy, unless it is kept back."""
    with ExitStack() as stack:

        def show(kind: str, *, hidden: bool = False) -> Shown:
            shown = Shown(film(tmp_path / "a.mkv", kind), tmp_path)
            address = stack.enter_context(serving(shown))
            shown.hidden = hidden
            assert shown.proxy.wait(60), shown.proxy.error
            page.goto(address)
            page.evaluate(READER, shown.medium(address))
            if not hidden:
                page.wait_for_function("frames.source() === 'video'")
            return shown

        yield show


READER = """async (medium) => {
  const { createFrames } = await import("/static/frames.js");
  const isReady = async () => (await fetch("/ready")).json();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [medium.width, medium.height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const [columns, rows] = [5, 2];
  const bits = () => Array.from({ length: columns * rows }, (_, i) => {
    const x = ((i % columns) + 0.5) * canvas.width / columns;
    const y = (Math.floor(i / columns) + 0.5) * canvas.height / rows;
    return context.getImageData(x, y, 1, 1).data[1] > 128 ? 1 << i : 0;
  });
  window.medium = medium;
  window.frames = createFrames(medium, { isReady });
  // What is drawn for a frame, by its barcode; -1 if nothing is.
  window.read = (frame) => {
    if (!frames.draw(context, frame, canvas.width, canvas.height)) return -1;
    return bits().reduce((a, b) => a + b);
  };
  window.goto = async (frame) => ((await frames.ready(frame)) ? read(frame) : -2);
  window.drawn = [];
  window.playing = (from) => new Promise((resolve) => {
    drawn.length = 0;
    frames.play(from, (frame) => drawn.push([frame, read(frame)]), resolve);
  });
}"""


ALL = """async (order) => {
  const read = [];
  for (const frame of order) read.push(await goto(frame));
  return read;
}"""


@pytest.mark.parametrize("kind", CLIPS)
def test_seeking_is_exact(kind, show, page):
    shown = show(kind)
    order = random.Random(7).sample(range(FRAMES), 30)
    order += [FRAMES - 1, 0, *range(1, 8), *range(7, 0, -1)]
    assert page.evaluate(ALL, order) == order
    assert len(shown.asked) < 12, "frames came as JPEG though there was a proxy"


def test_seeking_is_exact_where_frames_carry_no_stamp(show, page):
    page.add_init_script("delete window.VideoFrame")
    show("uneven with sound")
    order = random.Random(8).sample(range(FRAMES), 20)
    assert page.evaluate(ALL, order) == order


def test_the_latest_of_many_wishes_wins(show, page):
    """Scrubbing asks for frames faster than they come; none of them is drawn as another."""
    show("constant")
    script = """async (order) => {
      const read = [];
      for (const frame of order) {
        frames.ready(frame);
        read.push([frame, window.read(frame)]);
        await new Promise((done) => setTimeout(done, 4));
      }
      return [read, await goto(33)];
    }"""
    read, last = page.evaluate(script, [random.Random(9).randrange(FRAMES) for _ in range(80)])
    assert last == 33
    assert all(number in (frame, -1) for frame, number in read)


def played(page):
    """Numbers of the frames drawn while playing, each of which must be the one it was called.

    -1 is a last frame that was passed over, and is still to come.
    """
    drawn = [(frame, number) for frame, number in page.evaluate("drawn") if number != -1]
    assert [frame for frame, _ in drawn] == [number for _, number in drawn]
    return [number for _, number in drawn]


@pytest.mark.parametrize("kind", CLIPS)
def test_playing_shows_frames_in_order(kind, show, page):
    show(kind)
    page.evaluate("frames.set({ rate: 2, muted: true })")
    page.evaluate("async () => { await goto(20); await playing(20); }")
    numbers = played(page)
    assert numbers == sorted(numbers)
    assert numbers[0] >= 20  # how many pass before the first is drawn depends on the machine
    assert len(numbers) > 10
    assert page.evaluate("goto(drawn.at(-1)[0])") == FRAMES - 1


def test_playing_stays_in_the_range(show, page):
    show("constant")
    page.evaluate("frames.set({ range: [10, 24], rate: 2 })")
    page.evaluate("async () => { await goto(15); await playing(15); }")
    assert played(page) == sorted(played(page))
    assert page.evaluate("goto(drawn.at(-1)[0])") == 24
    page.evaluate("frames.set({ loop: true }); void playing(24)")  # at its end: from its beginning
    page.wait_for_function("drawn.filter(([f], i) => i && f < drawn[i - 1][0]).length >= 2")
    page.evaluate("frames.pause()")
    numbers = played(page)
    assert set(numbers) <= set(range(10, 25))
    frame = numbers[-1]
    page.wait_for_timeout(100)
    assert page.evaluate("read(frames.frame())") == frame  # the one it was paused on


def test_single_frames_serve_until_the_proxy_is_there(show, page):
    shown = show("uneven", hidden=True)
    assert page.evaluate("goto(12)") == 12
    assert page.evaluate("frames.source()") == "stills"
    page.evaluate("frames.set({ rate: 2, range: [30, 40] })")
    page.evaluate("playing(30)")
    numbers = list(range(30, 41))
    assert page.evaluate("drawn") == [[number, number] for number in numbers]
    shown.hidden = False
    page.wait_for_function("frames.source() === 'video'")
    shown.asked.clear()
    assert page.evaluate("goto(50)") == 50
    assert shown.asked == []


def test_a_proxy_that_cannot_be_made_leaves_single_frames(show, page):
    shown = show("constant", hidden=True)
    shown.stills.get(8)
    page.evaluate(
        """async () => {
      const { createFrames } = await import("/static/frames.js");
      frames.dispose();
      window.asked = 0;
      const isReady = async () => { asked += 1; throw new Error("no"); };
      window.frames = createFrames(medium, { isReady });
    }"""
    )
    page.wait_for_function("asked === 3")
    assert page.evaluate(ALL, [8, 9, 59]) == [8, 9, 59]
    page.evaluate("frames.dispose()")
    assert page.evaluate("goto(1)") == -2
