"""From marks to an object by SAM 2, which answers at once and without words.

The mask that SAM 2 gives is changed where a mark says otherwise, and counts as marked by hand. In
a clip it is carried where `pointing` would follow it: forward to the next frame that was marked by
hand, backward over frames that nobody has looked at.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from x2sam.engine.carrier import Prompter
from x2sam.engine.objects import Object
from x2sam.engine.pointing import DRAWN, begun, ways
from x2sam.engine.running import CARRYING, Running, seen_at
from x2sam.types import (
    Drawing,
    Event,
    How,
    MaskReady,
    Progress,
    Warning,  # noqa: A004 (an event)
)


def point(
    run: Running,
    prompter: Prompter,
    drawings: Sequence[Drawing],
    target: Object | None,
    name: str,
) -> Iterator[Event]:
    """Make a new object of marks, or correct the `target`, frame by frame in order."""
    for frame in sorted({drawing.frame for drawing in drawings}):
        marks = [drawing for drawing in drawings if drawing.frame == frame]
        target = yield from _point_on(run, prompter, frame, marks, target, name)


def propagate(run: Running, prompter: Prompter, target: Object, frame: int) -> Iterator[Event]:
    """Carry the mask that an object has on a frame to the others that were asked for."""
    changed = target.copy(mentioned=run.turn)
    run.keep(changed)
    prompter.settle(run.work, changed, run.history.now.ids(), also=frame)
    yield from _carry(run, prompter, changed.id, ways(changed, frame, run.reach, again=True))


def _point_on(
    run: Running,
    prompter: Prompter,
    frame: int,
    marks: Sequence[Drawing],
    target: Object | None,
    name: str,
) -> Generator[Event, None, Object]:
    changed = begun(run, target, name)
    prompter.settle(run.work, changed, run.history.now.ids())
    shape = prompter.mark(run.work, changed, frame, marks)
    if shape.visible < run.options.absent:
        yield Warning(DRAWN)
    following = ways(changed, frame, run.reach)
    changed.put(frame, shape.mask, shape.score, How.CORRECTED, run.turn, shape.visible)
    run.keep(changed)
    yield MaskReady(changed.id, frame, shape.mask, shape.score, How.CORRECTED, shape.visible)
    yield from _carry(run, prompter, changed.id, following)
    return changed


def _carry(
    run: Running, prompter: Prompter, id_: int, following: Sequence[range]
) -> Iterator[Event]:
    """Carry an object from the first of these frames through the others."""
    done, total = 0, sum(len(frames) - 1 for frames in following)
    for frames in following:
        if len(frames) == 1 or not prompter.knows(id_):
            continue
        for tracked in prompter.carry(run.work, [id_], frames[1:]):
            mask, score, visible = seen_at(tracked.shapes[id_], run.options.absent)
            done += 1
            yield Progress(CARRYING, done, total)
            if (listed := run.listed(id_)) is None:
                return
            listed.put(tracked.frame, mask, score, How.CARRIED, run.turn, visible)
            yield MaskReady(id_, tracked.frame, mask, score, How.CARRIED, visible)
