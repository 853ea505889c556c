"""Checkpoints of both forms go into both back ends, and what is none is told in words.

Covered: files and folders, names both ways, weights that are missing, surplus or of another shape,
older and foreign checkpoints, files that would run code, EdgeTAM, a name on the Hub, a sam2 that is
broken. The network is random and small, and stands in for the official ones; EdgeTAM has the image
encoder of SAM 2 in place of its own, and the Hub is a cache that is written here.
"""

import os
import pickle
import sys

import huggingface_hub
import numpy as np
import pytest
import torch
from hub_cache import put
from safetensors.torch import save, save_file

from tests.tracker.conftest import SEED
from tests.tracker.moving import BACKENDS, MICRO, Moving, walked
from x2sam.errors import WeightsError
from x2sam.tracker import build, config, transformers_backend
from x2sam.tracker.build import OCCLUSION, load, random_weights
from x2sam.tracker.everything import Search, everything
from x2sam.tracker.weight_names import FREQUENCY_COPIES, POINT_TABLE, to_sam2, to_transformers


@pytest.fixture(autouse=True)
def micro_is_known(monkeypatch):
    monkeypatch.setattr(build, "CONFIGS", (*config.CONFIGS, MICRO))


@pytest.fixture(scope="module")
def theirs():
    """Random weights by transformers' names."""
    return random_weights(MICRO, SEED)


@pytest.fixture(scope="module")
def ours(trackers):
    """The same by SAM 2's."""
    return dict(trackers["sam2"].network.model.state_dict())


def one_copy(table):
    """safetensors does not take the same memory twice."""
    return {name: tensor.clone() for name, tensor in table.items()}


def test_names_go_both_ways(ours, theirs):
    table = to_transformers(ours)
    assert table.keys() == theirs.keys()
    assert all(torch.equal(table[name], theirs[name]) for name in table)
    back = to_sam2(table, ours)
    assert back.keys() == ours.keys()
    assert all(torch.equal(back[name], ours[name]) for name in ours)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("form", ["sam2.pt", "model.safetensors", "folder"])
def test_every_form_goes_into_every_back_end(tmp_path, ours, theirs, trackers, backend, form):
    path = tmp_path / form
    if form == "sam2.pt":
        torch.save({"model": ours}, path)
    else:
        table = one_copy(theirs)
        del table[FREQUENCY_COPIES[form == "folder"]]
        path = path / "model.safetensors" if form == "folder" else path
        path.parent.mkdir(exist_ok=True)
        save_file(table, path)
        path = path.parent if form == "folder" else path
    tracker = load(path, backend, device="cpu")
    expected = trackers[backend].network.model.state_dict()
    found = tracker.network.model.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in found)
    assert repr(tracker) == f"Tracker('micro-128', {backend})"


def refused(path, table, **arguments):
    save_file(one_copy(table), path)
    with pytest.raises(WeightsError) as caught:
        load(path, "transformers", device="cpu", **arguments)
    return str(caught.value)


def test_what_does_not_fit_is_told_in_words(tmp_path, theirs):
    path = tmp_path / "x.safetensors"

    def without(name):
        return {key: tensor for key, tensor in theirs.items() if key != name}

    assert "x.safetensors is incomplete: 1 weights like " in refused(path, without(POINT_TABLE))
    assert "1 unknown weights like head" in refused(path, {**theirs, "head": torch.ones(2)})
    assert "is SAM 2.0; take the same size of SAM 2.1" in refused(path, without(OCCLUSION))
    assert "not a SAM 2.1 video checkpoint. Known are facebook/" in refused(
        path, {"model.layers.0.weight": torch.ones(2)}
    )
    wrong = {**theirs, POINT_TABLE: torch.ones(3, 128)}
    assert "is (3, 128) and should be (4, 128)" in refused(path, wrong)
    stem = "vision_encoder.backbone.patch_embed.projection.weight"
    assert "SAM 2 of an unknown size" in refused(path, {**theirs, stem: torch.ones(20, 3, 7, 7)})


def test_what_is_not_there_is_told_in_words(tmp_path, monkeypatch):
    with pytest.raises(WeightsError, match="no checkpoint at"):
        load(tmp_path / "none.pt")
    monkeypatch.setattr(build, "find_spec", lambda _: None)
    with pytest.raises(WeightsError, match="sam2 is not installed"):
        build.random(MICRO, backend="sam2")
    assert build.random(MICRO).network.backend == "transformers"


def test_a_sam2_that_cannot_be_imported_is_done_without(monkeypatch):
    """It once was a bare ImportError, though only its being there had been looked at."""
    monkeypatch.setattr(build, "find_spec", lambda _: object())
    monkeypatch.delitem(sys.modules, "x2sam.tracker.sam2_backend", raising=False)
    monkeypatch.setitem(sys.modules, "sam2.modeling.backbones.hieradet", None)
    assert build.random(MICRO).network.backend == "transformers"
    with pytest.raises(WeightsError, match=r"sam2 cannot be imported \(import of sam2.+\); take"):
        build.random(MICRO, backend="sam2")


def test_a_name_on_the_hub_is_enough(tmp_path, monkeypatch, theirs):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    weights = {name: theirs[name] for name in theirs if name != FREQUENCY_COPIES[1]}
    files = {"config.json": b'{"model_type": "sam2_video"}', "model.safetensors": save(weights)}
    put(tmp_path, "facebook/sam2.1-hiera-tiny", "1" * 40, files)
    tracker = load("facebook/sam2.1-hiera-tiny", "transformers", device="cpu")
    found = tracker.network.model.state_dict()
    assert all(torch.equal(found[name], theirs[name]) for name in theirs)
    with pytest.raises(WeightsError, match=r"facebook/sam2\.1-hiera-small"):
        load("facebook/sam2.1-hiera-small", "transformers")


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm-was-done",)


def test_a_checkpoint_cannot_run_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, write in (
        ("a.pt", torch.save),
        ("b.pt", lambda o, p: p.write_bytes(pickle.dumps(o))),
    ):
        write({"model": Harmful()}, tmp_path / name)
        with pytest.raises(WeightsError):
            load(tmp_path / name)
    assert not (tmp_path / "harm-was-done").exists()


def test_edgetam_comes_through_the_same_door(tmp_path):
    from transformers import EdgeTamVideoConfig, EdgeTamVideoModel

    like = transformers_backend.build(MICRO).config.to_dict()
    same = {name: like[name] for name in ("image_size", "prompt_encoder_config")}
    same |= {name: value for name, value in like.items() if name.startswith(("mask_", "memory_"))}
    settings = EdgeTamVideoConfig(
        **{k: v for k, v in same.items() if "rope" not in k and k != "memory_attention_config"},
        vision_config=like["vision_config"],
        memory_attention_rope_feat_sizes=[8, 8],
        memory_attention_rope_k_sizes=[4, 4],
        perceiver_resampler_num_latents=16,
        perceiver_resampler_num_latents_2d=16,
    )
    torch.manual_seed(0)
    EdgeTamVideoModel(settings).save_pretrained(tmp_path)
    tracker = load(tmp_path, device="cpu")
    segments = list(everything(tracker, Moving().frame(0), Search(points_per_side=2, quality=0)))
    assert segments[0].total == 4
    with tracker.open(Moving(4)) as tracking:
        shape = tracking.add(1, 1, mask=np.ones((60, 80), bool))
        assert shape.mask.all()
        tracking.add(2, 2, points=[(30, 20)])
        found = walked(tracking, direction="both")
        assert sorted(found) == [0, 1, 2, 3]
        assert all(np.isfinite(shapes[1].score) for shapes in found.values())
