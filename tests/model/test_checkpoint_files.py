"""Files: every kind gives the same tensors, and no bad one gives any, or runs.

The files are written here. Faked: that there is no network.
"""

import os
import pickle

import huggingface_hub
import pytest
import torch
from safetensors.torch import save_file
from tiny_checkpoint import write_pieces

from x2sam.errors import WeightsError
from x2sam.model import checkpoint_files
from x2sam.model.checkpoint_files import read_table, resolve

TENSORS = {
    name: torch.linspace(-1, 1, 64).reshape(shape).to(dtype)
    for name, shape, dtype in (
        ("a.weight", (8, 8), torch.float32),
        ("a.bias", (64,), torch.bfloat16),
        ("b", (1, 2, 32), torch.float16),
    )
}


def assert_holds_tensors(path):
    table = read_table(path)
    assert table.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert table[name].shape == tensor.shape
        assert table[name].read().dtype == tensor.dtype
        assert torch.equal(table[name].read(), tensor)
        assert torch.equal(table[name].read("cpu", torch.float64), tensor.double())


def refusal(path):
    """Read, and give what the person reads."""
    with pytest.raises(WeightsError) as caught:
        read_table(path)
    return str(caught.value)


def write(path):
    """Write a file of the kind that its name says."""
    (save_file if path.suffix == ".safetensors" else torch.save)(TENSORS, path)
    return path


# All kinds of file


@pytest.mark.parametrize(
    "wrap",
    [
        lambda tensors: tensors,
        lambda tensors: {"state_dict": tensors, "meta": {"epoch": 1}},
        lambda tensors: {"module": {f"module.{name}": x for name, x in tensors.items()}},
        lambda tensors: {name: x.clone().mT if x.ndim > 1 else x for name, x in tensors.items()},
    ],
    ids=["bare", "wrapped", "deepspeed", "transposed"],
)
@pytest.mark.parametrize("suffix", [".bin", ".pth", ".pt"])
def test_pickles(wrap, suffix, tmp_path):
    torch.save(wrap(TENSORS), tmp_path / f"model{suffix}")
    table = read_table(tmp_path / f"model{suffix}")
    for name, tensor in TENSORS.items():
        read = table[name].read()
        assert read.is_contiguous()
        assert torch.equal(read.flatten().sort().values, tensor.flatten())


@pytest.mark.parametrize(
    "name", ["model.safetensors", "pytorch_model.bin", "any.pth", "any.safetensors"]
)
def test_a_file_and_its_folder(name, tmp_path):
    assert_holds_tensors(write(tmp_path / name))
    assert_holds_tensors(tmp_path)


def test_pieces(tmp_path):
    write_pieces(TENSORS, tmp_path / "x")
    assert_holds_tensors(tmp_path / "x")
    assert_holds_tensors(tmp_path / "x" / "model.safetensors.index.json")


def test_safetensors_come_before_pickles(tmp_path):
    torch.save({"old": torch.ones(1)}, tmp_path / "pytorch_model.bin")
    write(tmp_path / "model.safetensors")
    assert_holds_tensors(tmp_path)


@pytest.mark.parametrize("name", ["x.safetensors", "x.bin"])
def test_letting_go_of_pages_changes_nothing(name, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_files, "WINDOW", 100)
    stored = read_table(write(tmp_path / name))["a.weight"]
    looked = [stored.file.read("a.weight") for _ in range(3)]
    assert all(torch.equal(tensor, TENSORS["a.weight"]) for tensor in looked)
    assert_holds_tensors(tmp_path / name)


def test_what_is_read_is_a_copy(tmp_path):
    stored = read_table(write(tmp_path / "x.safetensors"))["a.weight"]
    stored.read().zero_()
    assert torch.equal(stored.read(), TENSORS["a.weight"])


# Damaged and unsafe files


class Evil:
    """Does something when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("kind", ["torch", "torch before 2019", "pickle"])
def test_a_checkpoint_does_not_run_code(kind, tmp_path):
    trap = {"bg_embeds.weight": Evil(str(tmp_path / "was here"))}
    path = tmp_path / "pytorch_model.bin"
    if kind == "pickle":
        path.write_bytes(pickle.dumps(trap))
    else:
        torch.save(trap, path, _use_new_zipfile_serialization=kind == "torch")
    said = refusal(tmp_path)
    assert "refused" in said or "cannot be read" in said
    assert not (tmp_path / "was here").exists()


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("name", ["x.safetensors", "x.bin"])
def test_truncated_and_empty_files(share, name, tmp_path):
    data = write(tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(len(data) * share)])
    assert f"{name} cannot be read" in refusal(tmp_path / name)


def test_quantised_weights(tmp_path):
    torch.save({"a": torch.ones(2, dtype=torch.int8)}, tmp_path / "x.bin")
    with pytest.raises(WeightsError, match=r"x.bin is quantised \(a is torch.int8\)"):
        read_table(tmp_path / "x.bin")["a"].read("cpu", torch.float32)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no weights in"),
        ({"notes.txt": "hello"}, "no weights in"),
        ({"a.pth": "", "b.pth": ""}, "2 checkpoints; name one"),
        ({"model.safetensors": "this is not a checkpoint at all"}, "cannot be read"),
        ({"pytorch_model.bin": "this is not a checkpoint at all"}, "cannot be read"),
        ({"model.safetensors.index.json": "{oh"}, "index.json is damaged"),
        ({"model.safetensors.index.json": '{"weight_map": [1]}'}, "index.json is damaged"),
        ({"model.safetensors.index.json": '{"weight_map": {"a": 1}}'}, "index.json is damaged"),
        ({"model.safetensors.index.json": '{"weight_map": {"a": "x.bin"}}'}, "x.bin is missing"),
    ],
)
def test_folders_without_a_checkpoint(files, words, tmp_path):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert words in refusal(tmp_path)


@pytest.mark.parametrize("content", [[1, 2], {"a": 1}, {1: torch.ones(1)}, torch.ones(3)])
def test_pickles_of_something_else(content, tmp_path):
    torch.save(content, tmp_path / "x.pth")
    assert "holds no table of tensors" in refusal(tmp_path / "x.pth")


def test_one_weight_in_two_files(tmp_path):
    write_pieces(TENSORS, tmp_path / "x")
    save_file(TENSORS, tmp_path / "x" / "model-2-of-2.safetensors")
    assert "Two files" in refusal(tmp_path / "x")


def test_an_index_cannot_name_a_file_elsewhere(tmp_path):
    save_file(TENSORS, tmp_path / "private.safetensors")
    (tmp_path / "x").mkdir()
    index = tmp_path / "x" / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"a": "../private.safetensors"}}')
    assert "private.safetensors is missing" in refusal(index)


def test_other_files(tmp_path):
    (tmp_path / "weights.ckpt").write_bytes(b"")
    assert "should end in one of .safetensors" in refusal(tmp_path / "weights.ckpt")


# Where they lie


def test_paths_are_found_and_other_names_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_files, "PACKAGED", tmp_path)
    assert resolve(tmp_path) == tmp_path
    assert resolve(str(tmp_path)) == tmp_path
    with pytest.raises(WeightsError, match="'nano' is not part of this copy"):
        resolve("nano")
    with pytest.raises(WeightsError, match="no checkpoint at '/no/where'"):
        resolve("/no/where")
    with pytest.raises(WeightsError, match="no checkpoint at 'micro'"):
        resolve("micro")
    (tmp_path / "nano").mkdir()
    assert resolve("nano") == tmp_path / "nano"


@pytest.mark.parametrize("name", ["some/thing", "so--me/thi..ng"])
def test_without_the_hub_there_is_a_sentence(name, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match=f"no file or folder '{name}', and it could not"):
        resolve(name)
