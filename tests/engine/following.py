"""A network for the real tracker that plays its part: it follows by place, not by what it sees.

It takes what a mark points at: the square of one colour under it. On the next frame it finds
whatever square is nearest, if one is near enough, of any colour. So it is lost, or led astray,
exactly where a clip says so. Frames are 32 x 32 pixels, as those of `acting`.
"""

from dataclasses import replace

import numpy as np
import torch
from scipy import ndimage

from tests.engine.acting import COLOURS, SIDE
from x2sam.tracker.config import SMALL
from x2sam.tracker.network import DEVIATION, MEAN, Decoded
from x2sam.tracker.tracker import Tracker

NEAR = 4.0  # pixels that a square may move from frame to frame
SEEN, HIDDEN = 5.0, -5.0  # logits


class Follower:
    """Does what a back end does; `log` says which frames it encoded, and what it was asked."""

    backend = "pretended"

    def __init__(self):
        self.config = replace(SMALL, trunk=replace(SMALL.trunk, image_size=SIDE), stride=1)
        self.device = torch.device("cpu")
        self.log = []

    def encode(self, pixels):
        deviation, mean = (np.array(values)[:, None, None] for values in (DEVIATION, MEAN))
        frame = ((pixels[0].numpy() * deviation + mean) * 255).round().astype(np.uint8)
        frame = frame.transpose(1, 2, 0)
        self.log.append(("encode", int(frame[0, 0, 0])))
        return squares(frame)

    def decode(
        self, features, memory, place, *, initial=False, points=None, mask=None, previous=None
    ):
        if mask is not None:
            self.log.append(("mask", place.frame))
            return found(mask[0, 0].numpy() > 0)
        if points is not None:
            kinds, at = points.kinds[0].tolist(), points.at[0].tolist()
            self.log.append(("points", place.frame, tuple(kinds), previous is not None))
            return found(self._pointed(features, kinds, at, previous))
        self.log.append(("carry", place.frame))
        known = {**memory.carried, **memory.marked}
        near = min(known, key=lambda frame: abs(frame - place.frame))
        before = known[near].decoded.logits[0, 0].numpy() > 0
        return found(nearest(features, before))

    def remember(self, features, decoded, *, marked):
        return torch.zeros(1)

    def propose(self, features, at):
        """The square at each place, or two halves of it, which are not trusted."""
        self.log.append(("propose", len(at)))
        nothing = np.zeros((SIDE, SIDE), bool)
        here = [
            next((part for part in features if part[int(y), int(x)]), nothing)
            for x, y in at.tolist()
        ]
        logits = torch.stack([found(mask).logits[0].expand(3, -1, -1) for mask in here])
        qualities = [[0.9 if mask.any() else 0.1, 0.5, 0.5] for mask in here]
        return logits, torch.tensor(qualities)

    def _pointed(self, features, kinds, at, previous):
        mask = np.zeros((SIDE, SIDE), bool) if previous is None else previous[0, 0].numpy() > 0
        if 2 in kinds:
            (x0, y0), (x1, y1) = (map(round, at[kinds.index(kind)]) for kind in (2, 3))
            mask = np.zeros_like(mask)
            mask[y0:y1, x0:x1] = True
        for kind, (x, y) in zip(kinds, at, strict=True):
            for square in features:
                if kind < 2 and square[int(y), int(x)]:
                    mask = mask | square if kind else mask & ~square
        return mask


def squares(frame):
    """All squares of a frame, as masks."""
    parts = []
    for colour in COLOURS.values():
        labels, count = ndimage.label((np.abs(frame.astype(int) - colour) < 3).all(axis=-1))
        parts += [labels == part + 1 for part in range(count)]
    return parts


def nearest(parts, before):
    """The square that is nearest to a mask; nothing where none is near."""
    if not parts or not before.any():
        return np.zeros_like(before)
    middle = np.array(ndimage.center_of_mass(before))
    far = [np.linalg.norm(np.array(ndimage.center_of_mass(part)) - middle) for part in parts]
    best = int(np.argmin(far))
    return parts[best] if far[best] <= NEAR else np.zeros_like(before)


def found(mask):
    logits = torch.from_numpy(mask)[None, None].float() * 20 - 10
    visible = torch.tensor([[SEEN if mask.any() else HIDDEN]])
    return Decoded(logits, torch.zeros(1, 4), torch.tensor(0.8), visible)


def follower():
    """A tracker, and the network in it."""
    network = Follower()
    return Tracker(network), network
