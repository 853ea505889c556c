"""Clips whose frames carry their number, and a few lines of HTTP that serve them to a page.

Each frame shows its number as black and white fields. Clips are written by PyAV, and go through
the real proxy and the real JPEG frames.
"""

import http.server
import json
import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filming
import numpy as np

from demo.display import Proxy, Stills, display_size
from x2sam.media.videos import open_clip

STATIC = Path(__file__).parents[2] / "demo/static"
TYPES = {".js": "text/javascript", ".css": "text/css", ".mp4": "video/mp4", ".jpg": "image/jpeg"}
COLUMNS, ROWS = 5, 2
FRAMES = 60
UNEVEN = np.cumsum(random.Random(3).choices([10, 20, 33, 40, 120, 250], k=FRAMES)).tolist()
PAGE = """<!doctype html><meta charset="utf-8"><title>Player</title>
<link rel="stylesheet" href="/static/base.css"><link rel="stylesheet" href="/static/player.css">
<link rel="icon" href="data:,"><body><div id="root" class="x-workspace"></div></body>"""


def barcode(index: int, width: int, height: int) -> np.ndarray:
    """Draw a number: (H, W, 3)."""
    bits = [index >> bit & 1 for bit in range(COLUMNS * ROWS)]
    fields = np.array(bits, np.uint8).reshape(ROWS, COLUMNS) * 215 + 20
    rows, columns = np.arange(height) * ROWS // height, np.arange(width) * COLUMNS // width
    return np.repeat(fields[rows][:, columns, None], 3, axis=2)


def turned(index: int, width: int, height: int) -> np.ndarray:
    """Draw a number lying on its side, as a camera held upright does."""
    return np.ascontiguousarray(np.rot90(barcode(index, height, width), -1))


CLIPS = {
    "constant": {"size": (120, 160)},
    "uneven": {"size": (120, 160), "stamps": UNEVEN},
    "odd": {"size": (95, 161), "pixels": "yuv444p"},
    "sound": {"size": (120, 160), "sound": "aac", "g": "30"},
    "uneven with sound": {"size": (120, 160), "stamps": UNEVEN, "sound": "aac"},
    "late start": {"size": (120, 160), "stamps": [t + 700 for t in UNEVEN], "sound": "aac"},
    "turned": {"size": (120, 160), "turned": 90},
    "large": {"size": (720, 1280), "rate": 30},
}


class Shown:
    """One clip and what the page's server would know of it."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.clip = open_clip(path)
        self.stills = Stills(open_clip(path))
        self.proxy = Proxy(lambda: open_clip(path), folder / "proxy.mp4")
        self.hidden = False  # the proxy, whatever it is
        self.asked: list[int] = []  # JPEG frames

    def medium(self, address: str) -> dict[str, object]:
        height, width = display_size(self.clip.size, moving=True)
        return {
            "kind": "video",
            "id": "1",
            "frames": len(self.clip),
            "width": width,
            "height": height,
            "times": self.clip.timing.seconds.tolist(),
            "seconds": self.clip.duration,
            "proxy": f"{address}/proxy.mp4",
            "frame": f"{address}/frame/{{i}}.jpg",
            "sound": self.clip.has_sound,
        }

    def close(self) -> None:
        self.clip.close()
        self.stills.close()
        self.proxy.close()


class Handler(http.server.BaseHTTPRequestHandler):
    """Static files, JPEG frames, and the proxy in the ranges that are asked for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        shown, path = self.server.shown, self.path
        if path == "/":
            self.reply(PAGE.encode(), "text/html")
        elif path.startswith("/static/"):
            file = STATIC / Path(path).name
            self.reply(file.read_bytes(), TYPES[file.suffix])
        elif path == "/ready":
            ready = shown.proxy.ready and not shown.hidden
            self.reply(json.dumps(ready).encode(), "application/json")
        elif path == "/proxy.mp4":
            self.reply(shown.proxy.path.read_bytes(), "video/mp4")
        elif match := re.fullmatch(r"/frame/(\d+)\.jpg", path):
            shown.asked.append(int(match[1]))
            self.reply(shown.stills.get(int(match[1])), "image/jpeg")

    def reply(self, content: bytes, kind: str) -> None:
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = (int(part[1]), int(part[2] or len(content) - 1)) if part else (0, None)
        self.send_response(206 if part else 200)
        if part:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        body = content[first : None if last is None else last + 1]
        self.send_header("Content-Type", kind)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def film(path: Path, kind: str) -> Path:
    """Write one of `CLIPS`."""
    scene, filming.scene = filming.scene, turned if kind == "turned" else barcode
    try:
        return filming.film(path, frames=FRAMES, preset="ultrafast", **CLIPS[kind])
    finally:
        filming.scene = scene


@contextmanager
def serving(shown: Shown) -> Iterator[str]:
    """Serve one clip; yields the address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.shown = shown
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        shown.close()
