"""Clips: masks on every frame, what is carried, corrected and recomputed, and several at once.

The predictor is an actor that knows coloured squares (`acting`); all else is real.
"""

import threading

import numpy as np
import pytest
import torch

from tests.engine.acting import clip, of, picture, square, stage
from x2sam.engine.options import Options
from x2sam.errors import DeviceFullError
from x2sam.types import Done, Drawing, How, MaskReady, NotFound, Progress

MOVING = clip(6, red=(2, 2), blue=(4, 20))


def frames_of(actor, what):
    return [value for kind, value in actor.log if kind == what]


def test_a_mask_on_every_frame():
    engine, _ = stage()
    session = engine.open(MOVING)
    events = list(session.ask("the red square"))
    assert [event.frame for event in of(MaskReady, events)] == [*range(6)]
    thing = session.objects["the red square"]
    for frame in range(6):
        assert (thing.masks[frame] == square(2 + frame, 2)).all()
    assert thing.provenance.to_json() == [[0, 5, "seen", 1]]
    assert of(Progress, events)[-1] == Progress("segmenting frames", 6, 6)


def test_the_language_model_is_shown_a_few_frames():
    engine, actor = stage()
    session = engine.open(clip(40, red=(2, 2)), options=Options(frames=5, chat_frames=9))
    list(session.ask("the red square"))
    assert frames_of(actor, "look") == [5]
    assert session.shown == (0, 9, 19, 29, 39)
    list(session.ask("what is in this clip?"))
    assert frames_of(actor, "look") == [5, 9]


def test_one_frame_alone_is_shown_as_a_picture():
    engine, actor = stage()
    session = engine.open(clip(40, red=(2, 2)), options=Options(frames=1, chat_frames=1))
    list(session.ask("the red square"))
    assert "in this image" in actor.asked[-1][-1].question
    list(session.prompt(points=[(5, 5)], frame=2))
    list(session.ask("what is in this clip?"))
    assert frames_of(actor, "look") == [1]
    assert session.shown == (20,)
    assert len(session.objects[0].masks) == 40


def test_sparse_and_dense_frames():
    engine, actor = stage()
    options = Options(frames=8, policy="sparse_dense", chat_frames=9)
    session = engine.open(clip(40, red=(2, 2)), options=options)
    events = list(session.ask("the red square"))
    assert [entry for entry in actor.log if entry[0] in ("look", "sparse")] == [
        ("look", 2),
        ("sparse", 16),
    ]
    assert session.shown == (10, 30)  # those in full
    assert Progress("looking at frames", 18, 18) in of(Progress, events)
    assert len(session.objects[0].masks) == 40
    list(session.ask("what is in this clip?"))
    assert frames_of(actor, "look") == [2, 9]
    assert len(frames_of(actor, "sparse")) == 1
    list(engine.open(picture(red=(2, 2)), options=options).ask("the red square"))
    assert len(frames_of(actor, "sparse")) == 1  # a picture has none


def test_with_a_stride_the_frames_between_are_carried():
    engine, actor = stage()
    session = engine.open(MOVING, options=Options(stride=4))
    list(session.ask("the red square"))
    thing = session.objects[0]
    assert thing.provenance.to_json() == [
        [0, 0, "seen", 1],
        [1, 3, "carried", 1],
        [4, 4, "seen", 1],
        [5, 5, "carried", 1],
    ]
    assert (thing.masks[3] == thing.masks[0]).all()
    assert (thing.masks[5] == square(6, 2)).all()
    assert len(frames_of(actor, "segment")) == 2


@pytest.mark.parametrize("propagation", ["auto", "memory", "one_token"])
def test_one_token_without_memory_begins_anew_with_every_frame(propagation, monkeypatch):
    engine, actor = stage()
    begun, segment = [], actor.segment

    def counted(wanted, frames):
        begun.append(wanted)
        return segment(wanted, frames)

    monkeypatch.setattr(actor, "segment", counted)
    session = engine.open(MOVING, options=Options(propagation=propagation))
    list(session.ask("the red square"))
    assert len(session.objects[0].masks) == 6
    assert (len(begun) > 5) == (propagation == "one_token")


def test_what_comes_later_was_not_there_before_and_what_goes_is_not_there_after():
    frames = np.stack(
        [picture(red=(4, 4)) if 2 <= index < 4 else picture(blue=(4, 4)) for index in range(6)]
    )
    engine, _ = stage()
    session = engine.open(frames)
    events = list(session.ask("the red square"))
    thing = session.objects[0]
    assert [thing.masks.area(frame) > 0 for frame in range(6)] == [0, 0, 1, 1, 0, 0]
    assert thing.masks.spans() == [(2, 4)]
    assert not of(NotFound, events)


def test_several_keep_apart():
    engine, _ = stage()
    session = engine.open(clip(6, red=[(2, 2), (2, 20)]))
    list(session.ask("red box, blue box"))
    assert [each.name for each in session.objects] == ["red box", "red box 2"]
    for each in session.objects:
        places = {each.masks.box(frame)[1] for frame in range(6)}
        assert len(places) == 1  # never the other one


def test_what_is_lost_for_a_moment_is_the_same_afterwards():
    frames = clip(6, red=(2, 2), blue=(2, 20))
    frames[2] = picture(blue=(4, 20))
    engine, _ = stage()
    session = engine.open(frames)
    list(session.ask("red box, blue box"))
    assert [each.name for each in session.objects] == ["red box", "blue box"]
    assert session.objects[0].masks.spans() == [(0, 2), (3, 6)]


# Pointing


def test_a_click_is_followed_both_ways():
    engine, _ = stage()
    session = engine.open(MOVING)
    list(session.prompt(points=[(10, 23)], frame=3))
    thing = session.objects[0]
    for frame in range(6):
        assert (thing.masks[frame] == square(4 + frame, 20)).all()


def test_a_correction_recomputes_only_what_follows_from_it():
    engine, _ = stage()
    session = engine.open(MOVING)
    list(session.ask("the red square"))
    before = session.objects[0]
    list(session.prompt(points=[(2, 30)], frame=4, object=1))
    list(session.prompt(points=[(2, 30)], frame=2, object=1))
    after = session.objects[0]
    assert after.provenance.to_json() == [
        [0, 1, "seen", 1],
        [2, 2, "corrected", 3],
        [3, 3, "seen", 3],
        [4, 4, "corrected", 2],
        [5, 5, "seen", 2],
    ]
    assert after.masks[2][30, 2]
    assert after.masks[4][30, 2]
    assert all((after.masks[frame] == before.masks[frame]).all() for frame in (0, 1))


def test_words_do_not_undo_what_a_hand_has_corrected():
    engine, _ = stage()
    session = engine.open(MOVING)
    list(session.ask("the red square"))
    list(session.prompt(points=[(2, 30)], frame=2, object=1))
    corrected = session.objects[0].masks[2]
    events = list(session.ask("the red box"))
    assert len(session.objects) == 1
    assert (session.objects[0].masks[2] == corrected).all()
    (event,) = [event for event in of(MaskReady, events) if event.frame == 2]
    assert event.how is How.CORRECTED


def test_going_backward_decodes_forward(monkeypatch):
    engine, _ = stage(cache_bytes=0)
    session = engine.open(clip(40, red=(2, 2)))
    decoded, picture_of = [], session.film.picture
    monkeypatch.setattr(
        session.film, "picture", lambda index: decoded.append(index) or picture_of(index)
    )
    list(session.prompt(points=[(17, 5)], frame=31))
    assert len(session.objects[0].masks) == 40
    backward = decoded[-32:]
    assert backward[:16] == [*range(16, 32)]
    assert backward[16:] == [*range(16)]


# Ends


def test_closing_keeps_what_is_done():
    engine, actor = stage()
    session = engine.open(clip(30, red=(2, 2)))
    events = session.ask("the red square")
    for event in events:
        if isinstance(event, MaskReady) and event.frame == 9:
            break
    events.close()
    assert [*session.objects[0].masks] == [*range(10)]
    assert session.turns[-1].stopped
    assert len(frames_of(actor, "segment")) == 10
    list(session.ask("the red box"))
    assert [*session.objects[0].masks] == [*range(30)]  # what was missing is added
    session.undo()
    assert [*session.objects[0].masks] == [*range(10)]


def test_stopping_ends_with_done():
    engine, _ = stage()
    session = engine.open(clip(30, red=(2, 2)))
    seen = []
    for event in session.ask("the red square"):
        seen.append(event)
        if isinstance(event, MaskReady) and event.frame == 4:
            session.stop()
    assert isinstance(seen[-1], Done)
    assert seen[-1].stopped
    assert len(session.objects[0].masks) == 5


def test_a_new_request_ends_the_one_before():
    engine, _ = stage()
    session = engine.open(clip(30, red=(2, 2), blue=(2, 20)))
    first = session.ask("the red square")
    while not isinstance(next(first), MaskReady):
        pass
    list(session.ask("the blue square"))
    rest = list(first)
    assert rest[-1].stopped
    assert [len(each.masks) for each in session.objects] == [1, 30]


def test_a_full_device_is_a_sentence_and_costs_nothing_done(monkeypatch):
    engine, actor = stage()
    session = engine.open(clip(10, red=(2, 2)))
    features = actor.features

    def full(frames):
        if frames[0, 0, 0, 0] == 4:
            raise torch.OutOfMemoryError
        return features(frames)

    monkeypatch.setattr(actor, "features", full)
    with pytest.raises(DeviceFullError, match="Use fewer frames"):
        list(session.ask("the red square"))
    assert len(session.objects[0].masks) == 4
    assert len(engine.cache) == 0
    monkeypatch.undo()
    list(session.ask("the red square"))
    assert len(session.objects[0].masks) == 10


# Several people


def test_two_sessions_take_turns():
    engine, actor = stage()
    one, two = (engine.open(clip(40, **{colour: (2, 2)})) for colour in ("red", "blue"))
    together = threading.Barrier(2)

    def work(session, words):
        together.wait(5)
        list(session.ask(words))

    threads = [
        threading.Thread(target=work, args=arguments)
        for arguments in ((one, "the red square"), (two, "the blue square"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    order = frames_of(actor, "segment")
    assert len(order) == 80
    first_blue, last_red = (
        order.index(("the blue square",)),
        79 - order[::-1].index(("the red square",)),
    )
    first_red, last_blue = (
        order.index(("the red square",)),
        79 - order[::-1].index(("the blue square",)),
    )
    assert first_blue < last_red  # neither waits for the other's whole clip
    assert first_red < last_blue


def test_a_reader_that_stalls_blocks_nobody():
    engine, _ = stage()
    stalled = engine.open(clip(30, red=(2, 2))).ask("the red square")
    while not isinstance(next(stalled), MaskReady):
        pass
    other = engine.open(MOVING)
    finished = threading.Thread(target=lambda: list(other.ask("the blue square")))
    finished.start()
    finished.join(10)
    assert not finished.is_alive()
    assert len(other.objects[0].masks) == 6
    assert engine.waiting == 0


def test_what_one_session_does_the_other_does_not_see():
    engine, _ = stage()
    one, two = engine.open(MOVING), engine.open(MOVING)
    list(one.ask("the red square"))
    assert len(two.objects) == 0
    one.close()
    list(two.ask("", [Drawing.point(5, 5)]))
    assert len(two.objects) == 1


# Memory


def test_masks_are_runs_and_features_have_a_budget():
    budget = 64 * 1024
    engine, actor = stage(cache_bytes=budget)
    session = engine.open(clip(300, red=(2, 2)))
    for _ in session.ask("the red square"):
        assert engine.cache.bytes <= budget
    thing = session.objects[0]
    assert len(thing.masks) == 300
    assert sum(len(thing.masks.rle(frame).counts) for frame in thing.masks) < 300 * 64
    assert len(frames_of(actor, "features")) == 300
    session.close()
    assert engine.cache.bytes == 0
