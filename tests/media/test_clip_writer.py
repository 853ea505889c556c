"""Written clips: what a browser needs, times and sound of the source, alpha, and clean failure.

Read back by PyAV alone; alpha by libvpx's own decoder, since FFmpeg's drops it. Nothing is faked.
"""

import itertools
from fractions import Fraction

import av
import numpy as np
import pytest
from filming import film, scene

from x2sam.errors import MediaError
from x2sam.media.clip_writer import MP4, WEBM, write_clip
from x2sam.media.timing import Timing
from x2sam.media.videos import open_clip

RATE = Fraction(25)


def scenes(count, height=48, width=64):
    return [scene(index, width, height) for index in range(count)]


def sound_of(path):
    """Kind of sound, and its packets with their times."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        packets = [packet for packet in container.demux(stream) if packet.pts is not None]
        times = [float(packet.pts * packet.time_base) for packet in packets]
        return stream.codec_context.name, [bytes(packet) for packet in packets], times


def times_of(path):
    with av.open(str(path)) as container:
        return [float(frame.time) for frame in container.decode(video=0)]


@pytest.mark.parametrize(("height", "width"), [(48, 64), (47, 63), (1, 1), (30, 121)])
def test_a_browser_can_play_it(height, width, tmp_path):
    path = tmp_path / "o.mp4"
    frames = scenes(8, height, width) if min(height, width) > 16 else [np.full((1, 1, 3), 90)] * 8
    write_clip(path, [np.uint8(frame) for frame in frames], Timing.regular(8, RATE))
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert (stream.height % 2, stream.width % 2) == (0, 0)
        assert (stream.height - height, stream.width - width) == (height % 2, width % 2)
        assert stream.average_rate == 25
        read = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(read) == 8
    for frame, expected in zip(read, frames, strict=True):
        difference = np.abs(frame[:height, :width].astype(int) - expected)
        assert difference.mean() < 5


def test_colours_come_back(tmp_path):
    path = tmp_path / "o.mp4"
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [200, 30, 60], [9, 9, 9]], np.uint8)
    write_clip(path, [np.full((32, 32, 3), c) for c in colours], Timing.regular(5, RATE))
    with open_clip(path) as clip:
        for frame, colour in zip(clip.frames(), colours.astype(int), strict=True):
            assert np.abs(frame[8, 8] - colour).max() <= 4


@pytest.mark.parametrize("kind", [MP4, WEBM])
@pytest.mark.parametrize("container", ["mkv", "mp4", "ts"])
def test_uneven_times_are_kept(kind, container, tmp_path):
    stamps = [700, 740, 780, 1200, 1210, 1500, 2000]
    source = film(tmp_path / f"a.{container}", stamps=stamps, sound="aac")
    path = tmp_path / "o"
    with open_clip(source) as clip:
        channels = 3 if kind is MP4 else 4
        frames = (np.resize(frame, (48, 64, channels)) for frame in clip.frames())
        write_clip(path, frames, clip.timing, sound=clip.origin, kind=kind)
        read = np.array(times_of(path))
        assert np.abs(read - read[0] - clip.timing.seconds).max() <= 0.001
        with open_clip(path) as written:
            assert written.duration == pytest.approx(clip.duration, abs=0.2)  # WebM keeps no end


@pytest.mark.parametrize(
    ("container", "sound", "kind", "becomes", "copied"),
    [
        ("mp4", "aac", MP4, "aac", True),
        ("mkv", "aac", MP4, "aac", True),
        ("mkv", "pcm_s16le", MP4, "aac", False),
        ("webm", "libopus", MP4, "aac", False),
        ("webm", "libopus", WEBM, "opus", True),
        ("mp4", "aac", WEBM, "opus", False),
        ("ts", "aac", MP4, "aac", False),  # other framing, so the bytes differ
        ("mkv", "flac", MP4, "aac", False),
    ],
)
def test_sound_is_copied_or_encoded_anew(container, sound, kind, becomes, copied, tmp_path):
    codec = "libvpx-vp9" if container == "webm" else "libx264"
    options = {"deadline": "realtime", "cpu-used": "8"} if container == "webm" else {}
    source = film(tmp_path / f"a.{container}", codec, sound=sound, **options)
    path = tmp_path / "o"
    channels = 3 if kind is MP4 else 4
    with open_clip(source) as clip:
        frames = [np.resize(frame, (48, 64, channels)) for frame in clip.frames()]
        write_clip(path, frames, clip.timing, sound=source, kind=kind)
    name, packets, times = sound_of(path)
    _, original, _ = sound_of(source)
    assert name == becomes
    assert -0.1 < times[0] < 0.05
    assert 1.0 < times[-1] < 1.25
    if copied:
        assert packets == original[: len(packets)]
        assert len(packets) >= len(original) - 2


def test_sound_ends_with_the_frames(tmp_path):
    source = film(tmp_path / "a.mp4", sound="aac", frames=50)
    path = tmp_path / "o.mp4"
    with open_clip(source) as clip:
        write_clip(path, itertools.islice(clip.frames(), 20), clip.timing, sound=source)
    assert len(times_of(path)) == 20
    assert sound_of(path)[2][-1] < 0.8


def test_a_source_without_sound_makes_a_clip_without(tmp_path):
    path = tmp_path / "o.mp4"
    write_clip(path, scenes(4), Timing.regular(4, RATE), sound=film(tmp_path / "a.mp4"))
    with av.open(str(path)) as container:
        assert not container.streams.audio


def test_alpha_in_webm(tmp_path):
    path = tmp_path / "o.webm"
    masks = [np.zeros((47, 63), bool) for _ in range(10)]
    for index, mask in enumerate(masks):
        mask[10:35, 2 + index * 3 : 30 + index * 3] = True
    frames = [np.dstack([np.full((47, 63, 3), 150), mask * 255]) for mask in masks]
    write_clip(path, [np.uint8(f) for f in frames], Timing.regular(10, RATE), kind=WEBM)
    with av.open(str(path)) as container:
        assert container.format.name == "matroska,webm"
        assert container.streams.video[0].metadata.get("alpha_mode") == "1"
        decoder = av.CodecContext.create("libvpx-vp9", "r")
        packets = list(container.demux(video=0))
        read = [frame for packet in packets for frame in decoder.decode(packet)]
    assert len(read) == 10
    for frame, mask in zip(read, masks, strict=True):
        assert frame.format.name == "yuva420p"
        alpha = frame.to_ndarray(format="rgba")[:47, :63, 3] >= 128
        assert (alpha & mask).sum() / (alpha | mask).sum() > 0.97


def test_memory_is_flat_while_writing(tmp_path):
    """Frames are asked for one by one: none before the one before it was written."""
    open_frames = 0

    def lazily():
        nonlocal open_frames
        for frame in scenes(30):
            open_frames += 1
            yield frame
            open_frames -= 1
            assert open_frames == 0

    write_clip(tmp_path / "o.mp4", lazily(), Timing.regular(30, RATE))


def test_failures_leave_no_file(tmp_path):
    timing = Timing.regular(4, RATE)
    path = tmp_path / "o.mp4"

    def broken():
        yield scene(0)
        raise MediaError("frame 1 is damaged.")

    with pytest.raises(MediaError, match="frame 1"):
        write_clip(path, broken(), timing)
    with pytest.raises(MediaError, match="without frames"):
        write_clip(path, [], timing)
    with pytest.raises(MediaError):
        write_clip(path, scenes(4), timing, sound=b"noise")
    with pytest.raises(MediaError, match="cannot be written"):
        write_clip(tmp_path / "no" / "o.mp4", scenes(4), timing)
    assert not list(tmp_path.iterdir())
