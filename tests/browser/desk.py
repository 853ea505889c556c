"""The stage alone in a browser, and what a person can do there.

The page is `stage_page.html`: the real stage, toolbar and keys, with a player that paints frames of
one colour and actions that take notes.
"""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from pycocotools import mask as coco

ROOT = Path(__file__).parents[2]
PICTURE = {"id": "m", "name": "m", "width": 640, "height": 400, "source": [1600, 1000]}
CLIP = {**PICTURE, "kind": "video", "frames": 50}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def files() -> Iterator[str]:
    """Serve the project's files; gives the address of the page."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=ROOT))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/tests/browser/stage_page.html"
    server.shutdown()
    server.server_close()
    thread.join()


class Desk:
    """The page with the stage, and what a person can do there."""

    def __init__(self, page, address, medium=PICTURE, query=""):
        self.page = page
        page.goto(address + query)
        page.wait_for_function("window.desk")
        self.run("medium => desk.open(medium)", medium)
        self.canvas = page.locator(".x-canvas")

    def run(self, program, argument=None):
        return self.page.evaluate(program, argument)

    def set(self, **patch):
        self.run("patch => { desk.store.set(patch); return desk.settle(); }", patch)

    def state(self, key):
        return self.run("key => desk.store.get()[key]", key)

    def calls(self, name="mark"):
        return [call[1:] for call in self.run("desk.calls") if call[0] == name]

    def at(self, x, y):
        """Where a pixel of the display stands in the window."""
        box = self.canvas.bounding_box()
        place = self.run(
            """([width, height]) => {
                const { view, medium } = desk.store.get();
                return desk.geometry.placed(view, medium, { width, height });
            }""",
            [box["width"], box["height"]],
        )
        return (
            box["x"] + x * place["scale"] + place["x"],
            box["y"] + y * place["scale"] + place["y"],
        )

    def click(self, x, y, **options):
        self.page.mouse.click(*self.at(x, y), **options)

    def drag(self, *path, button="left"):
        mouse = self.page.mouse
        mouse.move(*self.at(*path[0]))
        mouse.down(button=button)
        for place in path[1:]:
            mouse.move(*self.at(*place), steps=4)
        mouse.up(button=button)

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def put(self, *objects, frame=0):
        """List objects: (id, name, mask at display size)."""
        colours = ("#e69f00", "#56b4e9", "#009e73", "#f0e442")
        listed = []
        for id_, name, mask in objects:
            self.run(
                "([id, frame, rle]) => desk.masks.put(id, frame, rle, 'seen')",
                [id_, frame, encoded(mask)],
            )
            look = {"colour": colours[id_ % 4], "shown": True, "version": 1, "first": 0}
            listed.append({"id": id_, "name": name, "area": float(mask.mean()), **look})
        self.set(objects=listed, maskVersion=self.state("maskVersion") + 1)

    def pixel(self, x, y):
        """Colour on the canvas at a pixel of the display: r g b a."""
        box = self.canvas.bounding_box()
        left, top = self.at(x, y)
        return self.run(
            """async ([x, y]) => {
                await desk.settle();
                const canvas = document.querySelector(".x-canvas");
                const ratio = canvas.width / canvas.clientWidth;
                const place = [x, y].map((value) => Math.floor(value * ratio));
                return [...canvas.getContext("2d").getImageData(...place, 1, 1).data];
            }""",
            [left - box["x"], top - box["y"]],
        )

    def said(self):
        return self.page.locator(".x-said").text_content()


def encoded(mask):
    rle = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(mask.shape), "counts": rle["counts"].decode("ascii")}


def rectangle(x0, y0, x1, y1, size=(400, 640)):
    mask = np.zeros(size, bool)
    mask[y0:y1, x0:x1] = True
    return mask
