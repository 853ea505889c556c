"""Matching of queries to targets: the best pairs win, whatever the padding.

Covered: hand-made cases, a brute-force twin over all permutations, samples without targets,
more targets than queries. Nothing is faked; the logits are made up. What the published code
matches is compared in `test_losses.py`.
"""

from itertools import permutations

import pytest
import torch
import torch.nn.functional as F

from x2sam.train.matcher import Matches, Targets, Weights, match, sample_points


def logits_of(masks):
    """Mask logits that are sure of these masks."""
    return masks.float() * 20 - 10


def stripes(*columns):
    """One mask per entry, 8 x 8, a single column of it set."""
    masks = torch.zeros(len(columns), 8, 8, dtype=torch.bool)
    for mask, column in zip(masks, columns, strict=True):
        mask[:, column] = True
    return masks


def grid_points(predictions, samples, size=8):
    """Every pixel centre of a size x size grid: (P, B, size², 2)."""
    centres = (torch.arange(size) + 0.5) / size
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    return torch.stack([x, y], -1).reshape(1, 1, -1, 2).expand(predictions, samples, -1, 2)


def random_case(seed, counts, *, predictions=2, queries=6, classes=4):
    random = torch.Generator().manual_seed(seed)
    samples = len(counts)
    class_logits = [
        torch.randn(samples, queries, classes + 1, generator=random) * 3 for _ in range(predictions)
    ]
    mask_logits = [
        torch.randn(samples, queries, 8, 8, generator=random) * 3 for _ in range(predictions)
    ]
    targets = Targets.join(
        [
            (
                torch.randint(classes, (count,), generator=random),
                torch.rand(count, 16, 16, generator=random) > 0.5,
            )
            for count in counts
        ]
    )
    points = torch.rand(predictions, samples, 40, 2, generator=random)
    return class_logits, mask_logits, as_float(targets), points


def as_float(targets):
    return Targets(targets.labels, targets.masks.float(), targets.counts)


def test_points_read_the_pixel_under_them():
    pixels = torch.arange(16.0).reshape(1, 1, 4, 4)
    x_y = torch.tensor([[[0.125, 0.125], [0.875, 0.125], [0.125, 0.875], [0.5, 0.5]]])
    assert sample_points(pixels, x_y)[0, 0].tolist() == [0, 3, 12, 7.5]


def test_each_target_gets_the_query_that_drew_it():
    drawn = stripes(5, 1, 3)
    targets = Targets.join([(torch.zeros(2, dtype=torch.int64), stripes(3, 5))])
    matches = match(
        [torch.zeros(1, 3, 2)],
        [logits_of(drawn)[None]],
        as_float(targets),
        grid_points(1, 1),
        Weights(),
    )
    assert pairs(matches, 0) == {(0, 0, 1), (0, 2, 0)}


def test_the_class_decides_between_equal_masks():
    class_logits = torch.full((1, 2, 3), -5.0)
    class_logits[0, 0, 1] = class_logits[0, 1, 0] = 5.0
    targets = Targets.join([(torch.tensor([0, 1]), stripes(2, 2))])
    matches = match(
        [class_logits],
        [logits_of(stripes(2, 2))[None]],
        as_float(targets),
        grid_points(1, 1),
        Weights(),
    )
    assert pairs(matches, 0) == {(0, 0, 1), (0, 1, 0)}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("counts", [(3, 3), (4, 0, 2), (0, 1), (1,)])
def test_no_other_assignment_is_cheaper(seed, counts):
    class_logits, mask_logits, targets, points = random_case(seed, counts)
    matches = match(class_logits, mask_logits, targets, points, Weights())
    first = 0
    for sample, count in enumerate(counts):
        for layer in range(len(points)):
            cost = naive_cost(
                class_logits[layer][sample],
                mask_logits[layer][sample],
                targets.labels[first : first + count],
                targets.masks[first : first + count],
                points[layer, sample],
            )
            own = matches.samples == sample
            found = cost[matches.queries[layer][own], matches.targets[layer][own] - first].sum()
            best = min(
                sum((cost[query, target] for target, query in enumerate(order)), torch.zeros(()))
                for order in permutations(range(len(cost)), count)
            )
            assert own.sum() == count
            torch.testing.assert_close(found, best)
        first += count


def test_padding_with_other_samples_changes_nothing():
    class_logits, mask_logits, targets, points = random_case(3, (2, 5))
    together = match(class_logits, mask_logits, targets, points, Weights())
    alone = match(
        [logits[:1] for logits in class_logits],
        [logits[:1] for logits in mask_logits],
        Targets(targets.labels[:2], targets.masks[:2], (2,)),
        points[:, :1],
        Weights(),
    )
    assert torch.equal(together.queries[:, :2], alone.queries)
    assert torch.equal(together.targets[:, :2], alone.targets)


def test_more_targets_than_queries_leave_some_unmatched():
    case = random_case(0, (9, 2), queries=4)
    matches = match(*case, Weights())
    assert matches.samples.tolist() == [0, 0, 0, 0, 1, 1]
    assert sorted(matches.queries[0, :4].tolist()) == [0, 1, 2, 3]
    assert matches.targets[:, 4:].min() >= 9


def test_a_batch_without_targets_has_no_pairs():
    matches = match(*random_case(0, (0, 0)), Weights())
    assert matches.samples.shape == (0,)
    assert matches.queries.shape == matches.targets.shape == (2, 0)


def test_a_diverged_network_still_gets_pairs():
    class_logits, mask_logits, targets, points = random_case(1, (2, 2))
    mask_logits[0][0, 1] = float("nan")
    matches = match(class_logits, mask_logits, targets, points, Weights())
    assert matches.queries.shape == (2, 4)


def test_counts_must_add_up():
    with pytest.raises(AssertionError):
        Targets(torch.zeros(2, dtype=torch.int64), torch.zeros(2, 4, 4), (1, 2))


def pairs(matches: Matches, layer):
    """Pairs of one prediction as a set of (sample, query, target)."""
    rows = torch.stack([matches.samples, matches.queries[layer], matches.targets[layer]], 1)
    return {tuple(row) for row in rows.tolist()}


def naive_cost(class_logits, mask_logits, labels, masks, points):
    """The cost as the paper writes it, one pair at a time: (Q, n)."""
    cost = torch.zeros(len(class_logits), len(labels))
    for query, (classes, drawn) in enumerate(zip(class_logits, mask_logits, strict=True)):
        x = sample_points(drawn[None, None], points[None])[0, 0]
        for target, (label, mask) in enumerate(zip(labels, masks, strict=True)):
            t = sample_points(mask[None, None], points[None])[0, 0]
            bce = F.binary_cross_entropy_with_logits(x, t)
            s = x.sigmoid()
            dice = 1 - (2 * (s * t).sum() + 1) / (s.sum() + t.sum() + 1)
            cost[query, target] = -2 * classes.softmax(-1)[label] + 5 * bce + 5 * dice
    return cost
