"""From a question to masks, the way the application goes: nothing is given away.

The answer is generated, its phrases and its `<SEG>` become conditions, and the frames are
segmented through the mask memory. What an answer without `<SEG>` marks is nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import tee

import numpy as np
import numpy.typing as npt
import torch

from x2sam.engine.options import suited
from x2sam.language import tasks
from x2sam.language.prompts import Turn
from x2sam.language.replies import Reply
from x2sam.media.sampling import glimpses
from x2sam.model.conditions import Conditions
from x2sam.model.mask_encoder import Features
from x2sam.model.prediction import Prediction
from x2sam.model.predictor import Drawing, Predictor, View
from x2sam.model.readout import READINGS, READOUTS, Reader, Rules

Masks = npt.NDArray[np.bool_]
Frame = tuple[Features, tuple[int, int]]  # what `Predictor.segment` takes

LONGEST = 256  # tokens of an answer


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What was said, and what to look for; None if nothing was found."""

    reply: Reply
    conditions: Conditions | None


def shown(predictor: Predictor, frames: int) -> tuple[int, ...]:
    """Choose which frames of a clip the language model is shown, as the application does.

    One alone is shown as a picture, and asked about as one.
    """
    return glimpses(frames, suited(predictor.model.config.name).frames)


def ask(
    predictor: Predictor,
    view: View,
    turns: Sequence[Turn],
    drawings: Sequence[Drawing] = (),
    expected: int | None = None,
) -> Answer:
    """Let the network answer the last turn.

    Args:
        predictor: the network.
        view: what is asked about.
        turns: the conversation.
        drawings: what was marked, for all turns.
        expected: how many things were asked for. An answer that names others instead, with
            phrases of its own, marks nothing that was asked for.
    """
    tokens = predictor.ask(view, turns, drawings=drawings, limit=LONGEST)
    while True:
        try:
            next(tokens)
        except StopIteration as end:
            reading = end.value
            break
    conditions: Conditions | None = reading.conditions
    if conditions is not None and expected not in (None, conditions.classes.shape[1] - 1):
        conditions = None
    return Answer(reading.reply, conditions)


def side_by_side(
    predictor: Predictor, conditions: Sequence[Conditions], frames: Iterable[Frame]
) -> Iterator[tuple[Prediction, ...]]:
    """Segment several things in one pass over a clip: for each frame, a prediction of each.

    However long the clip is, one frame is held at a time.
    """
    streams = tee(frames, len(conditions))
    segmented = [predictor.segment(c, f) for c, f in zip(conditions, streams, strict=True)]
    return zip(*segmented, strict=True)


def reader(
    predictor: Predictor, task: str, drawn: Masks | None = None, absent: float | None = None
) -> Reader:
    """Make what reads the frames of one answer.

    Args:
        predictor: the network.
        task: of the question.
        drawn: its regions (C, H, W).
        absent: from which probability on what was asked for in words is there; as the
            application has it, if None.
    """
    regions = None if drawn is None else torch.from_numpy(drawn).to(predictor.device)
    if absent is None:
        absent = suited(predictor.model.config.name).absent
    one = tasks.TASKS[task].answer is tasks.Answer.ONE_MASK
    return READOUTS[READINGS[task]](Rules(regions=regions, absent=absent if one else 0.0))
