"""8 and 4 bits, by bitsandbytes on the CPU: what is stored so, how well, and what is left alone.

The network is the thumbnail, with a language model wide enough for blocks of 64. Faked: a device
on which bitsandbytes does not work, and its absence.
"""

from dataclasses import replace

import pytest
import torch
from tiny import tiny_config

from x2sam.config import LanguageConfig
from x2sam.errors import WeightsError
from x2sam.model import quantisation
from x2sam.model.build import build
from x2sam.model.checkpoint_names import is_adapted
from x2sam.model.quantisation import bits_of, check, count, quantised, stored_bytes
from x2sam.model.weights import load, save

CPU = torch.device("cpu")
WIDE = LanguageConfig(
    **{
        **{name: getattr(tiny_config().language, name) for name in LanguageConfig.__slots__},
        "hidden_size": 128,
        "intermediate_size": 192,
    }
)
CONFIG = replace(tiny_config(), language=WIDE)
ERRORS = {8: 0.02, 4: 0.15}  # of a product, relative


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    save(build(CONFIG, seed=2), folder)
    return folder


@torch.inference_mode()
def states(model):
    embeds, _ = model.language.embed(torch.arange(12)[None])
    return model.language.run(embeds)


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_product_stays_near(bits, dtype):
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(192, 128, generator=generator).to(dtype)
    values = torch.randn(3, 128, generator=generator).to(dtype)
    linear = quantised(weight, bits, CPU, dtype)
    with torch.inference_mode():
        out, exact = linear(values), values.float() @ weight.float().T
    assert out.dtype == dtype
    assert (out.float() - exact).norm() / exact.norm() < ERRORS[bits]


@pytest.mark.parametrize("bits", [8, 4])
def test_stored_bytes_are_those_of_bitsandbytes(bits):
    weight = quantised(torch.randn(192, 128), bits, CPU, torch.float32).weight
    if bits == 8:
        scales = weight.SCB.nbytes
    else:
        state = weight.quant_state
        scales = state.absmax.nbytes + state.state2.absmax.nbytes
    assert weight.nbytes + scales == stored_bytes((192, 128), bits)


@pytest.mark.parametrize("bits", [8, 4])
def test_only_the_language_layers_are_stored_in_fewer_bits(bits, folder):
    model, whole = load(folder, bits=bits), load(folder)
    assert (bits_of(model), bits_of(whole)) == (bits, None)
    assert count(model) == count(whole)
    exact = dict(whole.named_parameters())
    changed = {name for name, weight in model.named_parameters() if not weight.is_floating_point()}
    assert changed == {name for name in exact if is_adapted(name)}
    assert all(torch.equal(x, exact[n]) for n, x in model.named_parameters() if n not in changed)
    assert model.language.lm_head.weight is model.language.model.language_model.embed_tokens.weight
    error = (states(model) - states(whole)).norm() / states(whole).norm()
    assert 0 < error < 2 * ERRORS[bits]


def test_lora_is_merged_before_bits_are_taken_away(tmp_path):
    """The adapters are in the checkpoint, so the quantised weight has to be that of the sum."""
    pytest.importorskip("peft")
    model = build(CONFIG, seed=2)
    save(model, tmp_path / "merged")
    with_lora = {**dict(model.named_parameters())}
    name = next(name for name in with_lora if is_adapted(name))
    linear = quantised(with_lora[name].data, 8, CPU, torch.float32)
    loaded = load(tmp_path / "merged", bits=8).get_parameter(name)
    assert torch.equal(loaded.data, linear.weight.data)


def test_what_cannot_be_had_is_a_sentence(monkeypatch):
    assert check(None, CPU) is None
    assert check(4, CPU) == 4
    with pytest.raises(WeightsError, match="8 or 4 bits, not in 3"):
        check(3, CPU)

    def missing():
        raise ImportError("No module named 'bitsandbytes'\nmore")

    monkeypatch.setattr(quantisation, "_library", missing)
    with pytest.raises(WeightsError, match=r"4 bits cannot be had on cpu: .*“No module named"):
        check(4, CPU)
