"""The kernel against the plain sampling, through Triton's interpreter, and through its compiler.

There is no GPU: the interpreter runs the kernel on the processor with numpy, and the compiler
translates it for three generations of GPUs without running it. Faked: which one is current.
"""

from contextlib import contextmanager

import pytest
import torch

from x2sam.model import fused_sampling
from x2sam.model.pixel_decoder import _grid, sample

pytest.importorskip("triton")
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.compiler import compile as translate
from triton.runtime.interpreter import InterpretedFunction

SHAPES = ((2, 3), (4, 6))
TOKENS = 30


@pytest.mark.parametrize(("batch", "heads", "channels"), [(1, 2, 4), (2, 3, 6)])
def test_it_sums_up_what_the_plain_one_does(batch, heads, channels):
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(batch, TOKENS, heads, channels, generator=generator)
    places = 1.6 * torch.rand(batch, TOKENS, heads, 2, 4, 2, generator=generator) - 0.3
    weights = torch.rand(batch, TOKENS, heads, 8, generator=generator).softmax(-1)
    *_, levels = _grid(SHAPES, values.device, values.dtype)
    run = InterpretedFunction(fused_sampling.kernel.fn)
    ours = fused_sampling.launch(run, values, places, weights, levels)
    torch.testing.assert_close(ours, sample(values, SHAPES, places, weights), atol=1e-5, rtol=0)


@pytest.mark.parametrize("capability", [80, 90, 100])
@pytest.mark.parametrize("kind", ["bf16", "fp32"])
def test_it_compiles_for_gpus_that_people_have(capability, kind):
    pointer = f"*{kind}"
    signature = dict.fromkeys(("values", "places", "weights", "out"), pointer)
    signature |= {"levels": "*i32", "tokens": "i32"}
    sizes = {"HEADS": 8, "CHANNELS": 32, "WIDE": 32, "LEVELS": 3, "POINTS": 4, "TOKENS": 16}
    signature |= dict.fromkeys(sizes, "constexpr")
    names = fused_sampling.kernel.arg_names
    source = ASTSource(
        fused_sampling.kernel,
        {name: signature[name] for name in names},
        {(names.index(name),): value for name, value in sizes.items()},
    )
    target = GPUTarget("cuda", capability, 32)
    compiled = translate(source, target=target, options={"enable_fp_fusion": True})
    assert compiled.asm["cubin"]


def test_it_starts_on_the_device_of_the_features(monkeypatch):
    current = []

    @contextmanager
    def enter(device):
        current.append(device)
        yield
        current.pop()

    def launch(run, values, *_):
        assert current == [values.device]
        return torch.ones_like(values).flatten(2)

    monkeypatch.setattr(torch.cuda, "device", enter)
    monkeypatch.setattr(fused_sampling, "launch", launch)
    nothing = torch.zeros(1, 1, 1, 1)
    assert fused_sampling._sample(nothing, nothing, nothing, nothing).item() == 1


def test_without_a_gpu_it_leaves_the_work_to_the_plain_one():
    nothing = torch.zeros(1, 1, 1, 1)
    assert fused_sampling.sample(nothing, nothing, nothing, nothing) is None
