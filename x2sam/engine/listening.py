"""The language model's side of a conversation: what it is shown, asked, and answers.

A clip is shown as a few frames spread over it. What it was shown is kept with the keys and
values of the conversation, so a further question runs only what is new; there is one such view
for finding things and one, with real times, for talking about a clip.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final, Literal

import numpy as np

from x2sam.engine.engine import Work
from x2sam.engine.film import Film
from x2sam.engine.options import Options
from x2sam.language.encoding import patch_times
from x2sam.language.prompts import Turn
from x2sam.language.replies import ReplyStream
from x2sam.language.tokens import TextStream
from x2sam.media.images import Pixels
from x2sam.media.sampling import glimpses, middles
from x2sam.model.predictor import Drawing, Predictor, Reading, View
from x2sam.types import Box, Event, Media, Progress, Region, TextDelta

LOOKING: Final = "looking at frames"
_MARGIN: Final = 0.25  # around what is looked at closely, as a share of its size

Purpose = Literal["find", "talk"]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One question as the model was asked it, and its answer, tags included."""

    question: str
    answer: str
    regions: tuple[Region, ...] = ()
    purpose: Purpose = "find"


class Listener:
    """One medium as the language model knows it: at most two views with their caches."""

    def __init__(self, film: Film, options: Options) -> None:
        self._film = film
        self._options = options
        self._views: dict[Purpose, View] = {}

    def shown(self, purpose: Purpose) -> tuple[int, ...]:
        """Indices of the frames that the language model is shown; one alone from the middle."""
        frames = len(self._film)
        if purpose == "find" and self.sparse():
            return middles(frames, self._options.frames // 4)
        count = self._options.frames if purpose == "find" else self._options.chat_frames
        return glimpses(frames, count)

    def knows(self, purpose: Purpose) -> bool:
        """Tell whether the language model has seen the medium for this purpose already."""
        return self._view_for(purpose) in self._views

    def forget(self) -> None:
        """Let go of what was said, and of what the language model saw."""
        self._views.clear()

    def sparse(self) -> tuple[int, ...]:
        """Indices of frames of which it is shown the mean, to find things; see `Policy`."""
        if self._options.policy != "sparse_dense" or len(self._film) == 1:
            return ()
        return middles(len(self._film), 2 * self._options.frames)

    def media(self, purpose: Purpose = "find") -> Media:
        """What the language model takes it for: one frame alone is shown as a picture."""
        return "image" if len(self.shown(purpose)) == 1 else self._film.media

    def ask(
        self,
        work: Work,
        question: str,
        regions: Sequence[Region] = (),
        earlier: Sequence[Asked] = (),
        purpose: Purpose = "find",
    ) -> Generator[Event, None, Reading]:
        """Ask, and stream what is answered."""
        view = yield from self._view(work, purpose)
        marks = [region for asked in earlier for region in asked.regions] + list(regions)
        # The view reuses what it made of a drawing only while it is the very same.
        known = {id(drawing.mask): drawing for drawing in view.drawings}
        drawings = [
            known.get(id(r.mask)) or Drawing(r.mask, self._film.regions(work, r.frame))
            for r in marks
        ]
        turns = [*(Turn(asked.question, asked.answer) for asked in earlier), Turn(question)]
        return (yield from self._answer(work, view, turns, drawings))

    def ask_closely(
        self, work: Work, question: str, frame: int, box: Box
    ) -> Generator[Event, None, Reading]:
        """Ask about a part of a frame, which is cut out and shown by itself."""
        part = _around(self._film.picture(frame), box)
        with work.step("look"):
            view = self._predictor.look(part[None], "image")
        return (yield from self._answer(work, view, [Turn(question)], ()))

    @property
    def _predictor(self) -> Predictor:
        return self._film.engine.predictor

    def _answer(
        self, work: Work, view: View, turns: Sequence[Turn], drawings: Sequence[Drawing]
    ) -> Generator[Event, None, Reading]:
        """Stream an answer, one word in each step."""
        tokens = self._predictor.ask(view, turns, drawings=drawings, limit=self._options.words)
        text, reply = TextStream(self._predictor.vocabulary), ReplyStream()
        try:
            for number in count():
                with work.step("word" if number else "read"):
                    token = next(tokens)
                if piece := reply.feed(text.feed([token])).text:
                    yield TextDelta(piece)
        except StopIteration as end:
            reading: Reading = end.value
        finally:
            tokens.close()
        rest = reply.feed(text.close()).text + reply.close().text
        if rest:
            yield TextDelta(rest)
        return reading

    def _view(self, work: Work, purpose: Purpose) -> Generator[Event, None, View]:
        """Show the medium to the language model, once for each purpose."""
        film = self._film
        purpose = self._view_for(purpose)
        if purpose in self._views:
            return self._views[purpose]
        indices, media = self.shown(purpose), self.media(purpose)
        sparse = self.sparse() if purpose == "find" else ()
        frames = []
        for done, index in enumerate((*sparse, *indices), start=1):
            frames.append(film.picture(index))
            if media == "video":
                yield Progress(LOOKING, done, len(sparse) + len(indices))
        times = None
        if purpose == "talk" and media == "video":
            patch = self._predictor.model.config.vision.temporal_patch
            times = patch_times([film.seconds(index) for index in indices], patch)
        with work.step("look", len(frames)):
            full, means = np.stack(frames[len(sparse) :]), frames[: len(sparse)]
            view = self._predictor.look(full, media, times, np.stack(means) if means else None)
        self._views[purpose] = view
        return view

    def _view_for(self, purpose: Purpose) -> Purpose:
        """One view serves both purposes where a single frame is shown, and the same one."""
        if self.shown(purpose) == self.shown("find") and self.media("find") == "image":
            return "find"
        return purpose


def _around(picture: Pixels, box: Box) -> Pixels:
    """Cut out a box and a margin around it."""
    x0, y0, x1, y1 = box
    across, down = _MARGIN * (x1 - x0) + 8, _MARGIN * (y1 - y0) + 8
    top, left = max(0, int(y0 - down)), max(0, int(x0 - across))
    return picture[top : int(y1 + down) + 1, left : int(x1 + across) + 1]
