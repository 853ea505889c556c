"""What is remembered of one object in a clip, and what is forgotten.

Marked frames are looked at from everywhere and stay. A frame that was only carried to is looked at
from 15 frames around it, and goes when the walk is further away; what stays of it is an outline in
run lengths, to be corrected later. So a long clip needs no more tensors than a short one.
"""

from __future__ import annotations

import torch
from torch import Tensor

from x2sam.media.masks import Rle
from x2sam.tracker.network import CERTAIN, Remembered
from x2sam.tracker.prompts import Prompt

UNKNOWN, FORWARD, BACKWARD = range(3)  # how a frame was last reached


class ObjectMemory:
    """One object: its marks, and what its frames left behind."""

    def __init__(self, frames: int) -> None:
        self.prompts: dict[int, Prompt] = {}
        self.marked: dict[int, Remembered] = {}
        self.carried: dict[int, Remembered] = {}
        self._fresh: dict[int, Remembered] = {}  # marked since the last walk
        self._reached = bytearray(frames)
        self._outlines: dict[int, Rle] = {}

    def mark(self, frame: int, prompt: Prompt, remembered: Remembered) -> None:
        """Keep what a person marked; other frames see it from the next walk on."""
        self.prompts[frame] = prompt
        self._fresh[frame] = remembered

    def unmark(self, frame: int) -> None:
        """Forget the marks of a frame, and all that walks found with their help.

        Marks that no walk has seen yet leave nothing: what was carried before is as it was.
        """
        self.prompts.pop(frame, None)
        self._fresh.pop(frame, None)
        if self.marked.pop(frame, None) is not None:
            self.carried.clear()
            self._outlines.clear()
            self._reached = bytearray(len(self._reached))

    def begin(self, start: int, behind: int) -> None:
        """Prepare for a walk that comes from the frame `behind` its start.

        From now on other frames see what was marked. What was carried is of use where the walk
        goes on from it; another walk begins from the marks alone, and so always finds the same.
        """
        self.marked |= self._fresh
        self._fresh.clear()
        if start in self.marked or behind not in self.carried:
            self.carried.clear()
        for frame in self.marked:
            self.carried.pop(frame, None)

    def carry(self, frame: int, remembered: Remembered) -> None:
        """Keep what the network found on a frame without marks."""
        self.carried[frame] = remembered
        outline = (remembered.decoded.logits[0, 0] > 0).cpu().numpy()
        self._outlines[frame] = Rle.of(outline)

    def reach(self, frame: int, *, reverse: bool) -> None:
        """Note that a walk came by."""
        self._reached[frame] = BACKWARD if reverse else FORWARD

    def is_initial(self, frame: int) -> bool:
        """Tell whether marks on a frame begin the object rather than correct it."""
        return not self.marked or self._reached[frame] == UNKNOWN

    def came_backward(self, frame: int) -> bool:
        """Tell whether the last walk over a frame went backward."""
        return self._reached[frame] == BACKWARD

    def previous(self, frame: int, device: torch.device) -> Tensor | None:
        """The mask that marks on a frame correct: logits (1, 1, s, s), or None."""
        for table in (self._fresh, self.marked, self.carried):
            if (found := table.get(frame)) is not None:
                return found.decoded.logits
        if self.is_initial(frame) or frame not in self._outlines:
            return None
        inside = torch.tensor(self._outlines[frame].mask(), device=device)[None, None]
        return inside.float() * 2 * CERTAIN - CERTAIN

    def shown(self, frame: int) -> Remembered:
        """What a person sees of the marks on a frame; `KeyError` if there are none."""
        return self._fresh.get(frame) or self.marked[frame]

    def drop_beyond(self, distance: int, *frames: int) -> None:
        """Forget carried frames that are further than `distance` from all of `frames`."""
        far = [f for f in self.carried if all(abs(f - near) > distance for near in frames)]
        for frame in far:
            del self.carried[frame]
