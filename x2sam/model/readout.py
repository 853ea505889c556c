"""From logits to objects: how the network's answer about one frame is read.

Every query proposes one mask and says how likely it shows each condition. A *reading*
turns that into segments, and there is one per kind of answer (X2SAM, section 3; the
rules of panoptic, semantic and instance are Mask2Former's). Queries are chosen before
their masks are enlarged. What is not there has no segment: a condition was not found if
its index is missing from `labels`.

A reader is made for one request and fed its frames in order; a picture is a clip of one.

    >>> from x2sam.model.prediction import Sizes
    >>> sizes = Sizes.squashed(side=8, original=(4, 6))
    >>> left = torch.tensor([5.0, -5.0]).expand(2, 2)
    >>> masks = torch.stack([left, -left])  # two queries: the left half, the right half
    >>> classes = torch.tensor([[4.0, 0.0, 0.0], [0.0, 4.0, 0.0]])  # the background is last
    >>> read = READOUTS["phrases"](Rules())
    >>> found = read(Prediction.from_logits(classes, masks, sizes))
    >>> found.paint(found.ids)[0].tolist()
    [1, 1, 1, 2, 2, 2]
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from x2sam.model.prediction import Prediction


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rules:
    """What a reading may be told; the defaults are the official demo's, except for `fill`.

    The official evaluation uses `threshold=0` for panoptic, instance and regions, and the
    official panoptic always has `fill=True`.
    """

    threshold: float = 0.5  # the least score of a segment
    union: float = 0.6  # generalised referring: the least probability of a query that joins
    overlap: float = 0.8  # panoptic: the least share of its mask that a segment must win
    # Panoptic: give pixels that are in no mask to the likeliest one. Right when the
    # conditions name everything there is, wrong when they are a few of many.
    fill: bool = False
    # Below this probability a condition is absent. At 0 every phrase gets a mask, however
    # unlikely, which is what the official code does; at 0.5 a lone phrase must beat the
    # background. Reading again with 0 gives the nearest candidate.
    absent: float = 0.0
    things: frozenset[int] | None = None  # countable conditions; None: all of them
    regions: Tensor | None = None  # (C, H, W) bool: what the user drew, original size

    def is_thing(self, label: int) -> bool:
        """Whether a condition is countable; the others are one segment per frame."""
        return self.things is None or label in self.things


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """What was found in one frame; N may be 0."""

    masks: Tensor  # (N, H, W) bool, original size, never empty
    labels: Tensor  # (N,) int64, index of the condition
    scores: Tensor  # (N,) float32, 0 to 1
    ids: Tensor  # (N,) int64, from 1; READOUTS says for which answers they last over frames
    # (N, D) of length 1, of the query that drew each; None where it is not known
    embeddings: Tensor | None = None

    def __len__(self) -> int:
        return len(self.masks)

    def __getitem__(self, index: Tensor) -> Segments:
        embeddings = None if self.embeddings is None else self.embeddings[index]
        return Segments(
            self.masks[index], self.labels[index], self.scores[index], self.ids[index], embeddings
        )

    def paint(self, values: Tensor, void: int = 0) -> Tensor:
        """One value per segment (N,) as a picture, (H, W) int64; later ones lie on top."""
        picture = torch.full(self.masks.shape[1:], void, device=self.masks.device)
        for mask, value in zip(self.masks, values, strict=True):
            picture[mask] = value
        return picture


Reader = Callable[[Prediction], Segments]
DEFAULTS = Rules()


def panoptic(seen: Prediction, rules: Rules = DEFAULTS) -> Segments:
    """Give every pixel to one query at most: segments do not overlap.

    A query keeps its pixels only if they are most of its mask. Queries of the same
    uncountable condition become one segment, scored by the best of them.
    """
    scores, labels = seen.probabilities.max(dim=1)
    queries = (scores > rules.threshold).nonzero()[:, 0]
    if len(queries) == 0:
        return _segments(seen, queries, labels[queries], scores[queries])
    scores, labels = scores[queries], labels[queries]
    owner = torch.empty(seen.sizes.original, dtype=torch.int64, device=scores.device)
    claimed = torch.zeros_like(labels)
    for rows, logits in seen.strips(queries):
        outside = logits <= 0
        heat = logits.sigmoid_().mul_(scores[:, None, None])
        claimed += (heat >= 0.5).sum(dim=(1, 2))  # noqa: PLR2004 – half, as everywhere
        if not rules.fill:
            heat.masked_fill_(outside, -1)
        hottest = heat.max(dim=0)
        owner[rows] = hottest.indices.where(hottest.values >= 0, len(queries))  # or nobody's
    won = torch.bincount(owner.flatten(), minlength=len(queries) + 1)[:-1]
    valid = (claimed > 0) & (won > 0) & (won / claimed > rules.overlap)

    groups: dict[tuple[int, int], list[int]] = {}  # a thing stands alone, stuff is fused
    for query in valid.nonzero()[:, 0].tolist():
        label = int(labels[query])
        groups.setdefault((label, query if rules.is_thing(label) else -1), []).append(query)
    members = [torch.tensor(group, device=owner.device) for group in groups.values()]
    found = _found(
        masks=[torch.isin(owner, group) for group in members],
        labels=[label for label, _ in groups],
        scores=[scores[group].max() for group in members],
        seen=seen,
    )  # none of them is empty, so none is left out
    embeddings = None
    if seen.embeddings is not None and members:
        best = torch.stack([group[scores[group].argmax()] for group in members])
        embeddings = seen.embeddings[queries[best]]
    ids = torch.arange(1, len(found) + 1, device=owner.device)
    return replace(found, ids=ids, embeddings=embeddings)


def semantic(seen: Prediction, rules: Rules = DEFAULTS) -> Segments:
    """Let all queries vote on every pixel: one segment per condition that wins any.

    A segment's score is its mean share of the votes. No threshold: every pixel is given.
    """
    del rules
    queries, conditions = seen.probabilities.shape
    winner = torch.empty(seen.sizes.original, dtype=torch.int64, device=seen.probabilities.device)
    share = torch.empty(seen.sizes.original, device=winner.device)
    for rows, logits in seen.strips(torch.arange(queries, device=winner.device)):
        votes = torch.einsum("qc,qhw->chw", seen.probabilities, logits.sigmoid_())
        most, winner[rows] = votes.max(dim=0)
        share[rows] = most / votes.sum(dim=0).clamp(min=1e-12)
    present = torch.bincount(winner.flatten(), minlength=conditions).nonzero()[:, 0].tolist()
    masks = [winner == label for label in present]
    return _found(masks, present, [share[mask].mean() for mask in masks], seen)


def instance(seen: Prediction, rules: Rules = DEFAULTS) -> Segments:
    """Find everything countable, best first; segments may overlap.

    Of all pairs of query and condition the Q likeliest are scored: probability times the
    mean confidence inside the mask.
    """
    count, conditions = seen.probabilities.shape
    likelihood, pairs = seen.probabilities.flatten().topk(count)
    queries, labels = pairs // conditions, pairs % conditions
    countable = torch.tensor([rules.is_thing(c) for c in range(conditions)], device=pairs.device)
    # No mask raises a score above its probability, so the unlikely need no mask.
    wanted = countable[labels] & (likelihood >= rules.threshold)
    asked = torch.zeros(count, dtype=torch.bool, device=pairs.device)
    asked[queries[wanted]] = True
    scores = likelihood * seen.quality(asked.nonzero()[:, 0])[queries]
    wanted &= (scores >= rules.threshold) & (scores > 0)
    order = scores.masked_fill(~wanted, -1.0).argsort(descending=True, stable=True)
    order = order[: int(wanted.sum())]
    return _segments(seen, queries[order], labels[order], scores[order])


def phrases(seen: Prediction, rules: Rules = DEFAULTS) -> Segments:
    """Give every phrase the mask of its likeliest query, in order; `ids` count phrases."""
    scores, queries = seen.probabilities.max(dim=0)
    labels = (scores >= rules.absent).nonzero()[:, 0]
    found = _segments(seen, queries[labels], labels, scores[labels])
    return replace(found, ids=found.labels + 1)


def generalised(seen: Prediction, rules: Rules = DEFAULTS) -> Segments:
    """Give every phrase the union of all likely queries, or of the likeliest alone.

    The score is the mean probability of the queries that joined.
    """
    masks, labels, scores = [], [], []
    for label, likelihood in _present(seen, rules):
        queries = _at_least(likelihood, rules.union)
        masks.append(seen.masks(queries).any(dim=0))
        labels.append(label)
        scores.append(likelihood[queries].mean())
    return _found(masks, labels, scores, seen)


def interactive(seen: Prediction, rules: Rules = DEFAULTS) -> Segments:
    """Give every region the mask that fits it best, among those with a fair score.

    Fair is a score, as in `instance`, of at least the threshold, or the best score.
    """
    assert rules.regions is not None, "an interactive reading needs what was drawn"
    everything = torch.arange(len(seen.probabilities), device=seen.probabilities.device)
    masks, labels, scores = [], [], []
    for label, likelihood in _present(seen, rules):
        fair = likelihood * seen.quality(everything[likelihood >= rules.threshold])
        if fair.max() < rules.threshold:
            fair = likelihood * seen.quality(everything)
        queries = _at_least(fair, rules.threshold)
        queries = queries[fair[queries].argsort(descending=True, stable=True)]
        proposals = seen.masks(queries)
        fit = _iou(proposals, rules.regions[label])
        best = fit.tolist().index(float(fit.max()))  # the first, so a tie goes to the score
        masks.append(proposals[best])
        labels.append(label)
        scores.append(fair[queries[best]])
    return _found(masks, labels, scores, seen)


class ObjectMemory:
    """Follow what was drawn through a clip (X2SAM, video object segmentation).

    A query is scored by its probability and by how its mask overlaps what is known of the
    object: the drawn region, and the last four masks that were good enough. Nothing else
    is kept.
    """

    FRAMES = 4
    GEOMETRY = 0.2  # of a score; the probability is the rest
    GOOD = 0.5  # a mask with a better score is remembered

    def __init__(self, rules: Rules) -> None:
        assert rules.regions is not None, "following an object needs what was drawn"
        self._rules = rules
        self._drawn = rules.regions
        self._accepted: list[deque[tuple[Tensor, Tensor]]] = [
            deque(maxlen=self.FRAMES) for _ in rules.regions
        ]

    def __call__(self, seen: Prediction) -> Segments:
        """Find the objects in the next frame; `ids` count regions."""
        masks, labels, scores = [], [], []
        for label, likelihood in _present(seen, self._rules):
            queries = _at_least(likelihood, self._rules.threshold)
            proposals = seen.masks(queries)
            score = self.GEOMETRY * self._fit(proposals, label)
            score += (1 - self.GEOMETRY) * likelihood[queries]
            best = int(score.argmax())
            mask = proposals[best].clone()  # a view would keep all proposals alive
            if score[best] > self.GOOD:
                self._accepted[label].append((mask, score[best]))
            masks.append(mask)
            labels.append(label)
            scores.append(score[best])
        return _found(masks, labels, scores, seen)

    def _fit(self, proposals: Tensor, label: int) -> Tensor:
        """Mean overlap with the known masks, weighted by their scores: (n, H, W) -> (n,)."""
        one = torch.ones((), device=proposals.device)
        known = [(self._drawn[label], one), *self._accepted[label]]
        weights = torch.stack([weight for _, weight in known])
        return weights @ torch.stack([_iou(proposals, mask) for mask, _ in known]) / weights.sum()


class Identities:
    """Number the segments of a reading so that an object keeps its number over frames.

    A thing inherits the number of the segment of the last frame that it overlaps by more
    than half, if the label is the same; every number is given once, best overlap first.
    An uncountable condition keeps one number throughout. Only the last frame is kept.
    """

    OVERLAP = 0.5

    def __init__(self, read: Callable[[Prediction, Rules], Segments], rules: Rules) -> None:
        self._read = read
        self._rules = rules
        self._last: Segments | None = None
        self._stuff: dict[int, int] = {}  # label -> id
        self._next = 1

    def __call__(self, seen: Prediction) -> Segments:
        """Read the next frame."""
        found = self._read(seen, self._rules)
        kept = self._inherited(found)
        ids = []
        for index, label in enumerate(found.labels.tolist()):
            known = kept.get(index) or self._stuff.get(label)
            if known is None:
                known, self._next = self._next, self._next + 1
            if not self._rules.is_thing(label):
                self._stuff[label] = known
            ids.append(known)
        self._last = replace(found, ids=found.labels.new_tensor(ids))
        return self._last

    def _inherited(self, found: Segments) -> dict[int, int]:
        """Index of a thing -> the number it had in the last frame."""
        last = self._last
        if last is None or len(last) == 0:
            return {}
        pairs = []
        for index, label in enumerate(found.labels.tolist()):
            if self._rules.is_thing(label):
                same = last[last.labels == label]
                overlaps = _iou(same.masks, found.masks[index]).tolist()
                pairs += [(o, index, i) for o, i in zip(overlaps, same.ids.tolist(), strict=True)]
        kept: dict[int, int] = {}
        for overlap, index, known in sorted(pairs, key=lambda pair: -pair[0]):
            if overlap > self.OVERLAP and index not in kept and known not in kept.values():
                kept[index] = known
        return kept


READOUTS: Mapping[str, Callable[[Rules], Reader]] = {
    "panoptic": partial(Identities, panoptic),  # ids last
    "instance": partial(Identities, instance),  # ids last
    # Everything like what was drawn: `instance`, with a region for a condition.
    "regions": lambda rules: Identities(instance, replace(rules, things=None)),  # ids last
    "objects": ObjectMemory,  # ids are label + 1, as in all that follow
    "semantic": lambda rules: partial(semantic, rules=rules),
    "referring": lambda rules: partial(phrases, rules=rules),  # a request of one phrase
    "generalised": lambda rules: partial(generalised, rules=rules),
    "phrases": lambda rules: partial(phrases, rules=rules),
    "interactive": lambda rules: partial(interactive, rules=rules),
}

# Readings in which a condition may be several things.
SEVERAL: frozenset[str] = frozenset({"panoptic", "instance", "regions"})

READINGS: Mapping[str, str] = {  # task -> how its answer is read
    "genseg": "panoptic",
    "ovseg": "panoptic",
    "refseg": "referring",
    "reaseg": "referring",
    "gcgseg": "phrases",
    "intseg": "interactive",
    "objseg": "objects",
    "vgdseg": "regions",
}


def _present(seen: Prediction, rules: Rules) -> Iterator[tuple[int, Tensor]]:
    """Conditions that are not absent, with the likelihood of each query: (Q,)."""
    conditions = seen.probabilities.shape[1]
    assert rules.regions is None or len(rules.regions) == conditions, (
        f"{len(rules.regions)} regions for {conditions} conditions"
    )
    for label, likelihood in enumerate(seen.probabilities.T):
        if likelihood.max() >= rules.absent:
            yield label, likelihood


def _at_least(values: Tensor, threshold: float) -> Tensor:
    """Find the values that reach a threshold, or the largest if none does: their indices."""
    return (values >= values.max().clamp(max=threshold)).nonzero()[:, 0]


def _iou(masks: Tensor, mask: Tensor) -> Tensor:
    """Intersection over union of each of (n, H, W) with (H, W): (n,)."""
    assert masks.shape[1:] == mask.shape, f"a mask of {mask.shape} cannot meet {masks.shape}"
    mask = mask.to(masks.device)
    union = (masks | mask).sum(dim=(1, 2))
    return (masks & mask).sum(dim=(1, 2)) / union.clamp(min=1)


def _segments(seen: Prediction, queries: Tensor, labels: Tensor, scores: Tensor) -> Segments:
    """Segments whose masks are those of queries, numbered in order."""
    masks = seen.masks(queries)
    ids = torch.arange(1, len(labels) + 1, device=labels.device)
    embeddings = None if seen.embeddings is None else seen.embeddings[queries]
    return Segments(masks, labels, scores, ids, embeddings)[masks.any(dim=2).any(dim=1)]


def _found(
    masks: list[Tensor], labels: list[int], scores: list[Tensor], seen: Prediction
) -> Segments:
    """Stack what was found, condition by condition; `ids` are label + 1."""
    device = seen.mask_logits.device
    if not masks:
        nothing = torch.empty(0, dtype=torch.int64, device=device)
        return _segments(seen, nothing, nothing, nothing.float())
    label = torch.tensor(labels, device=device)
    found = Segments(torch.stack(masks), label, torch.stack(scores), label + 1)
    return found[found.masks.any(dim=2).any(dim=1)]
