"""A clip as its users see it: frames by number and time, threads, closing, and what it may be.

Clips are made by PyAV and Pillow. Nothing is faked.
"""

import threading
import tracemalloc

import numpy as np
import pytest
from filming import animation, decoded, encoded, film, photo, scene
from PIL import Image

from x2sam.errors import LimitError, MediaError
from x2sam.media.images import Picture
from x2sam.media.limits import Limits
from x2sam.media.videos import Clip, frames_at, open_clip, open_medium


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return film(tmp_path_factory.mktemp("clips") / "walk.mp4", g="10")


@pytest.fixture(scope="module")
def expected(path):
    return decoded(path)


def test_frames_by_number_time_and_range(path, expected):
    with open_clip(path) as clip:
        assert (len(clip), clip.size, clip.name) == (30, (48, 64), "walk.mp4")
        assert (clip.duration, clip.frame_rate, clip.codec) == (1.2, 25.0, "h264")
        assert (clip.at(0.5) == expected[12]).all()
        assert (clip.at(99) == expected[29]).all()
        every = list(clip.frames())
        assert all((frame == right).all() for frame, right in zip(every, expected, strict=True))
        some = list(clip.frames([3, 17, 2]))
        assert [(a == expected[i]).all() for a, i in zip(some, [3, 17, 2], strict=True)] == [1] * 3


@pytest.mark.parametrize("index", [-1, 30, 10**9])
def test_frames_that_are_not_there(path, index):
    with open_clip(path) as clip, pytest.raises(MediaError, match="has frames 0 to 29"):
        clip.frame(index)


def test_two_readers_of_one_clip_do_not_mix(path, expected):
    with open_clip(path) as clip:
        for one, other in zip(clip.frames(), clip.frames(range(29, -1, -1)), strict=True):
            index = next(i for i, frame in enumerate(expected) if (frame == one).all())
            assert (other == expected[29 - index]).all()


def test_threads_share_a_clip(path, expected):
    wrong = []

    def read(order):
        wrong.extend(i for i in order if (clip.frame(i) != expected[i]).any())

    with open_clip(path) as clip:
        orders = (range(30), range(29, -1, -2), [5, 25, 6, 26] * 3)
        threads = [threading.Thread(target=read, args=(order,)) for order in orders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def test_closing_while_another_thread_reads(path):
    clip = open_clip(path)
    started, ended = threading.Event(), []

    def read():
        try:
            while True:
                for _ in clip.frames():
                    started.set()
        except MediaError as error:
            ended.append(str(error))

    thread = threading.Thread(target=read)
    thread.start()
    started.wait(10)
    clip.close()
    clip.close()
    thread.join(10)
    assert ended == ["walk.mp4 was closed."]


def test_memory_is_flat_in_the_length(tmp_path):
    peaks = []
    for frames in (20, 200):
        clip_path = film(tmp_path / f"{frames}.mp4", frames=frames, g="10")
        with open_clip(clip_path) as clip:
            tracemalloc.start()
            for _ in clip.frames():
                pass
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.1 + 10_000


def test_sources_and_names(path, expected):
    with path.open("rb") as file:
        for source in (str(path), path.read_bytes(), file):
            with open_clip(source) as clip:
                assert (clip.frame(11) == expected[11]).all()
    with open_clip(path.read_bytes(), name="mine.mp4") as clip:
        assert clip.name == "mine.mp4"


def test_sound_is_known_and_where_to_find_it(path, tmp_path):
    loud = film(tmp_path / "loud.mp4", sound="aac")
    with open_clip(path) as silent, open_clip(loud) as clip:
        assert (silent.has_sound, silent.origin) == (False, None)
        assert (clip.has_sound, clip.origin) == (True, loud)


def test_what_a_medium_is(path, tmp_path):
    (tmp_path / "0.png").write_bytes(encoded(photo(), "PNG"))
    pages = encoded(photo(), "TIFF", save_all=True, append_images=[photo()])
    moving = (path, path.read_bytes(), tmp_path, animation("GIF"), np.stack([scene(0)] * 2))
    still = (
        *(tmp_path / "0.png", encoded(photo(), "JPEG"), encoded(photo(), "GIF"), pages),
        *(scene(0), photo(), Image.new("L", (3, 3))),
    )
    for source in moving:
        with open_medium(source) as clip:
            assert isinstance(clip, Clip)
    for source in still:
        assert isinstance(open_medium(source), Picture)
    assert open_medium(encoded(photo(), "PNG"), name="x.png").name == "x.png"


@pytest.mark.parametrize("opening", [open_clip, open_medium])
@pytest.mark.parametrize("content", [b"", b"x", b"PK\x03\x04", b"GIF89a", bytes(300)])
def test_what_is_no_medium(opening, content, tmp_path):
    file = tmp_path / "upload"
    file.write_bytes(content)
    with pytest.raises(MediaError, match="upload"):
        opening(file)
    with pytest.raises(MediaError):
        opening(tmp_path / "missing")


def test_too_many_bytes(path):
    for source in (path, path.read_bytes()):
        with pytest.raises(LimitError, match="MB"):
            open_clip(source, Limits(clip_bytes=500))


def test_frames_of_a_file_without_opening_a_clip(tmp_path):
    path = film(tmp_path / "a.mkv", "ffv1", frames=6)
    with open_clip(path) as clip:
        expected = [clip.frame(index) for index in (1, 4)]
    frames = list(frames_at(path, [1, 4, 6, 40]))
    assert len(frames) == 2
    assert all(np.array_equal(one, two) for one, two in zip(frames, expected, strict=True))
    with pytest.raises(MediaError, match=r"\.$"):
        list(frames_at(tmp_path / "none.mp4", [0]))
