"""Layers that lie elsewhere: where they go, and that the network says the same.

Real: accelerate, the files on the disk. There is no second device here, so layers in the host's
memory are fetched by the device that has them already.
"""

import gc

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_checkpoint import CONFIG

from x2sam.model.build import build
from x2sam.model.placement import DISK, HOST, Placed, Scratch, spread, told
from x2sam.model.weights import load, save

LAYERS = CONFIG.language.layers


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    save(build(CONFIG, seed=4), folder)
    return folder


@torch.inference_mode()
def outputs(model):
    """Read a prompt, and then one more token with what the layers remember of it."""
    cache = model.language.new_cache()
    first = model.language.run(model.language.embed(torch.arange(9)[None])[0], cache=cache)
    return first, model.language.run(model.language.embed(torch.tensor([[5]]))[0], cache=cache)


@given(
    st.integers(1, 40),
    st.integers(1, 9),
    st.lists(st.tuples(st.sampled_from(["cuda:0", HOST, DISK]), st.integers(-20, 200)), max_size=4),
)
def test_spread_keeps_to_what_is_free(layers, size, rooms):
    places = spread(layers, size, rooms)
    held = sum(max(free, 0) // size for _, free in rooms)
    assert (places is None) == (held < layers)
    if places is not None:
        assert len(places) == layers
        for name in {name for name, _ in rooms}:
            free = sum(max(free, 0) for each, free in rooms if each == name)
            assert places.count(name) * size <= free


@pytest.mark.parametrize(
    "places",
    [(HOST,) * (LAYERS - 1) + (DISK,), (DISK,) * LAYERS, (DISK, HOST) * (LAYERS // 2)],
    ids=["last on disk", "all on disk", "every other"],
)
def test_layers_elsewhere_change_no_bit(places, folder, tmp_path):
    scratch = Scratch(tmp_path / "layers")
    model, whole = load(folder, places=places, scratch=scratch), load(folder)
    for one, other in zip(outputs(model), outputs(whole), strict=True):
        assert torch.equal(one, other)
    layers = model.language.model.language_model.layers
    assert isinstance(layers, Placed)
    away = {i for i, layer in enumerate(layers) if all(w.is_meta for w in layer.parameters())}
    assert away == {i for i, place in enumerate(places) if place == DISK}
    assert f"{places.count(DISK)} on disk" in told(model)
    assert told(whole) == ""


def test_the_folder_goes_with_the_model(folder, tmp_path):
    model = load(folder, places=(DISK,) * LAYERS, scratch=Scratch(tmp_path))
    assert list(tmp_path.iterdir())
    del model
    gc.collect()
    assert not list(tmp_path.iterdir())
