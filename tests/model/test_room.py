"""Free memory: numbers that make sense here, and a container's limit. Faked: the container."""

import psutil
import torch

from x2sam.model import room


def test_this_machine():
    assert 0 < room.host() <= psutil.virtual_memory().total
    assert abs(room.device(torch.device("cpu")) - room.host()) < 2**30


def test_a_container_has_less(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "CONTROL", tmp_path)
    whole = room.host()
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("5000\n")
    assert room.host() > 5000
    (tmp_path / "memory.max").write_text("7000\n")
    assert room.host() == 2000 < whole
    (tmp_path / "memory.current").write_text("9000\n")
    assert room.host() == 0


def test_a_gpu_that_cannot_be_asked():
    """As before one is lent, when asking fails."""
    if not torch.cuda.is_available():
        assert room.device(torch.device("cuda", 0)) is None


def test_a_disk_is_that_of_a_folder_to_come(tmp_path):
    assert room.disk(tmp_path / "not" / "yet") == room.disk(tmp_path) > 0
