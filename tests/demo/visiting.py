"""Visit a page over HTTP as a browser would: server functions, uploads, and the event queue."""

import io
import json
import secrets
from contextlib import contextmanager

import httpx
from gradio_client.utils import apply_diff
from PIL import Image

from demo.page import serving
from demo.source import Loaded
from tests.engine.acting import picture
from x2sam.media.limits import Limits

SECONDS = 60
LIMITS = Limits(picture_bytes=200_000, clip_bytes=400_000)


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


SCENE = png(picture(red=(2, 2), blue=(20, 12)))


@contextmanager
def served(settings, engine):
    """Serve a page with a model that is there."""
    with serving(settings, Loaded(engine)) as address:
        yield address


class Page:
    """One open page, of pictures or of clips."""

    def __init__(self, address, kind="image", auth=None):
        self.kind = kind
        self.http = httpx.Client(base_url=address, timeout=SECONDS, trust_env=False)
        if auth is not None:
            self.http.post("/login", data=dict(zip(("username", "password"), auth, strict=True)))
        config = self.http.get("/config").raise_for_status().json()
        wanted = f'kind: "{kind}"'
        self.component = next(
            each["id"]
            for each in config["components"]
            if wanted in (each["props"].get("js_on_load") or "")
        )
        self.event = next(
            each["id"]
            for each in config["dependencies"]
            if [self.component, "act"] in each["targets"]
        )
        self.hash = secrets.token_hex(5)
        self.token = self.function("hello", {"kind": kind, "language": "en"})["token"]

    def function(self, name, sent):
        """Call a server function as Gradio's script does."""
        body = {
            "session_hash": self.hash,
            "component_id": self.component,
            "fn_name": name,
            "data": sent,
        }
        return self.http.post("/gradio_api/component_server", json=body).raise_for_status().json()

    def call(self, name, **sent):
        return self.function("call", {"token": self.token, "name": name, **sent})

    def upload(self, content, name="upload", token=None):
        return self.http.post(
            f"/x2sam/upload/{token or self.token}",
            params={"kind": self.kind, "name": name},
            content=content,
        )

    def deltas(self, run="r1", kind="ask", **sent):
        """Ask the model, and yield what comes back, batch by batch."""
        payload = {"token": self.token, "run": run, "kind": kind, **sent}
        body = {
            "fn_index": self.event,
            "data": [],
            "session_hash": self.hash,
            "event_data": payload,
        }
        self.http.post("/gradio_api/queue/join", json=body).raise_for_status()
        shown = None
        where = {"session_hash": self.hash}
        with self.http.stream("GET", "/gradio_api/queue/data", params=where) as answer:
            for line in answer.iter_lines():
                if not line.startswith("data:"):
                    continue
                message = json.loads(line[5:])
                if message["msg"] == "process_generating":
                    (data,) = message["output"]["data"]
                    shown = apply_diff(shown, data) if isinstance(data, list) else data
                    yield shown
                if message["msg"] == "process_completed":
                    assert message["success"], message
                    return

    def ask(self, text="", **sent):
        """Ask the model, and collect all events."""
        return [event for delta in self.deltas(text=text, **sent) for event in delta["events"]]

    def close(self):
        self.http.close()


def kinds(events):
    return [event["kind"] for event in events]
