"""What is tried on a GPU, without one: faked are the kernel's launch, CUDA graphs, and failures."""

from contextlib import nullcontext

import pytest
import torch

from x2sam import doctor
from x2sam.doctor import gpu
from x2sam.model import fused_sampling, quantisation


@pytest.fixture
def rows(monkeypatch):
    """Let there be a GPU that does what it should; what runs runs on the CPU."""

    class Graph:
        def replay(self):
            pass

    def launch(_, values, *__):
        return values.flatten(2)

    with monkeypatch.context() as there:
        there.setattr(torch.cuda, "is_available", lambda: True)
        found = gpu.rows()
    monkeypatch.setattr(fused_sampling, "launch", launch)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", lambda *_, **__: nullcontext())
    return found


def test_without_a_gpu_nothing_is_tried(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.rows() == []


def test_each_is_tried(rows):
    findings = doctor.examine(rows)
    assert [(each.name, each.value, each.ok) for each in findings] == [
        ("4 bits", "works", True),
        ("Triton kernel", "works", True),
        ("CUDA graph", "works", True),
    ]


def test_one_that_fails_leaves_the_others(rows, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no kernel image")

    for library, name in (
        (quantisation, "quantised"),
        (fused_sampling, "launch"),
        (torch.cuda, "graph"),
    ):
        with monkeypatch.context() as broken:
            broken.setattr(library, name, fail)
            findings = doctor.examine(rows)
        (failed,) = [each for each in findings if not each.ok]
        assert "no kernel image" in failed.value


def test_a_wrong_result_is_a_failure(rows, monkeypatch):
    monkeypatch.setattr(fused_sampling, "launch", lambda _, values, *__: 2 * values.flatten(2))
    assert [each.name for each in doctor.examine(rows) if not each.ok] == ["Triton kernel"]
