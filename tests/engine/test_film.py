"""What is made of frames once, and kept. The network is an actor that logs what it is shown."""

import numpy as np
import pytest

from tests.engine.acting import clip, stage
from x2sam.engine.engine import Work
from x2sam.engine.film import Film
from x2sam.media.videos import open_medium


@pytest.fixture
def shown():
    """A film of 20 frames, a request, and the list of what the network was shown."""
    engine, actor = stage()
    return Film(engine, open_medium(clip(20))), Work(engine), actor.log


def test_a_frame_is_encoded_and_decoded_once(shown):
    film, work, log = shown
    first, second = (film.decoded(work, (3, False)) for _ in range(2))
    assert log == [("features", 3)]
    assert np.array_equal(first.region_stage, second.region_stage)


def test_the_first_frame_of_a_stream_is_another_thing_than_one_within(shown):
    film, work, log = shown
    assert film.decoded(work, (3, True)).first
    assert not film.decoded(work, (3, False)).first
    assert film.decoded(work, (3, True)).first
    assert log == [("features", 3)] * 2


def test_regions_are_read_from_whichever_is_there(shown):
    film, work, log = shown
    film.decoded(work, (3, False))
    film.decoded(work, (4, True))
    for index in (3, 4, 5):
        features = film.regions(work, index)
        assert features.region_stage[0, 0, 0, 0] == index
        assert features.maps == ()
    assert log == [("features", index) for index in (3, 4, 5)]


def test_frames_of_which_nothing_is_kept_are_counted(shown):
    film, work, _ = shown
    film.decoded(work, (3, False))
    film.decoded(work, (4, True))
    assert film.unknown(range(2, 6)) == 2


@pytest.mark.parametrize("way", [range(20), range(19, -1, -1), range(0, 20, 3)])
def test_pictures_come_in_order_and_only_where_they_are_wanted(shown, way):
    film, work, _ = shown
    places = [(index, index == way[0]) for index in way]
    film.decoded(work, places[2])
    film.decoded(work, (places[4][0], True))  # of no use within a stream
    pictures = list(film.pictures(places))
    assert [p is None for p in pictures] == [number == 2 for number in range(len(way))]
    assert [p[0, 0, 0] for p in pictures if p is not None] == [i for i in way if i != way[2]]
