"""The small tracker's recipe: what comes when, where it begins, and that what it writes loads."""

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from tests.tracker.moving import MICRO, Moving
from x2sam.model import pretrained
from x2sam.tracker import transformers_backend
from x2sam.tracker.build import load
from x2sam.tracker.config import SMALL
from x2sam.train.loop import Run
from x2sam.train.moving import draw_clips
from x2sam.train.optimizer import groups
from x2sam.train.tracker import (
    TrackerRecipe,
    Tracking,
    begin_with,
    even_out,
    go_on_from,
    settings_for,
    write,
)
from x2sam.train.tracking import TrackerTrainee, normalised

FEW = TrackerRecipe(pictures=1, picture_objects=2, clips=1, clip_objects=2, frames=((0.4, 2),))
CPU = torch.device("cpu")


def lesson(stream):
    return Tracking(stream, FEW, MICRO)


def test_shapes_come_first_then_pictures_then_clips(stream):
    own = lesson(stream)
    assert {own.batch(step, 0.0, CPU)[0][1].corrections for step in range(8)} == {0}
    for progress, frames in ((0.2, {1}), (0.5, {1, 2})):
        batches = [own.batch(step, progress, CPU) for step in range(12)]
        assert {batch[0][0].pictures.shape[1] for batch in batches} == frames
    assert {count for _, count in batches} <= {2, 4, 6}
    assert {batch[0][1].mark for batch in batches} == {"click", "box", "mask"}


def test_a_batch_depends_on_its_number_alone(stream):
    one, other = (lesson(stream).batch(7, 0.6, CPU)[0] for _ in range(2))
    assert torch.equal(one[0].pictures, other[0].pictures)
    assert one[1] == other[1]


def test_stages_are_brought_to_one_level_and_stay_the_same():
    backbone = pretrained.load("nano", device="cpu").model.mask_encoder.backbone
    pictures = normalised(torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0)))
    last = backbone.blocks[-1]  # the only one of its stage, made uneven on purpose
    with torch.no_grad():
        for part in (last.proj, last.attn.proj, last.mlp.proj_out):
            for weight in part.parameters():
                weight.mul_(20)
        before = backbone(pictures).intermediate_hidden_states
        even_out(backbone, pictures)
        after = backbone(pictures).intermediate_hidden_states
    spreads = [float(stage.std()) for stage in before]
    assert max(spreads) > 5 * min(spreads)
    for old, new in zip(before, after, strict=True):
        assert float(new.std()) == pytest.approx(0.7, rel=1e-3)
        torch.testing.assert_close(new, old * (0.7 / old.std()), rtol=1e-3, atol=1e-3)


def test_it_begins_with_the_eyes_of_nano(stream):
    network = transformers_backend.build(SMALL)
    begin_with(network, stream)
    nano = pretrained.load("nano", device="cpu").model.mask_encoder.backbone
    ours = network.vision_encoder.backbone
    assert torch.equal(ours.blocks[0].attn.qkv.weight, nano.blocks[0].attn.qkv.weight)
    assert not any(weight.requires_grad for weight in ours.parameters())
    shared = network.prompt_encoder.shared_embedding.positional_embedding
    assert torch.equal(shared, network.shared_image_embedding.positional_embedding)
    again = transformers_backend.build(SMALL)
    begin_with(again, stream)
    stem = "mask_decoder.iou_token.weight"
    assert torch.equal(network.state_dict()[stem], again.state_dict()[stem])


def test_it_goes_on_from_a_tracker_and_its_eyes_learn(tmp_path):
    source, network = (transformers_backend.build(SMALL) for _ in "ab")
    write(source, SMALL, tmp_path)
    go_on_from(network, tmp_path)
    for name, weight in source.state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], weight.half().float())
    assert all(weight.requires_grad for weight in network.parameters())
    sorted_ = groups(TrackerTrainee(network), 0.0, settings_for(steps=1).slower)
    eyes = {id(weight) for weight in network.vision_encoder.backbone.parameters()}
    for group in sorted_:
        slow = {id(weight) in eyes for weight in group["params"]}
        assert slow == {group["share"] == 0.3}


def test_a_cell_recalls_what_looks_like_it_and_its_mask(stream):
    network = transformers_backend.build(SMALL)
    begin_with(network, stream)
    shown = draw_clips(stream, 3, clips=1, frames=1, objects=1, size=256)
    masks = torch.zeros(2, 1, 256, 256)
    masks[1, :, 64:128, 64:128] = 1
    places = torch.cartesian_prod(torch.arange(16.0), torch.arange(16.0))
    apart = torch.cdist(places, places)
    with torch.no_grad():
        seen = network.get_image_features(normalised(shown.pictures[0]), return_dict=True)
        cells = seen.fpn_hidden_states[-1].transpose(0, 1)  # (1, 256, D)
        maps = cells.transpose(1, 2).unflatten(2, (16, 16)).expand(2, -1, -1, -1)
        memory, _ = network.memory_encoder(maps, masks * 20 - 10)
        bare, masked = memory.flatten(2).transpose(1, 2)  # (256, 64) each
        for layer in network.memory_attention.layers:
            queries = layer.cross_attn_image.q_proj(F.layer_norm(cells[0], cells.shape[-1:]))
            scores = queries @ layer.cross_attn_image.k_proj(masked).T / 128**0.5
            looked_at = scores.softmax(dim=1)
            assert (apart * looked_at).sum(dim=1).mean() < 0.5 * apart.mean()
    changed = (masked - bare).abs()
    torch.testing.assert_close(changed[:, :48].max(), torch.tensor(0.0), atol=1e-3, rtol=0)
    inside = masks[1, 0, ::16, ::16].flatten() > 0
    assert changed[inside, 48:].mean() > 10 * changed[~inside, 48:].mean()


def test_a_run_writes_a_tracker(stream, tmp_path, monkeypatch):
    monkeypatch.setattr("x2sam.tracker.build.CONFIGS", (MICRO,))
    own = lesson(stream)
    Run(own, settings_for(steps=2), tmp_path).train()
    for backend in ("sam2", "transformers"):
        loaded = load(tmp_path, backend, device="cpu")
        assert loaded.network.config.name == "micro-128"
        with loaded.open(Moving(3)) as tracking:
            assert tracking.add(1, 0, box=(5, 15, 25, 35)).mask.shape == (60, 80)
            assert len(list(tracking.propagate())) == 3


def test_weights_are_written_in_half_precision(tmp_path):
    network = transformers_backend.build(MICRO)
    write(network, MICRO, tmp_path)
    table = load_file(tmp_path / "model.safetensors")
    assert {tensor.dtype for tensor in table.values()} == {torch.float16}
    assert table.keys() == network.state_dict().keys()
    assert not list(tmp_path.glob("*.part"))
