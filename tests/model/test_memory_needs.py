"""What a model takes, worked out before it is loaded, against models that are loaded.

Nothing is faked; the full-size network is only described.
"""

import pytest
import torch
from tiny_checkpoint import CONFIG

from x2sam.config import X2SAMConfig
from x2sam.errors import DeviceFullError
from x2sam.model.build import build
from x2sam.model.memory_needs import Weight, place, told, weigh
from x2sam.model.weights import load, save

NINE = Weight(layer=2 * 10**9, layers=4, rest=10**9, largest=9, work=15)
SMALL = Weight(layer=10, layers=4, rest=20, largest=9, work=15)  # 60 in all


@pytest.mark.parametrize("bits", [None, 8, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_weight_is_that_of_the_loaded_model(dtype, bits, tmp_path):
    save(build(CONFIG), tmp_path)
    model = load(tmp_path, dtype=dtype, bits=bits)
    size = 0
    for weight in model.parameters():
        size += weight.nbytes
        if bits == 8 and not weight.is_floating_point():
            size += weight.SCB.nbytes
        if bits == 4 and not weight.is_floating_point():
            size += weight.quant_state.absmax.nbytes
    # Rows that do not fill a block of 64 have a scale all the same.
    assert weigh(CONFIG, dtype, bits).all == pytest.approx(size, rel=0.01)


def test_the_published_model():
    """The sizes that a person plans with, in GB."""
    config = X2SAMConfig()
    sizes = {bits: weigh(config, torch.bfloat16, bits).all / 1e9 for bits in (None, 8, 4)}
    assert sizes == {
        None: pytest.approx(9.47, 0.01),
        8: pytest.approx(5.84, 0.01),
        4: pytest.approx(4.08, 0.01),
    }
    assert weigh(config, torch.float32).all / 1e9 == pytest.approx(18.9, 0.01)
    apart = weigh(config, torch.bfloat16, lora=True).all - weigh(config, torch.bfloat16).all
    assert apart == 4 * 264_241_152


def test_what_fits_stays_on_one_device():
    assert place(SMALL, {"cuda:0": 75, "cpu": 99}, offload=True, fewer={}) == ()
    assert place(SMALL, {"cuda:0": 60, "cpu": 99}, offload=False, fewer={}) == ()
    assert place(SMALL, {"cuda:0": None}, offload=False, fewer={}) == ()


@pytest.mark.parametrize(("there", "stay"), [(74, 1), (66, 1), (65, 1), (64, 0), (59, 0)])
def test_offloading_keeps_room_for_a_picture(there, stay):
    """20 for the rest, 15 for the work and two layers of 10 on their way come first."""
    places = place(SMALL, {"cuda:0": there, "cpu": 99}, offload=True, fewer={})
    assert places == ("cuda:0",) * stay + ("cpu",) * (4 - stay)
    assert SMALL.rest + SMALL.work + (2 + stay) * SMALL.layer <= there


def test_what_does_not_fit_is_refused_or_spread():
    with pytest.raises(DeviceFullError, match=r"9.0 GB of memory on cuda:0, .* 4 bits \(4.0 GB\)"):
        place(NINE, {"cuda:0": 59}, offload=False, fewer={8: 6 * 10**9, 4: 4 * 10**9})
    # 20 for the rest, 15 for the work, and two layers on their way leave nothing of 59.
    places = place(SMALL, {"cuda:0": 59, "cpu": 30, "disk": 99}, offload=True, fewer={})
    assert places == ("cpu", "cpu", "disk", "disk")
    with pytest.raises(DeviceFullError, match="on the disk together"):
        place(SMALL, {"cuda:0": 59, "cpu": 30, "disk": 20}, offload=True, fewer={})
    with pytest.raises(DeviceFullError, match="has to be on cuda:0"):
        place(SMALL, {"cuda:0": 50, "disk": 990}, offload=True, fewer={})


def test_what_is_told():
    assert "downloaded" not in told(SMALL, 0, 0, {"cpu": 1000})
    download = told(SMALL, 3 * 10**9, 10**10, {"cpu": 1000})
    assert "Up to 3.0 GB has to be downloaded, to a disk with 10.0 GB free. " in download
    assert "may not fit" in told(SMALL, 0, 0, {"cpu": 70})
    assert "free" not in told(SMALL, 0, 0, {"cuda:0": None})


def test_the_memory_that_reading_takes_is_told_where_it_is_another():
    assert "Reading" not in told(NINE, 0, 0, {"cpu": 10**10, "disk": 10**10})
    assert told(NINE, 0, 0, {"cuda:0": None, "cpu": 3 * 10**9}).endswith(
        " Reading it takes up to 0.3 GB on cpu; 3.0 GB is free."
    )
