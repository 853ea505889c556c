"""What a request is said to take: frames, seconds by a clock that is faked, and memory.

The predictor is an actor that knows coloured squares (`acting`); a step takes as long as it says.
"""

import pytest

from tests.engine.acting import clip, of, picture, stage
from tests.engine.following import follower
from x2sam.engine.options import Options
from x2sam.engine.pace import Pace
from x2sam.engine.reach import Reach
from x2sam.errors import PromptError
from x2sam.types import Done, Drawing, MaskReady

SECONDS = {"features": 0.5, "segment": 0.25, "look": 2.0, "track": 0.1}


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def measured(monkeypatch):
    """An engine whose actor takes its time, and the clock."""
    engine, actor = stage()
    clock = Clock()
    engine.pace = Pace(clock)

    def slow(name):
        work = getattr(actor, name)

        def slowed(*arguments, **more):
            clock.now += SECONDS[name] * (len(arguments[0]) if name == "look" else 1)
            return work(*arguments, **more)

        monkeypatch.setattr(actor, name, slowed)

    def segment(wanted, frames, work=actor.segment):
        for prediction in work(wanted, frames):
            clock.now += SECONDS["segment"]
            yield prediction

    slow("features")
    slow("look")
    monkeypatch.setattr(actor, "segment", segment)
    return engine, clock


def test_frames_and_seconds_of_a_clip(measured):
    engine, clock = measured
    session = engine.open(clip(40, red=(2, 2)), options=Options(frames=4))
    told = session.estimate("the red square")
    assert (told.frames_shown, told.frames_masked) == (4, 40)
    started = clock.now
    list(session.ask("the red square"))
    took = clock.now - started
    assert took == pytest.approx(40 * 0.75 + 4 * 2)
    assert told.seconds[0] < took < told.seconds[1]
    assert told.task == "refseg"
    assert told.reason == session.turns[0].note


def test_what_is_kept_need_not_be_done_again(measured):
    engine, clock = measured
    session = engine.open(clip(40, red=(2, 2), blue=(2, 20)), options=Options(frames=4))
    list(session.ask("the red square"))
    told = session.estimate("the blue square")
    started = clock.now
    list(session.ask("the blue square"))
    assert clock.now - started == pytest.approx(40 * 0.25)
    assert told.seconds[0] < 40 * 0.25 < told.seconds[1] < 40 * 0.75
    assert told.bytes < 40 * engine.frame_bytes


def test_estimating_does_not_touch_the_session(measured):
    engine, _ = measured
    session = engine.open(clip(40, red=(2, 2)), options=Options(frames=4))
    session.estimate("the red square")
    session.estimate("what is in this clip?")
    assert (len(session.turns), len(session.objects), len(engine.cache)) == (0, 0, 0)
    tried = engine.pace.of("segment")
    session.estimate("the red square")
    assert engine.pace.of("segment") == tried  # tried out once


@pytest.mark.parametrize(
    ("request_", "options", "masked"),
    [
        ({"text": "the red square", "reach": Reach(first=10, last=19)}, Options(frames=4), 10),
        ({"text": "the red square"}, Options(frames=4, stride=8), 40),
        ({"text": "what is in this clip?"}, Options(frames=4), 0),
        ({"drawings": [Drawing.point(5, 5)]}, Options(frames=4), 40),
        ({"drawings": [Drawing.point(9, 5, frame=3)], "reach": Reach.only(3)}, Options(), 1),
    ],
)
def test_frames_that_get_a_mask(request_, options, masked):
    engine, _ = stage()
    session = engine.open(clip(40, red=(2, 2)), options=options)
    assert session.estimate(**request_).frames_masked == masked
    events = list(session.ask(**{"text": "", **request_}))
    assert len({event.frame for event in of(MaskReady, events)}) == masked


def test_a_stride_takes_less_time(measured):
    engine, _ = measured
    frames = clip(40, red=(2, 2))
    every = engine.open(frames, options=Options(frames=4)).estimate("the red square")
    some = engine.open(frames, options=Options(frames=4, stride=8)).estimate("the red square")
    assert some.seconds[1] < every.seconds[0]


def test_sam_2_has_steps_of_its_own(measured, monkeypatch):
    engine, clock = measured
    engine.tracker, network = follower()

    def decode(*arguments, work=network.decode, **named):
        clock.now += SECONDS["track"]
        return work(*arguments, **named)

    monkeypatch.setattr(network, "decode", decode)
    session = engine.open(clip(40, red=(2, 2)), options=Options(frames=4))
    told = session.estimate("the red square")
    assert (told.frames_shown, told.frames_masked) == (4, 40)
    started = clock.now
    list(session.ask("the red square"))
    took = clock.now - started
    assert took < 40 * 0.75
    assert told.seconds[0] < took < told.seconds[1]
    pointed = session.estimate("", [Drawing.point(9, 25, frame=3)])
    assert (pointed.frames_shown, pointed.frames_masked) == (0, 40)
    assert pointed.seconds[0] < 40 * SECONDS["track"] < pointed.seconds[1]


def test_a_picture_a_command_and_a_mistake():
    engine, _ = stage()
    session = engine.open(picture(red=(2, 2)))
    told = session.estimate("the red square")
    assert (told.frames_shown, told.frames_masked) == (1, 1)
    assert told.bytes < 1 << 20
    list(session.ask("the red square"))
    command = session.estimate("hide it")
    assert (command.task, command.frames_masked, command.seconds) == ("hide", 0, (0.0, 0.0))
    with pytest.raises(PromptError, match="outside"):
        session.estimate("", [Drawing.point(900, 5)])


def test_memory_is_at_most_the_budget():
    engine, _ = stage(cache_bytes=20_000)
    session = engine.open(clip(40, red=(2, 2)), options=Options(frames=4))
    told = session.estimate("the red square")
    assert engine.frame_bytes * 40 > 20_000
    list(session.ask("the red square"))
    assert engine.cache.bytes <= 20_000
    again = session.estimate("the red square")
    assert again.bytes < told.bytes


def test_the_request_is_answered_as_before():
    engine, _ = stage()
    session = engine.open(clip(6, red=(2, 2)))
    session.estimate("the red square")
    (done,) = of(Done, session.ask("the red square"))
    assert done.turn == 1
    assert len(session.objects[0].masks) == 6
