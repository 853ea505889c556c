"""The Hub's side: names, the cache, a pinned revision, and what would be downloaded.

The cache is written here as huggingface_hub lays it out, and read by the real one, offline.
Faked: what the Hub answers about sizes, and the free disk.
"""

from types import SimpleNamespace

import huggingface_hub.constants
import pytest
from hub_cache import put

from x2sam.errors import WeightsError
from x2sam.model import hub, room

PUBLISHED, INSIDE = next(iter(hub.PUBLISHED.items()))
FIRST, SECOND = "1" * 40, "2" * 40


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Be offline, with an empty cache."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return tmp_path


def test_the_cache_answers_offline(cache):
    put(cache, PUBLISHED, FIRST, {f"{INSIDE}/pytorch_model.bin": b"weights"})
    folder = hub.fetch(PUBLISHED)
    assert folder == cache / "models--hao9610--X2SAM" / "snapshots" / FIRST / INSIDE
    assert (folder / "pytorch_model.bin").read_bytes() == b"weights"
    assert hub.missing(PUBLISHED) == 0


def test_a_revision_is_a_branch_or_a_commit(cache):
    put(cache, "ann/model", FIRST, {"model.safetensors": b"old"}, branch="v1")
    put(cache, "ann/model", SECOND, {"model.safetensors": b"new"})
    read = {
        name: (hub.fetch(name) / "model.safetensors").read_bytes()
        for name in ("ann/model", "ann/model@v1", f"ann/model@{FIRST}", f"ann/model@{SECOND}")
    }
    assert list(read.values()) == [b"new", b"old", b"old", b"new"]


def test_a_revision_that_is_not_there_is_a_sentence(cache):
    put(cache, "ann/model", FIRST, {"model.safetensors": b"old"})
    with pytest.raises(WeightsError, match="no file or folder 'ann/model@v9'"):
        hub.fetch("ann/model@v9")


@pytest.mark.parametrize(
    ("error", "said"), [(TimeoutError(), "TimeoutError"), (OSError("\nno way\nhome"), "no way")]
)
def test_a_failed_download_says_why(error, said, monkeypatch):
    def snapshot_download(*_, **__):
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    with pytest.raises(WeightsError, match=f"Hugging Face Hub either: {said}$"):
        hub.fetch("ann/model")


@pytest.fixture
def online(monkeypatch):
    """Let the Hub have two files, of which one is in the cache, and note what it is asked."""
    asked = []

    def snapshot_download(repository, *, revision, allow_patterns, dry_run=False):
        asked.append((repository, revision, dry_run))
        if not dry_run:
            return "/there"
        return [
            SimpleNamespace(file_size=3_000, will_download=True),
            SimpleNamespace(file_size=9_000, will_download=False),
        ]

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return asked


def test_only_what_is_not_in_the_cache_is_downloaded(online):
    assert hub.missing("ann/model@v1") == 3_000
    assert str(hub.fetch("ann/model@v1")) == "/there"
    assert online[-1] == ("ann/model", "v1", False)


def test_a_full_disk_is_told_before_the_download(online, monkeypatch):
    monkeypatch.setattr(room, "disk", lambda _: 2_999)
    with pytest.raises(WeightsError, match=r"takes 0.00 GB of disk at .*HF_HOME"):
        hub.fetch("ann/model")
    assert all(dry for _, _, dry in online)
