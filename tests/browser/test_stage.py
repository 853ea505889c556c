"""What is seen on the prompt canvas, in a real Chromium without a server behind it.

Covered: run lengths against pycocotools both ways, outlines, the cache, coordinates at every zoom
and density, picking, looks, and that frame and masks never part. Faked: the player and the
actions (see `desk.py`).
"""

import numpy as np
import pytest

from tests.browser.desk import CLIP, PICTURE, Desk, encoded, files, rectangle


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


def masks_of_all_kinds():
    random = np.random.default_rng(7)
    blobs = [
        random.random((h, w)) < share
        for h, w, share in ((1, 1, 1), (7, 9, 0.5), (60, 33, 0.02), (50, 91, 0.97))
    ]
    one = np.zeros((5, 4), bool)
    one[2, 3] = True
    corner = np.zeros((5, 4), bool)
    corner[0, 0] = True
    wide = rectangle(0, 3, 900, 640, (700, 900))
    return [*blobs, np.zeros((6, 5), bool), np.ones((6, 5), bool), one, corner, wide]


# Run lengths


def test_run_lengths_read_as_pycocotools_writes_them(desk):
    for mask in masks_of_all_kinds():
        rle = encoded(mask)
        runs = desk.run("rle => desk.rle.runsOf(rle.counts)", rle)
        read = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
        assert (read == mask.ravel("F")).all()


def test_a_shape_knows_its_area_box_and_pixels(desk):
    for mask in masks_of_all_kinds():
        height, width = mask.shape
        places = [(0, 0), (width - 1, height - 1), (width // 2, height // 2), (-1, 0), (0, height)]
        found = desk.run(
            """([rle, places]) => {
                const { area, box, at } = desk.shapeOf(rle);
                return [area, box, places.map(([x, y]) => at(x + 0.99, y + 0.01))];
            }""",
            [encoded(mask), places],
        )
        rows, columns = np.nonzero(mask)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] if mask.any() else None
        inside = [bool(mask[y, x]) for x, y in places[:3]]
        assert found == [mask.sum(), box, [*inside, False, False]]


def test_an_outline_fills_what_the_mask_covers(desk):
    """Filled, the outline covers the middle of each pixel of the mask and of no other."""
    random = np.random.default_rng(3)
    grown = np.kron(random.random((9, 11)) < 0.5, np.ones((4, 3), bool))
    covered = desk.run(
        """([rle, width, height]) => {
            const { path } = desk.shapeOf(rle);
            const ctx = document.createElement("canvas").getContext("2d");
            const hits = [];
            for (let y = 0; y < height; y++)
              for (let x = 0; x < width; x++)
                hits.push(ctx.isPointInPath(path, x + 0.5, y + 0.5, "evenodd"));
            return hits;
        }""",
        [encoded(grown), grown.shape[1], grown.shape[0]],
    )
    assert np.array_equal(np.reshape(covered, grown.shape), grown)


def test_the_cache_forgets_what_was_used_longest_ago(desk):
    kept = desk.run(
        """rle => {
            const masks = new desk.masks.constructor({ text: 3 * (64 + rle.counts.length) });
            for (const frame of [1, 2, 3]) masks.put(1, frame, rle, "seen");
            masks.get(1, 1);
            masks.put(1, 4, rle, "carried");
            masks.put(2, 9, null, "seen");
            const frames = masks.frames(1);
            masks.drop(1);
            return [frames, masks.frames(1), masks.has(2, 9), masks.get(2, 9)];
        }""",
        encoded(rectangle(0, 0, 3, 3)),
    )
    assert kept == [[1, 4], [], True, None]


# Coordinates


@pytest.mark.parametrize("density", [1, 2])
@pytest.mark.parametrize("zoom", [1, 2.7])
def test_a_click_is_where_it_was_made(browser, address, density, zoom):
    context = browser.new_context(
        viewport={"width": 1001, "height": 777}, device_scale_factor=density
    )
    desk = Desk(context.new_page(), address)
    desk.set(view={"zoom": zoom, "x": 0.31, "y": 0.64})
    assert desk.canvas.evaluate("canvas => canvas.width / canvas.clientWidth") == density
    wanted = [(200.5, 250.5), (210.25, 260.75), (150.5, 300.5)]
    for x, y in wanted:
        desk.click(x, y)
    marks = desk.state("marks")
    scale = desk.at(1, 0)[0] - desk.at(0, 0)[0]
    for mark, (x, y) in zip(marks, wanted, strict=True):
        # The browser may round a pointer to a whole CSS pixel.
        assert mark["points"][0] == pytest.approx([2.5 * x, 2.5 * y], abs=2.5 / scale)
    context.close()


def test_the_dot_is_painted_on_the_pixel_that_is_sent(desk):
    desk.set(view={"zoom": 3.1, "x": 0.5, "y": 0.5}, hold=True)
    desk.click(300, 180)
    (mark,) = desk.state("drawings")
    x, y = (value / 2.5 for value in mark["points"][0])
    css = 1 / (desk.at(1, 0)[0] - desk.at(0, 0)[0])
    assert desk.pixel(x - 4 * css, y + 4 * css)[:3] == [10, 127, 63]
    assert desk.pixel(x, y)[:3] == [255, 255, 255]  # the plus


def test_clicks_at_the_very_edge_stay_on_the_picture(desk):
    for x, y in ((0.2, 0.2), (639.8, 0.2), (0.2, 399.8), (639.8, 399.8)):
        desk.click(x, y)
    points = [mark["points"][0] for mark in desk.state("marks")]
    assert len(points) == 4
    assert all(0 <= x < 1600 and 0 <= y < 1000 for x, y in points)
    assert points[3] == pytest.approx([1599.5, 999.5], abs=2.5)


def test_beside_the_picture_there_is_no_point(page, address):
    tall = {**PICTURE, "width": 100, "height": 400, "source": [100, 400]}
    desk = Desk(page, address, tall)
    desk.click(-20, 200)
    desk.click(120, 200)
    assert desk.state("marks") == []


def test_the_wheel_zooms_at_the_pointer(desk):
    """A wheel speaks of whole CSS pixels, so the pointer stands on one."""
    pointer = tuple(map(round, desk.at(100, 90)))
    [left, top] = desk.at(0, 0)
    scale = desk.at(1, 0)[0] - left
    under = (pointer[0] - left) / scale, (pointer[1] - top) / scale
    desk.page.mouse.move(*pointer)
    desk.page.mouse.wheel(0, -600)
    desk.page.wait_for_function("desk.store.get().view.zoom > 2")
    assert desk.at(*under) == pytest.approx(pointer, abs=0.01)
    desk.page.mouse.wheel(0, 5000)
    desk.page.wait_for_function("desk.store.get().view.zoom === 1")
    assert desk.state("view") == {"zoom": 1, "x": 0.5, "y": 0.5}


def test_the_picture_is_dragged_with_space_and_with_the_middle_button(desk):
    desk.set(view={"zoom": 4, "x": 0.5, "y": 0.5})
    middle = desk.at(320, 200)
    desk.drag((320, 200), (330, 210), button="middle")
    assert desk.at(320, 200) != pytest.approx(middle, abs=5)
    moved = desk.at(320, 200)
    desk.page.locator(".x-stage").focus()
    desk.page.keyboard.down("Space")
    desk.drag((320, 200), (310, 190))
    desk.page.keyboard.up("Space")
    assert desk.at(320, 200) != pytest.approx(moved, abs=5)
    assert desk.state("marks") == []
    assert desk.state("hand") is None


# Masks


def two_objects(desk):
    desk.put(
        (1, "plate", rectangle(100, 50, 500, 350)), (2, "apple", rectangle(250, 150, 350, 250))
    )


def test_the_smallest_object_under_the_pointer_is_meant(desk):
    two_objects(desk)
    desk.set(tool="select")
    tip = desk.page.locator(".x-tip")
    desk.page.mouse.move(*desk.at(300, 200))
    assert (desk.state("hovered"), tip.text_content()) == (2, "apple")
    desk.page.mouse.move(*desk.at(120, 100))
    assert (desk.state("hovered"), tip.text_content()) == (1, "plate")
    desk.click(300, 200)
    assert desk.state("selected") == 2
    desk.click(30, 30)
    assert desk.state("selected") is None
    assert tip.is_hidden()


def test_hidden_objects_are_neither_seen_nor_met(desk):
    two_objects(desk)
    shown = desk.pixel(300, 200)
    objects = desk.state("objects")
    desk.set(objects=[{**each, "shown": False} for each in objects], tool="select")
    assert desk.pixel(300, 200)[:3] == [40, 80, 120] != shown[:3]
    desk.page.mouse.move(*desk.at(300, 200))
    assert desk.state("hovered") is None


def test_a_mask_is_tinted_by_the_opacity_and_dims_beside_a_solo(desk):
    desk.put((1, "plate", rectangle(100, 50, 500, 350)))
    desk.set(look={"opacity": 0.5, "outline": False, "labels": False})
    tinted = np.array(desk.pixel(300, 200)[:3])
    assert tinted == pytest.approx([(0x56 + 40) / 2, (0xB4 + 80) / 2, (0xE9 + 120) / 2], abs=1)
    desk.set(solo=9)
    dimmed = np.array(desk.pixel(300, 200)[:3])
    assert np.abs(dimmed - [40, 80, 120]).sum() < np.abs(tinted - [40, 80, 120]).sum() / 3


def test_frame_and_masks_never_part(clip):
    """A frame that is still on its way leaves the old one standing, with the old one's mask."""
    clip.put((1, "plate", rectangle(100, 50, 300, 350)))
    clip.put((1, "plate", rectangle(300, 50, 600, 350)), frame=3)
    clip.set(look={"opacity": 1, "outline": False, "labels": False})
    clip.run("desk.actions.frames.late.set(3, () => {})")
    clip.set(frame=3)
    colour = [0x56, 0xB4, 0xE9]
    assert clip.pixel(50, 20)[:3] == [40, 80, 120]
    assert (clip.pixel(200, 200)[:3], clip.pixel(400, 200)[:3]) == (colour, [40, 80, 120])
    clip.run("desk.actions.frames.arrive(3)")
    clip.page.wait_for_selector('.x-stage[data-shown="3"]')
    clip.run("desk.settle()")
    assert clip.pixel(50, 20)[:3] == [43, 80, 120]
    assert (clip.pixel(200, 200)[:3], clip.pixel(400, 200)[:3]) == ([43, 80, 120], colour)


def test_while_playing_the_composite_is_painted_with_the_frame(clip):
    """No screen refresh lies between the player's word and the picture on the canvas."""
    colour = clip.run(
        """() => {
            desk.store.set({ playing: true, frame: 20 });
            const canvas = document.querySelector(".x-canvas");
            return [...canvas.getContext("2d").getImageData(canvas.width / 2, 9, 1, 1).data];
        }"""
    )
    assert colour == [60, 80, 120, 255]


def test_the_mask_is_told_when_it_changes(desk):
    desk.put((4, "apple", rectangle(0, 0, 320, 100)))
    desk.set(selected=4)
    objects = desk.state("objects")
    desk.set(objects=[{**objects[0], "version": 2}])
    assert desk.said() == "Mask of apple: 13 % of the picture."
