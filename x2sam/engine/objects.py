"""The list of objects that words and pointing both edit, and its history.

A list never changes: every change makes a new one, so undo is going back to an old one. Masks
are kept as runs; only the turn that made an object still adds frames to it.

    >>> import numpy as np
    >>> dog = Object(id=1, name="the dog", masks=Track((2, 3)))
    >>> dog.put(0, np.eye(2, 3, dtype=bool), 0.9, How.SEEN, turn=1)
    >>> history = History()
    >>> history.edit(lambda objects: objects.put(dog))
    >>> history.now["the dog"].masks[0].sum(), history.now[0].colour
    (np.int64(2), (230, 159, 0))
    >>> history.undo(), len(history.now)
    (True, 0)
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self, overload

from x2sam.errors import MediaError, PromptError
from x2sam.media.annotations import Item
from x2sam.media.drawing import Colour, colour_of
from x2sam.media.masks import Mask, Track
from x2sam.types import How, ListedObject, Provenance

_DEPTH: Final = 100  # changes that can be undone
_LONGEST: Final = 200  # letters of a name


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Object:
    """One object: its masks by frame, and where each of them comes from.

    A picture has one frame, number 0. An empty mask says that the object was looked for and is
    not to be seen; a frame without a mask has not been looked at.
    """

    id: int
    name: str
    masks: Track
    scores: dict[int, float] = field(default_factory=dict)  # by frame, 0 to 1
    origins: dict[int, tuple[How, int]] = field(default_factory=dict)  # by frame: how, which turn
    # By frame where SAM 2 said so: how sure it was that the object is to be seen, 0 to 1.
    visible: dict[int, float] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()  # other words it was found by
    shown: bool = True
    mentioned: int = 0  # the turn in which it was last spoken of

    @property
    def colour(self) -> Colour:
        """Its colour, for ever the same."""
        return colour_of(self.id)

    @property
    def score(self) -> float:
        """Mean score over the frames where it is to be seen; 0 if it is nowhere."""
        scores = [score for score in list(self.scores.values()) if score > 0]
        return sum(scores) / len(scores) if scores else 0.0

    @property
    def provenance(self) -> Provenance:
        """How its masks came about, frame by frame."""
        return Provenance.of(self.origins)

    @property
    def first(self) -> int | None:
        """The first frame where it is to be seen."""
        return next((index for index in self.masks if self.masks.area(index)), None)

    def put(
        self,
        frame: int,
        mask: Mask,
        score: float,
        how: How,
        turn: int,
        visible: float | None = None,
    ) -> None:
        """Set the mask (H, W) of a frame; only for the turn that makes the object."""
        self.masks[frame] = mask
        self.scores[frame] = score
        self.origins[frame] = how, turn
        self.visible.pop(frame, None)
        if visible is not None:
            self.visible[frame] = visible

    def is_corrected(self, frame: int) -> bool:
        """Tell whether the mask of a frame was marked by hand."""
        return self.origins.get(frame, (None, 0))[0] is How.CORRECTED

    def copy(self, **changes: Any) -> Object:
        """An object that may be changed on its own."""
        own = replace(
            self,
            masks=self.masks.copy(),
            scores=dict(self.scores),
            origins=dict(self.origins),
            visible=dict(self.visible),
        )
        return replace(own, **changes)

    def merged(self, other: Object) -> Object:
        """The union with another object; what the other was called is an alias."""
        aliases = (*self.aliases, other.name, *other.aliases)
        masks = self.masks.merged(other.masks)
        both = self.copy(masks=masks, aliases=tuple(dict.fromkeys(aliases)))
        for frame, score in other.scores.items():
            both.scores[frame] = max(score, both.scores.get(frame, 0.0))
        for frame, share in other.visible.items():
            both.visible[frame] = max(share, both.visible.get(frame, 0.0))
        both.origins.update({k: v for k, v in other.origins.items() if k not in both.origins})
        return both

    def item(self) -> Item:
        """What is exported of it."""
        return Item(id=self.id, name=self.name, track=self.masks, score=round(self.score, 4))

    def listed(self) -> ListedObject:
        """What the router knows of it."""
        box = None if self.first is None else self.masks.box(self.first)
        return ListedObject(self.id, self.name, box, self.mentioned)

    def to_json(self) -> dict[str, Any]:
        """Write as plain values."""
        return {
            "id": self.id,
            "name": self.name,
            "aliases": list(self.aliases),
            "shown": self.shown,
            "mentioned": self.mentioned,
            "masks": self.masks.to_json(),
            "scores": {str(frame): score for frame, score in sorted(self.scores.items())},
            "visible": {str(frame): round(v, 4) for frame, v in sorted(self.visible.items())},
            "origins": self.provenance.to_json(),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; `MediaError` or `PromptError` if it is something else."""
        try:
            spans = Provenance.from_json(values["origins"])
            return cls(
                id=int(values["id"]),
                name=str(values["name"]),
                aliases=tuple(map(str, values["aliases"])),
                shown=bool(values["shown"]),
                mentioned=int(values["mentioned"]),
                masks=Track.from_json(values["masks"]),
                scores={int(frame): float(score) for frame, score in values["scores"].items()},
                visible={int(f): float(v) for f, v in values.get("visible", {}).items()},
                origins={frame: (how, turn) for frame, how, turn in spans.frames()},
            )
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise MediaError("A saved object is damaged and cannot be read.") from error


class Objects(Sequence[Object]):
    """A list of objects that never changes, in the order in which they were found."""

    def __init__(self, objects: Iterable[Object] = ()) -> None:
        self._objects = tuple(objects)

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[Object]:
        return iter(self._objects)

    @overload
    def __getitem__(self, which: int | str) -> Object: ...
    @overload
    def __getitem__(self, which: slice) -> Objects: ...
    def __getitem__(self, which: int | str | slice) -> Object | Objects:
        """Take one by its place in the list or by its name; raises `PromptError` for a name."""
        if isinstance(which, slice):
            return Objects(self._objects[which])
        if isinstance(which, int):
            return self._objects[which]
        key = _key(which)
        for names in (lambda each: (each.name,), lambda each: each.aliases):
            for each in self._objects:
                if key in map(_key, names(each)):
                    return each
        have = ", ".join(each.name for each in self._objects) or "none yet"
        raise PromptError(f"There is no object “{which[:60]}”. There are: {have}.")

    def by_id(self, id_: int) -> Object:
        """Take one by its number; raises `PromptError` if there is none."""
        found = next((each for each in self._objects if each.id == id_), None)
        if found is None:
            raise PromptError(f"There is no object {id_} in the list.")
        return found

    def find(self, which: int | str) -> Object:
        """Take one by its number or name; raises `PromptError` if there is none."""
        return self[which] if isinstance(which, str) else self.by_id(which)

    def ids(self) -> frozenset[int]:
        """The numbers of all."""
        return frozenset(each.id for each in self._objects)

    def put(self, *changed: Object) -> Objects:
        """Replace objects that have the same number, and append the others."""
        new = {each.id: each for each in changed}
        kept = [new.pop(each.id, each) for each in self._objects]
        return Objects([*kept, *new.values()])

    def without(self, ids: Iterable[int]) -> Objects:
        """Leave some out."""
        gone = set(ids)
        return Objects(each for each in self._objects if each.id not in gone)

    def renamed(self, id_: int, name: str) -> Objects:
        """Give one another name, with a number if that is taken."""
        free = self.without([id_]).free_name(name)
        return self.put(replace(self.by_id(id_), name=free))

    def merged(self, ids: Sequence[int]) -> Objects:
        """Make one object of several, in the place and by the name of the first."""
        first, *others = (self.by_id(id_) for id_ in dict.fromkeys(ids))
        for other in others:
            first = first.merged(other)
        return self.put(first).without({*ids} - {first.id})

    def showing(self, ids: Collection[int], *, shown: bool) -> Objects:
        """Show or hide some."""
        return self.put(*(replace(self.by_id(id_), shown=shown) for id_ in ids))

    def showing_only(self, ids: Collection[int]) -> Objects:
        """Show some, and hide all others."""
        return Objects(replace(each, shown=each.id in ids) for each in self._objects)

    def free_name(self, name: str) -> str:
        """Number a name that is taken.

        >>> Objects([Object(id=1, name="dog", masks=Track((1, 1)))]).free_name("dog")
        'dog 2'
        """
        name = clean_name(name)
        taken = {_key(each.name) for each in self._objects}
        number = 2
        free = name
        while _key(free) in taken:
            free, number = f"{name} {number}", number + 1
        return free


class History:
    """The list as it is now, and what it was: at most a hundred earlier states.

    Changes with the same `step` are one change to undo, as a turn that finds three objects is.
    """

    def __init__(self, objects: Objects | None = None, next_id: int = 1) -> None:
        self.now = objects or Objects()
        self.next_id = next_id  # numbers are never used again, nor are colours
        self._past: deque[Objects] = deque(maxlen=_DEPTH)
        self._future: deque[Objects] = deque()
        self._step: object = None
        self._guard = threading.Lock()

    def new_id(self) -> int:
        """Number a new object."""
        self.next_id += 1
        return self.next_id - 1

    def edit(self, change: Callable[[Objects], Objects], step: object = None) -> None:
        """Replace the list by what `change` makes of it."""
        with self._guard:
            objects = change(self.now)
            if step is None or step is not self._step:
                self._past.append(self.now)
            self._future.clear()
            self.now, self._step = objects, step

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undo to take back."""
        return bool(self._future)

    def undo(self) -> bool:
        """Go back by one change; False if there is none."""
        return self._move(self._past, self._future)

    def redo(self) -> bool:
        """Take an undo back; False if there is none."""
        return self._move(self._future, self._past)

    def _move(self, source: deque[Objects], target: deque[Objects]) -> bool:
        with self._guard:
            if not source:
                return False
            target.append(self.now)
            self.now, self._step = source.pop(), None
            return True


def clean_name(name: str) -> str:
    """Make one line of a name; raises `PromptError` if nothing is left."""
    name = " ".join(name.split())[:_LONGEST].strip()
    if not name:
        raise PromptError("An object needs a name.")
    return name


def _key(name: str) -> str:
    return re.sub(r"^(?:the|an?) ", "", " ".join(name.lower().split()))
