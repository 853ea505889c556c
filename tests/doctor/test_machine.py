"""Whether torch and the driver go together. Faked: builds, drivers and what asks for them."""

import pytest
import torch

from x2sam.doctor import machine
from x2sam.doctor.machine import match


def test_a_build_without_cuda_wastes_a_gpu():
    with pytest.raises(RuntimeError, match="built without CUDA"):
        match(None, "580.65.06", available=False)


def test_an_old_driver_is_told():
    with pytest.raises(RuntimeError, match=r"CUDA 13.2, which driver 470.1 does not run; update"):
        match("13.2", "470.1", available=False)


@pytest.mark.parametrize(
    ("capability", "says"),
    [((7, 0), "card has compute capability 7.0, .* built for sm_75, sm_90 alone"), ((7, 5), None)],
)
def test_a_card_that_torch_was_not_built_for_is_told(capability, says, monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_90"])
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "card")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    if says is None:
        assert machine._build() == "CUDA 13.0, which the driver runs"
    else:
        with pytest.raises(RuntimeError, match=says):
            machine._build()


def test_the_driver_is_read_from_its_file(tmp_path, monkeypatch):
    file = tmp_path / "version"
    file.write_text("NVRM version: NVIDIA UNIX Open Kernel Module  580.65.06  Release Build\n")
    monkeypatch.setattr(machine, "DRIVER", file)
    assert machine._installed_driver() == "580.65.06"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "get_arch_list", list)
    assert machine._build() == "CUDA 13.0, which the driver runs"


def test_a_machine_without_one(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "DRIVER", tmp_path / "none")
    monkeypatch.setattr(machine.shutil, "which", lambda _: None)
    assert machine._driver() == "none for NVIDIA GPUs"


def test_every_gpu_is_listed(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (3 * 10**9, 24 * 10**9))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: f"card {index}")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (9, 0))
    told = machine._devices()
    assert "cuda:0 card 0 (compute 9.0), 3.0 GB of 24.0 GB free; cuda:1 card 1" in told
