"""From marks to an object: points, boxes, scribbles and masks, and what follows from them.

The model is shown the marked region, together with what is known of the object, and proposes a
mask. Every mark is right about the result: where the model disagrees, the mask is changed on
the spot. In a clip the object is then followed from the marked frame: forward to the next
frame that was corrected by hand, backward over frames that nobody has looked at.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch

from x2sam.engine.finding import SEGMENTING
from x2sam.engine.marks import agreement, marked, obeyed
from x2sam.engine.objects import Object
from x2sam.engine.reach import Reach
from x2sam.engine.running import Running
from x2sam.engine.tracking import follow
from x2sam.errors import PromptError
from x2sam.language.prompts import question
from x2sam.media.masks import Mask, Track
from x2sam.model.conditions import Conditions
from x2sam.model.readout import READOUTS, Reader, Rules
from x2sam.types import (
    Drawing,
    Event,
    How,
    MaskReady,
    Progress,
    Region,
    Route,
    Warning,  # noqa: A004 (an event)
)

DRAWN: Final = "The model sees no object there; what you drew is kept as it is."


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """The mask of an object on one frame, and how it came about."""

    mask: Mask  # (H, W)
    score: float
    how: How


def point(
    run: Running, drawings: Sequence[Drawing], target: Object | None, name: str
) -> Iterator[Event]:
    """Make a new object of marks, or correct the `target`, frame by frame in order."""
    for frame in sorted({drawing.frame for drawing in drawings}):
        marks = [drawing for drawing in drawings if drawing.frame == frame]
        target = yield from _point_on(run, frame, marks, target, name)


def propagate(run: Running, target: Object, frame: int) -> Iterator[Event]:
    """Carry the mask that an object has on a frame to the others that were asked for."""
    conditions = yield from _listen(
        run,
        Region(target.masks[frame], frame),
        otherwise="The model sees no object there; the masks of other frames stay as they were.",
    )
    if conditions is not None:
        changed = target.copy(mentioned=run.turn)
        run.keep(changed)
        yield from _carry(run, changed.id, conditions, ways(changed, frame, run.reach, again=True))


def onward(target: Object, frame: int) -> Route:
    """Say what carrying a mask on is, as the router would."""
    return Route(
        task="objseg",
        rule="propagate",
        reason=f"“{target.name}” on frame {frame} → the same on other frames",
        text=target.name,
        objects=(target.id,),
    )


def anchor(target: Object, frames: int, frame: int | None = None) -> int:
    """Choose the frame whose mask is carried on: the last corrected, else the best scored.

    Raises `PromptError` if there is no mask, for a `frame` that was chosen as for all.
    """
    seen = [index for index in target.masks.visible() if frame in (None, index)]
    if frame is not None and not 0 <= frame < frames:
        raise PromptError(f"There is no frame {frame}; there are 0 to {frames - 1}.")
    if not seen:
        where = "on any frame" if frame is None else f"on frame {frame}"
        raise PromptError(f"“{target.name}” has no mask {where}. Mark it on a frame first.")
    by_hand = [(target.origins[index][1], index) for index in seen if target.is_corrected(index)]
    return max(by_hand)[1] if by_hand else max(seen, key=lambda index: target.scores[index])


def reach(target: Object, frame: int, frames: int, *, again: bool = False) -> tuple[range, range]:
    """Tell which frames follow from one, itself first: forward and backward.

    Forward to the next frame that was corrected; backward over frames that nobody has looked
    at, or `again` over all up to one that was corrected.
    """
    last = next((i for i in range(frame + 1, frames) if target.is_corrected(i)), frames)
    kept = target.is_corrected if again else target.masks.__contains__
    first = frame
    while first > 0 and not kept(first - 1):
        first -= 1
    return range(frame, last), range(frame, first - 1, -1)


def ways(target: Object, frame: int, asked: Reach, *, again: bool = False) -> list[range]:
    """Leave of what follows from a frame what was asked for: ranges that begin with the frame."""
    assert asked.last is not None, "fitted to the clip"
    forward, backward = reach(target, frame, asked.last + 1, again=again)
    return [way[: len(forward if way.step > 0 else backward)] for way in asked.at(frame).streams()]


def begun(run: Running, target: Object | None, name: str) -> Object:
    """Make a new object by this name, or a copy of the target, which may be changed."""
    if target is not None:
        return target.copy(mentioned=run.turn)
    return Object(
        id=run.history.new_id(),
        name=run.history.now.free_name(name),
        masks=Track(run.film.size),
        mentioned=run.turn,
    )


def _point_on(
    run: Running, frame: int, marks: Sequence[Drawing], target: Object | None, name: str
) -> Generator[Event, None, Object]:
    known = None
    if target is not None and frame in target.masks and target.masks.area(frame):
        known = Shape(target.masks[frame], target.scores[frame], How.CORRECTED)
    before = None if known is None else known.mask
    region = Region(marked(marks, run.film.size, before), frame)
    by_hand = all(drawing.kind == "mask" for drawing in marks)
    conditions = None
    if not by_hand or len(run.film) > 1:
        conditions = yield from _listen(run, region)
    if by_hand or conditions is None:
        shape = Shape(region.mask, 1.0, How.CORRECTED)
    else:
        shape = _best(_proposal(run, conditions, region), known, marks)
    changed = begun(run, target, name)
    final = obeyed(shape.mask, marks)
    how = shape.how if target is None and (final == shape.mask).all() else How.CORRECTED
    following = ways(changed, frame, run.reach)
    changed.put(frame, final, shape.score, how, run.turn)
    run.keep(changed)
    yield MaskReady(changed.id, frame, final, shape.score, how)
    if conditions is not None:
        yield from _carry(run, changed.id, conditions, following)
    return changed


def _listen(
    run: Running,
    region: Region,
    otherwise: str = DRAWN,
) -> Generator[Event, None, Conditions | None]:
    """Show the model a region; None, and a warning, if it does not take it for a thing."""
    media = run.listener.media()
    task = "intseg" if media == "image" else "objseg"
    reading = yield from run.ask(question(task, media, regions=1), [region])
    conditions = reading.conditions
    if conditions is None or conditions.classes.shape[1] - 1 != 1:
        yield Warning(otherwise)
        return None
    return conditions


def _proposal(run: Running, conditions: Conditions, region: Region) -> Shape:
    """Segment the marked frame: what fits the region best, or the region where nothing does."""
    read = _reader(run, "interactive", region.mask)
    look = next(
        follow(run.work, run.film, conditions, read, [region.frame], replace(run.options, stride=1))
    )
    if not look.found:
        return Shape(region.mask, 0.0, How.CORRECTED)
    return Shape(look.found[0].mask, look.found[0].score, How.SEEN)


def _best(proposed: Shape, known: Shape | None, marks: Sequence[Drawing]) -> Shape:
    """Take the proposal, unless what is known of the object agrees no less with the marks."""
    agreed = agreement(proposed.mask, marks)
    if known and agreed < len(marks) and agreed <= agreement(known.mask, marks):
        return known
    return proposed


def _carry(
    run: Running, id_: int, conditions: Conditions, following: Sequence[range]
) -> Iterator[Event]:
    """Follow an object from the first of these frames through the others."""
    done, total = 0, sum(len(frames) - 1 for frames in following)
    for frames in following:
        listed = run.listed(id_)
        if listed is None or len(frames) == 1:
            continue
        mask, score = listed.masks[frames[0]], listed.scores[frames[0]]
        read = _reader(run, "objects", mask)
        for look in follow(run.work, run.film, conditions, read, frames, run.options):
            if look.frame == frames[0]:
                continue
            if look.how is How.SEEN:
                mask = look.found[0].mask if look.found else np.zeros_like(mask)
                score = look.found[0].score if look.found else 0.0
            done += 1
            yield Progress(SEGMENTING, done, total)
            if (listed := run.listed(id_)) is None:
                return
            listed.put(look.frame, mask, score, look.how, run.turn)
            yield MaskReady(id_, look.frame, mask, score, look.how)


def _reader(run: Running, reading: str, region: Mask) -> Reader:
    regions = torch.from_numpy(region[None]).to(run.film.engine.predictor.device)
    return READOUTS[reading](Rules(regions=regions))
