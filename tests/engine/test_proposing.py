"""Everything in a picture at once, and what is kept of it.

Faked: the network of X2SAM, by an actor, and that of SAM 2, which knows squares (`following`); the
search around it and all else are real.
"""

import pytest

from tests.engine.acting import clip, of, picture, square, stage
from tests.engine.following import follower
from x2sam.errors import PromptError
from x2sam.media.masks import Rle
from x2sam.tracker.search import Search, Segment
from x2sam.types import Done, Progress

PLACES = {"red": (2, 2), "blue": (20, 12)}
SEARCH = Search(points_per_side=8, points_per_batch=16)  # every 4 pixels


@pytest.fixture
def session():
    tracker, _ = follower()
    engine, _ = stage(tracker=tracker)
    with engine.open(picture(**PLACES)) as session:
        yield session


def test_everything_is_proposed_and_nothing_listed(session):
    events = list(session.everything(search=SEARCH))
    assert [(each.done, each.total) for each in of(Progress, events)] == [
        (16, 64),
        (32, 64),
        (48, 64),
        (64, 64),
    ]
    segments = of(Segment, events)
    assert {each.rle for each in segments} == {Rle.of(square(*at)) for at in PLACES.values()}
    assert [each.quality for each in segments] == pytest.approx([0.9, 0.9])
    assert isinstance(events[-1], Done)
    assert not events[-1].stopped
    assert (len(session.objects), session.turns) == (0, ())


def test_what_is_kept_is_an_object_that_can_be_taken_back(session):
    segments = of(Segment, session.everything(search=SEARCH))
    for segment in segments:
        session.keep(segment)
    assert [each.name for each in session.objects] == ["object", "object 2"]
    assert (session.objects[0].masks[0] == segments[0].rle.mask()).all()
    assert session.objects[0].score == pytest.approx(0.9)
    assert session.objects[0].is_corrected(0)
    session.undo()
    assert len(session.objects) == 1
    list(session.ask("the red square"))  # which may be there already, and is then the same
    assert len(session.objects) <= 2


def test_stopped_it_tells_what_it_has_found(session):
    events, told = session.everything(search=SEARCH), []
    for event in events:
        told.append(event)
        session.stop()
    assert len(of(Progress, told)) == 1
    assert len(of(Segment, told)) == 1  # the other square lies further down
    assert told[-1].stopped


def test_another_request_ends_it(session):
    events = session.everything(search=SEARCH)
    next(events)
    list(session.ask("the red square"))
    assert list(events)[-1].stopped


def test_a_frame_of_a_clip(session):
    tracker, network = follower()
    engine, _ = stage(tracker=tracker)
    with engine.open(clip(3, red=(8, 2))) as film:
        (segment,) = of(Segment, film.everything(2, SEARCH))
        kept = film.keep(segment, 2)
        assert (kept.masks[2] == square(10, 2)).all()
        assert len([each for each in network.log if each[0] == "encode"]) == 1
        with pytest.raises(PromptError, match="no frame 3"):
            list(film.everything(3))


def test_without_sam_2_it_says_so():
    engine, _ = stage()
    with engine.open(picture(**PLACES)) as session, pytest.raises(PromptError, match="--tracker"):
        list(session.everything())
