"""The page over real HTTP: opening, asking, pointing, and what others may not see.

Faked: the network, by an actor that knows coloured squares; Gradio, queue, routes and engine are
the real ones.
"""

import json
import zipfile
from io import BytesIO

import httpx
import pytest
from PIL import Image

from demo.settings import Settings
from tests.demo.visiting import LIMITS, SCENE, Page, kinds, served
from tests.engine.acting import square
from x2sam.errors import PromptError
from x2sam.media.masks import Rle

RED = [{"kind": "point", "points": [[5, 5]], "frame": 0}]


@pytest.fixture
def page(address):
    page = Page(address)
    assert page.upload(SCENE, "scene.png").json()["ok"]
    return page


def test_hello_says_what_there_is_to_know(address):
    told = Page(address).function("hello", {"kind": "video", "language": "zh"})
    assert told["ok"]
    assert told["bytes"] == LIMITS.clip_bytes
    assert "0.4 MB" in told["limits"]
    assert told["model"]["device"] == "cpu"
    assert {each["kind"] for each in told["examples"]} == {"video"}
    assert {"overlay", "session"} <= {each["id"] for each in told["formats"]}
    assert len({told["token"], Page(address).token}) == 2


def test_a_picture_is_opened_and_shown(address):
    page = Page(address)
    answer = page.upload(SCENE, "my scene.png").json()
    medium = answer["medium"]
    assert (medium["kind"], medium["name"], medium["source"]) == ("image", "my scene.png", [32, 32])
    assert medium["times"] is None
    shown = page.http.get("/" + medium["picture"])
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/webp")
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["content-security-policy"] == "default-src 'none'"
    assert "no-store" in shown.headers["cache-control"]
    assert answer["state"]["objects"] == []


def test_a_request_is_answered_by_events(page):
    events = page.ask("the red square")
    assert kinds(events)[0] == "estimate"
    assert kinds(events)[-2:] == ["state", "done"]
    routed = next(event for event in events if event["kind"] == "routed")
    assert (routed["task"], routed["chip"]) == ("refseg", "Find what is described")
    mask = next(event for event in events if event["kind"] == "mask")
    assert (Rle.from_json(mask["rle"]).mask() == square(2, 2)).all()
    (red,) = page.call("state")["state"]["objects"]
    assert (red["name"], red["visible"], red["origins"]) == (
        "the red square",
        [[0, 0]],
        [[0, 0, "seen"]],
    )
    assert red["area"] == pytest.approx(64 / 1024)
    (sent,) = page.call("masks", frame=0)["masks"]
    assert (sent["rle"], sent["version"]) == (mask["rle"], red["version"])


def test_an_object_is_listed_before_its_first_mask(page):
    events = page.ask("the blue square")
    first = kinds(events).index("mask")
    listed = next(event for event in events[:first] if event["kind"] == "state")
    assert events[first]["object"] in [each["id"] for each in listed["state"]["objects"]]


def test_batches_are_numbered_and_named(page):
    deltas = list(page.deltas(run="mine", text="the red square"))
    assert [delta["seq"] for delta in deltas] == list(range(len(deltas)))
    assert {delta["run"] for delta in deltas} == {"mine"}


def test_what_is_not_there_is_said(page):
    events = page.ask("the green square")
    assert "notfound" in kinds(events)
    assert page.call("state")["state"]["objects"] == []


def test_a_mark_makes_an_object_and_corrects_it(page):
    done = page.ask(kind="mark", drawings=RED)[-1]
    assert done["kind"] == "done"
    (id_,) = done["objects"]
    marks = [*RED, {"kind": "point", "positive": False, "points": [[9, 9]], "frame": 0}]
    again = page.ask(kind="mark", drawings=marks, object=id_)[-1]
    assert again["objects"] == [id_]
    (sent,) = page.call("masks", frame=0)["masks"]
    assert not Rle.from_json(sent["rle"]).mask()[9, 9]


def test_the_list_is_changed_undone_and_redone(page):
    page.ask("the red square")
    page.ask("the blue square")
    red, blue = (each["id"] for each in page.call("state")["state"]["objects"])
    named = page.call("rename", object=red, text="<b>apple</b>")["state"]["objects"]
    assert named[0]["name"] == "<b>apple</b>"
    assert [each["shown"] for each in page.call("only", objects=[blue])["state"]["objects"]] == [
        False,
        True,
    ]
    assert len(page.call("merge", objects=[red, blue])["state"]["objects"]) == 1
    assert len(page.call("undo")["state"]["objects"]) == 2
    answer = page.call("delete", objects=[red, blue])["state"]
    assert (answer["objects"], answer["undo"], answer["redo"]) == ([], True, False)
    assert page.call("undo")["state"]["redo"]


def test_a_turn_can_be_taken_back_and_all_forgotten(page):
    page.ask("the red square")
    page.ask("the blue square")
    first, second = page.call("state")["state"]["turns"]
    assert (first["text"], first["task"], first["stopped"]) == ("the red square", None, False)
    rest = page.call("rewind", turn=second["turn"])["state"]
    assert (len(rest["turns"]), len(rest["objects"])) == (1, 1)
    empty = page.call("forget")["state"]
    assert (empty["turns"], empty["objects"]) == ([], [])


def test_mistakes_are_sentences(page):
    assert page.call("undo") == {"ok": False, "error": "There is nothing to undo."}
    assert page.call("no such thing")["ok"] is False
    assert page.call("rename", object="1", text="x")["ok"] is False
    assert page.call("delete", objects=[7])["error"] == "There is no object 7 in the list."
    assert page.ask("x" * 20_000)[-1]["kind"] == "error"
    assert page.ask(kind="mark", drawings=[])[-1]["text"] == "Mark something first."
    assert page.ask(kind="mark", drawings=[{"kind": "point"}])[-1]["kind"] == "error"
    assert page.ask("the red square")[-1]["kind"] == "done"


def test_a_bug_is_a_report_and_the_server_lives_on(page, acting, monkeypatch, caplog):
    _, actor = acting

    def broken(*_, **__):
        raise ZeroDivisionError("a secret path")

    with monkeypatch.context() as patch:
        patch.setattr(actor, "segment", broken)
        last = page.ask("the red square")[-1]
    assert last["kind"] == "error"
    assert "report" in last["text"]
    assert "secret" not in last["text"]
    assert "a secret path" in caplog.text
    assert page.ask("the red square")[-1]["kind"] == "done"


def test_nothing_is_open_yet(address):
    page = Page(address)
    assert page.ask("the red square")[-1]["text"] == "Open a picture or clip first."
    assert page.call("state")["medium"] is None


def test_an_estimate_is_given_without_asking(page, acting):
    told = page.call("estimate", text="the red square")
    assert (told["ok"], told["task"], told["frames_masked"]) == (True, "refseg", 1)
    assert page.call("state")["state"]["turns"] == []


def test_what_is_taken_away_is_one_zip_and_the_last_one(page):
    page.ask("the red square")
    first = page.call("export", formats=["coco", "session"], opacity=0.5, labels=True)
    answer = page.call("export", formats=["coco", "masks", "session"], opacity=0.5, labels=True)
    content = page.http.get("/" + answer["url"])
    assert len(content.content) == answer["bytes"]
    with zipfile.ZipFile(BytesIO(content.content)) as packed:
        names = packed.namelist()
        coco = json.loads(packed.read("coco.json"))
    assert {"coco.json", "session.json"} <= set(names)
    assert len(coco["annotations"]) == 1
    assert page.http.get("/" + first["url"]).status_code == 404
    assert page.call("export", formats=["exe"])["ok"] is False


def test_the_overlay_is_taken_away_with_its_effect(page):
    page.ask("the red square")
    answer = page.call("export", formats=["overlay"], effect="cover:background:#00b140")
    content = page.http.get("/" + answer["url"])
    with zipfile.ZipFile(BytesIO(content.content)) as packed:
        drawn = Image.open(BytesIO(packed.read("overlay.png")))
    assert drawn.getpixel((0, drawn.height - 1)) == (0, 177, 64)
    for effect in ("sepia", "spotlight:object", 3):
        answer = page.call("export", formats=["overlay"], effect=effect)
        assert answer["ok"] is False
        assert answer["error"].endswith(".")


def test_visitors_do_not_see_each_other(address, page):
    page.ask("the red square")
    other = Page(address)
    medium = page.call("state")["medium"]
    assert other.call("state")["state"]["objects"] == []
    stolen = medium["picture"].replace(page.token, other.token)
    assert other.http.get("/" + stolen).status_code == 404
    assert other.http.get(f"/x2sam/media/guess/{medium['id']}/picture.webp").status_code == 404
    answer = other.function("call", {"token": "guess", "name": "state"})
    assert (answer["ok"], answer["expired"]) == (False, True)


@pytest.mark.parametrize(
    "path",
    [
        "/x2sam/media/{token}/{medium}/source",
        "/x2sam/media/{token}/{medium}/..%2Fsource",
        "/x2sam/media/{token}/{medium}/%2e%2e%2fsource",
        "/x2sam/media/{token}/{medium}/%2Fetc%2Fpasswd",
        "/x2sam/media/{token}/{medium}/proxy.mp4",
        "/x2sam/media/{token}/{medium}/frame/0.jpg",
        "/x2sam/media/{token}/{medium}/frame/-1.jpg",
        "/x2sam/media/{token}/../{medium}/picture.webp",
        "/x2sam/media/{token}/",
        "/x2sam/files/{token}/..%2F..%2Fetc%2Fpasswd",
        "/x2sam/files/{token}/session.json",
        "/x2sam/static/../page.py",
        "/x2sam/static/%2e%2e/page.py",
        "/x2sam/static/..%2fpage.py",
        "/x2sam/static/",
        "/x2sam/static//etc/passwd",
        "/gradio_api/file={root}/x",
    ],
)
def test_no_path_can_be_guessed(page, path):
    medium = page.call("state")["medium"]["id"]
    target = path.format(token=page.token, medium=medium, root="/tmp")
    raw = httpx.URL(page.http.base_url).copy_with(raw_path=target.encode())
    assert page.http.get(raw).status_code in (403, 404, 405)


def test_a_picture_too_large_is_refused_before_and_while_it_comes(address):
    page = Page(address)
    declared = page.upload(bytes(LIMITS.picture_bytes + 1), "big.png")
    assert (declared.status_code, declared.json()["ok"]) == (413, False)
    assert "0.2 MB" in declared.json()["error"]

    def stream():
        for _ in range(40):
            yield bytes(10_000)

    undeclared = page.upload(stream(), "big.png")
    assert undeclared.status_code == 413
    assert page.call("state")["medium"] is None


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b"<html>hello</html>", "neither"), (SCENE[:100], "")],
)
def test_what_cannot_be_read_is_refused_in_words(page, content, words):
    answer = page.upload(content, "odd.png")
    assert (answer.status_code, answer.json()["ok"]) == (422, False)
    assert words in answer.json()["error"]
    assert page.call("state")["medium"]["name"] == "scene.png"  # what was open stays


def test_a_page_that_goes_away_is_forgotten(address, page):
    picture = page.call("state")["medium"]["picture"]
    assert page.http.post(f"/x2sam/close/{page.token}").status_code == 204
    assert page.http.get("/" + picture).status_code == 404
    assert page.call("state")["expired"]
    assert page.upload(SCENE).json()["expired"]


def test_a_page_that_is_loaded_again_gets_everything_back(page):
    page.ask("the red square")
    page.ask("the green square")  # which is not there
    page.ask(kind="mark", drawings=[{"kind": "point", "points": [[21, 13]], "frame": 0}])
    paint = Rle.of(square(2, 2)).to_json()
    page.ask("", drawings=[{"kind": "mask", "rle": paint, "frame": 0}])
    before = page.call("state")
    page.http.post(f"/x2sam/close/{page.token}")
    told = page.function("hello", {"kind": "image", "language": "en", "token": page.token})
    assert told["token"] != page.token
    back, old = told["back"], page.token
    page.token = told["token"]
    assert back["medium"]["picture"] != before["medium"]["picture"]
    assert page.http.get("/" + back["medium"]["picture"]).status_code == 200
    assert page.http.get("/" + before["medium"]["picture"]).status_code == 404
    assert back["state"]["objects"] == before["state"]["objects"]
    more = [
        {name: turn.pop(name) for name in ("kind", "drawings", "events")}
        for turn in back["state"]["turns"]
    ]
    assert back["state"]["turns"] == before["state"]["turns"]
    assert [each["kind"] for each in more] == ["ask", "ask", "mark", "ask"]
    ends = [[kinds(each["events"])[place] for place in (0, -1)] for each in more]
    assert ends == [["routed", "done"]] * 4
    assert "notfound" in kinds(more[1]["events"])
    assert more[2]["drawings"][0]["points"] == [[21, 13]]
    assert more[3]["drawings"][0]["rle"] == paint
    assert "ok" in page.call("undo")
    again = page.ask("", drawings=more[3]["drawings"])  # as the page does that asks once more
    assert kinds(again)[-1] == "done"
    late = page.http.post(f"/x2sam/close/{old}")  # a farewell that was under way
    assert (late.status_code, page.call("state")["ok"]) == (204, True)


def test_a_page_without_anything_open_begins_anew(address):
    page = Page(address)
    told = page.function("hello", {"kind": "image", "language": "en", "token": page.token})
    assert told["back"] is None
    strange = page.function("hello", {"kind": "image", "language": "en", "token": "x" * 43})
    assert (strange["ok"], strange["back"]) == (True, None)


# Serving


def test_an_address_that_is_taken_is_a_sentence(address, acting):
    port = int(address.rpartition(":")[2])
    engine, _ = acting
    with pytest.raises(PromptError, match="taken"), served(Settings(port=port), engine):
        pass


def test_an_account_guards_the_door(acting):
    engine, _ = acting
    settings = Settings(auth=(("ann", "sesame"),))
    with served(settings, engine) as address:
        stranger = httpx.Client(base_url=address, trust_env=False)
        assert stranger.get("/config").status_code == 401
        body = {"session_hash": "x", "component_id": 1, "fn_name": "hello", "data": {}}
        answer = stranger.post("/gradio_api/component_server", json=body)
        assert answer.status_code == 401
        assert stranger.post("/x2sam/upload/guess", content=SCENE).status_code == 404
        stranger.close()
        guest = Page(address, auth=("ann", "sesame"))
        assert guest.upload(SCENE, "scene.png").json()["ok"]
        assert guest.ask("the red square")[-1]["kind"] == "done"
        guest.http.close()
