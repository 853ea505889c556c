"""What a request will take, before it is made: frames, seconds, memory.

The request is routed and its frames are counted; no frame of the medium is shown to the model.
Seconds come from how long each kind of step has taken on this machine; where none was taken yet,
a few are tried on a black frame. They are told as a range, as answers differ in length and
others may use the device. What others in line take is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import torch

from x2sam.engine.answers import POINTED, prompter_of
from x2sam.engine.engine import Engine, Work
from x2sam.engine.feature_cache import packed, size_of
from x2sam.engine.film import Film
from x2sam.engine.handover import anchored, further
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
from x2sam.media.videos import open_clip
from x2sam.model.conditions import Conditions
from x2sam.model.readout import READOUTS, Rules
from x2sam.types import Drawing, Estimate, Route, Use

_FEW: Final = 8  # words of a short answer
_SOME: Final = 40  # of a long one that comes with masks
_TRIED: Final = 4  # frames by which SAM 2 is timed
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
    streams: list[Sequence[int]] = []
    asked, tracked, more = 1, 0, 0
    by_sam2 = answer in POINTED and prompter_of(film, options, route) is not None
    if answer in POINTED:
        marked = _marked(route, drawings)
        asked = 0 if by_sam2 else len(marked)
        for number, frame in marked:
            known = number in objects.ids()
            target = objects.by_id(number) if known and number is not None else _new(film)
            streams += [range(frame, frame + 1), *ways(target, frame, reach)]
    elif answer is not Answer.TEXT:
        streams += reach.streams()
    masked = len({frame for way in streams for frame in way})
    shown = listener.shown(purpose)
    if by_sam2:
        tracked, streams, shown = masked, [], ()
    elif streams and answer not in POINTED and film.carried_by(options, len(shown)) == "sam2":
        streams = [*anchored(reach, shown)]
        anchors = {frame for way in streams for frame in way}
        tracked, more = masked - len(anchors), len(further(reach, anchors))
    stride = 1 if tracked else options.stride
    looks = [frame for way in streams for frame, _ in strides(way, stride)]
    new = film.unknown(set(looks))
    to_show = 0 if listener.knows(purpose) else len(shown)
    if not by_sam2:
        _try_out(film)
    if tracked:
        _try_tracking(film)
    steps: dict[Step, tuple[int, int]] = {
        "look": (to_show, to_show),
        "read": (asked, asked),
        "word": (asked * words[0], asked * words[1]),
        "features": (new, new + more),
        "segment": (len(looks), len(looks) + more),
        "track": (tracked, tracked),
    }
    if film.media == "video":
        read = new + to_show + tracked
        steps["decode"] = (read, read + more)
    height, width = film.size
    room = engine.cache.limit - engine.cache.bytes
    return Estimate(
        task=route.task,
        reason=route.reason,
        frames_shown=len(shown),
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
    decoded = []
    for first in (True, False):
        with work.step("features"):
            decoded.append(predictor.decode(predictor.features(black), first=first))
    engine.frame_bytes = size_of(packed(decoded[0]))
    segmented = predictor.segment(conditions, ((frame, film.size) for frame in decoded))
    for _ in decoded:
        with work.step("segment"):
            read(next(segmented)).masks.cpu()


def _try_tracking(film: Film) -> None:
    """Let SAM 2 take some steps on black frames, which grow as it remembers more of them."""
    engine = film.engine
    if engine.tracker is None or engine.pace.of("track"):
        return
    black, work = open_clip(np.zeros((_TRIED, *film.size, 3), np.uint8)), Work(engine)
    with engine.tracker.open(black) as tracking:
        with work.step("track"):
            tracking.add(0, 0, mask=np.ones(film.size, bool))
        walk = tracking.propagate(1)
        for _ in range(1, _TRIED):
            with work.step("track"):
                next(walk)


def _nothing(engine: Engine) -> Conditions:
    """Make conditions that mean nothing, of the right size: (1, 2, D) classes."""
    predictor = engine.predictor
    zeros = torch.zeros(
        1, 2, predictor.model.config.width, device=predictor.device, dtype=predictor.dtype
    )
    there = torch.ones(1, 2, dtype=torch.bool, device=predictor.device)
    return Conditions(zeros, there, zeros, there, zeros[:, :1])
