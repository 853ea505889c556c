"""Promptable tracking: mark an object on any frame of a clip, carry it through, correct it.

One loop for all back ends, which is that of SAM 2 (arXiv 2408.00714, section 4 and appendix C) with
three differences. A correction is kept, on whatever frame it is made. Marks that replace others
begin again, and so does a walk, unless it goes on where the last one stopped: marks that were taken
back, and walks that went elsewhere, leave no trace in what is found later. And what no frame looks
at is dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from x2sam.errors import PromptError
from x2sam.tracker.network import (
    LIMIT,
    Decoded,
    Network,
    Place,
    Remembered,
    enlarged,
    mask_of,
    pixels_of,
)
from x2sam.tracker.object_memory import ObjectMemory
from x2sam.tracker.prompts import Prompt
from x2sam.types import Box, Mask, Point

Direction = Literal["forward", "backward", "both"]


class Frames(Protocol):
    """A clip: frames of one size, by number; `x2sam.media.videos.Clip` is one."""

    def __len__(self) -> int:
        """Count the frames."""

    def frame(self, index: int) -> NDArray[np.uint8]:
        """Decode one frame: (H, W, 3) RGB."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """An object on a frame."""

    mask: Mask  # (H, W)
    score: float  # how good the mask is, as the network expects: intersection over union
    visible: float  # how sure it is that the object is to be seen at all, 0 to 1


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """One frame of a walk through the clip: shapes by object."""

    frame: int
    shapes: Mapping[int, Shape]


class Tracker:
    """A network that tracks; holds no state of any clip."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def __repr__(self) -> str:
        return f"Tracker({self.network.config.name!r}, {self.network.backend})"

    def open(self, clip: Frames) -> Tracking:
        """Begin to track in a clip, which stays the caller's to close."""
        return Tracking(self.network, clip)


class Tracking:
    """The objects of one clip; for one thread at a time.

    Objects have numbers, which the caller chooses. Frames are decoded when they are looked at, and
    none is held but the features of the last.
    """

    def __init__(self, network: Network, clip: Frames) -> None:
        self._network = network
        self._clip = clip
        self._memories: dict[int, ObjectMemory] = {}
        self._last: tuple[int, Any] | None = None  # frame and its features
        height, width, _ = clip.frame(0).shape
        self.size = (height, width)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def prompts(self) -> dict[int, dict[int, Prompt]]:
        """All marks, by object and frame."""
        return {number: dict(memory.prompts) for number, memory in self._memories.items()}

    def add(
        self,
        object: int,  # noqa: A002 (the project's word)
        frame: int,
        *,
        points: Sequence[Point] | None = None,
        labels: Sequence[int] | None = None,
        box: Box | None = None,
        mask: Mask | None = None,
    ) -> Shape:
        """Mark an object on a frame, in place of earlier marks on that frame.

        More points than before correct the mask that is there; any other change begins again.

        Args:
            object: its number; a new one begins a new object.
            frame: where the marks are.
            points: x y in pixels.
            labels: 1 for points on the object, 0 for others; all 1 if None.
            box: around the object, x0 y0 x1 y1 in pixels.
            mask: (H, W) bool, shown as it is unless points or a box correct it. Other frames know
                it by the network's grid; one of which that would leave nothing is drawn wider.

        Raises:
            PromptError: the marks make no sense.
        """
        self._check_frame(frame)
        memory = self._memories.get(object) or ObjectMemory(len(self._clip))
        old = memory.prompts.get(frame)
        prompt = Prompt.checked(self.size, points, labels, box, mask).after(old)
        if old and prompt.equals(old):
            return self._shape(memory.shown(frame))
        features = self._features(frame)  # may fail, and then nothing has changed
        if not (old and prompt.extends(old)):
            others = memory.prompts.keys() - {frame}
            if not others and not prompt.says_where:
                raise PromptError(
                    "Say first where the object is: "
                    "set a point on it, draw a box around it or paint it."
                )
            if not others:
                memory = ObjectMemory(len(self._clip))
            if old:
                memory.unmark(frame)
                old = None
        decoded = self._marked(memory, frame, prompt, old)
        encoded = self._network.remember(features, decoded, marked=True)
        memory.mark(frame, prompt, Remembered(decoded, encoded, prompt.given))
        self._memories[object] = memory
        return self._shape(memory.shown(frame))

    def remove(self, object: int) -> None:  # noqa: A002
        """Forget an object; one that is not there is no error."""
        self._memories.pop(object, None)

    def clear(self, frame: int | None = None) -> None:
        """Forget the marks of a frame, or of all; an object without marks is gone."""
        if frame is None:
            self._memories.clear()
            return
        self._check_frame(frame)
        for number, memory in list(self._memories.items()):
            if frame in memory.prompts:
                memory.unmark(frame)
                if not memory.prompts:
                    del self._memories[number]

    def propagate(
        self,
        start: int | None = None,
        direction: Direction = "forward",
        *,
        first: int | None = None,
        last: int | None = None,
        objects: Collection[int] | None = None,
    ) -> Iterator[Tracked]:
        """Carry objects through the clip, frame by frame; close the iterator to stop.

        Args:
            start: where to begin; else the first frame with marks, backward the last one.
            direction: "both" goes forward first, and then backward from before the start, where
                it still remembers what lies behind; "backward" alone knows only the marks.
            first: frames before it are left out.
            last: frames after it are left out.
            objects: numbers; all if None.

        Raises:
            PromptError: there is nothing to carry, or no such object or frame.
        """
        if direction not in ("forward", "backward", "both"):
            raise PromptError("A clip is tracked forward, backward or both ways.")
        numbers = list(self._memories) if objects is None else list(objects)
        if not numbers:
            raise PromptError("There is nothing to track yet: mark an object on a frame first.")
        for number in numbers:
            if number not in self._memories:
                raise PromptError(f"Object {number} has no marks: mark it on a frame first.")
        first = 0 if first is None else first
        last = len(self._clip) - 1 if last is None else last
        for frame in (first, last, start):
            if frame is not None:
                self._check_frame(frame)
        marked = [frame for number in numbers for frame in self._memories[number].prompts]
        if start is None:
            start = min(max(max(marked) if direction == "backward" else min(marked), first), last)
        if not first <= start <= last:
            raise PromptError(f"Frame {start} is not in the range {first} to {last}.")
        forward = range(start, last + 1) if direction != "backward" else range(0)
        skipped = direction == "both"  # the start, which the forward walk has been at
        back = range(start - skipped, first - 1, -1) if direction != "forward" else range(0)
        return self._walk(numbers, start, [(forward, False), (back, True)])

    def close(self) -> None:
        """Let go of everything."""
        self._memories.clear()
        self._last = None

    def _walk(
        self, numbers: list[int], start: int, ways: list[tuple[range, bool]]
    ) -> Iterator[Tracked]:
        backward = not ways[0][0]
        for number in numbers:
            if memory := self._memories.get(number):
                memory.begin(start, start + 1 if backward else start - 1)
        for frames, reverse in ways:
            for frame in frames:
                place = Place(frame, len(self._clip), reverse)
                present = {n: m for n in numbers if (m := self._memories.get(n)) and m.marked}
                shapes = {n: self._carried(m, place, start) for n, m in present.items()}
                yield Tracked(frame, shapes)

    def _carried(self, memory: ObjectMemory, place: Place, start: int) -> Shape:
        """Find an object on the next frame of a walk, unless it is marked there."""
        frame = place.frame
        found = memory.marked.get(frame)
        if found is None:
            features = self._features(frame)
            decoded = self._network.decode(features, memory, place)
            encoded = self._network.remember(features, decoded, marked=False)
            found = Remembered(decoded, encoded)
            memory.carry(frame, found)
        memory.reach(frame, reverse=place.reverse)
        memory.drop_beyond(self._network.config.pointers - 1, frame, start)
        return self._shape(found)

    def _marked(
        self, memory: ObjectMemory, frame: int, prompt: Prompt, old: Prompt | None
    ) -> Decoded:
        network, features = self._network, self._features(frame)
        side = network.config.trunk.image_size
        initial = memory.is_initial(frame)
        place = Place(frame, len(self._clip), not initial and memory.came_backward(frame))
        previous = memory.previous(frame, network.device)
        decoded = None
        if prompt.mask is not None and old is None:
            drawn = mask_of(prompt.mask, side, network.config.stride, network.device)
            decoded = network.decode(features, memory, place, initial=initial, mask=drawn)
            previous = decoded.logits
        points = prompt.scaled(self.size, side, network.device)
        if points is not None:
            previous = None if previous is None else previous.clamp(-LIMIT, LIMIT)
            decoded = network.decode(
                features, memory, place, initial=initial, points=points, previous=previous
            )
        assert decoded is not None, prompt
        return decoded

    def _features(self, frame: int) -> Any:
        if self._last is None or self._last[0] != frame:
            self._last = None  # frees its memory before the next needs it
            network = self._network
            picture = self._clip.frame(frame)
            pixels = pixels_of(picture, network.config.trunk.image_size, network.device)
            self._last = frame, network.encode(pixels)
        return self._last[1]

    def _shape(self, one: Remembered) -> Shape:
        decoded = one.decoded
        if one.given is not None:
            mask = one.given.copy()  # the caller may paint on it
        else:
            mask = (enlarged(decoded.logits, self.size)[0, 0] > 0).cpu().numpy()
        return Shape(mask, float(decoded.quality), float(decoded.visible.float().sigmoid()))

    def _check_frame(self, frame: int) -> None:
        count = len(self._clip)
        if not 0 <= frame < count:
            raise PromptError(
                f"Frame {frame} is not in this clip, which has the frames 0 to {count - 1}."
            )
