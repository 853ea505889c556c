"""Features of a batch, and that they are SAM 2's. Nothing is faked; weights are recorded."""

import torch
from recording import network
from transformers import Sam2VisionModel

from x2sam.model.build import sam2_config


def pictures(count):
    return torch.randn(count, 3, 128, 128, generator=torch.Generator().manual_seed(0))


def test_maps_are_sam2s_from_fine_to_coarse():
    theirs = Sam2VisionModel(sam2_config(network().config)).eval()
    theirs.load_state_dict(network().mask_encoder.state_dict())
    with torch.inference_mode():
        features = network().mask_encoder(pictures(1))
        expected = theirs(pictures(1))
    assert [level.shape[-1] for level in features.maps] == [32, 16, 8]
    pyramid = [level for level in expected.fpn_hidden_states if level.shape[-1] > 4]
    for level in features.maps:
        other = next(o for o in pyramid if o.shape[-1] == level.shape[-1])
        assert torch.allclose(level, other.reshape(level.shape), atol=1e-5)


def test_regions_are_read_from_the_third_stage():
    features = network().mask_encoder(pictures(1))
    assert features.region_stage.shape == (1, 8, 8, 64)


def test_a_frame_of_a_batch_is_a_batch_of_one():
    features = network().mask_encoder(pictures(3))
    frame = features.frame(1)
    for one, several in zip(frame.maps, features.maps, strict=True):
        assert torch.equal(one, several[1:2])
    assert torch.equal(frame.region_stage, features.region_stage[1:2])
