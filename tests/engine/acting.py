"""A predictor that plays its part: it knows coloured squares on grey, and tells what it does.

It stands in for the network in tests of behaviour. Squares are found by their colour, exactly,
in frames of 32 x 32 pixels. Whoever asks for another colour is told that there is none.
"""

import re
from types import SimpleNamespace

import numpy as np
import torch
from scipy import ndimage

from tests.train.micro import CONFIG, vocabulary
from x2sam.engine.engine import Engine
from x2sam.language.encoding import VisualGrid
from x2sam.language.replies import read
from x2sam.model.conditions import Conditions
from x2sam.model.mask_encoder import Features
from x2sam.model.prediction import Prediction, Sizes
from x2sam.model.predictor import Reading, View
from x2sam.model.x2sam import Decoded

SIDE = 32
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 220)}
GREY = (120, 120, 120)
SURE = "Sure, it is <SEG>."


class Actor:
    """Does what `Predictor` does; `log` says what it was asked to do, in order."""

    def __init__(self):
        self.vocabulary = vocabulary()
        self.model = SimpleNamespace(
            config=CONFIG, parameters=lambda: iter([torch.zeros(3)]), modules=list
        )
        self.device, self.dtype = torch.device("cpu"), torch.float32
        self.log = []
        self.answers = {}  # words of the question -> what is said to it
        self.asked = []  # the conversations

    def look(self, frames, media, times=None, sparse=None):
        self.log.append(("look", len(frames)))
        if sparse is not None:
            self.log.append(("sparse", len(sparse)))
        return View(media, None, VisualGrid(1, 2, 2), times)

    def features(self, frames):
        self.log.append(("features", int(frames[0, 0, 0, 0])))
        return Features((), torch.from_numpy(frames.copy()))

    def decode(self, features, *, first):
        return Decoded(first, (), torch.zeros(1), features.region_stage)

    def ask(self, view, turns, *, drawings=(), limit=512):
        self.log.append(("ask", turns[-1].question))
        self.asked.append(list(turns))
        text, wanted = self._answer(turns[-1].question, drawings)
        yield from self.vocabulary.encode(text)[:limit]
        reply = read(text)
        phrases = [phrase.text for phrase in reply.phrases] or wanted
        marks = reply.has_mask and phrases
        return Reading(text, reply, conditions(phrases) if marks else None)

    def segment(self, wanted, frames):
        names = [name(int(number)) for number in wanted.classes[0, :-1, 0]]
        for features, size in frames:
            self.log.append(("segment", tuple(names)))
            yield self._predicted(features.region_stage[0].numpy(), names, size)

    def _answer(self, question, drawings):
        scripted = next((a for words, a in self.answers.items() if words in question), None)
        if "<region>" in question:
            count = question.count("<region>")
            wanted = [self._colour_at(drawing) for drawing in drawings[-count:]]
            return scripted or (SURE if None not in wanted else "Nothing there."), wanted
        wanted = re.findall("<p>(.*?)</p>", question)
        if not wanted:
            return scripted or "Squares, I think.", []
        known = [phrase for phrase in wanted if colour_in(phrase)]
        return scripted or (SURE if known else "There is none here."), wanted

    def _colour_at(self, drawing):
        inside = drawing.features.region_stage[0].numpy()[drawing.mask]
        for colour, values in COLOURS.items():
            if (inside == values).all(axis=-1).any():
                return colour
        return None

    def _predicted(self, picture, names, size):
        masks, colours = [np.zeros(size, bool)], [None]
        for colour, values in COLOURS.items():
            parts, count = ndimage.label((picture == values).all(axis=-1))
            masks += [parts == part + 1 for part in range(count)]
            colours += [colour] * count
        probabilities = [
            [0.9 if colour and colour == colour_in(n) else 0.05 for n in names]
            for colour in colours
        ]
        logits = torch.from_numpy(np.stack(masks)).float() * 20 - 10
        sizes = Sizes(SIDE, (SIDE, SIDE), size)
        return Prediction(torch.tensor(probabilities), logits, sizes)


NAMES = ["none"]


def conditions(phrases):
    """Conditions that only carry names."""
    numbers = []
    for phrase in phrases:
        if phrase not in NAMES:
            NAMES.append(phrase)
        numbers.append(float(NAMES.index(phrase)))
    classes = torch.tensor([*numbers, -1.0])[None, :, None]
    some = torch.zeros(1, 1, 1)
    return Conditions(classes, classes[..., 0] > 0, some, some[..., 0] > 0, some)


def name(number):
    return NAMES[number]


def colour_in(phrase):
    return next((colour for colour in COLOURS if colour in phrase), None)


def picture(**places):
    """A grey frame with 8 x 8 squares at x, y: `picture(red=(2, 2))`; lists hold several."""
    frame = np.full((SIDE, SIDE, 3), GREY, np.uint8)
    for colour, where in places.items():
        for x, y in [where] if isinstance(where, tuple) else where:
            frame[y : y + 8, x : x + 8] = COLOURS[colour]
    return frame


def clip(frames=6, **places):
    """A clip whose squares move to the right by a pixel a frame."""
    moved = []
    for index in range(frames):
        shown = {
            colour: [(x + index % 16, y) for x, y in ([w] if isinstance(w, tuple) else w)]
            for colour, w in places.items()
        }
        moved.append(picture(**shown))
        moved[-1][0, 0] = index % 200  # to tell frames apart
    return np.stack(moved)


def square(x, y):
    mask = np.zeros((SIDE, SIDE), bool)
    mask[y : y + 8, x : x + 8] = True
    return mask


def stage(**more):
    """An engine with a new actor, and the actor."""
    actor = Actor()
    return Engine(actor, **more), actor


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]
