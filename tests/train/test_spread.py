"""What keeps the language half able to see: zero where nothing is wrong, and it opens its eyes."""

import micro
import pytest
import torch

from x2sam.model.build import build
from x2sam.model.language_model import Visual
from x2sam.train.batches import collate
from x2sam.train.losses import LossConfig, uniform
from x2sam.train.objective import Objective
from x2sam.train.spread import DIRECTIONS, STRENGTH, directions, spread_loss


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


STATES = drawn(2, 10, 64)


@pytest.mark.parametrize("count", [1, 3, 8])
def test_directions_are_counted(count):
    basis = torch.linalg.qr(drawn(64, count))[0]
    assert directions(drawn(20_000, count) @ basis.T) == pytest.approx(count, rel=0.02)


def test_a_common_direction_is_one_too():
    tokens = drawn(500, 64)
    assert directions(tokens) > 40
    assert directions(tokens + 50) == pytest.approx(1, abs=0.05)


def test_nothing_is_paid_where_nothing_is_wrong():
    assert spread_loss(Visual(drawn(200, 64), (drawn(200, 64),)), STATES) == 0


@pytest.mark.parametrize(
    ("tokens", "deep", "states"),
    [(2.5, 0.0, 1.0), (0.0, 2.5, 1.0), (0.0, 0.0, 9.0)],
    ids=["tokens alike", "deepstack alike", "states strong"],
)
def test_each_fault_is_paid_for(tokens, deep, states):
    visual = Visual(drawn(200, 64) + tokens, (drawn(200, 64) + deep,))
    assert spread_loss(visual, states * STATES) > 0.5


def test_strength_is_paid_by_the_logarithm():
    visual = Visual(drawn(200, 64), ())
    strength = STATES.square().mean().sqrt()
    losses = [spread_loss(visual, STATES * (STRENGTH / strength) * k) for k in (0.99, 10, 100)]
    assert losses[0] == 0
    assert losses[2] == pytest.approx(2 * float(losses[1]), rel=1e-4)


def test_nothing_at_all_is_no_number_gone_astray():
    tokens = torch.zeros(20, 8, requires_grad=True)
    loss = spread_loss(Visual(tokens, ()), STATES)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(tokens.grad).all()


def test_learning_opens_closed_eyes():
    """Tokens along one direction, as two nanos ended: the loss leads out of it."""
    tokens = (drawn(1, 64) * 20 + drawn(200, 64, seed=1)).requires_grad_()
    optimizer = torch.optim.Adam([tokens], lr=0.05)
    for _ in range(1000):
        loss = spread_loss(Visual(tokens, ()), STATES)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() == pytest.approx(0, abs=0.05)
    assert directions(tokens.detach()) > 0.9 * DIRECTIONS


def test_it_is_part_of_every_loss_that_reads():
    model = build(micro.CONFIG, seed=0).train()
    with torch.no_grad():
        for weight in model.language.model.visual.parameters():
            weight.mul_(30)
    batch = collate(
        [micro.squares(0), micro.squares(1)], micro.vocabulary(), micro.CONFIG, torch.device("cpu")
    )
    for learnt in ("words", "words and masks"):
        found = []
        for spread in (0.0, 2.0):
            draw = uniform(torch.Generator().manual_seed(0))
            objective = Objective(losses=LossConfig(points=32), spread=spread)
            found.append(objective(model, batch, draw, learnt))
        without, with_it = found
        assert "loss_spread" not in without
        assert with_it["loss_spread"] > 0
        extra = with_it["loss"] - without["loss"]
        torch.testing.assert_close(extra, with_it["loss_spread"], rtol=1e-3, atol=1e-3)
