"""From the official configs to ours, and the hooks that look inside. Nothing is faked."""

import json
from dataclasses import replace

import pytest
import torch
from recording import GOLDEN
from tiny import tiny_config
from torch import nn

from x2sam.config import VisionConfig
from x2sam.eval.golden_network import from_official, watch


def test_the_official_tiny_config_is_ours():
    official = json.loads((GOLDEN / "tiny_config.json").read_text())
    vision = replace(tiny_config().vision, image_pixels=VisionConfig().image_pixels)
    expected = replace(tiny_config(), name="recorded", vision=vision)
    assert from_official(official, 349) == expected


def test_watching_ends_with_the_context():
    double = nn.Linear(1, 1, bias=False).requires_grad_(False)
    nn.init.constant_(double.weight, 2.0)
    with watch(double=double) as calls:
        double(torch.tensor([3.0]))
        double(torch.tensor([4.0]))
    double(torch.tensor([5.0]))
    assert [float(out) for out in calls["double"].outputs] == [6.0, 8.0]
    assert [float(given) for (given,) in calls["double"].inputs] == [3.0, 4.0]
    with pytest.raises(RuntimeError), watch(double=double):
        double(torch.zeros(2))
    assert not double._forward_hooks
