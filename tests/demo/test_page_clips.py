"""The page over real HTTP, with clips: playing, marking, following, stopping half-way.

Faked: the network, by an actor that knows coloured squares.
"""

import threading
import time
from io import BytesIO

import pytest
from PIL import Image

from tests.demo.visiting import SCENE, Page, kinds
from tests.engine.acting import clip
from tests.engine.following import follower
from tests.filming import film

RED = {"kind": "point", "points": [[5, 5]], "frame": 2}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    return film(tmp_path_factory.mktemp("clips") / "run.mp4", frames=12, sound="aac").read_bytes()


def test_a_clip_is_opened_and_played(address, running):
    page = Page(address, "video")
    medium = page.upload(running, "run.mp4").json()["medium"]
    assert (medium["frames"], medium["sound"], len(medium["times"])) == (12, True, 12)
    frame = page.http.get("/" + medium["frame"].replace("{i}", "3"))
    assert (frame.status_code, frame.headers["content-type"]) == (200, "image/jpeg")
    assert page.http.get("/" + medium["frame"].replace("{i}", "12")).status_code == 404
    while not page.call("proxy")["ready"]:
        assert page.http.get("/" + medium["proxy"]).status_code in (200, 425)
        time.sleep(0.05)
    part = page.http.get("/" + medium["proxy"], headers={"Range": "bytes=0-9"})
    assert (part.status_code, len(part.content)) == (206, 10)


def test_pictures_and_clips_have_their_own_tabs(address, running):
    picture_page, clip_page = Page(address), Page(address, "video")
    assert "Video tab" in picture_page.upload(running, "run.mp4").json()["error"]
    assert "Image tab" in clip_page.upload(SCENE, "scene.png").json()["error"]


def gif(frames):
    file = BytesIO()
    first, *rest = [Image.fromarray(frame) for frame in frames]
    first.save(file, "GIF", save_all=True, append_images=rest, duration=40)
    return file.getvalue()


@pytest.fixture
def moving(address):
    page = Page(address, "video")
    answer = page.upload(gif(clip(6, red=(2, 2))), "red.gif").json()
    assert answer["ok"], answer
    return page


def test_a_mark_on_a_clip_is_one_frame_and_is_followed_on_request(moving):
    (id_,) = moving.ask(kind="mark", drawings=[RED], frame=2)[-1]["objects"]
    assert moving.call("state")["state"]["objects"][0]["visible"] == [[2, 2]]
    reach = {"start": 2, "first": 0, "last": 5, "direction": "both", "best": False}
    events = moving.ask(kind="propagate", object=id_, frame=2, reach=reach)
    assert events[-1]["kind"] == "done"
    assert moving.call("state")["state"]["objects"][0]["visible"] == [[0, 5]]
    assert len(moving.call("masks", first=0, last=99)["masks"]) == 6


def test_options_hold_from_the_next_request_on(moving):
    assert moving.call("options", stride=3)["ok"]
    moving.ask("the red square")
    origins = moving.call("state")["state"]["objects"][0]["origins"]
    assert [0, 0, "seen"] in origins
    assert [1, 2, "carried"] in origins
    assert moving.call("options", stride=0)["ok"] is False


def test_sam_2_is_offered_where_it_is_loaded(moving, acting, monkeypatch):
    engine, _ = acting
    assert moving.function("hello", {"kind": "video", "language": "en"})["tracker"] is False
    refused = moving.call("options", propagation="sam2")
    assert "SAM 2 is not loaded" in refused["error"]
    assert moving.call("options")["options"]["propagation"] == "memory"
    monkeypatch.setattr(engine, "tracker", follower()[0])
    assert moving.function("hello", {"kind": "video", "language": "en"})["tracker"] is True
    assert moving.call("options", propagation="sam2", frames=1)["options"]["propagation"] == "sam2"
    assert moving.ask("the red square")[-1]["kind"] == "done"
    assert "carried" in {each["how"] for each in moving.call("masks", first=0, last=9)["masks"]}
    assert moving.call("options", propagation="magic")["ok"] is False


def test_stop_keeps_what_is_done(moving, acting, monkeypatch):
    _, actor = acting
    real = actor.segment

    def slow(wanted, frames):
        for prediction in real(wanted, frames):
            time.sleep(0.2)
            yield prediction

    monkeypatch.setattr(actor, "segment", slow)
    events = []
    for delta in moving.deltas(text="the red square"):
        events += delta["events"]
        if "mask" in kinds(delta["events"]):
            assert moving.call("stop")["ok"]
    assert events[-1]["stopped"]
    (red,) = moving.call("state")["state"]["objects"]
    assert red["visible"][0][1] < 5


def test_who_asks_again_or_leaves_ends_the_request_before(moving, acting, monkeypatch):
    _, actor = acting
    real, looked = actor.segment, []

    def slow(wanted, frames):
        for prediction in real(wanted, frames):
            looked.append(1)
            time.sleep(0.3)
            yield prediction

    monkeypatch.setattr(actor, "segment", slow)
    first = threading.Thread(target=lambda: list(moving.deltas(text="the red square")))
    first.start()
    while not looked:
        time.sleep(0.01)
    moving.http.post(f"/x2sam/close/{moving.token}")
    first.join(10)
    assert not first.is_alive()
    assert len(looked) < 6
