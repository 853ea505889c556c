"""Everything in a picture, over real HTTP: searching, stopping, keeping.

Faked: the networks, by an actor and a follower that know coloured squares.
"""

import pytest

from demo.settings import Settings
from tests.demo.visiting import LIMITS, SCENE, Page, kinds, served
from tests.engine.acting import square, stage
from tests.engine.following import follower
from x2sam.media.masks import Rle

SEARCH = {"points_per_side": 8, "quality": 0.8, "stability": 0.95, "box_overlap": 0.7}


@pytest.fixture(scope="module")
def found_at():
    engine, _ = stage(tracker=follower()[0])
    with served(Settings(port=0, limits=LIMITS), engine) as address:
        yield address


@pytest.fixture
def page(found_at):
    page = Page(found_at)
    assert page.upload(SCENE, "scene.png").json()["ok"]
    return page


def searched(page, **search):
    events = page.ask(kind="everything", search={**SEARCH, **search})
    return events, [event for event in events if event["kind"] == "segment"]


def test_a_page_is_told_that_sam_2_is_there(found_at):
    assert Page(found_at).function("hello", {"kind": "image", "language": "en"})["tracker"]


def test_everything_comes_with_progress_and_without_a_turn(page):
    events, segments = searched(page)
    assert kinds(events)[0] == "progress"
    assert kinds(events)[-2:] == ["state", "done"]
    assert [each["segment"] for each in segments] == [0, 1]
    masks = [Rle.from_json(each["rle"]).mask() for each in segments]
    for at in ((2, 2), (20, 12)):
        assert any((mask == square(*at)).all() for mask in masks)
    state = page.call("state")["state"]
    assert (state["objects"], state["turns"], state["undo"]) == ([], [], False)


def test_what_is_kept_is_one_change_that_can_be_undone(page):
    _, segments = searched(page)
    kept = page.call("keep", segment=segments[1]["segment"])
    assert [each["id"] for each in kept["state"]["objects"]] == [kept["object"]]
    (mask,) = page.call("masks", first=0)["masks"]
    assert mask["rle"] == segments[1]["rle"]
    assert page.call("undo")["state"]["objects"] == []
    assert "another picture" in page.call("keep", segment=2)["error"]
    page.upload(SCENE, "again.png")
    assert "another picture" in page.call("keep", segment=0)["error"]


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ({"points_per_side": 65}, "Up to 64 points"),
        ({"quality": 7}, "from 0 to 1"),
        ({"points_per_batch": 9}, "makes no sense"),
        ({"quality": "high"}, "makes no sense"),
    ],
)
def test_a_search_that_makes_no_sense_is_a_sentence(page, search, words):
    events, _ = searched(page, **search)
    assert kinds(events)[-1] == "error"
    assert words in events[-1]["text"]
