"""The losses of the mask decoder, against numbers recorded from the published X2SAM code.

Covered: every recorded loss, with whole masks and with points (the recorded draws are played
back); gradients against a plain twin in float64; samples without targets, classes that are
padding, autocast, deep supervision. The logits are made up; nothing else is faked.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from x2sam.train.losses import (
    LossConfig,
    class_losses,
    mask_losses,
    segmentation_losses,
    uniform,
)
from x2sam.train.matcher import Matches, Targets, Weights, match

GOLDEN = Path(__file__).parent.parent / "golden" / "losses" / "loss.npz"
WEIGHTS = {"loss_mask": 5, "loss_dice": 5, "loss_cls": 2}
SAMPLES, LAYERS = 2, 3


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN) as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


@pytest.fixture
def batch(golden):
    """Class logits, mask logits and targets of the recorded batch."""
    targets = Targets.join(
        [(golden[f"class_labels.{i}"], golden[f"mask_labels.{i}"]) for i in range(SAMPLES)]
    )
    return (
        [golden[f"class_logits.{i}"] for i in range(LAYERS)],
        [golden[f"mask_logits.{i}"] for i in range(LAYERS)],
        targets,
    )


def played_back(draws, samples, layers):
    """Recorded draws in the order in which the loss asks for them.

    They were recorded layer by layer, the last layer first: one draw per sample to match at,
    then the candidates and the free points of all pairs.
    """
    per_layer = samples + 2
    recorded = [draws[i : i + per_layer] for i in range(0, len(draws), per_layer)]
    recorded = [*recorded[1:], recorded[0]]
    assert len(recorded) == layers
    answers = [
        torch.stack([torch.cat(own[:samples]) for own in recorded]),
        torch.stack([own[samples] for own in recorded]),
        torch.stack([own[samples + 1] for own in recorded]),
    ]

    def draw(shape):
        answer = answers.pop(0)
        assert answer.shape == shape
        return answer

    return draw


@pytest.fixture
def recorded(golden):
    draws = [golden[f"sample.rand_draw.{i}"] for i in range(LAYERS * (SAMPLES + 2))]
    return played_back(draws, SAMPLES, LAYERS)


def test_recorded_losses_at_points(golden, batch, recorded):
    losses = segmentation_losses(*batch, recorded, config=LossConfig(points=64))
    names = {name.removeprefix("sample.") for name in golden if name.startswith("sample.loss")}
    assert losses.keys() == names | {"loss_seg"}
    for name in names:
        weight = WEIGHTS[name.rstrip("_0123456789")]
        torch.testing.assert_close(
            losses[name], golden[f"sample.{name}"] * weight, rtol=1e-5, atol=0
        )
    torch.testing.assert_close(losses["loss_seg"], sum(losses[name] for name in names))


def test_recorded_matches(golden, batch, recorded):
    class_logits, mask_logits, targets = batch
    points = recorded((LAYERS, SAMPLES, 64, 2))
    matches = match(class_logits, mask_logits, floats(targets), points, Weights())
    expected = golden_matches(golden, "sample", targets)
    assert torch.equal(matches.samples, expected.samples)
    assert torch.equal(matches.queries[-1:], expected.queries)
    assert torch.equal(matches.targets[-1:], expected.targets)


def test_recorded_losses_of_whole_masks(golden, batch):
    class_logits, mask_logits, targets = batch
    matches = golden_matches(golden, "nosample", targets)
    bce, dice = mask_losses(
        mask_logits[-1:], floats(targets), matches, forbidden, LossConfig(dense=True)
    )
    classes = class_losses(class_logits[-1:], targets, matches, background=0.1)
    exact = {"rtol": 1e-5, "atol": 0}
    torch.testing.assert_close(bce.sum() / 5, golden["nosample.loss_mask"], **exact)
    torch.testing.assert_close(dice.sum() / 5, golden["nosample.loss_dice"], **exact)
    torch.testing.assert_close(classes[0], golden["nosample.loss_cls"], **exact)


def golden_matches(golden, mode, targets):
    """The recorded pairs of the last prediction."""
    names = [f"{mode}.match.{i}" for i in range(SAMPLES)]
    queries = torch.cat([golden[f"{name}.pred"] for name in names])
    first = torch.tensor([0, targets.counts[0]]).repeat_interleave(torch.tensor(targets.counts))
    chosen = torch.cat([golden[f"{name}.tgt"] for name in names]) + first
    samples = torch.arange(SAMPLES).repeat_interleave(torch.tensor(targets.counts))
    return Matches(samples, queries[None], chosen[None])


def floats(targets):
    return Targets(targets.labels, targets.masks.float(), targets.counts)


def forbidden(shape):
    raise AssertionError(shape)


def random_batch(seed, counts, *, classes=4, layers=2, queries=6, size=8):
    random = torch.Generator().manual_seed(seed)
    samples = len(counts)
    class_logits = [
        torch.randn(samples, queries, classes + 1, generator=random).requires_grad_()
        for _ in range(layers)
    ]
    mask_logits = [
        torch.randn(samples, queries, size, size, generator=random).requires_grad_()
        for _ in range(layers)
    ]
    targets = Targets.join(
        [
            (
                torch.randint(classes, (count,), generator=random),
                torch.rand(count, 2 * size, 2 * size, generator=random) > 0.6,
            )
            for count in counts
        ]
    )
    return class_logits, mask_logits, targets


def seeded(seed=0):
    return uniform(torch.Generator().manual_seed(seed))


FEW = LossConfig(points=40)


def test_the_same_seed_gives_the_same_losses():
    batch = random_batch(0, (2, 3))
    first, second = (segmentation_losses(*batch, seeded(), config=FEW) for _ in range(2))
    assert first == second
    assert segmentation_losses(*batch, seeded(1), config=FEW)["loss_mask"] != first["loss_mask"]


@pytest.mark.parametrize("dense", [False, True])
def test_every_prediction_learns(dense):
    class_logits, mask_logits, targets = random_batch(1, (2, 0, 3), layers=4)
    config = LossConfig(points=40, dense=dense)
    losses = segmentation_losses(class_logits, mask_logits, targets, seeded(), config=config)
    losses["loss_seg"].backward()
    assert len(losses) == 1 + 3 * 4
    for logits in (*class_logits, *mask_logits):
        assert torch.isfinite(logits.grad).all()
        assert logits.grad.abs().sum() > 0
    assert all(logits.grad[1].abs().sum() == 0 for logits in mask_logits), "nothing to draw there"
    assert all(logits.grad[1].abs().sum() > 0 for logits in class_logits), "but to say so"


def test_gradients_of_whole_masks_match_a_plain_twin():
    """One pair at a time, in float64, with the same pairs."""
    class_logits, mask_logits, targets = random_batch(2, (2, 1), layers=1)
    config = LossConfig(points=40, dense=True)
    points = seeded()((1, 2, 40, 2))
    matches = match(class_logits, mask_logits, floats(targets), points, Weights())
    losses = segmentation_losses(class_logits, mask_logits, targets, seeded(), config=config)
    losses["loss_seg"].backward()

    classes = class_logits[0].detach().double().requires_grad_()
    masks = mask_logits[0].detach().double().requires_grad_()
    truth = torch.full(classes.shape[:2], 4)
    total = torch.zeros((), dtype=torch.float64)
    chosen = zip(matches.samples, matches.queries[0], matches.targets[0], strict=True)
    for sample, query, target in chosen:
        truth[sample, query] = targets.labels[target]
        x = F.interpolate(masks[sample, query][None, None], (16, 16), mode="bilinear").flatten()
        t = targets.masks[target].double().flatten()
        p = x.sigmoid()
        dice = 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)
        total = total + 5 * (F.binary_cross_entropy(p, t) + dice) / 3
    weight = torch.where(truth == 4, 0.1, 1.0).double()
    chosen = classes.log_softmax(-1).gather(2, truth[..., None])[..., 0]
    total = total - 2 * (weight * chosen).sum() / weight.sum()
    total.backward()

    torch.testing.assert_close(losses["loss_seg"].double(), total, rtol=1e-5, atol=0)
    torch.testing.assert_close(class_logits[0].grad.double(), classes.grad, rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(mask_logits[0].grad.double(), masks.grad, rtol=1e-4, atol=1e-7)


def test_nothing_to_find_teaches_every_query_to_say_so():
    """A request for what is not there: no target at all, and still a gradient everywhere."""
    class_logits, mask_logits, targets = random_batch(3, (0, 0))
    losses = segmentation_losses(class_logits, mask_logits, targets, seeded(), config=FEW)
    losses["loss_seg"].backward()
    assert losses["loss_mask"] == losses["loss_dice"] == 0
    assert (class_logits[0].grad[..., -1] < 0).all(), "the background should become likelier"
    assert all(logits.grad is not None for logits in mask_logits), "or processes would wait"


def test_a_perfect_answer_costs_nothing():
    masks = torch.zeros(2, 32, 32, dtype=torch.bool)
    masks[0, :, :16] = masks[1, :16, 16:] = True
    targets = Targets.join([(torch.tensor([0, 2]), masks)])
    classes = torch.full((1, 3, 4), -30.0)
    classes[0, 0, 0] = classes[0, 1, 2] = classes[0, 2, 3] = 30.0
    drawn = torch.cat([masks, masks[:1]]).float()[None] * 200 - 100
    config = LossConfig(points=40, dense=True)
    losses = segmentation_losses([classes], [drawn], targets, seeded(), config=config)
    assert losses["loss_cls"] < 1e-6
    assert losses["loss_mask"] < 1e-6
    assert losses["loss_dice"] < 1e-6


def test_classes_that_are_padding_count_for_nothing():
    class_logits, mask_logits, targets = random_batch(4, (2, 1), classes=2)
    padded = [
        torch.cat([logits[..., :2], torch.full_like(logits, 9.0), logits[..., 2:]], -1)
        for logits in class_logits
    ]
    counts = torch.tensor([2, 2])
    plain = segmentation_losses(class_logits, mask_logits, targets, seeded(), config=FEW)
    with_padding = segmentation_losses(
        padded, mask_logits, targets, seeded(), config=FEW, class_counts=counts
    )
    for name, value in plain.items():
        torch.testing.assert_close(with_padding[name], value)


def test_most_points_are_uncertain_ones():
    """Only the middle of this mask is undecided, and a wrong middle is what gets punished."""
    truth = torch.zeros(1, 64, 64, dtype=torch.bool)
    truth[:, :, :40] = True
    drawn = torch.linspace(20, -20, 64).expand(1, 1, 64, 64)  # undecided at x = 32
    targets = Targets.join([(torch.tensor([0]), truth)])
    classes = torch.zeros(1, 1, 2)

    def mask_loss(uncertain):
        config = LossConfig(points=400, uncertain=uncertain)
        return segmentation_losses([classes], [drawn], targets, seeded(), config=config)[
            "loss_mask"
        ]

    assert mask_loss(0.75) > 1.5 * mask_loss(0.0)


def test_the_divisor_can_be_the_average_of_several_processes():
    batch = random_batch(5, (2, 2))
    alone = segmentation_losses(*batch, seeded(), config=FEW)
    shared = segmentation_losses(*batch, seeded(), config=FEW, mask_count=8.0)
    torch.testing.assert_close(shared["loss_mask"], alone["loss_mask"] / 2)
    torch.testing.assert_close(shared["loss_cls"], alone["loss_cls"])


def test_autocast_is_left_outside():
    class_logits, mask_logits, targets = random_batch(6, (2, 3))
    plain = segmentation_losses(class_logits, mask_logits, targets, seeded(), config=FEW)
    with torch.autocast("cpu", torch.bfloat16):
        cast = segmentation_losses(class_logits, mask_logits, targets, seeded(), config=FEW)
    assert cast == plain
    half = segmentation_losses(
        [logits.bfloat16() for logits in class_logits],
        [logits.bfloat16() for logits in mask_logits],
        targets,
        seeded(),
        config=FEW,
    )
    assert all(value.dtype == torch.float32 for value in half.values())
    torch.testing.assert_close(half["loss_seg"], plain["loss_seg"], rtol=0.02, atol=0)


def test_more_targets_than_queries_still_count_in_the_divisor():
    class_logits, mask_logits, targets = random_batch(7, (9,), queries=3)
    losses = segmentation_losses(class_logits, mask_logits, targets, seeded(), config=FEW)
    nine_shares = losses["loss_dice"] * 9 / 5
    assert 0 < nine_shares < 3
