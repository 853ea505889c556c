"""The engine itself: loading, steps, and what it says of its model.

Faked: the weights that are loaded, and devices that run full.
"""

import pytest
import torch

import x2sam
from tests.engine.acting import Actor, stage
from x2sam.engine.engine import Engine, Stopped, Work, load
from x2sam.engine.options import SUITED, Options
from x2sam.errors import DeviceFullError
from x2sam.model import pretrained


def test_the_public_names_are_these():
    assert x2sam.load is load
    assert x2sam.Engine is Engine
    assert x2sam.Options is Options


def test_loading_hands_its_arguments_on(monkeypatch):
    asked = []

    def fake(source, **more):
        asked.append((source, more))
        return Actor()

    monkeypatch.setattr(pretrained, "load", fake)
    wish = {"base": "b", "revision": "v1", "bits": 4, "device": "cpu", "offload": False}
    engine = load("some/folder", **wish, merge=False, tell=print, cache_bytes=7)
    assert isinstance(engine, Engine)
    assert engine.cache.limit == 7
    assert asked == [("some/folder", wish | {"merge": False, "dtype": None, "tell": print})]


def test_a_model_may_have_options_that_suit_it(monkeypatch):
    monkeypatch.setitem(SUITED, "micro", Options(frames=3))
    assert stage()[0].options.frames == 3
    monkeypatch.delitem(SUITED, "micro")
    assert stage()[0].options == Options()


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_a_full_device_is_said_in_a_sentence(error):
    engine, _ = stage()
    with pytest.raises(DeviceFullError, match=r"\.$"), engine.step():
        raise error
    with engine.step():
        pass


def test_a_bug_still_looks_like_one():
    engine, _ = stage()
    with pytest.raises(RuntimeError, match="shape"), engine.step():
        raise RuntimeError("shape mismatch")


def test_stopped_work_takes_no_further_step():
    engine, _ = stage()
    work = Work(engine)
    with work.step("word"):
        pass
    work.stop()
    with pytest.raises(Stopped), work.step("word"):
        pytest.fail("it went on")
    assert engine.waiting == 0
