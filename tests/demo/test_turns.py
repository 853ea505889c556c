"""Requests without a server: batches, closing early, and a model that cannot be had.

Faked: the network, by an actor that knows coloured squares.
"""

import threading
import time

import pytest

from demo.source import Loaded, Loading
from demo.turns import LOADING, act
from demo.visitors import Visitors
from demo.workspace import Workspace
from tests.demo.visiting import kinds, png
from tests.engine.acting import picture, stage
from x2sam.errors import WeightsError
from x2sam.media.limits import Limits


def house(source):
    def make(token, folder):
        return Workspace(token, folder, source, Limits())

    return Visitors(make, limit=4, idle_minutes=30)


@pytest.fixture
def staged():
    return stage()


@pytest.fixture
def visitors(staged):
    engine, _ = staged
    here = house(Loaded(engine))
    yield here
    here.close()


def opened(visitors):
    token = visitors.enter()
    workspace = visitors.find(token)
    folder = workspace.new_folder()
    file = folder / "source"
    file.write_bytes(png(picture(red=(2, 2), blue=(20, 12))))
    workspace.open(folder, file, "scene.png", "image")
    return token, workspace


def asked(visitors, token, text="the red square", **more):
    payload = {"token": token, "run": "r", "kind": "ask", "text": text, **more}
    return [event for delta in act(visitors, payload) for event in delta["events"]]


def test_the_first_of_every_kind_travels_at_once(visitors):
    token, _ = opened(visitors)
    payload = {"token": token, "run": "r", "kind": "ask", "text": "the red square"}
    seen = set()
    for delta in act(visitors, payload):
        new = [kind for kind in kinds(delta["events"]) if kind not in seen]
        assert new in ([], kinds(delta["events"])[-1:])
        seen.update(new)


def test_who_stops_listening_ends_the_turn_and_keeps_what_is_done(visitors):
    token, workspace = opened(visitors)
    deltas = act(visitors, {"token": token, "run": "r", "kind": "ask", "text": "the red square"})
    for delta in deltas:
        if "mask" in kinds(delta["events"]):
            break
    deltas.close()
    assert not workspace.busy
    assert len(workspace.session().objects) == 1
    assert asked(visitors, token, "the blue square")[-1]["kind"] == "done"


def test_a_new_request_ends_the_one_before(visitors, staged, monkeypatch):
    _, actor = staged
    answer = actor.ask

    def endless(view, turns, **more):
        while "red" in turns[-1].question:
            yield from actor.vocabulary.encode("Well, ")
        return (yield from answer(view, turns, **more))

    monkeypatch.setattr(actor, "ask", endless)
    token, workspace = opened(visitors)
    first = act(visitors, {"token": token, "run": "a", "kind": "ask", "text": "the red square"})
    next(first)
    events = asked(visitors, token, "the blue square")
    assert events[-1]["kind"] == "done"
    assert "done" not in kinds([event for delta in first for event in delta["events"]])
    assert not workspace.busy


def test_a_workspace_that_closes_ends_its_turn(visitors):
    token, _ = opened(visitors)
    deltas = act(visitors, {"token": token, "run": "r", "kind": "ask", "text": "the red square"})
    next(deltas)
    visitors.leave(token)
    for _ in deltas:
        pass
    assert threading.active_count() < 20


@pytest.mark.parametrize("payload", [None, [], {}, {"token": "guess"}, {"token": 3, "run": {}}])
def test_strangers_get_a_sentence(visitors, payload):
    (delta,) = act(visitors, payload)
    (event,) = delta["events"]
    assert (event["kind"], event["expired"]) == ("error", True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "dance"},
        {"text": 3},
        {"task": "nonsense"},
        {"drawings": "x"},
        {"drawings": [{"kind": "box", "box": [0, 0]}]},
        {"drawings": [{"kind": "mask", "rle": {"size": [9, 9], "counts": "Q2"}}]},
        {"frame": "first"},
        {"reach": [1, 2]},
        {"reach": {"direction": "up"}},
        {"kind": "propagate"},
    ],
)
def test_nonsense_is_refused_and_nothing_is_lost(visitors, wrong):
    token, workspace = opened(visitors)
    asked(visitors, token)
    events = asked(visitors, token, **wrong)
    assert kinds(events)[-1] == "error"
    assert len(workspace.session().objects) == 1


def test_the_page_is_up_before_the_model_is():
    arrived = threading.Event()
    engine, _ = stage()

    def load():
        arrived.wait()
        return engine

    here = house(Loading(load).begin())
    token, workspace = opened(here)
    assert workspace.described()["name"] == "scene.png"
    assert workspace.state()["objects"] == []
    deltas = act(here, {"token": token, "run": "r", "kind": "ask", "text": "the red square"})
    assert next(deltas)["events"][0]["stage"] == LOADING
    arrived.set()
    assert kinds([event for delta in deltas for event in delta["events"]])[-1] == "done"
    here.close()


def test_a_model_that_cannot_be_loaded_is_a_sentence():
    def load():
        raise WeightsError("There is no model “foo”.")

    source = Loading(load).begin()
    here = house(source)
    with pytest.raises(WeightsError, match="foo"):
        source.get()
    with pytest.raises(WeightsError, match="foo"):
        opened(here)
    here.close()


def test_a_model_that_breaks_while_loading_is_a_sentence(caplog):
    source = Loading(lambda: 1 / 0).begin()
    with pytest.raises(WeightsError, match="log"):
        source.get()
    assert "division" in caplog.text


def test_time_left_is_guessed_from_the_frames_before(visitors):
    token, workspace = opened(visitors)
    events = asked(visitors, token)
    progress = [event for event in events if event["kind"] == "progress"]
    assert all(event["left"] is None for event in progress if event["done"] < 2)
    started = time.monotonic()
    workspace.close()
    assert time.monotonic() - started < 5
