"""How a network begins that is trained from nothing; on the presets themselves."""

import micro
import pytest
import torch

from x2sam.model.build import build
from x2sam.train.beginning import begin
from x2sam.train.presets import NANO, NANO_GPU


@pytest.fixture(scope="module", params=[NANO, NANO_GPU], ids=["nano", "nano-gpu"])
def model(request):
    model = build(request.param)
    begin(model)
    return model


@torch.inference_mode()
def test_what_is_seen_has_one_size(model):
    """Not far below a bias of a few steps, nor above what is said of places."""
    side = model.config.mask_encoder.image_size
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randn(2, 3, side, side, generator=generator)
    features = model.mask_encoder(pictures)
    for level in (*features.maps, features.region_stage):
        assert 0.2 < level.std() < 5
    width = model.language.model.visual.patch_embed.proj.weight[0].numel()
    patches = torch.randn(64, width, generator=generator)
    visual = model.language.see(patches, torch.tensor([[1, 8, 8]]))
    for level in (visual.tokens, *visual.deepstack):
        assert 0.1 < level.std() < 5


@torch.inference_mode()
def test_words_that_were_read_are_likelier(model):
    words = torch.randint(300, 4000, (16, 24), generator=torch.Generator().manual_seed(0))
    logits = model.language.logits(model.language.run(*model.language.embed(words))[:, -1])
    spread = (logits - logits.mean(dim=1, keepdim=True)) / logits.std(dim=1, keepdim=True)
    assert spread.gather(1, words[:, :-1]).mean() > 0.5  # drawn at random it is 0.00


def test_the_same_seed_begins_alike():
    one, other = build(micro.CONFIG, seed=1), build(micro.CONFIG, seed=2)
    begin(one, 5)
    begin(other, 5)
    for name, weight in one.language.named_parameters():
        if name.endswith("proj.weight"):
            assert torch.equal(weight, other.language.get_parameter(name)), name
