"""A clip of a red square that moves, a network small enough for tests, and a spy on it."""

from dataclasses import replace

import numpy as np

from x2sam.tracker.config import SMALL

BACKENDS = ("sam2", "transformers")
MICRO = replace(
    SMALL,
    name="micro-128",
    trunk=replace(SMALL.trunk, image_size=128, stage_widths=(16, 32, 64, 128)),
    attention_feed_forward=128,
)
SIZE = (60, 80)


class Moving:
    """So many frames, which are counted when they are decoded."""

    def __init__(self, frames=10, size=SIZE):
        self.frames, self.size, self.decoded = frames, size, []

    def __len__(self):
        return self.frames

    def frame(self, index):
        self.decoded.append(index)
        picture = np.full((*self.size, 3), (60, 90, 120 + index % 100), np.uint8)
        x = 5 + 4 * index % (self.size[1] - 20)
        picture[15:35, x : x + 20] = (220, 40, 40)
        return picture


class Spy:
    """A network that keeps what it decoded and how it was asked."""

    def __init__(self, network):
        self._network, self.decoded, self.asked = network, [], []

    def __getattr__(self, name):
        return getattr(self._network, name)

    def decode(self, features, memory, place, **prompt):
        self.asked.append((place, prompt))
        self.decoded.append(self._network.decode(features, memory, place, **prompt))
        return self.decoded[-1]


def walked(tracking, *arguments, **named):
    """Propagate to the end: shapes by frame, in order."""
    return {one.frame: one.shapes for one in tracking.propagate(*arguments, **named)}
