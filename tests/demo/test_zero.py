"""Turns in a process of their own, as on a machine that lends its GPU.

Faked: `spaces`, whose stand-in forks a process for each call and sends nothing back but what is
yielded, pickled; and the predictor, an actor that knows coloured squares. Files, sessions and
processes are real: what works here does not lean on memory that is shared.
"""

import itertools
import multiprocessing
import os
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from gradio.context import LocalContext
from gradio.exceptions import Error
from gradio_client import Client, handle_file
from PIL import Image

from demo import batch_tab, zero
from demo.requests import Request
from demo.settings import Settings
from demo.source import Loaded
from tests.demo import visiting
from tests.demo.visiting import LIMITS, served
from tests.engine.acting import clip, picture, square, stage
from x2sam.engine.reach import Reach
from x2sam.errors import DeviceFullError, LimitError, PromptError
from x2sam.media.limits import Limits
from x2sam.media.masks import Rle
from x2sam.types import Done, Drawing, MaskReady, Routed, Warning  # noqa: A004 (an event)

pytestmark = pytest.mark.forks
OVER = "over"


class Spaces:
    """`spaces.GPU` with a forked process for every call."""

    def __init__(self):
        self.asked = []  # seconds
        self.visitors = []  # by the headers of the request that Gradio is answering
        self.processes = []

    def GPU(self, duration):  # noqa: N802 (its name there)
        def decorate(function):
            def call(*args):
                self.asked.append(duration(*args))
                request = LocalContext.request.get(None)
                self.visitors.append(request and request.headers.get("x-ip-token"))
                context = multiprocessing.get_context("fork")
                reader, writer = context.Pipe(duplex=False)
                process = context.Process(target=work, args=(function, args, writer))
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)  # about forking at all
                    process.start()
                self.processes.append(process.pid)
                writer.close()
                try:
                    while not isinstance(value := reader.recv(), str):
                        yield value
                finally:
                    reader.close()
                    process.terminate()
                    process.join()

            return call

        return decorate


def work(function, args, writer):
    torch.set_num_threads(1)  # a fork has none of its parent's threads, and would wait for them
    for value in function(*args):
        writer.send(value)
    writer.send(OVER)
    os._exit(0)


@pytest.fixture
def spaces(monkeypatch):
    fake = Spaces()
    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=fake.GPU, __spec__=object()))
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    return fake


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "squares.png"
    Image.fromarray(picture(red=(2, 2), blue=(20, 4))).save(path)
    return path


class Page:
    """A session here, and its turns there."""

    def __init__(self, medium):
        self.engine, self.actor = stage()
        self.medium = Path(medium)
        self.session = self.engine.open(self.medium)
        self.gpu = zero.on_gpu(Loaded(self.engine))

    def turn(self, text="", drawings=(), limits=None, **more):
        more = {"kind": "ask", **more}
        request = Request(text=text, drawings=tuple(drawings), **more)
        return zero.Turn(self.gpu, self.session, self.medium, request, limits)

    def ask(self, *args, **more):
        return list(self.turn(*args, **more).events())


@pytest.fixture
def page(spaces, file):
    return Page(file)


def test_a_turn_is_answered_elsewhere_and_known_here(page, spaces):
    events = page.ask("the red square")
    assert isinstance(events[0], Routed)
    assert isinstance(events[-1], Done)
    (ready,) = [event for event in events if isinstance(event, MaskReady)]
    assert np.array_equal(ready.mask, square(2, 2))
    (found,) = page.session.objects
    assert np.array_equal(found.masks[0], square(2, 2))
    assert (found.name, [turn.text for turn in page.session.turns]) == (
        "the red square",
        ["the red square"],
    )
    assert page.actor.log == [], "this process computed"
    assert spaces.asked == [20]


def test_turns_build_on_each_other(page, spaces):
    page.ask("the red square")
    page.ask("the blue square")
    assert [each.id for each in page.session.objects] == [1, 2]
    assert [turn.turn for turn in page.session.turns] == [1, 2]
    assert len(set(spaces.processes)) == 2
    page.session.undo()
    assert [each.id for each in page.session.objects] == [1]
    page.ask("the blue square")
    assert [each.id for each in page.session.objects] == [1, 3], "a number came back"


def test_it_can_go_back_to_before_a_turn(page):
    page.ask("the red square")
    page.ask("the blue square")
    page.session.rewind(2)
    assert [each.name for each in page.session.objects] == ["the red square"]


def test_marks_go_along(page):
    mark = Drawing.point(22, 6)
    page.ask(drawings=[mark])
    (found,) = page.session.objects
    assert np.array_equal(found.masks[0], square(20, 4))


def test_what_needs_no_model_asks_for_no_gpu(page, spaces):
    page.ask("the red square")
    page.ask("hide the red square")
    assert not page.session.objects[0].shown
    assert len(spaces.processes) == 1
    page.ask("undo")
    assert page.session.objects[0].shown


def test_an_error_arrives_as_itself(page):
    with pytest.raises(PromptError, match="no task"):
        page.ask("the red square", task="nothing")
    with pytest.raises(LimitError):
        page.ask("the red square", limits=Limits(picture_pixels=4))
    assert page.ask("the red square")


def test_what_was_found_before_an_error_is_kept(page, monkeypatch):
    usual = Request.answer

    def answer(request, session):
        yield from usual(request, session)
        raise DeviceFullError("The device is out of memory.")

    monkeypatch.setattr(Request, "answer", answer)
    with pytest.raises(DeviceFullError, match="out of memory"):
        page.ask("the red square")
    assert [each.name for each in page.session.objects] == ["the red square"]


def test_a_clip_asks_for_longer_and_can_be_stopped(spaces, tmp_path):
    for index, frame in enumerate(clip(16, red=(2, 2))):
        Image.fromarray(frame).save(tmp_path / f"{index}.png")
    page = Page(tmp_path)
    turn, seen = page.turn("the red square"), 0
    for event in turn.events():
        seen += isinstance(event, MaskReady)
        if seen:
            turn.stop()
    assert event.stopped
    assert spaces.asked == [zero.START + round(16 * zero.FRAME)]
    (found,) = page.session.objects
    assert 0 < len(found.masks) <= 16
    assert not turn._folder.exists()
    turn.stop()  # which is late, and harms nothing


def test_fewer_frames_ask_for_less(spaces, tmp_path):
    for index, frame in enumerate(clip(16, red=(2, 2))):
        Image.fromarray(frame).save(tmp_path / f"{index}.png")
    page = Page(tmp_path)
    page.ask("the red square", reach=Reach(first=4, last=8))
    page.ask(kind="propagate", object=1, frame=8, reach=Reach(first=8, last=15))
    page.ask(drawings=[Drawing.point(6, 6, frame=3)], reach=Reach.only(3))
    asked = [round(zero.START + zero.FRAME * frames) for frames in (5, 8, 1)]
    assert spaces.asked == asked
    assert {*range(4, 16)} <= {*page.session.objects.by_id(1).masks}
    with pytest.raises(PromptError):
        page.ask("the red square", reach=Reach(first=20))
    assert len(spaces.asked) == 3, "a GPU was asked for in vain"


def test_a_reader_that_leaves_ends_the_other_process_and_keeps_what_is_done(page):
    turn = page.turn("the red square")
    events = turn.events()
    for event in events:
        if isinstance(event, MaskReady):
            break
    events.close()
    assert not turn._folder.exists()
    assert [each.name for each in page.session.objects] == ["the red square"]
    assert page.ask("the blue square")


def test_the_list_is_there_before_the_masks_are(page):
    for event in page.turn("the red square").events():
        if isinstance(event, MaskReady):
            assert event.object in page.session.objects.ids()
        if isinstance(event, Done):
            assert [turn.turn for turn in page.session.turns] == [event.turn]
    page.session.undo()
    assert list(page.session.objects) == [], "one turn is one change"


def test_what_is_changed_meanwhile_stays(page):
    page.ask("the red square")
    for event in page.turn("the blue square").events():
        if isinstance(event, Routed):
            page.session.rename(1, "the cherry")
    assert [each.name for each in page.session.objects] == ["the cherry", "the blue square"]


def test_a_gpu_that_cannot_be_had_is_a_sentence(page):
    def refuse(job):
        yield from ()
        raise Error("You have <b>0s</b> left.")

    page.gpu = refuse
    with pytest.raises(zero.LendingError, match="You have 0s left"):
        page.ask("the red square")


@pytest.fixture
def long(spaces, tmp_path):
    """A clip whose turns are answered in this process, in which a GPU may be taken back."""
    for index, frame in enumerate(clip(16, red=(2, 2))):
        Image.fromarray(frame).save(tmp_path / f"{index}.png")
    page = Page(tmp_path)
    page.gpu = lambda job: zero.answers(page.engine, job)
    return page


def test_what_was_made_before_a_turn_is_cut_off_is_kept(long, monkeypatch):
    monkeypatch.setattr(zero, "KEPT", 0)

    def cut(job):
        masks = 0
        for value in zero.answers(long.engine, job):
            yield value
            masks += isinstance(value, MaskReady)
            if masks == 5:
                raise Error("GPU task aborted")

    long.gpu = cut
    with pytest.raises(zero.LendingError, match=r"taken back; .* is kept\. GPU task aborted"):
        long.ask("the red square")
    (found,) = long.session.objects
    assert len(found.masks) == 5
    long.session.undo()
    assert list(long.session.objects) == [], "it is one change"


def test_a_turn_ends_by_itself_before_its_time_is_over(long, monkeypatch):
    clock = itertools.count()  # a second for each event
    monkeypatch.setattr(zero, "monotonic", lambda: next(clock))
    events = long.ask("the red square")
    assert [event.text for event in events if isinstance(event, Warning)] == [zero.OVER]
    assert events[-1].stopped
    (found,) = long.session.objects
    assert 0 < len(found.masks) < 16


def test_what_takes_longer_than_a_gpu_is_lent_for_is_told_before(long, monkeypatch):
    monkeypatch.setattr(zero, "LONGEST", 22)
    first, *others = long.ask("the red square")
    assert first.text.startswith("A GPU is lent for 22 seconds, which is enough for about 10 of")
    assert not any(isinstance(event, Warning) for event in others)
    monkeypatch.setitem(zero.FRAMES, long.actor.model.config.name, 0.1)
    assert not isinstance(long.ask("the red square")[0], Warning), "it is faster"


def test_talk_about_a_clip_does_not_ask_for_all_of_its_frames(long):
    jobs = []
    long.gpu = lambda job: jobs.append(job) or zero.answers(long.engine, job)
    long.session.options = replace(long.session.options, chat_frames=3)
    long.ask("what is this?", task="chat")
    long.ask("the red square")
    assert [job.frames for job in jobs] == [3, 16]


def test_elsewhere_the_session_answers(file, monkeypatch):
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    assert not zero.is_lent()
    assert not zero.prepare()
    page = Page(file)
    assert page.gpu is None
    page.ask("the red square")
    assert page.actor.log, "this process should have computed"
    assert [each.name for each in page.session.objects] == ["the red square"]


# The page


@pytest.fixture
def here(spaces):
    """A page with a GPU that is lent, an actor that must not be asked here, and the lender."""
    engine, actor = stage()
    with served(Settings(limits=LIMITS), engine) as address:
        yield SimpleNamespace(address=address, actor=actor, spaces=spaces)
    assert actor.log == [], "this process computed"


def test_the_page_answers_where_the_gpu_is(here):
    page = visiting.Page(here.address)
    page.http.headers["x-ip-token"] = "ann"
    assert page.upload(visiting.SCENE, "scene.png").json()["ok"]
    events = page.ask("the red square")
    assert "estimate" not in visiting.kinds(events)
    (mask,) = [event for event in events if event["kind"] == "mask"]
    states = [event["state"] for event in events if event["kind"] == "state"]
    assert [each["id"] for each in states[0]["objects"]] == [mask["object"]]
    assert [turn["text"] for turn in states[-1]["turns"]] == ["the red square"]
    assert events[-1]["kind"] == "done"
    assert here.spaces.visitors == ["ann"], "who asks is not known to the lender"
    assert not page.call("estimate", text="the blue square")["ok"]
    assert page.call("undo")["state"]["objects"] == []
    page.close()


def test_going_back_ends_what_is_answered_elsewhere(here):
    page = visiting.Page(here.address)
    page.upload(visiting.SCENE, "scene.png")
    page.ask("the red square")
    deltas = page.deltas(text="the blue square")
    next(deltas)
    state = page.call("forget")["state"]
    assert (state["objects"], state["turns"]) == ([], [])
    events = [event for delta in deltas for event in delta["events"]]
    assert events[-1]["kind"] == "done"
    assert page.call("state")["state"]["objects"] == []
    page.close()


def test_programs_are_answered_where_the_gpu_is(here, file):
    client = Client(f"{here.address}/", verbose=False, headers={"x-ip-token": "bob"})
    answer = client.predict(handle_file(file), "the red square", api_name="/segment_image")
    client.close()
    assert np.array_equal(Rle.from_json(answer["objects"][0]["rle"]).mask(), square(2, 2))
    assert here.spaces.visitors == ["bob"]


def test_a_batch_is_answered_where_the_gpu_is(spaces, file):
    engine, actor = stage()
    batch = batch_tab.Batch(Loaded(engine), Settings(), zero.on_gpu(Loaded(engine)))
    visitor = SimpleNamespace(session_hash="ann", headers={})
    *_, (table, said, _) = batch.run([str(file), str(file)], "the red square", visitor)
    assert table.count("the red square (0.90)") == 2, said
    assert (len(spaces.asked), actor.log) == (2, [])
