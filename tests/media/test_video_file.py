"""Frames by number are exact, in every codec and container and in every order.

Clips are made by PyAV, and compared with decoding them from beginning to end. Nothing is faked.
"""

import random

import av
import numpy as np
import pytest
from filming import decoded, film, hum

from x2sam.errors import LimitError, MediaError
from x2sam.media.limits import Limits
from x2sam.media.video_file import VideoFile, open_container

KINDS = {
    "H.264, B-frames, GOP of 60": ("a.mp4", "libx264", {"g": "60", "bf": "3", "frames": 70}),
    "H.264, open GOPs of 10": ("a.mp4", "libx264", {"g": "10", "x264-params": "open-gop=1"}),
    "H.264, interlaced": ("a.ts", "libx264", {"flags": "+ildct+ilme", "g": "10"}),
    "H.264, no container": ("a.h264", "libx264", {"g": "10"}),
    "H.264, in AVI": ("a.avi", "libx264", {"g": "10"}),
    "HEVC": ("a.mkv", "libx265", {"x265-params": "log-level=none:keyint=10"}),
    "HEVC in MP4": ("a.mp4", "libx265", {"x265-params": "log-level=none:keyint=10"}),
    "VP9": ("a.webm", "libvpx-vp9", {"g": "12", "deadline": "realtime", "cpu-used": "8"}),
    "VP8": ("a.webm", "libvpx", {"g": "12", "deadline": "realtime"}),
    "MPEG-4": ("a.avi", "mpeg4", {"g": "12", "bf": "2"}),
    "MPEG-4 in MP4": ("a.mp4", "mpeg4", {"g": "12", "bf": "2"}),
    "MPEG-2, transport": ("a.ts", "mpeg2video", {"g": "12", "bf": "2"}),
    "MPEG-2, program": ("a.mpg", "mpeg2video", {"g": "12", "bf": "2"}),
    "ProRes": ("a.mov", "prores_ks", {"pixels": "yuv422p10le"}),
    "motion JPEG": ("a.mkv", "mjpeg", {"pixels": "yuvj420p"}),
    "FFV1, 10 bits": ("a.mkv", "ffv1", {"pixels": "yuv420p10le"}),
    "Flash": ("a.flv", "libx264", {"g": "10"}),
    "Windows Media": ("a.wmv", "wmv2", {"g": "12"}),
}


def open_file(path, limits=None):
    return VideoFile(path, path.name, limits or Limits())


@pytest.mark.parametrize("kind", KINDS)
def test_any_order_gives_the_frames_of_decoding_through(kind, tmp_path):
    name, codec, options = KINDS[kind]
    path = film(tmp_path / name, codec, **options)
    expected = decoded(path)
    video = open_file(path)
    count = len(video.timing.stamps)
    assert count == len(expected) == options.get("frames", 30)
    assert float(video.timing.duration) == pytest.approx(count / 25, abs=0.05)
    shuffled = random.Random(0).sample(range(count), count)
    for order in (range(count), shuffled, range(count - 1, -1, -5), (4, 4, 5)):
        for index in order:
            assert (video.read(index) == expected[index]).all(), index
    video.close()


def test_frames_in_order_are_decoded_once(tmp_path, monkeypatch):
    video = open_file(film(tmp_path / "a.mp4", g="10", frames=40))
    monkeypatch.setattr(video, "_seek", lambda index: pytest.fail(f"jumped to {index}"))
    for index in (0, *range(40), 39):
        video.read(index)
    video.close()


def test_a_far_frame_is_reached_by_a_jump(tmp_path, monkeypatch):
    video = open_file(film(tmp_path / "a.mp4", g="10", frames=40))
    steps = []
    step = video._step
    monkeypatch.setattr(video, "_step", lambda: (steps.append(1), step()))
    video.read(35)
    assert len(steps) <= 6
    video.close()


@pytest.mark.parametrize(("turned", "turns"), [(90, 1), (180, 2), (270, 3), (-90, 3)])
def test_the_display_matrix_turns_the_frames(turned, turns, tmp_path):
    path = film(tmp_path / "a.mp4", turned=turned)
    video = open_file(path)
    expected = np.rot90(decoded(path)[7], turns)
    assert video.size == expected.shape[:2]
    assert (video.read(7) == expected).all()
    video.close()


def test_a_varying_frame_rate_keeps_its_times(tmp_path):
    stamps = [0, 40, 80, 500, 520, 1100]
    video = open_file(film(tmp_path / "a.mkv", stamps=stamps))
    assert np.rint(video.timing.seconds * 1000).astype(int).tolist() == stamps
    assert video.timing.variable
    assert video.notes == ("The time between its frames varies; it is kept.",)
    video.close()


@pytest.mark.parametrize("size", [(48, 63), (47, 64), (1, 1), (2, 160)])
def test_odd_sizes(size, tmp_path):
    path = film(tmp_path / "a.mkv", "ffv1", size=size, pixels="yuv444p", frames=3)
    video = open_file(path)
    assert video.size == size
    assert (video.read(2) == decoded(path)[2]).all()
    video.close()


def test_probe(tmp_path):
    silent = open_file(film(tmp_path / "a.mp4"))
    loud = open_file(film(tmp_path / "b.mp4", sound="aac"))
    assert (silent.codec, silent.size, silent.has_sound) == ("h264", (48, 64), False)
    assert loud.has_sound
    assert silent.notes == loud.notes == ()
    silent.close()
    loud.close()


def test_a_file_that_breaks_off_keeps_the_frames_before(tmp_path):
    whole = film(tmp_path / "a.mkv", g="5").read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole[: len(whole) // 2])
    video = open_file(path)
    count = len(video.timing.stamps)
    expected = decoded(tmp_path / "a.mkv")
    assert 3 < count < 30
    assert (video.read(count - 3) == expected[count - 3]).all()
    video.read(count - 1)
    video.close()


def test_a_damaged_packet_shows_the_frame_before(tmp_path):
    path = film(tmp_path / "a.mkv", "ffv1", pixels="yuv420p", frames=5, slicecrc="1")
    with av.open(str(path)) as container:
        third = [bytes(packet) for packet in container.demux(video=0) if packet.size][2]
    path.write_bytes(path.read_bytes().replace(third, b"\0" * len(third)))
    video = open_file(path)
    assert len(video.timing.stamps) == 5
    assert (video.read(2) == video.read(1)).all() or video.read(2).shape == (48, 64, 3)
    assert (video.read(4) != video.read(1)).any()
    video.close()


def sound_only(path):
    with av.open(str(path), "w") as container:
        for packet in hum(container.add_stream("aac", rate=48_000), 1):
            container.mux(packet)
    return path


def test_what_is_no_clip(tmp_path):
    mp4 = film(tmp_path / "a.mp4").read_bytes()
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{tmp_path}/a.mp4\n#EXT-X-ENDLIST\n"
    cases = {
        "sound.m4a": sound_only(tmp_path / "sound.m4a").read_bytes(),
        "cut.mp4": mp4[: len(mp4) // 2],  # its index was at the end
        "list.m3u8": playlist.encode(),
        "concat.txt": f"ffconcat version 1.0\nfile '{tmp_path}/a.mp4'\n".encode(),
        "noise.mp4": random.Random(1).randbytes(5000),
        "zeros.mp4": bytes(5000),
        "head.mp4": mp4[:40] + random.Random(2).randbytes(5000),
    }
    for name, content in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(MediaError, match=name):
            open_file(path)
        with pytest.raises(MediaError, match="upload"):
            VideoFile(content, "upload", Limits())


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(frame_pixels=1000), "64 × 48"),
        (Limits(clip_frames=20), "frames"),
        (Limits(clip_seconds=1), "1.2 seconds"),
    ],
)
def test_limits_are_checked_before_a_frame_is_decoded(limits, said, tmp_path, monkeypatch):
    path = film(tmp_path / "a.mp4")
    monkeypatch.setattr(VideoFile, "_decode", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(LimitError, match=said):
        open_file(path, limits)


def test_unstamped_frames_are_limited_too(tmp_path):
    with pytest.raises(LimitError):
        open_file(film(tmp_path / "a.h264"), Limits(clip_frames=20))


def test_bytes_read_like_a_file(tmp_path):
    path = film(tmp_path / "a.mp4")
    video = VideoFile(path.read_bytes(), "upload", Limits())
    assert (video.read(20) == decoded(path)[20]).all()
    video.close()


def test_nothing_but_the_file_is_opened(tmp_path):
    with pytest.raises(MediaError):
        open_container(b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n/etc/passwd\n", "x")
