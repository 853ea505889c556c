"""Frames of a clip file by number: a little film is encoded here, nothing is faked."""

import av
import numpy as np
import pytest

from x2sam.errors import MediaError
from x2sam.media.frames import frames_at

COUNT = 12


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Twelve frames of 64 × 48, each brighter than the one before."""
    file = tmp_path_factory.mktemp("film") / "film.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 64, 48
        for number in range(COUNT):
            shade = np.full((48, 64, 3), 20 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
        container.mux(stream.encode())
    return file


def shades(frames):
    return [round(float(frame.mean()) / 20) for frame in frames]


@pytest.mark.parametrize("wanted", [[0], [0, 1, 2], [3, 7, 11], list(range(COUNT)), []])
def test_the_frames_that_were_asked_for_come_in_order(film, wanted):
    frames = list(frames_at(film, wanted))
    assert shades(frames) == wanted
    assert all(frame.shape == (48, 64, 3) and frame.dtype == np.uint8 for frame in frames)


def test_frames_beyond_the_end_are_missing(film):
    assert shades(frames_at(film, [10, 11, 12, 40])) == [10, 11]


def test_a_file_is_read_only_as_far_as_it_is_asked(film, tmp_path):
    """The second half of the bytes is gone, and nobody notices who wants the first frame."""
    cut = tmp_path / "cut.avi"
    with av.open(str(film)) as source, av.open(str(cut), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    assert shades(frames_at(cut, [0])) == [0]


@pytest.mark.parametrize("content", [b"", b"not a clip at all" * 99, None])
def test_what_is_no_clip_is_said_in_a_sentence(tmp_path, content):
    file = tmp_path / "clip.mp4"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(MediaError, match=r"clip\.mp4 cannot be read as a clip"):
        list(frames_at(file, [0]))


def test_sound_alone_is_no_clip(tmp_path):
    file = tmp_path / "beep.wav"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(MediaError, match="has no picture in it"):
        list(frames_at(file, [0]))


def test_frames_are_wanted_in_order(film):
    with pytest.raises(AssertionError):
        list(frames_at(film, [2, 1]))
