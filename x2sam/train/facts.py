"""What can truly be said about a picture or clip: the things in it, and where they go.

Every statement is three-valued: `True` and `False` only with a margin, `None` in between, so
that a text is never written about a near tie. Positions are those of what is *visible*.

    >>> above(0.35, 0.2, 0.1), above(0.05, 0.2, 0.1), above(0.15, 0.2, 0.1)
    (True, False, None)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from x2sam.train.scenes import owners, shown_shares, solid_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from x2sam.train.scenes import Scene
    from x2sam.train.sprites import SpriteBank
    from x2sam.train.vocabulary import Noun

Verdict = bool | None

NEAR = 0.03  # a difference in place that nobody would speak of
FAR = 0.12  # one that everybody sees
_MOST = 0.6  # share of a thing that must show for its colour to be spoken of
_THERE = 0.15  # share of a thing that must show for it to count as seen in a frame


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """One thing: its words and where it is; numbers are fractions of the picture's side."""

    index: int
    noun: Noun
    colour: str | None  # None where people would not agree
    x: float  # centre of what is visible, mean over the frames that show it
    y: float
    box: tuple[float, float, float, float]  # in the first frame that shows it
    area: float
    shown: float  # share of it that is visible, at its best
    path: NDArray[np.float64]  # (T, 2) centre of the whole thing, hidden or not
    sizes: NDArray[np.float64]  # (T,) its length
    there: NDArray[np.bool_]  # (T,) whether the frame shows it
    inside: NDArray[np.bool_]  # (T,) whether any of it is in the frame, covered or not
    angles: NDArray[np.float64]  # (T,)


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """All things of a picture (T = 1) or clip, back to front."""

    things: tuple[Thing, ...]
    overlaps: NDArray[np.float64]  # (N, N): how much of the smaller one lies on or under the other
    clutter: tuple[Noun, ...]  # what else the background may show
    times: tuple[float, ...]
    panned: bool  # whether the camera moved
    whole: bool = True  # whether the list of things is complete, so that they can be counted

    @property
    def clip(self) -> bool:
        """Whether it has frames."""
        return len(self.times) > 1

    @property
    def complete(self) -> bool:
        """Whether all that can be seen is known, in the background as well."""
        return self.whole and not self.clutter


def observe(scene: Scene, bank: SpriteBank, clutter: Sequence[Noun] = ()) -> Facts:
    """State what a scene shows."""
    plan = solid_cells(scene, bank)
    shares = shown_shares(scene, bank, plan)
    front = owners(plan)
    things = []
    for index, row in enumerate(scene.rows):
        seen = front == index
        poses = scene.poses[:, index].astype(np.float64)
        visible = shares[:, index].max() > _MOST  # or its colour may be the part that is hidden
        noun = bank.sprites[row].noun
        plain = visible and "person" not in noun.kinds
        colour = bank.colour(int(row), float(scene.hues[index])) if plain else None
        things.append(_thing(index, noun, colour, seen, plan[:, index], shares[:, index], poses))
    first = plan[0].reshape(len(scene.rows), -1).astype(np.float64)
    sums = first.sum(axis=1)
    overlaps = first @ first.T / np.maximum(np.minimum(sums[:, None], sums[None]), 1)
    panned = bool(np.abs(scene.backdrop.shift).max() > 0)
    return Facts(tuple(things), overlaps, tuple(clutter), scene.times, panned)


def observe_ids(
    ids: NDArray[np.uint8],
    things: Sequence[tuple[int, Noun]],
    clutter: Sequence[Noun],
    times: tuple[float, ...],
) -> Facts:
    """State what a map of numbered things (T, H, W) shows, for those whose noun is given.

    Nothing is known of colours, of what covers what, or of what has no number.
    """
    found = []
    for index, (number, noun) in enumerate(things):
        seen = ids == number
        size = np.sqrt(seen.mean(axis=(1, 2)))
        place, still = np.full(len(ids), 0.5), np.zeros(len(ids))
        pose = np.stack([place, place, size, still], axis=1)
        found.append(_thing(index, noun, None, seen, seen, np.ones(len(ids)), pose))
    overlaps = np.zeros((len(things), len(things)))
    return Facts(tuple(found), overlaps, tuple(clutter), times, panned=True, whole=False)


def _thing(
    index: int,
    noun: Noun,
    colour: str | None,
    seen: NDArray[np.bool_],
    solid: NDArray[np.bool_],
    shares: NDArray[np.float64],
    poses: NDArray[np.float64],
) -> Thing:
    """Measure one thing: `seen` (T, H, W) is what is visible of it, `solid` what it covers."""
    _, height, width = seen.shape
    columns, lines = seen.sum(axis=1), seen.sum(axis=2)  # (T, W), (T, H)
    counts = columns.sum(axis=1)
    visible = np.flatnonzero(counts)
    first = visible[0] if len(visible) else 0
    x, y = 0.5, 0.5
    box = (0.0, 0.0, 0.0, 0.0)
    if len(visible):
        x = float((columns[visible] @ (np.arange(width) + 0.5) / counts[visible]).mean() / width)
        y = float((lines[visible] @ (np.arange(height) + 0.5) / counts[visible]).mean() / height)
        across, down = np.flatnonzero(columns[first]), np.flatnonzero(lines[first])
        box = (
            *(float(across[0] / width), float(down[0] / height)),
            *(float((across[-1] + 1) / width), float((down[-1] + 1) / height)),
        )
    reach = 0.5 * poses[:, 2, None]
    within = ((poses[:, :2] > -reach) & (poses[:, :2] < 1 + reach)).all(axis=1)
    return Thing(
        index=index,
        noun=noun,
        colour=colour,
        x=x,
        y=y,
        box=box,
        area=float(counts.mean() / (height * width)),
        shown=float(shares.max()),
        path=poses[:, :2],
        sizes=poses[:, 2],
        there=shares > _THERE,
        # A corner of what is turned reaches further than its side.
        inside=np.logical_or(within, solid.any(axis=(1, 2))),
        angles=poses[:, 3],
    )


def above(value: float, surely: float, hardly: float) -> Verdict:
    """Compare with two thresholds: True from `surely` on, False up to `hardly`, else None."""
    return True if value >= surely else False if value <= hardly else None


def both(*verdicts: Verdict) -> Verdict:
    """Three-valued and.

    >>> both(True, None), both(None, False)
    (None, False)
    """
    if False in verdicts:
        return False
    return None if None in verdicts else True


def left_of(a: Thing, b: Thing) -> Verdict:
    """Whether `a` is to the left of `b`, and not rather above or below it."""
    return _beside(b.x - a.x, abs(b.y - a.y))


def higher_than(a: Thing, b: Thing) -> Verdict:
    """Whether `a` is above `b`, and not rather beside it."""
    return _beside(b.y - a.y, abs(b.x - a.x))


def _beside(ahead: float, aside: float) -> Verdict:
    if ahead <= NEAR:
        return False
    return True if ahead >= FAR and aside <= 1.2 * ahead else None


def on_side(place: float, sign: int) -> Verdict:
    """Whether a coordinate lies in the first half of the picture (sign 1) or in the last (-1)."""
    return above(sign * (0.5 - place), FAR, -NEAR)


def between(thing: Thing, a: Thing, b: Thing) -> Verdict:
    """Whether `thing` is between `a` and `b`: near the middle of the line that joins them."""
    ends = np.array([[a.x, a.y], [b.x, b.y]])
    line = ends[1] - ends[0]
    length = float(np.hypot(*line))
    if length < 3 * FAR:
        return None
    offset = np.array([thing.x, thing.y]) - ends[0]
    along = float(offset @ line) / length**2
    away = abs(float(offset[0] * line[1] - offset[1] * line[0])) / length
    if not 0.05 < along < 0.95 or away > 0.3:  # noqa: PLR2004
        return False
    return True if 0.25 < along < 0.75 and away < 0.12 else None  # noqa: PLR2004


def gap(a: Thing, b: Thing) -> float:
    """Distance between two boxes, as a fraction of the side; 0 when they touch."""
    across = max(a.box[0] - b.box[2], b.box[0] - a.box[2], 0.0)
    down = max(a.box[1] - b.box[3], b.box[1] - a.box[3], 0.0)
    return float(np.hypot(across, down))


def next_to(a: Thing, b: Thing) -> Verdict:
    """Whether `a` is next to `b`."""
    distance = gap(a, b)
    return True if distance < 0.06 else False if distance > 0.2 else None  # noqa: PLR2004


def in_front_of(facts: Facts, a: Thing, b: Thing) -> Verdict:
    """Whether `a` covers a part of `b`; `a` stands in front when it comes later in the list."""
    share = float(facts.overlaps[a.index, b.index])
    if a.index < b.index:
        return False if share > 0.1 or share == 0 else None  # noqa: PLR2004
    return above(share, 0.12, 0.0)


def moves(thing: Thing, way: tuple[int, int]) -> Verdict:
    """Whether it moves that way, (1, 0) being right and (0, 1) down."""
    seen = np.flatnonzero(thing.there)
    if len(seen) < 2:  # noqa: PLR2004
        return None
    track = thing.path[seen]
    ahead = float((track[-1] - track[0]) @ np.array(way))
    aside = abs(float((track[-1] - track[0]) @ np.array(way[::-1])))
    near = thing.path[(np.abs(thing.path) < 2).all(axis=1)]  # noqa: PLR2004
    if ((near - track[0]) @ np.array(way)).max() < 0.04:  # noqa: PLR2004 - nor goes and comes back
        return False
    return True if ahead > 0.2 and aside < 0.5 * ahead else None  # noqa: PLR2004


def stays(thing: Thing) -> Verdict:
    """Whether it keeps its place, its size and its angle from the first frame to the last."""
    reach = float(np.ptp(thing.path[thing.inside], axis=0).max())
    if reach > 0.15:  # noqa: PLR2004
        return False
    if not thing.inside.all():  # it may come or go, and stand still between
        return None
    turn, growth = float(np.ptp(thing.angles)), float(np.ptp(np.log(thing.sizes)))
    return True if reach < 0.01 and turn < 0.1 and growth < 0.05 else None  # noqa: PLR2004


def grows(thing: Thing, sign: int = 1) -> Verdict:
    """Whether it becomes larger (sign 1) or smaller (-1)."""
    seen = np.flatnonzero(thing.there)
    if len(seen) < 2:  # noqa: PLR2004
        return None
    return above(sign * float(np.log(thing.sizes[seen[-1]] / thing.sizes[seen[0]])), 0.3, 0.05)


def turns(thing: Thing) -> Verdict:
    """Whether it spins."""
    return above(float(np.ptp(thing.angles[thing.there])), 0.9, 0.1)


def arrives(thing: Thing) -> Verdict:
    """Whether it is not there at first and comes later."""
    if not thing.inside[0]:
        return bool(thing.there.any())
    return False if thing.there[0] and _in_one_go(thing) else None


def leaves(thing: Thing) -> Verdict:
    """Whether it is gone from the frame at the end."""
    if not thing.inside[-1]:
        return bool(thing.there.any())
    return False if thing.there[-1] and _in_one_go(thing) else None


def _in_one_go(thing: Thing) -> bool:
    """Whether it is never out of the frame between being seen first and last."""
    seen = np.flatnonzero(thing.there)
    return bool(thing.inside[seen[0] : seen[-1] + 1].all())


def returns(thing: Thing) -> Verdict:
    """Whether it leaves the frame and comes back."""
    gone = np.flatnonzero(~thing.inside)
    if not len(gone):
        return False
    before, after = thing.there[: gone[0]].any(), thing.there[gone[-1] :].any()
    return bool(before and after) if thing.there[0] else False


def first_seen(thing: Thing) -> int | None:
    """The first frame that shows it; None if an earlier one may show a little of it."""
    first = int(thing.there.argmax())
    return None if thing.inside[:first].any() else first
