"""The engine itself: loading, steps, and what it says of its model.

Faked: the weights that are loaded, devices that run full, and what is free on them.
"""

import pytest
import torch

import x2sam
from tests.engine.acting import Actor, stage
from x2sam.config import X2SAMConfig
from x2sam.engine.engine import Engine, Stopped, Work, load
from x2sam.engine.feature_cache import LEAST, MOST, Packed, budget
from x2sam.engine.options import SUITED, Options
from x2sam.errors import DeviceFullError
from x2sam.model import memory_needs, pretrained, room


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


@pytest.mark.parametrize(
    ("where", "free", "kept"),
    [
        ("cuda:1", 5 << 30, (5 << 30) // 2),
        ("cuda:1", 100 << 30, MOST),
        ("cuda:1", 100 << 20, LEAST),
        ("cuda:1", None, LEAST),  # a GPU that is yet to be lent
        ("cpu", 100 << 30, LEAST),
    ],
)
def test_the_cache_is_as_large_as_the_device_allows(monkeypatch, where, free, kept):
    actor, asked = Actor(), []
    actor.device = torch.device(where)
    monkeypatch.setattr(pretrained, "load", lambda source, **_: actor)
    monkeypatch.setattr(room, "device", lambda device: asked.append(device) or free)
    work = memory_needs.work(actor.model.config)
    limit = load("some/folder").cache.limit
    assert asked in ([], [actor.device])
    assert kept - work <= limit <= kept
    assert limit >= LEAST


def test_a_small_gpu_keeps_its_memory_for_pictures():
    """8 GB hold the 4B in 4 bits and a picture; what is kept of frames may not change that."""
    weight = memory_needs.weigh(X2SAMConfig(), torch.bfloat16, 4)
    assert budget(8 * 10**9 - weight.all, weight.work) == LEAST
    free = 24 * 10**9 - memory_needs.weigh(X2SAMConfig(), torch.bfloat16).all
    assert budget(free, weight.work) + weight.work < free


def test_a_model_may_have_options_that_suit_it(monkeypatch):
    monkeypatch.setitem(SUITED, "micro", Options(frames=3))
    assert stage()[0].options.frames == 3
    monkeypatch.delitem(SUITED, "micro")
    assert stage()[0].options == Options()


def test_a_full_device_keeps_less_from_then_on():
    engine, _ = stage(cache_bytes=5 * LEAST)
    for limit in (5 * LEAST // 2, 5 * LEAST // 4, LEAST, LEAST):
        engine.cache.put((1, 0), Packed(False, (), torch.zeros(9, dtype=torch.uint8)))
        with pytest.raises(DeviceFullError), engine.step():
            raise torch.OutOfMemoryError("CUDA out of memory")
        assert (engine.cache.limit, engine.cache.bytes, len(engine.cache)) == (limit, 0, 0)


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
