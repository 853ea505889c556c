"""Which models are here, which fit, and whether nano works. Faked: the cache and the memory."""

from huggingface_hub.utils import _cache_manager

from x2sam.doctor import models
from x2sam.model import room


def test_the_hub_cache_is_read_without_the_network(tmp_path, monkeypatch):
    cache = tmp_path / "hub"
    monkeypatch.setattr(_cache_manager, "HF_HUB_CACHE", str(cache))
    assert models._cached("a/b") == "not downloaded", "no cache at all"
    blob = cache / "models--a--b" / "blobs" / "0"
    blob.parent.mkdir(parents=True)
    blob.write_bytes(bytes(2000))
    snapshot = cache / "models--a--b" / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").symlink_to(blob)
    assert models._cached("a/b") == "2.0K (commit 0000000)"
    assert models._cached("a/c") == "not downloaded", "another repository"
    assert models.repositories() == ["Qwen/Qwen3-VL-4B-Instruct", "a/b", "hao9610/X2SAM"]


def test_what_fits_depends_on_what_is_free(monkeypatch):
    said = []
    for free in (3, 6, 20, None):
        monkeypatch.setattr(room, "device", lambda _, free=free: free and free * 10**9)
        said.append(models._fit(4))
    assert said[0].startswith("does not fit")
    assert said[2].startswith("fits on")
    assert "free" not in said[3]
    assert all("computed" in each for each in said)


def test_the_disc_is_where_it_is_drawn():
    picture, disc = models.picture(), models.disc()
    assert picture.shape == (models.SIDE, models.SIDE, 3)
    assert (picture[disc][:, 0] > 200).all()
    assert not (picture[~disc][:, 0] > 200).any()
