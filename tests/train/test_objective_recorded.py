"""What training minimises, against losses and gradients recorded from the published code.

Covered: every recorded training step, from pictures to gradients, through our own network,
memory and losses; those of the adapters too, where peft is installed. Chance is played back;
nothing else is faked.
"""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from recording import WEIGHTS
from tiny import tiny_config

from x2sam.model.checkpoint_names import ours
from x2sam.model.pixels import clip_patches, image_patches, squares
from x2sam.model.weights import load
from x2sam.train.batches import Batch
from x2sam.train.losses import LossConfig
from x2sam.train.objective import Objective

GOLDEN = Path(__file__).parent.parent / "golden"
RECORDED = json.loads(gzip.decompress((GOLDEN / "train" / "recorded.json.gz").read_bytes()))
DRAWS = ("points", "candidates", "free")
NOISE = 1e-5  # of a gradient that is zero but for rounding, as those of biases before a norm


def pictures_of(name, frames):
    """Patches for the language model and squares for the mask encoder, (B, T, 3, S, S)."""
    config = tiny_config()
    if name.startswith("vid"):
        with np.load(GOLDEN / "inputs" / "video.npz") as file:
            clip = file["frames"][:frames]
        return clip_patches(clip, config.vision).values, squares(clip, 128)[None]
    files = ["image", "image_odd"] if name.endswith("b2") else ["image"]
    images = [np.array(Image.open(GOLDEN / "inputs" / f"{file}.png")) for file in files]
    patches = [image_patches(image, config.vision).values for image in images]
    return torch.cat(patches), torch.stack([squares(image[None], 128) for image in images])


def recorded_batch(name, stored):
    """The batch as it was recorded; a label of -100 is a target that cannot be seen."""
    text = {key: torch.from_numpy(stored[key].astype(np.int64)) for key in stored if "." not in key}
    labels = [stored[key] for key in sorted(stored) if key.startswith("class_labels")]
    masks = [
        np.unpackbits(stored[key], axis=-1).astype(bool)
        for key in sorted(stored)
        if key.startswith("mask_labels")
    ]
    frames = len(labels[0]) if labels and labels[0].ndim == 2 else 1
    per_frame = [
        [
            (torch.from_numpy(own.astype(np.int64)), torch.from_numpy(drawn))
            for own, drawn in (
                (label[frame], mask[frame]) if label.ndim == 2 else (label, mask)
                for label, mask in zip(labels, masks, strict=True)
            )
        ]
        for frame in range(frames)
    ]
    patches, pixels = pictures_of(name, frames)
    return Batch(
        ids=text["ids"],
        labels=text["labels"],
        phrases=text.get("phrases", torch.full_like(text["ids"], -1)),
        segs=text.get("segs", torch.full_like(text["ids"], -1)),
        views=tuple(range(len(pixels))),
        patches=patches,
        grids=text["grids"],
        pixels=pixels,
        points=None,
        owners=None,
        targets=[[(own[own >= 0], drawn[own >= 0]) for own, drawn in row] for row in per_frame],
    )


def recorded_step(model, name):
    """Losses of the recorded step; gradients are left in the network."""
    with np.load(GOLDEN / "train" / f"{name}.npz") as file:
        stored = dict(file)
    draws = iter([torch.from_numpy(stored.pop(key)) for key in DRAWS if key in stored])

    def draw(shape):
        values = next(draws)
        assert values.shape == shape
        return values

    model.zero_grad()
    objective = Objective(losses=LossConfig(points=64), shared="refseg" in name)
    losses = objective(model, recorded_batch(name, stored), draw)
    losses["loss"].backward()
    assert next(draws, None) is None, "not all recorded draws were used"
    return {key: value.item() for key, value in losses.items()}, stored


@pytest.fixture(scope="module")
def network():
    return load(WEIGHTS, config=tiny_config()).train()


def norms(model):
    return {
        ours(name): 0.0 if weight.grad is None else weight.grad.norm().item()
        for name, weight in model.named_parameters()
    }


def assert_norms_agree(found, name):
    """Within 1 %."""
    for theirs, expected in RECORDED[name]["grad_norms"].items():
        if ours(theirs) in found:
            assert found[ours(theirs)] == pytest.approx(expected, rel=1e-2, abs=NOISE), theirs
    for theirs in RECORDED[name]["no_grad_params"]:
        assert found.get(ours(theirs), 0.0) == 0.0, theirs


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_step(network, name):
    losses, stored = recorded_step(network, name)
    wanted = RECORDED[name]["losses"]
    assert losses.pop("loss_lm") == pytest.approx(wanted.pop("loss_mlm"), rel=1e-4)
    assert losses == pytest.approx(wanted, rel=1e-4)
    weights = dict(network.named_parameters())
    for key in (key for key in stored if key.startswith("grad.")):
        grad = weights[ours(key.removeprefix("grad."))].grad
        expected = torch.from_numpy(stored[key])
        if expected.norm() < NOISE:
            assert grad is None or grad.norm() < NOISE, key
        else:
            assert (grad - expected).norm() < 1e-2 * expected.norm(), key
    assert_norms_agree(norms(network), name)


@pytest.mark.parametrize("name", ["img_refseg_2sent", "vid_refseg"])
def test_recorded_gradients_of_the_adapters(name):
    pytest.importorskip("peft")
    model = load(WEIGHTS, config=tiny_config(), lora="unmerged")
    model.train().requires_grad_()
    recorded_step(model, name)
    found = norms(model)
    assert sum(".lora_" in key for key in found) == sum(
        ".lora_" in key for key in RECORDED[name]["grad_norms"]
    )
    assert_norms_agree(found, name)
