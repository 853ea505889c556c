"""On a GPU nothing within a frame or a word waits for it, and nothing is on the wrong device.

There is no GPU: every weight is a fake CUDA tensor, which knows its size, dtype and device but no
numbers. Looking at a number or at how many are true raises, as does mixing devices; copies from
the processor, for which a GPU is waited too unless they are planned, are counted.
"""

import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from tests.tiny import tiny_config
from x2sam.model import positions
from x2sam.model.build import build
from x2sam.model.conditions import Conditions
from x2sam.model.recorded import Recorded

CUDA = "cuda"


class Copies(TorchDispatchMode):
    """Counts what moves between the processor and the GPU."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        given = [each.device.type for each in args if isinstance(each, torch.Tensor)]
        if isinstance(out, torch.Tensor) and given and out.device.type not in given:
            self.names.append(str(func))
        return out


def fake(*shape, dtype=torch.float32):
    return torch.empty(shape, device=CUDA, dtype=dtype)


@pytest.fixture
def model():
    positions.forget()
    model = build(tiny_config())
    with FakeTensorMode(allow_non_fake_inputs=True), torch.inference_mode():
        for module in model.modules():
            for name, weight in module._parameters.items():
                if weight is not None:
                    kept = torch.nn.Parameter(fake(*weight.shape), requires_grad=False)
                    module._parameters[name] = kept
            for name, buffer in module._buffers.items():
                if buffer is not None:
                    module._buffers[name] = fake(*buffer.shape, dtype=buffer.dtype)
        model.language.tie()
        yield model
    positions.forget()


def sought():
    return Conditions(
        classes=fake(1, 2, 32),
        class_mask=fake(1, 2, dtype=torch.bool),
        tokens=fake(1, 3, 32),
        token_mask=fake(1, 3, dtype=torch.bool),
        seg=fake(1, 1, 32),
    )


def test_the_fake_is_strict(model):
    with pytest.raises(DataDependentOutputException):
        model.background.weight.sum().item()
    with pytest.raises(RuntimeError, match="at least two devices"):
        model.background.weight + torch.zeros(32, 1)


def test_frames_are_segmented_without_waiting(model):
    stream = model.stream(sought())
    for index in range(8):  # the memory is full after five
        with Copies() as copies:
            seen = stream.step(model.mask_encoder(fake(1, 3, 128, 128)))[-1]
        assert seen.mask_logits.device.type == CUDA
        if index > 6:
            assert copies.names == []


def test_a_word_is_written_without_waiting(model):
    recorded = Recorded(model.language, room=64)
    with Copies() as copies:
        state, logits = recorded.compute()
    assert (state.shape, logits.shape) == ((1, 1, 64), (349,))
    assert copies.names == []
