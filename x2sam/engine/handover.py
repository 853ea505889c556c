"""X2SAM understands, SAM 2 follows: from masks on a few frames to masks on all.

The frames that the language model was shown are *anchors*: there, the words were understood. Where
these are few and do not show something that was asked for, X2SAM looks for it on a few more, and
those where it is seen best are anchors too. From each of them SAM 2 carries the masks to the next,
where both are compared. If they overlap by half or more, the anchor's mask goes on. Else the anchor
is right on its own frame and half of the way back to the one before, and whoever asked is told.
What SAM 2 lost on its way, it looks for from where it is found again. This is the
post-optimisation of VideoLISA (arXiv 2409.19603) with another tracker.

    >>> anchored(Reach().within(10), [2, 7])
    [[2, 7]]
    >>> anchored(Reach(start=5).within(10), [2, 7])
    [[5, 7], [5, 2]]
    >>> anchored(Reach(first=8).within(10), [2, 7])
    [[8]]

What is in the list already, seen in another turn or marked by hand, stays; a mask marked by hand
is an anchor too.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from x2sam.engine.carrier import Carrier
from x2sam.engine.reach import Reach
from x2sam.engine.running import CARRYING, Running, seen_at
from x2sam.media.masks import Mask, Rle
from x2sam.media.sampling import middles
from x2sam.types import (
    Event,
    How,
    Progress,
    Warning,  # noqa: A004 (an event)
)

LOOKED: Final = 8  # frames, spread evenly, where those that were shown do not show a thing
ANCHORS: Final = 3  # of them, that the masks of such a thing are carried from
ALIKE: Final = 0.5  # overlap of a carried mask with an anchor's from which on they are the same
_NAMED: Final = 6  # frames in one sentence


def anchored(reach: Reach, shown: Sequence[int]) -> list[list[int]]:
    """Choose the frames that the model itself segments, in streams like those of the reach.

    Those of the `shown` that were asked for, and a start that was named; where there is none, the
    first of the frames.
    """
    streams = reach.streams()
    anchors = {*shown} if reach.start is None else {*shown, reach.start}
    chosen = [[frame for frame in way if frame in anchors] for way in streams]
    return [way for way in chosen if way] or [[streams[0][0]]]


def further(reach: Reach, looked: Collection[int]) -> list[int]:
    """Choose frames to look on for what the `looked` at do not show; none where those are many.

    >>> further(Reach().within(24), [12])
    [1, 4, 7, 10, 13, 16, 19, 22]
    """
    frames = sorted({frame for way in reach.streams() for frame in way})
    spread = middles(len(frames), LOOKED) if len(looked) < LOOKED else ()
    return [frames[place] for place in spread if frames[place] not in looked]


def hand_over(run: Running, ids: Sequence[int], anchors: Collection[int]) -> Iterator[Event]:
    """Let SAM 2 carry objects from the anchors to all frames that were asked for."""
    frames = [frame for way in run.reach.streams() for frame in way]
    asked = range(min(frames), max(frames) + 1)
    open_ = [id_ for id_ in ids if _unknown(run, id_, asked)]
    if open_:
        yield from _Relay(run, open_, anchors, asked).run()


def _unknown(run: Running, id_: int, frames: range) -> bool:
    """Tell whether there is anything left to carry."""
    listed = run.listed(id_)
    return listed is not None and any(
        listed.origins.get(frame, (How.CARRIED, 0))[0] is How.CARRIED for frame in frames
    )


class _Relay:
    """One hand-over: from edge to edge, all objects together, so that each frame is seen once."""

    def __init__(
        self, run: Running, ids: Sequence[int], anchors: Collection[int], frames: range
    ) -> None:
        self._run = run
        self._ids = ids
        self._frames = frames
        self._said = {id_: _known(run, id_, anchors, frames) for id_ in ids}
        self._edges = sorted({frame for masks in self._said.values() for frame in masks})
        self._carrier = Carrier(run.film)
        self._carried: set[int] = set()  # objects that SAM 2 has
        self._since: dict[int, int] = {}  # the edge where something was last said of an object
        self._disputed: dict[int, list[int]] = {id_: [] for id_ in ids}
        self._covered: set[int] = set()

    def run(self) -> Iterator[Event]:
        for left, right in pairwise((None, *self._edges, None)):
            first = self._frames.start if left is None else left + 1
            last = self._frames[-1] if right is None else right
            arrived = yield from self._forward(range(first, last + 1), right)
            if right is not None:
                yield from self._meet(right, arrived)
        for id_ in self._ids:
            if id_ not in self._carried:
                yield from self._empty(id_, self._since.get(id_, -1) + 1, self._frames.stop)
            yield from self._warn(id_)

    def _forward(
        self, frames: range, edge: int | None
    ) -> Generator[Event, None, dict[int, tuple[Mask, float, float]]]:
        """Carry what is known to the next edge; what arrives there, by object."""
        arrived: dict[int, tuple[Mask, float, float]] = {}
        if not (self._carried and frames):
            return arrived
        for tracked in self._carrier.carry(self._run.work, sorted(self._carried), frames):
            for id_, shape in tracked.shapes.items():
                found = seen_at(shape, self._run.options.absent)
                if tracked.frame == edge and edge in self._said[id_]:
                    arrived[id_] = found
                else:
                    yield from self._write(id_, tracked.frame, *found)
            yield from self._progress(tracked.frame)
        return arrived

    def _meet(self, edge: int, arrived: Mapping[int, tuple[Mask, float, float]]) -> Iterator[Event]:
        """Compare what arrived with what is known at an edge, and go on from there."""
        back: dict[int, int] = {}  # object -> the first frame that is still its own
        lost: set[int] = set()  # objects that SAM 2 did not bring along
        for id_ in self._ids:
            if edge not in self._said[id_]:
                continue
            here, since = self._said[id_][edge], self._since.get(id_)
            low = self._frames.start if since is None else since + 1
            if id_ in arrived and here.area and not arrived[id_][0].any():
                lost.add(id_)
            elif id_ in arrived:
                agreed = Rle.of(arrived[id_][0]).iou(here) >= ALIKE
                low = edge if agreed else (low - 1 + edge) // 2 + 1
                if not agreed:
                    self._disputed[id_].append(edge)
                    self._carried.discard(id_)
            self._since[id_] = edge
            if here.area:
                self._carrier.begin(self._run.work, id_, edge, here.mask())
                self._carried.add(id_)
                back[id_] = low
            elif id_ not in self._carried:
                yield from self._empty(id_, low, edge)
        fresh = {id_ for id_ in back if id_ not in arrived}
        yield from self._backward(edge, back, fresh, lost)

    def _backward(
        self, edge: int, back: Mapping[int, int], fresh: Collection[int], lost: Collection[int]
    ) -> Iterator[Event]:
        """Carry objects back from an edge.

        One that is new there may have been missed at the edge before, which says it was not there.
        One that was lost on the way is wanted only where it was lost.
        """
        start = self._frames.start
        ends = {i: max(start, low - 1) if i in fresh else low for i, low in back.items()}
        going = [id_ for id_, end in ends.items() if end < edge]
        if not going:
            return
        frames = range(edge - 1, min(ends[id_] for id_ in going) - 1, -1)
        for tracked in self._carrier.carry(self._run.work, going, frames):
            for id_, shape in tracked.shapes.items():
                found = seen_at(shape, self._run.options.absent)
                if id_ in lost and self._is_seen(id_, tracked.frame):
                    continue
                if tracked.frame >= back[id_]:
                    yield from self._write(id_, tracked.frame, *found)
                elif tracked.frame == ends[id_] and found[0].any():
                    self._disputed[id_].append(tracked.frame)
                    yield from self._empty(id_, back[id_], (tracked.frame + edge) // 2 + 1)
            yield from self._progress(tracked.frame)

    def _is_seen(self, id_: int, frame: int) -> bool:
        listed = self._run.listed(id_)
        return listed is not None and frame in listed.masks and listed.masks.area(frame) > 0

    def _write(
        self, id_: int, frame: int, mask: Mask, score: float, visible: float | None = None
    ) -> Iterator[Event]:
        yield from self._run.write(id_, frame, mask, score, How.CARRIED, visible)

    def _empty(self, id_: int, first: int, stop: int) -> Iterator[Event]:
        """Say of frames `first` to `stop`, exclusive, that an object is not there."""
        nothing = np.zeros(self._run.film.size, bool)
        for frame in range(max(first, self._frames.start), stop):
            yield from self._write(id_, frame, nothing, 0.0)

    def _progress(self, frame: int) -> Iterator[Event]:
        self._covered.add(frame)
        yield Progress(CARRYING, len(self._covered), len(self._frames))

    def _warn(self, id_: int) -> Iterator[Event]:
        listed, frames = self._run.listed(id_), sorted({*self._disputed[id_]})
        if listed is None or not frames:
            return
        named = ", ".join(map(str, frames[:_NAMED])) + (" and more" if frames[_NAMED:] else "")
        yield Warning(
            f"SAM 2 and the model disagreed about “{listed.name}” at "
            f"{'frame' if len(frames) == 1 else 'frames'} {named}. The model is believed there and "
            "halfway to its frame before. Check the frames around, and mark what you mean where "
            "they are wrong."
        )


def _known(run: Running, id_: int, anchors: Collection[int], frames: range) -> dict[int, Rle]:
    """What is known of an object at the anchors, and where it was marked by hand."""
    listed = run.listed(id_)
    if listed is None:
        return {}
    return {
        frame: listed.masks.rle(frame)
        for frame in listed.masks
        if frame in frames and (frame in anchors or listed.is_corrected(frame))
    }
