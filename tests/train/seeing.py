"""Samples as they are seen: their masks, and what is measured on them, not taken from facts."""

import re
from functools import cached_property

import numpy as np
from scipy.ndimage import distance_transform_edt

from x2sam.train.colours import dominant
from x2sam.train.compose import compose
from x2sam.train.samples import examples
from x2sam.train.vocabulary import kinds, plural

SIZE = 96
_SLACK = 0.02  # of the side: masks are finer than the plan that scenes are made from


class Seen:
    """A sample with its masks (T, N, S, S), and measurements of each thing."""

    def __init__(self, bank, sample, example, masks):
        self.bank, self.sample, self.example, self.masks = bank, sample, example, masks
        self.draft, self.scene = sample.draft, sample.scene
        self.nouns = [bank.sprites[row].noun for row in self.scene.rows]
        self.everything = set(range(len(self.nouns)))
        self.there = masks.any(axis=(2, 3))  # (T, N)
        self.area = masks[0].mean(axis=(1, 2))

    @cached_property
    def centres(self):
        """Of what is visible, (T, N, 2) as x, y; nothing where nothing is."""
        place = (np.arange(SIZE) + 0.5) / SIZE
        with np.errstate(invalid="ignore"):
            counts = self.masks.sum(axis=(2, 3))
            x = (self.masks.sum(axis=2) @ place) / counts
            y = (self.masks.sum(axis=3) @ place) / counts
        return np.stack([x, y], axis=-1)

    @property
    def x(self):
        return self.centres[0, :, 0]

    @property
    def y(self):
        return self.centres[0, :, 1]

    @cached_property
    def colours(self):
        return [
            dominant(255 * self._pixels(thing), np.ones(1, np.float32))
            for thing in range(len(self.nouns))
        ]

    def _pixels(self, thing):
        frame = int(self.there[:, thing].argmax())
        inside = self.masks[frame, thing]
        return np.median(self.example.pictures[frame].numpy()[:, inside], axis=1)[None]

    def shown(self, thing):
        """Which share of the whole of it each frame shows, (T,)."""
        solid = (self.bank.levels[0][self.scene.rows[thing], 3] > 127).float().mean().item()
        return self.masks[:, thing].mean(axis=(1, 2)) / (solid * self.scene.poses[:, thing, 2] ** 2)

    def alone(self, thing):
        """Its mask (S, S) in the first frame if nothing else were there."""
        scene = self.scene.keep(np.arange(len(self.nouns)) == thing)
        return compose([scene], self.bank, SIZE)[1][0, 0, 0].numpy()

    def away(self, thing):
        """In which frames it is wholly out of the picture, (T,)."""
        reach = 0.5 * self.scene.poses[:, thing, 2, None]
        place = self.scene.poses[:, thing, :2]
        return ((place < -reach) | (place > 1 + reach)).any(axis=1) & ~self.there[:, thing]

    @property
    def text(self):
        return self.draft.phrases[-1] if self.draft.phrases else ""

    @property
    def target(self):
        (group,) = self.draft.groups
        return group

    def called(self, text):
        """Things whose noun, in the singular or plural, stands in a text."""
        return [i for i, noun in enumerate(self.nouns) if _mentions(text, noun)]

    def meant(self, text):
        """Things that "the red apple", "two apples" or "both animals" may be about."""
        if re.search(r"\b(thing|object|one|what)\b", text):
            return sorted(self.everything)
        return self.called(text)

    def the(self, name):
        """The one thing of that name."""
        (thing,) = [i for i, noun in enumerate(self.nouns) if noun.is_a(name)]
        return thing


def _mentions(text, noun):
    words = {noun.name, *noun.also, *(set(noun.kinds) & set(kinds()))}
    words |= {plural(word) for word in words}
    return any(re.search(rf"\b{re.escape(word)}\b", text.lower()) for word in words)


def look(stream, family, count, source="picture"):
    """Draw and compose samples of a family together."""
    samples = [stream.sample(index, source, family) for index in range(count)]
    shown = examples(samples, stream, SIZE)
    masks = compose([sample.scene for sample in samples], stream.bank, SIZE)[1].numpy()
    return [
        Seen(stream.bank, sample, example, mask[:, : len(sample.scene.rows)])
        for sample, example, mask in zip(samples, shown, masks, strict=True)
    ]


def relation(seen, words, a, b):
    """Whether `a` is "to the left of", "behind" … `b`."""
    word = words.replace("to the ", "").split()[0]
    if word in ("next", "beside", "near"):
        gap = distance_transform_edt(~seen.masks[0, b])[seen.masks[0, a]].min() / SIZE
        return gap < 0.2
    if word in ("in", "behind"):
        front, back = (a, b) if word == "in" else (b, a)
        both = seen.alone(front) & seen.alone(back)
        return (seen.masks[0, front] & both).sum() > (seen.masks[0, back] & both).sum()
    (dx, dy) = seen.centres[0, b] - seen.centres[0, a]
    ahead, aside = {
        "left": (dx, dy),
        "right": (-dx, dy),
        **dict.fromkeys(("above", "over"), (dy, dx)),
        **dict.fromkeys(("below", "under"), (-dy, dx)),
    }[word]
    return ahead > 0.1 and abs(aside) < 1.2 * ahead + 2 * _SLACK


def in_half(seen, thing, side):
    axis, first = {"left": (0, 1), "right": (0, 0), "top": (1, 1), "bottom": (1, 0)}[side]
    return bool(seen.centres[0, thing, axis] < 0.5) == bool(first)


def placed(seen, thing, words):
    """Whether it is "at the top left", "on the right", "in the middle"."""
    x, y = seen.centres[0, thing]
    for value, low, high in ((x, "left", "right"), (y, "top", "bottom")):
        bounds = (0, 0.35) if low in words else (0.65, 1) if high in words else (0.4, 0.6)
        if not bounds[0] - _SLACK <= value <= bounds[1] + _SLACK:
            return False
    return True


def in_between(seen, thing, ends):
    """Assert that a thing is near the middle of two others."""
    first, second = seen.centres[0, ends]
    middle, span = (first + second) / 2, np.hypot(*(second - first))
    assert np.hypot(*(middle - seen.centres[0, thing])) < 0.45 * span
