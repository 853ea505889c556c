"""Everything in a picture at once: SAM 2 proposes, and the person keeps what is wanted.

What is proposed is not in the list of objects; `keep` makes an object of it. A search that is
stopped proposes what it has found until then.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Final

from x2sam.engine.engine import Stopped, Work
from x2sam.engine.film import Film
from x2sam.engine.objects import History, Object
from x2sam.errors import PromptError
from x2sam.media.masks import Track
from x2sam.tracker.everything import candidates, distinct
from x2sam.tracker.search import Search, Segment
from x2sam.types import Done, How, Progress, Waiting

Sighting = Waiting | Progress | Segment | Done
NAME: Final = "object"


def propose(work: Work, film: Film, frame: int, search: Search) -> Generator[Sighting, None, None]:
    """Search a frame: progress, then the segments, best first, and `Done`.

    Raises `PromptError` where no SAM 2 is loaded, or there is no such frame.
    """
    tracker = film.engine.tracker
    if tracker is None:
        raise PromptError(
            "To segment everything takes SAM 2, which is not loaded. Start with --tracker and the "
            "name of one."
        )
    if not 0 <= frame < len(film):
        raise PromptError(f"There is no frame {frame}; the last one is {len(film) - 1}.")
    started, stopped = time.monotonic(), False
    found: list[Segment] = []
    batches = candidates(tracker, film.picture(frame), search)
    try:
        while True:
            if (waiting := work.waiting()) is not None:
                yield waiting
            with work.step("propose"):
                batch = next(batches, None)
            if batch is None:
                break
            progress, segments = batch
            found += segments
            yield progress
    except Stopped:
        stopped = True
    yield from distinct(found, search)
    yield Done(turn=0, seconds=time.monotonic() - started, stopped=stopped)


def keep(history: History, segment: Segment, frame: int, turn: int, name: str = NAME) -> Object:
    """Put what was proposed on a frame into the list, which is one change to undo."""
    object_ = Object(
        id=history.new_id(),
        name=history.now.free_name(name),
        masks=Track(segment.rle.size, {frame: segment.rle}),
        scores={frame: min(max(segment.quality, 0.0), 1.0)},
        origins={frame: (How.CORRECTED, turn)},  # pointed at, like what a click makes
        mentioned=turn,
    )
    history.edit(lambda objects: objects.put(object_))
    return object_
