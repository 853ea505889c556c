"""What a tracker is trained on: marks, corrections, what an answer pays, the way through a clip.

The network is small and random; nothing is faked.
"""

import pytest
import torch

from tests.tracker.moving import MICRO
from x2sam.tracker import transformers_backend
from x2sam.tracker.build import fill, random_weights
from x2sam.tracker.network import Place, Remembered
from x2sam.tracker.object_memory import ObjectMemory
from x2sam.train.moving import Clips
from x2sam.train.tracking import (
    Answer,
    Plan,
    TrackerTrainee,
    box,
    click,
    correction,
    losses,
    normalised,
)

SIDE = 128


def model():
    network = transformers_backend.build(MICRO)
    fill(network, random_weights(MICRO, 0), "transformers", "the test")
    return network


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def squares(frames=3, objects=2):
    """A clip of squares that move to the right, each on its own row."""
    pictures = torch.full((1, frames, 3, SIDE, SIDE), 0.4)
    masks = torch.zeros(1, frames, objects, SIDE, SIDE, dtype=torch.bool)
    for frame in range(frames):
        for number in range(objects):
            rows = slice(10 + 50 * number, 40 + 50 * number)
            columns = slice(12 + 6 * frame, 44 + 6 * frame)
            masks[0, frame, number, rows, columns] = True
            pictures[0, frame, number, rows, columns] = 0.9
    return Clips(pictures, masks)


# Marks


def test_a_click_falls_on_its_object():
    masks = torch.zeros(40, 32, 48, dtype=torch.bool)
    masks[:, 5:9, 30:40] = True
    masks[::2, 20, 3] = True
    points = click(masks, seeded())
    x, y = points.at[:, 0].long().unbind(dim=1)
    assert masks[torch.arange(40), y, x].all()
    assert (points.kinds == 1).all()
    assert len({*map(tuple, points.at[:, 0].tolist())}) > 10


def test_a_box_goes_around_its_object():
    masks = torch.zeros(1, 32, 48, dtype=torch.bool)
    masks[0, 5:9, 30:40] = True
    points = box(masks, seeded(), steady=True)
    assert points.at[0].tolist() == [[30, 5], [40, 9]]
    assert points.kinds[0].tolist() == [2, 3]
    unsteady = box(masks.expand(50, -1, -1), seeded()).at
    away = (unsteady - points.at).abs()
    assert 0 < away.max() < 4
    assert (unsteady[..., 0] <= 48).all()


def test_a_correction_falls_where_the_mask_is_wrong():
    truth = torch.zeros(3, 64, 64, dtype=torch.bool)
    truth[:, 10:30, 10:30] = True
    logits = torch.full((3, 1, 64, 64), -5.0)
    logits[0, 0, 10:30, 10:40] = 5  # too much
    logits[1, 0, 10:30, 10:20] = 5  # too little
    logits[2, 0, 10:30, 10:30] = 5  # right
    for seed in range(10):
        points = correction(logits, truth, seeded(seed))
        assert points.kinds[:, 0].tolist() == [0, 1, 1]
        x = points.at[:, 0, 0]
        assert 30 <= x[0] < 40
        assert 20 <= x[1] < 30
        assert 10 <= x[2] < 30


# What an answer pays


def answer(logits, quality=0.0, visible=9.0):
    count, masks = logits.shape[:2]
    qualities = torch.full((count, masks), quality)
    return Answer(logits, qualities, torch.full((count,), visible), torch.zeros(count, masks, 4))


def test_the_best_of_several_masks_pays():
    truth = torch.zeros(1, 16, 16, dtype=torch.bool)
    truth[0, 4:12, 4:12] = True
    right = (truth.float() * 40 - 20)[:, None]
    paid = losses(answer(torch.cat([-right, right, -right], dim=1)), truth)
    assert paid["loss_mask"] < 1e-3
    assert paid["loss_dice"] < 0.05
    assert paid["loss_visible"] < 1e-3
    assert paid["loss_quality"] == pytest.approx(1 / 3)  # one is right, and none was expected to be
    wrong = losses(answer(-right), truth)
    assert wrong["loss_mask"] > 50
    assert wrong["loss_dice"] > 4.8


def test_an_object_that_is_not_there_pays_for_nothing_else():
    truth = torch.zeros(2, 16, 16, dtype=torch.bool)
    paid = losses(answer(torch.randn(2, 3, 16, 16), visible=-9.0), truth)
    assert all(paid[name] == 0 for name in ("loss_mask", "loss_dice", "loss_quality"))
    assert paid["loss_visible"] < 1e-3
    assert losses(answer(torch.randn(2, 3, 16, 16)), truth)["loss_visible"] > 8


# The way through a clip


@pytest.mark.parametrize(
    ("plan", "answers"),
    [
        (Plan("click"), 3),
        (Plan("click", corrections=2), 5),
        (Plan("box", later=1), 4),
        (Plan("mask", later=2), 3),
    ],
)
def test_every_answer_is_paid_for(plan, answers):
    trainee = TrackerTrainee(model().train())
    said = list(trainee.answers(squares(), plan, seeded()))
    assert len(said) == answers
    for one, truth in said:
        assert one.logits.shape[0] == len(truth) == 2
        assert one.logits.shape[1] in (1, 3)


def test_everything_but_what_is_unused_learns():
    trainee = TrackerTrainee(model().train())
    for plan in (Plan("click", 1), Plan("mask", later=1)):
        trainee((squares(), plan), 0)["loss"].backward()
    still = {name for name, weight in trainee.named_parameters() if weight.grad is None}
    # SAM 2 has one that nothing reads, and of this clip no frame is without the objects.
    assert still <= {
        "model.no_memory_positional_encoding",
        "model.no_object_pointer",
        "model.occlusion_spatial_embedding_parameter",
    }


def test_objects_of_one_batch_do_not_know_of_each_other():
    trainee = TrackerTrainee(model().train())
    both = squares()
    alone = Clips(both.pictures, both.masks[:, :, :1])
    with torch.no_grad():
        pair = list(trainee.answers(both, Plan("mask"), seeded()))
        single = list(trainee.answers(alone, Plan("mask"), seeded()))
    for (one, _), (other, _) in zip(pair, single, strict=True):
        torch.testing.assert_close(one.logits[:1], other.logits, rtol=1e-3, atol=1e-3)


def test_training_sees_what_use_sees():
    """A mask on the first frame, carried over two more: the loop of use, step by step."""
    clips, network = squares(objects=1), model()
    in_use = transformers_backend.TransformersNetwork(
        MICRO, network, torch.device("cpu"), torch.float32
    )
    memory = ObjectMemory(3)
    expected = []
    for frame in range(3):
        features = in_use.encode(normalised(clips.pictures[:, frame]))
        if frame == 0:
            mask = clips.masks[0, 0][None].float()
            decoded = in_use.decode(features, memory, Place(0, 3), initial=True, mask=mask)
        else:
            decoded = in_use.decode(features, memory, Place(frame, 3))
            expected.append(decoded.logits)
        kept = Remembered(decoded, in_use.remember(features, decoded, marked=frame == 0))
        (memory.marked if frame == 0 else memory.carried)[frame] = kept
    with torch.no_grad():
        said = list(TrackerTrainee(network.train()).answers(clips, Plan("mask"), seeded()))
    for (one, _), logits in zip(said, expected, strict=True):
        torch.testing.assert_close(one.chosen(), logits, rtol=0.02, atol=0.02)
