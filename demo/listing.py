"""The list of objects as the page sees it.

What a list says of an object's masks (where it is visible, how each came about) takes a walk
over all its frames, so it is kept until the masks change, and then gets a new version: a page
that holds masks of another version lets go of them.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from x2sam.media.masks import Track
from x2sam.types import Provenance

if TYPE_CHECKING:
    from x2sam.engine.objects import Object

_STEPS: Final = 8  # in which the page is told how sure SAM 2 is


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found out about the masks of an object, while they were these."""

    track: weakref.ref[Track]
    frames: int
    values: dict[str, Any]

    def hold_for(self, track: Track) -> bool:
        """Tell whether these are still its masks; a finished track grows, but never changes."""
        return self.track() is track and self.frames == len(track)


class Listing:
    """Describes one list of objects again and again; remembers the objects of the last time."""

    def __init__(self) -> None:
        self._facts: dict[int, Facts] = {}
        self._versions = count(1)

    def describe(self, objects: Iterable[Object]) -> list[dict[str, Any]]:
        """Describe all objects in order, as the page reads them."""
        known, self._facts = self._facts, {}
        described = []
        for each in objects:
            facts = known.get(each.id)
            if facts is None or not facts.hold_for(each.masks):
                facts = self._look(each)
            self._facts[each.id] = facts
            described.append(
                {
                    "id": each.id,
                    "name": each.name,
                    "colour": "#{:02x}{:02x}{:02x}".format(*each.colour),
                    "shown": each.shown,
                    **facts.values,
                }
            )
        return described

    def _look(self, each: Object) -> Facts:
        frames = len(each.masks)
        spans = each.masks.spans()
        first = spans[0][0] if spans else None
        height, width = each.masks.size
        area = 0 if first is None else each.masks.area(first)
        values = {
            "version": next(self._versions),
            "score": round(each.score, 4),
            "area": round(area / (height * width), 5),
            "first": first,
            "visible": [[start, end - 1] for start, end in spans],
            "origins": origins(each.provenance),
            "doubts": doubts(each.visible),
        }
        return Facts(weakref.ref(each.masks), frames, values)


def doubts(visible: Mapping[int, float]) -> list[list[Any]]:
    """Say where SAM 2 is not sure to see an object: first frame, last frame, how sure in eighths.

    >>> doubts({3: 0.5, 4: 0.52, 5: 0.1, 6: 0.99, 8: 0.1})
    [[3, 4, 0.5], [5, 5, 0.125], [8, 8, 0.125]]
    """
    joined: list[list[Any]] = []
    for frame, share in sorted(visible.items()):
        sure = round(share * _STEPS) / _STEPS
        if joined and joined[-1][1:] == [frame - 1, sure]:
            joined[-1][1] = frame
        elif sure < 1:
            joined.append([frame, frame, sure])
    return joined


def origins(provenance: Provenance) -> list[list[Any]]:
    """Say how masks came about: first frame, last frame, how; whichever turn it was.

    >>> from x2sam.types import How
    >>> origins(Provenance.of({0: (How.SEEN, 1), 1: (How.SEEN, 2), 2: (How.CARRIED, 2)}))
    [[0, 1, 'seen'], [2, 2, 'carried']]
    """
    joined: list[list[Any]] = []
    for span in provenance.spans:
        if joined and joined[-1][1] == span.first - 1 and joined[-1][2] == span.how.value:
            joined[-1][1] = span.last
        else:
            joined.append([span.first, span.last, span.how.value])
    return joined
