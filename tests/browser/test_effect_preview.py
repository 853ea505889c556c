"""Effects as they are seen on the stage, in a real Chromium without a server behind it.

Covered: what changes and what stays, likeness to the exported picture, clips that play, and the
fields. Faked: the player and the actions (see `desk.py`).
"""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.desk import CLIP, Desk, files, rectangle
from x2sam.media.drawing import Mark
from x2sam.media.effects import EFFECTS, choose, draw

MASK = rectangle(200, 100, 420, 300)
INSIDE = [(n, target) for n, each in EFFECTS.items() if each.inside for target in each.targets]
PLAIN = {"opacity": 0.5, "outline": True, "labels": False, "colour": "#ffffff"}


@pytest.fixture(scope="module")
def address():
    with files() as address:
        yield address


@pytest.fixture
def desk(page, address):
    page.set_viewport_size({"width": 700, "height": 800})
    return Desk(page, address)


def seen(desk):
    """The picture on the stage, at display size: (400, 640, 3)."""
    desk.set()
    url = desk.run(
        """() => {
            const canvas = document.querySelector(".x-canvas");
            const { view, medium } = desk.store.get();
            const size = { width: canvas.width, height: canvas.height };
            const { scale, x, y } = desk.geometry.placed(view, medium, size);
            const copy = new OffscreenCanvas(medium.width, medium.height).getContext("2d");
            const from = [x, y, medium.width * scale, medium.height * scale];
            copy.drawImage(canvas, ...from, 0, 0, medium.width, medium.height);
            return copy.canvas.convertToBlob().then((blob) => new Promise((done) => {
                const reader = new FileReader();
                reader.onload = () => done(reader.result);
                reader.readAsDataURL(blob);
            }));
        }"""
    )
    image = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))
    return np.array(image.convert("RGB")).astype(int)


def near(mask, pixels):
    """Pixels within so many of a mask's edge, where the screen is smoothed."""
    grown, shrunk = mask.copy(), mask.copy()
    for _ in range(pixels):
        for each, both in ((grown, np.logical_or), (shrunk, np.logical_and)):
            for axis in (0, 1):
                each[:] = both(each, both(np.roll(each, 1, axis), np.roll(each, -1, axis)))
    return grown & ~shrunk


def test_page_and_server_have_the_same_effects(desk):
    rows = desk.run(
        """async () => {
            const { EFFECTS } = await import("/demo/static/effects.js");
            return Object.entries(EFFECTS).map(([n, e]) => [n, e.targets, Boolean(e.change)]);
        }"""
    )
    listed = [[name, list(each.targets), each.inside] for name, each in EFFECTS.items()]
    assert rows == listed


@pytest.mark.parametrize(("name", "target"), INSIDE)
def test_a_preview_changes_only_what_it_should(desk, name, target):
    desk.run("medium => desk.open(medium, '/assets/street.png')", desk.state("medium"))
    desk.put((1, "thing", MASK))
    desk.set(look={**PLAIN, "effect": "tags", "target": "object"})
    desk.put()
    before = seen(desk)
    desk.put((1, "thing", MASK))
    desk.set(look={**PLAIN, "effect": name, "target": target})
    after = seen(desk)
    meant = (MASK if target == "object" else ~MASK) & ~near(MASK, 4)
    stays = (~MASK if target == "object" else MASK) & ~near(MASK, 4)
    assert np.abs(after - before)[stays].max() == 0
    picture = before.astype(np.uint8)
    exported = draw(picture, [Mark(1, MASK)], choose(f"{name}:{target}")).astype(int)
    assert np.abs(after - exported)[meant].mean() < max(
        4, np.abs(exported - before)[meant].mean() / 4
    )


def test_without_objects_nothing_is_done(desk):
    desk.set(look={**PLAIN, "effect": "cover", "target": "background"})
    assert desk.pixel(20, 20)[:3] == [40, 80, 120]
    desk.put((1, "thing", MASK))
    assert desk.pixel(20, 20)[:3] == [255, 255, 255]
    hidden = [{**each, "shown": False} for each in desk.state("objects")]
    desk.set(objects=hidden)
    assert desk.pixel(20, 20)[:3] == [40, 80, 120]


def test_outlines_and_numbers(desk):
    desk.put((1, "a thing with a long name", MASK))
    desk.set(look={**PLAIN, "outline": False, "labels": True, "effect": "outline"})
    assert desk.pixel(300, 200)[:3] == [40, 80, 120]
    assert desk.pixel(200, 200)[:3] == [0x56, 0xB4, 0xE9]
    plate = (260, 92)
    assert desk.pixel(*plate)[:3] != [40, 80, 120]
    desk.set(look={**PLAIN, "effect": "tags"})
    assert desk.pixel(*plate)[:3] == [40, 80, 120]  # of a number alone it is narrow
    assert desk.pixel(200, 200)[:3] == [40, 80, 120]
    assert desk.pixel(302, 84)[:3] != [40, 80, 120]


def test_while_playing_each_frame_has_its_effect(page, address):
    clip = Desk(page, address, CLIP)
    clip.put((1, "thing", MASK))
    clip.put((1, "thing", rectangle(0, 100, 100, 300)), frame=20)
    clip.set(look={**PLAIN, "effect": "cover", "target": "object", "colour": "#ff0000"})
    colours = clip.run(
        """() => {
            desk.store.set({ playing: true, frame: 20 });
            const canvas = document.querySelector(".x-canvas");
            const ctx = canvas.getContext("2d", { willReadFrequently: true });
            const { view, medium } = desk.store.get();
            const size = { width: canvas.width, height: canvas.height };
            const place = desk.geometry.placed(view, medium, size);
            const at = (x, y) => [x * place.scale + place.x, y * place.scale + place.y];
            return [at(50, 200), at(300, 200)].map((p) => [...ctx.getImageData(...p, 1, 1).data]);
        }"""
    )
    assert [colour[:3] for colour in colours] == [[255, 0, 0], [60, 80, 120]]


def test_an_effect_is_chosen_beside_the_stage(desk):
    desk.put((1, "thing", MASK))
    desk.page.get_by_role("button", name="How masks look").click()
    panel = desk.page.get_by_role("group", name="How masks look")
    target, colour = panel.get_by_label("Applied to"), panel.get_by_label("Colour", exact=True)
    opacity = panel.get_by_label("Opacity")
    expect(opacity).to_be_visible()
    expect(target).to_be_hidden()
    panel.get_by_label("Effect").select_option("Without colour")
    assert (desk.state("look")["effect"], desk.state("look")["target"]) == ("grey", "background")
    assert desk.pixel(20, 20)[:3] == pytest.approx([73] * 3, abs=2)
    expect(opacity).to_be_hidden()
    panel.get_by_label("Effect").select_option("One colour")
    target.select_option("Background")
    colour.fill("#123456")
    assert desk.pixel(20, 20)[:3] == [0x12, 0x34, 0x56]
    assert desk.pixel(300, 200)[:3] == [40, 80, 120]
    assert desk.run("desk.missing") == []
