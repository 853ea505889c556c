"""The endpoints over HTTP: by `gradio_client`, by plain requests, and what agents are told.

The page and both clients are real. The predictor is an actor that knows coloured squares. The
list of MCP tools is looked at only where the package for it is installed.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec

import httpx
import numpy as np
import pytest
import safehttpx
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from demo import programs
from demo.settings import Settings
from tests.demo.visiting import served
from tests.engine.acting import clip, picture, square, stage
from tests.engine.following import follower
from x2sam.errors import MediaError, PromptError
from x2sam.media.clip_writer import write_clip
from x2sam.media.masks import Rle
from x2sam.media.videos import open_clip

HAS_MCP = find_spec("mcp") is not None
A_FILE = {"_type": "gradio.FileData"}
# Gradio's bookkeeping of calls says to pandas what pandas no longer wants to hear.
pytestmark = pytest.mark.filterwarnings("ignore:The copy keyword is deprecated")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("media")
    Image.fromarray(picture(red=(2, 2), blue=(20, 4))).save(path / "squares.png")
    frames = clip(6, red=(2, 2))
    write_clip(path / "moving.mp4", iter(frames), open_clip(frames).timing)
    return path


@pytest.fixture(scope="module")
def engine():
    return stage()[0]


@pytest.fixture(scope="module")
def server(engine):
    with served(Settings(mcp=HAS_MCP), engine) as address:
        yield f"{address}/"


@pytest.fixture(scope="module")
def client(server, tmp_path_factory):
    client = Client(server, verbose=False, download_files=str(tmp_path_factory.mktemp("client")))
    yield client
    client.close()


@pytest.fixture
def image(folder):
    return handle_file(folder / "squares.png")


@pytest.fixture
def video(folder):
    return handle_file(folder / "moving.mp4")


def raw(server, name, *data):
    """Call without any client; the event and the value that came last."""
    address = f"{server}gradio_api/call/{name}"
    started = httpx.post(address, json={"data": data}).json()
    lines = httpx.get(f"{address}/{started['event_id']}", timeout=30).text.split("\n")
    event, value = lines[0].removeprefix("event: "), lines[1].removeprefix("data: ")
    return event, json.loads(value)


def test_words_find_a_thing_in_a_picture(client, image):
    answer = client.predict(image, "the red square", api_name="/segment_image")
    (found,) = answer["objects"]
    assert (found["id"], found["name"], answer["not_found"]) == (1, "the red square", [])
    assert np.array_equal(Rle.from_json(found["rle"]).mask(), square(2, 2))
    x0, y0, x1, y1 = found["box"]
    assert Rle.from_json(found["rle"]).box == (x0, y0, x1, y1)
    assert 0 < found["score"] <= 1


def test_a_file_may_be_named_by_its_address(client, folder, monkeypatch):
    async def verified(hostname):
        return hostname

    content = (folder / "squares.png").read_bytes()

    class Host(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            size = 10**12 if self.path == "/large.png" else len(content)
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            self.wfile.write(content)

    monkeypatch.setattr(safehttpx, "async_validate_url", verified)
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as host:
        threading.Thread(target=host.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{host.server_port}"
        named = handle_file(f"{address}/squares.png")
        answer = client.predict(named, "the red square", api_name="/segment_image")
        assert answer["objects"][0]["name"] == "the red square"
        with pytest.raises(AppError, match=r"too large; up to 200 MB"):
            client.predict(handle_file(f"{address}/large.png"), "it", api_name="/segment_image")
        host.shutdown()


def test_what_is_not_there_is_said(client, image):
    answer = client.predict(image, "the green square", api_name="/segment_image")
    assert (answer["objects"], answer["not_found"]) == ([], ["the green square"])


def test_marks_find_a_thing_in_a_picture(client, image):
    marks = {"points": [[22, 6], [4, 4]], "labels": [1, 0]}
    answer = client.predict(image=image, **marks, api_name="/segment_image")
    assert np.array_equal(Rle.from_json(answer["objects"][0]["rle"]).mask(), square(20, 4))
    boxed = client.predict(image=image, box=[18, 2, 29, 13], api_name="/segment_image")
    assert boxed["objects"][0]["rle"] == answer["objects"][0]["rle"]


def test_a_thing_is_followed_through_a_clip(client, video):
    answer = client.predict(video, "what is in this clip?", api_name="/segment_video")
    assert len(answer["times"]) == 6
    runs = Rle.of(square(4, 2)).to_json()
    answer = client.predict(video=video, rle=runs, frame=2, api_name="/track")
    (followed,) = answer["objects"]
    assert {*followed["frames"]} <= {str(index) for index in range(6)}
    assert followed["frames"]["2"]["rle"]["size"] == [32, 32]
    assert answer["times"] == sorted(answer["times"])


def test_a_question_is_answered_in_words(client, image):
    assert isinstance(client.predict(image, "what is this?", api_name="/chat"), str)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"points": [[1]]}, r"list of \[x, y\]"),
        ({"points": "here"}, "as many labels|list of"),
        ({"points": [[1, 2]], "labels": [1, 0]}, "as many labels"),
        ({"box": [1, 2, 3]}, r"\[x0, y0, x1, y1\]"),
        ({"text": "the dog", "task": "magic"}, "no task"),
        ({"points": [[400, 2]]}, "."),
        ({}, "."),
    ],
)
def test_mistakes_are_told_in_a_sentence(client, image, given, sentence):
    with pytest.raises(AppError, match=sentence) as told:
        client.predict(image=image, **given, api_name="/segment_image")
    assert "upstream" not in str(told.value)


def test_a_clip_is_no_picture_and_a_picture_no_clip(client, image, video):
    with pytest.raises(AppError, match="use segment_video"):
        client.predict(video, "the red square", api_name="/segment_image")
    with pytest.raises(AppError, match="use segment_image"):
        client.predict(image, "the red square", api_name="/segment_video")
    with pytest.raises(AppError, match="Mark the thing"):
        client.predict(video, api_name="/track")
    with pytest.raises(AppError, match="whole number"):
        client.predict(video=video, box=[0, 0, 9, 9], stride=0, api_name="/track")


def test_what_carries_masks_can_be_chosen(client, video, engine, monkeypatch):
    asked = {"video": video, "box": [2, 2, 10, 10], "api_name": "/track"}
    alone = client.predict(**asked, propagation="one_token")
    assert "0" in alone["objects"][0]["frames"]
    with pytest.raises(AppError, match="SAM 2 is not loaded"):
        client.predict(video, "the red square", propagation="sam2", api_name="/segment_video")
    with pytest.raises(AppError, match="should be auto or memory"):
        client.predict(**asked, propagation="magic")
    tracker, network = follower()
    monkeypatch.setattr(engine, "tracker", tracker)
    answer = client.predict(**asked, propagation="sam2")
    assert "0" in answer["objects"][0]["frames"]
    assert ("carry", 5) in network.log


def test_plain_requests(server, folder):
    with (folder / "squares.png").open("rb") as file:
        (path,) = httpx.post(f"{server}gradio_api/upload", files={"files": file}).json()
    sent = {"path": path, "meta": A_FILE, "orig_name": "squares.png"}
    event, (answer,) = raw(server, "segment_image", sent, "the red square", *[None] * 4)
    assert (event, answer["objects"][0]["name"]) == ("complete", "the red square")


@pytest.mark.parametrize(
    "forged",
    [
        "/etc/hostname",
        {"path": "/etc/hostname"},
        {"path": "/etc/hostname", "meta": A_FILE},
        {"path": "../../etc/hostname", "meta": A_FILE},
        {"path": "file:///etc/hostname", "meta": A_FILE},
        {"path": "http://127.0.0.1:1/picture.png", "meta": A_FILE},
        17,
        None,
    ],
)
def test_only_uploads_are_opened(server, forged):
    event, _ = raw(server, "segment_image", forged, "the red square", *[None] * 4)
    assert event == "error"


@pytest.mark.parametrize("bare", ["/etc/hostname", {"path": "https://a.b/c.png", "meta": A_FILE}])
def test_a_path_of_the_server_is_no_upload(bare):
    with pytest.raises(MediaError, match="uploaded first"):
        programs.uploaded(bare)


def test_types_are_described(server):
    info = httpx.get(f"{server}gradio_api/info").json()["named_endpoints"]
    assert {*info} == {"/segment_image", "/segment_video", "/track", "/chat"}
    (returned,) = info["/segment_image"]["returns"]
    assert {*returned["type"]["properties"]} == {"text", "objects", "not_found"}
    names = [each["parameter_name"] for each in info["/track"]["parameters"]]
    assert names == ["video", "points", "labels", "box", "rle", "frame", "stride", "propagation"]


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(programs, "find_spec", lambda _: None)
    with pytest.raises(PromptError, match="gradio\\[mcp\\]"):
        programs.check_mcp()


@pytest.mark.skipif(not HAS_MCP, reason="the package mcp is not installed")
def test_agents_are_told_what_there_is(server):
    tools = httpx.get(f"{server}gradio_api/mcp/schema").json()
    described = {tool["name"]: tool for tool in tools}
    assert {*described} == {"segment_image", "segment_video", "track", "chat"}
    image = described["segment_image"]["inputSchema"]
    assert image["required"] == ["image"]
    assert all("description" in value for value in image["properties"].values())
