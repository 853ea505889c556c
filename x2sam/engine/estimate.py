"""What a request will take, before it is made: frames, seconds, memory.

The request is routed and its frames are counted; no frame of the medium is shown to the model.
Seconds come from how long each kind of step has taken on this machine; where none was taken yet,
a few are tried on a black frame. They are told as a range, as answers differ in length and
others may use the device. What others in line take is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Final

import numpy as np
import torch

from x2sam.engine.answers import POINTED
from x2sam.engine.engine import Engine, Work
from x2sam.engine.feature_cache import packed, size_of
from x2sam.engine.film import Film
from x2sam.engine.listening import Listener, Purpose
from x2sam.engine.objects import Object, Objects
from x2sam.engine.options import Options
from x2sam.engine.pace import Step
from x2sam.engine.pointing import ways
from x2sam.engine.reach import Reach
from x2sam.engine.tracking import strides
from x2sam.language.prompts import Turn, question
from x2sam.language.tasks import TASKS, Answer
from x2sam.media.masks import Track
from x2sam.model.conditions import Conditions
from x2sam.model.readout import READOUTS, Rules
from x2sam.types import Drawing, Estimate, Route, Use

_FEW: Final = 8  # words of a short answer
_SOME: Final = 40  # of a long one that comes with masks
_TRIES: Final = 2  # of the two steps that every frame of a clip needs
_EDGES: Final = 8  # bytes of a mask as runs, for each row of the picture


def estimate(
    film: Film,
    listener: Listener,
    objects: Objects,
    options: Options,
    route: Route,
    drawings: Sequence[Drawing],
    reach: Reach,
) -> Estimate:
    """Tell what a routed request will take; `reach` is fitted to the medium."""
    engine, answer = film.engine, TASKS[route.task].answer
    words = (_FEW, options.words if answer is Answer.TEXT else min(_SOME, options.words))
    purpose: Purpose = "talk" if answer is Answer.TEXT else "find"
    streams: list[range] = []
    asked = 1
    if answer in POINTED:
        marked = _marked(route, drawings)
        asked = len(marked)
        for number, frame in marked:
            known = number in objects.ids()
            target = objects.by_id(number) if known and number is not None else _new(film)
            streams += [range(frame, frame + 1), *ways(target, frame, reach)]
    elif answer is not Answer.TEXT:
        streams += reach.streams()
    looks = [frame for way in streams for frame, _ in strides(way, options.stride)]
    new = film.unknown(set(looks))
    shown = len(listener.shown(purpose))
    to_show = 0 if listener.knows(purpose) else shown
    _try_out(film)
    steps: dict[Step, tuple[int, int]] = {
        "look": (to_show, to_show),
        "read": (asked, asked),
        "word": (asked * words[0], asked * words[1]),
        "features": (new, new),
        "segment": (len(looks), len(looks)),
        "decode": (new + to_show, new + to_show) if film.media == "video" else (0, 0),
    }
    height, width = film.size
    masked = len({frame for way in streams for frame in way})
    room = engine.cache.limit - engine.cache.bytes
    return Estimate(
        task=route.task,
        reason=route.reason,
        frames_shown=shown,
        frames_masked=masked,
        seconds=_seconds(engine, steps),
        bytes=min(new * engine.frame_bytes, max(0, room))
        + to_show * height * width * 3
        + masked * height * _EDGES,
    )


def _seconds(engine: Engine, steps: Mapping[Step, tuple[int, int]]) -> tuple[float, float]:
    low = high = 0.0
    for kind, (fewest, most) in steps.items():
        fast, slow = engine.pace.of(kind) or (0.0, 0.0)
        low, high = low + fewest * fast, high + most * slow
    return low, high


def _marked(route: Route, drawings: Sequence[Drawing]) -> list[tuple[int | None, int]]:
    """List what is pointed at: an object, or None for a new one, and the frame."""
    uses = zip(drawings, route.uses, strict=True)
    wanted = (each for each, use in uses if use in (Use.REGION, Use.CORRECTION))
    return list(dict.fromkeys((each.object, each.frame) for each in wanted))


def _new(film: Film) -> Object:
    return Object(id=0, name="new", masks=Track(film.size))


def _try_out(film: Film) -> None:
    """Take one or two of each kind of step on a black frame, unless such steps are known."""
    engine = film.engine
    if film.media == "video" and engine.pace.of("decode") is None:
        film.picture(0)
    if engine.pace.of("segment") and engine.pace.of("word") and engine.pace.of("look"):
        return
    predictor, work = engine.predictor, Work(engine)
    black = np.zeros((1, *film.size, 3), np.uint8)
    with work.step("look"):
        view = predictor.look(black, "image")
    asked = [Turn(question("refseg", "image", text="it"))]
    tokens = predictor.ask(view, asked, limit=2)
    kinds: tuple[Step, ...] = ("read", "word")
    for kind in kinds:
        with work.step(kind):
            next(tokens, None)
    tokens.close()
    read, conditions = READOUTS["referring"](Rules()), _nothing(engine)
    for _ in range(_TRIES):
        with work.step("features"):
            features = predictor.features(black)
    engine.frame_bytes = size_of(packed(features))
    segmented = predictor.segment(conditions, repeat((features, film.size), _TRIES))
    for _ in range(_TRIES):
        with work.step("segment"):
            read(next(segmented)).masks.cpu()


def _nothing(engine: Engine) -> Conditions:
    """Make conditions that mean nothing, of the right size: (1, 2, D) classes."""
    predictor = engine.predictor
    zeros = torch.zeros(
        1, 2, predictor.model.config.width, device=predictor.device, dtype=predictor.dtype
    )
    there = torch.ones(1, 2, dtype=torch.bool, device=predictor.device)
    return Conditions(zeros, there, zeros, there, zeros[:, :1])
