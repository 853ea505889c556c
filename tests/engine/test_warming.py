"""A GPU is warmed up before anybody waits for it. Faked: the predictor, and where it runs."""

import pytest
import torch

from tests.engine.acting import stage
from x2sam.engine.warming import warmed


def warm(where, **more):
    engine, actor = stage()
    actor.device = torch.device(where)
    vars(actor).update(more)
    assert warmed(engine) is engine
    return engine, [kind for kind, _ in actor.log]


def test_one_turn_is_taken_on_a_gpu_and_nothing_is_left_of_it():
    engine, log = warm("cuda:1")
    assert log == ["look", "ask", "features", "segment"]
    assert len(engine.cache) == 0
    assert engine.pace.of("segment") is None


def test_elsewhere_there_is_nothing_to_warm_up():
    assert warm("cpu")[1] == []


def test_a_gpu_that_is_full_is_left_for_the_first_request_to_tell():
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    assert warm("cuda:0", look=full)[1] == []


def test_a_bug_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        warm("cuda:0", look=lambda *_: 1 / 0)
