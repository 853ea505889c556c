"""From a name to a model: what is told, what is refused, and that wishes arrive.

The models are nano and the thumbnail. Faked: how much memory there is, and the Hub.
"""

import re
from contextlib import nullcontext
from io import BytesIO

import huggingface_hub
import pytest
import torch
from hub_cache import put
from safetensors.torch import save as serialised
from tiny_checkpoint import CONFIG, qwen_tensors, random_tensors

from x2sam.errors import DeviceFullError, PromptError, WeightsError
from x2sam.model import checkpoint_files, hub, memory_needs, pretrained, room, weights
from x2sam.model.build import build
from x2sam.model.placement import told
from x2sam.model.pretrained import default_dtype, find_device, load
from x2sam.model.quantisation import bits_of
from x2sam.model.weights import save

NANO = checkpoint_files.PACKAGED / "nano"


@pytest.fixture
def folder(tmp_path):
    save(build(CONFIG), tmp_path)
    (tmp_path / "tokenizer.json").write_bytes((NANO / "tokenizer.json").read_bytes())
    return tmp_path


def silent(sentence):
    pytest.fail(f"told: {sentence}")


def test_small_models_are_loaded_without_a_word(folder):
    predictor = load(folder, device="cpu", bits=8, dtype=torch.bfloat16, tell=silent)
    assert bits_of(predictor.model) == 8
    assert predictor.dtype == torch.bfloat16


def test_large_ones_are_told_before(folder, monkeypatch):
    said = []
    monkeypatch.setattr(pretrained, "QUIET", 0)
    load(folder, device="cpu", tell=said.append)
    assert len(said) == 1
    assert "of memory on cpu" in said[0]


def test_the_published_model_is_refused_where_it_cannot_fit(monkeypatch):
    """Without a download: what it takes is known from its layout."""
    monkeypatch.setattr(hub, "fetch", lambda *_: pytest.fail("fetched"))
    monkeypatch.setattr(hub, "missing", lambda *_: 6_000_000_000)
    monkeypatch.setattr(room, "host", lambda: 7_000_000_000)
    said = []
    with pytest.raises(DeviceFullError) as caught:
        load("hao9610/X2SAM", device="cpu", dtype=torch.bfloat16, tell=said.append)
    assert str(caught.value) == (
        "The model takes 9.5 GB of memory on cpu, and 7.0 GB is free. Free some, load it in 8 bits "
        "(5.8 GB) or 4 bits (4.1 GB), let a part of it be kept elsewhere (offload), or take a "
        "smaller model such as nano."
    )
    assert said[0].startswith("hao9610/X2SAM: Up to 12.0 GB has to be downloaded, to a disk with")
    assert ". It takes 9.5 GB of memory on cpu and about 4.0 GB more for a picture; " in said[0]


def test_a_disk_for_a_part_of_the_download_gets_none_of_it(monkeypatch):
    """There is room for the checkpoint and for its base, but not for both."""
    monkeypatch.setattr(hub, "fetch", lambda *_: pytest.fail("fetched"))
    monkeypatch.setattr(hub, "missing", lambda *_: 6_000_000_000)
    monkeypatch.setattr(room, "host", lambda: 99_000_000_000)
    monkeypatch.setattr(room, "disk", lambda _: 10_000_000_000)
    with pytest.raises(WeightsError) as caught:
        load("hao9610/X2SAM", device="cpu", dtype=torch.bfloat16, tell=lambda _: None)
    said = str(caught.value)
    assert said.startswith("hao9610/X2SAM with Qwen/Qwen3-VL-4B-Instruct has to be fetched, which")
    assert "takes 12.0 GB of disk" in said
    assert "10.0 GB is free" in said


def test_a_folder_without_weights_is_told_before_what_they_would_take(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "host", lambda: 1_000_000_000)
    with pytest.raises(WeightsError, match="no weights in"):
        load(tmp_path, device="cpu")


@pytest.mark.parametrize("bits", [None, 4])
def test_the_published_layout_is_loaded_offline(bits, tmp_path, monkeypatch):
    """Weights, their base and the vocabulary out of the cache, at a pinned revision."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    for name in (pretrained, weights):
        monkeypatch.setattr(name, "X2SAMConfig", lambda: CONFIG)
    (repository, inside), content = next(iter(hub.PUBLISHED.items())), BytesIO()
    torch.save(random_tensors("export"), content)
    put(tmp_path, repository, "1" * 40, {f"{inside}/pytorch_model.bin": content.getvalue()}, "v1")
    base = {"model.safetensors": serialised(qwen_tensors())}
    base["tokenizer.json"] = (NANO / "tokenizer.json").read_bytes()
    put(tmp_path, weights.QWEN, "2" * 40, base)
    model = load(repository, revision="v1", device="cpu", bits=bits, tell=silent).model
    assert bits_of(model) == bits
    full = {n: x for n, x in random_tensors("full").items() if n.endswith("embed_tokens.weight")}
    table = model.language.model.language_model.embed_tokens.weight
    assert torch.equal(table, *full.values())
    with pytest.raises(WeightsError, match="could not be fetched"):
        load(repository, revision="v2", device="cpu", tell=silent)


@pytest.mark.parametrize("inside", ["", *hub.PUBLISHED.values()], ids=["its folder", "all of it"])
def test_a_copy_of_the_published_model_finds_its_base_in_the_cache(inside, tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(weights, "X2SAMConfig", lambda: CONFIG)
    copy = tmp_path / "copy"
    (copy / inside).mkdir(parents=True)
    torch.save(random_tensors("export"), copy / inside / "pytorch_model.bin")
    with pytest.raises(WeightsError, match="name its folder, or its repository on the Hub"):
        load(copy, device="cpu", tell=silent)
    base = {"model.safetensors": serialised(qwen_tensors())}
    base["tokenizer.json"] = (NANO / "tokenizer.json").read_bytes()
    put(tmp_path / "cache", weights.QWEN, "2" * 40, base)
    assert load(copy, device="cpu", tell=silent).model.config == CONFIG


def test_what_does_not_fit_is_offloaded(folder, monkeypatch):
    monkeypatch.setattr(memory_needs, "WORK", 0)
    weight = memory_needs.weigh(CONFIG, torch.float32)
    monkeypatch.setattr(room, "host", lambda: weight.rest + 3 * weight.layer)
    monkeypatch.setattr(pretrained, "QUIET", 0)
    said = []
    predictor = load(folder, device="cpu", offload=folder / "layers", tell=said.append)
    assert told(predictor.model) == "1 on cpu, 3 on disk"
    assert re.search(r"Its layers will lie: .* GB on cpu, .* GB on disk\.$", said[-1])
    assert list((folder / "layers").iterdir())
    assert predictor.device == torch.device("cpu")


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"bits": 4, "offload": True}, "on one device"),
        ({"bits": 8, "device": "auto"}, "on one device"),
        ({"merge": False, "bits": 8}, "merge it"),
        ({"merge": False, "offload": True}, "merge it"),
        ({"bits": 5}, "8 or 4 bits, not in 5"),
        ({"revision": "v1"}, "not a repository"),
        ({"merge": False}, "merged already"),
    ],
)
def test_wishes_that_cannot_be_met(wish, words):
    with pytest.raises(WeightsError, match=words):
        load("nano", **{"device": "cpu", **wish})


def test_a_revision_becomes_part_of_the_name(monkeypatch):
    asked = []

    def fetch(name, only=()):
        asked.append(name)
        raise WeightsError("no")

    monkeypatch.setattr(hub, "fetch", fetch)
    with pytest.raises(WeightsError, match="no"):
        load("ann/model", revision="abc", device="cpu")
    assert asked == ["ann/model@abc"]


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "mps"])
def test_devices_that_are_not_there(name):
    if name == "mps" and torch.backends.mps.is_available():
        pytest.skip("it is there")
    with pytest.raises(PromptError, match=rf"no device '{name}'.*cpu"):
        find_device(name)


def test_a_card_computes_in_what_it_has(monkeypatch):
    """A card that only emulates bfloat16 is given float32; one that cannot be asked is recent."""
    card = torch.device("cuda", 0)
    monkeypatch.setattr(torch.cuda, "device", nullcontext)
    for has, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(
            torch.cuda, "is_bf16_supported", lambda *, including_emulation, has=has: has
        )
        assert default_dtype(card) == dtype

    def fail(**_):
        raise RuntimeError("No CUDA GPUs are available")

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", fail)
    assert default_dtype(card) == torch.bfloat16
    assert default_dtype(torch.device("cpu")) == torch.float32


def test_without_a_wish_the_best_device_is_taken():
    assert find_device(None).type in {"cpu", "cuda", "mps"}
    assert find_device("cpu") == torch.device("cpu")
