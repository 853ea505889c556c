"""What the page shows of media: sizes, pictures, single frames, and proxies with their times.

Read back by Pillow and PyAV. Faked is only a clip that fails or waits on demand.
"""

import io
import threading
from fractions import Fraction

import av
import numpy as np
import pytest
from filming import film, scene
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from demo import display
from demo.display import (
    CLIP_SIDE,
    PICTURE_SIDE,
    Proxy,
    Stills,
    display_size,
    frame_jpeg,
    grow,
    picture_bytes,
    rle_json,
    shrink,
)
from x2sam.errors import MediaError
from x2sam.media.images import Picture
from x2sam.media.masks import Rle
from x2sam.media.videos import open_clip

SIDES = st.integers(1, 5000)
STAMPS = [700, 740, 780, 1200, 1210, 1500, 2000]


def opened(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


@given(SIDES, SIDES, st.booleans())
def test_display_sizes(height, width, moving):
    shown = display_size((height, width), moving=moving)
    limit, step = (CLIP_SIDE, 2) if moving else (PICTURE_SIDE, 1)
    assert max(shown) <= limit
    assert all(side >= step and side % step == 0 for side in shown)
    if max(height, width) <= limit:
        assert all(abs(a - b) < step for a, b in zip(shown, (height, width), strict=True))
    else:
        assert max(shown) == limit
        assert min(shown) / limit == pytest.approx(
            min(height, width) / max(height, width), abs=step / limit
        )


def test_a_small_picture_loses_nothing():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    assert (opened(picture_bytes(Picture(pixels))) == pixels).all()


def test_a_large_picture_is_shrunk():
    ramp = np.linspace(0, 255, 2600).astype(np.uint8)
    pixels = np.repeat(np.repeat(ramp[None, :, None], 1300, 0), 3, 2)
    content = picture_bytes(Picture(pixels))
    shown = opened(content)
    assert shown.shape == (640, 1280, 3)
    assert np.abs(shown[:, :, 0] - np.linspace(0, 255, 1280)).mean() < 2
    assert len(content) < 100_000


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (3, 2)])
def test_pictures_of_any_shape(size):
    content = picture_bytes(Picture(np.full((*size, 3), 90, np.uint8)))
    assert opened(content).shape[:2] == display_size(size)


def test_frames_as_jpeg(tmp_path):
    with open_clip(film(tmp_path / "a.mp4", frames=12)) as clip:
        for index in (0, 11, 5):
            assert np.abs(opened(frame_jpeg(clip, index)) - scene(index)).mean() < 4
        with pytest.raises(MediaError, match="no frame 12"):
            frame_jpeg(clip, 12)


def test_stills_are_kept_up_to_a_number_of_bytes(tmp_path, monkeypatch):
    decoded = []
    real = display.frame_jpeg
    monkeypatch.setattr(display, "frame_jpeg", lambda c, i: decoded.append(i) or real(c, i))
    clip = open_clip(film(tmp_path / "a.mp4", frames=12))
    size = len(real(clip, 0))
    stills = Stills(clip, size * 5 // 2)
    first = stills.get(0)
    assert stills.get(0) is first
    stills.get(1)
    stills.get(0)  # used again, so 1 is the older one
    stills.get(2)
    assert decoded == [0, 1, 2]
    stills.get(0)
    assert decoded == [0, 1, 2]
    stills.get(1)
    assert decoded == [0, 1, 2, 1]
    stills.close()
    with pytest.raises(MediaError, match="closed"):
        stills.get(0)


def test_stills_for_several_threads(tmp_path):
    stills = Stills(open_clip(film(tmp_path / "a.mp4", frames=20)), 5000)
    wrong = []

    def ask(start):
        for step in range(20):
            index = (start + step * 7) % 20
            if np.abs(opened(stills.get(index)) - scene(index)).mean() > 4:
                wrong.append(index)

    threads = [threading.Thread(target=ask, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stills.close()
    assert not wrong


def times_of(path):
    with av.open(str(path)) as container:
        return np.array([float(frame.time) for frame in container.decode(video=0)])


@pytest.mark.parametrize("options", [{"frames": 40}, {"stamps": STAMPS}], ids=["even", "uneven"])
@pytest.mark.parametrize("sound", [None, "aac"])
def test_a_proxy_keeps_times_and_sound(options, sound, tmp_path):
    source = film(tmp_path / "a.mkv", size=(47, 63), pixels="yuv444p", sound=sound, **options)
    proxy = Proxy(lambda: open_clip(source), tmp_path / "proxy.mp4")
    assert proxy.wait(30)
    assert (proxy.ready, proxy.progress, proxy.error) == (True, 1.0, None)
    content = proxy.path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    with open_clip(source) as clip, av.open(str(proxy.path)) as container:
        stream = container.streams.video[0]
        assert (stream.height, stream.width) == display_size(clip.size, moving=True)
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert bool(container.streams.audio) == (sound is not None)
        keys = [index for index, packet in enumerate(container.demux(stream)) if packet.is_keyframe]
        assert max(np.diff([*keys, len(clip)])) <= 12
        assert np.abs(times_of(proxy.path) - clip.timing.seconds).max() < 0.001
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mkv", "proxy.mp4"]
    proxy.close()
    assert not proxy.path.exists()


def test_a_large_clip_is_shrunk(tmp_path):
    frames = np.stack([scene(index, 1200, 300) for index in range(5)])
    proxy = Proxy(lambda: open_clip(frames), tmp_path / "proxy.mp4")
    assert proxy.wait(30)
    with open_clip(proxy.path) as clip:
        assert clip.size == (240, 960)
        small = np.asarray(Image.fromarray(frames[3]).resize((960, 240))).astype(int)
        assert np.abs(clip.frame(3) - small).mean() < 5


def test_sound_that_cannot_be_taken_over_is_left_out(tmp_path):
    source = film(tmp_path / "a.mp4", frames=6)

    def with_noise():
        clip = open_clip(source)
        clip.origin = b"noise"
        return clip

    proxy = Proxy(with_noise, tmp_path / "proxy.mp4")
    assert proxy.wait(30)
    assert len(times_of(proxy.path)) == 6


def test_closing_stops_the_work(tmp_path):
    begun, go = threading.Event(), threading.Event()

    clip = open_clip(np.zeros((50, 32, 32, 3), np.uint8), frame_rate=Fraction(25))
    read = clip.frame

    def waiting(index):
        begun.set()
        go.wait(10)
        return read(index)

    clip.frame = waiting
    proxy = Proxy(lambda: clip, tmp_path / "proxy.mp4")
    begun.wait(10)
    assert not proxy.ready
    assert proxy.progress == 0
    threading.Timer(0.1, go.set).start()
    proxy.close()
    assert (proxy.ready, proxy.progress < 1) == (False, True)
    assert proxy.error
    assert not list(tmp_path.iterdir())


def test_a_clip_that_breaks_is_a_sentence(tmp_path, caplog):
    def broken():
        raise MediaError("It is damaged.")

    def wrong():
        raise ZeroDivisionError

    for opener, logged in ((broken, 0), (wrong, 1)):
        proxy = Proxy(opener, tmp_path / "proxy.mp4")
        assert not proxy.wait(10)
        assert proxy.error == "This clip cannot be played here; its frames are shown one by one."
        assert len(caplog.records) == logged
    assert not list(tmp_path.iterdir())


def test_masks_to_the_display_and_back():
    mask = np.zeros((400, 600), bool)
    mask[100:300, 150:450] = True
    small = shrink(mask, (200, 300))
    assert small.sum() * 4 == mask.sum()
    assert (grow(small, (400, 600)) == mask).all()
    assert shrink(mask, (400, 600)) is mask
    assert (Rle.from_json(rle_json(small)).mask() == small).all()
