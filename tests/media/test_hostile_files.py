"""Broken files never crash: noise, cut files and mutated headers are read or refused in words.

The files are made here and then damaged by a generator with a fixed seed. Nothing is faked.
"""

import itertools
import random
import warnings

import numpy as np
import pytest
from filming import animation, encoded, film, photo, scene
from PIL import Image
from test_picture_series import zipped

from x2sam.errors import X2SAMError
from x2sam.media.images import Picture, read_image
from x2sam.media.limits import Limits
from x2sam.media.videos import open_clip, open_medium

LIMITS = Limits(picture_pixels=1_000_000, frame_pixels=1_000_000, clip_frames=60, clip_seconds=60.0)
PICTURES = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "TGA", "PPM", "ICO", "JPEG2000", "AVIF")
CLIPS = {
    "mp4": "libx264",
    "mkv": "libx264",
    "webm": "libvpx",
    "avi": "mpeg4",
    "ts": "mpeg2video",
    "h264": "libx264",
}
MUTATIONS = 35  # of each file: 500 in all and more


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """One small valid file of each kind, by name."""
    folder = tmp_path_factory.mktemp("valid")
    frames = {f"{index}.png": encoded(Image.fromarray(scene(index)), "PNG") for index in range(3)}
    clips = {f"a.{end}": film(folder / f"a.{end}", codec, frames=6) for end, codec in CLIPS.items()}
    return (
        {kind: encoded(photo(), kind) for kind in PICTURES}
        | {name: path.read_bytes() for name, path in clips.items()}
        | {"animated GIF": animation("GIF"), "animated PNG": animation("PNG")}
        | {"frames.zip": zipped(frames)}
    )


def survive(content):
    """Read it to the end, or be told why not; whether it could be read."""
    refusal = ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow says in warnings what it puts up with
        try:
            medium = open_medium(content, LIMITS, name="upload")
            if isinstance(medium, Picture):
                assert medium.pixels.dtype == np.uint8
                assert medium.pixels.shape[2:] == (3,)
            else:
                with medium:
                    last = len(medium) - 1
                    for index in (*range(min(4, last + 1)), last, 0):
                        assert medium.frame(index).shape == (*medium.size, 3)
        except X2SAMError as error:
            refusal = str(error)
    assert not refusal or (refusal.endswith(".") and len(refusal) < 300), refusal
    return not refusal


def test_undamaged_files_are_read(files):
    assert all(survive(content) for content in files.values())


def test_mutated_headers(files):
    chance = random.Random(7)
    read = 0
    for content in files.values():
        for _ in range(MUTATIONS):
            damaged = bytearray(content)
            for _ in range(chance.randint(1, 6)):
                damaged[chance.randrange(min(len(damaged), 400))] = chance.randrange(256)
            read += survive(bytes(damaged))
    assert len(files) * MUTATIONS >= 500
    assert 0 < read < len(files) * MUTATIONS


def test_mutations_anywhere(files):
    chance = random.Random(8)
    for content in files.values():
        for _ in range(8):
            damaged = bytearray(content)
            for _ in range(chance.randint(1, 30)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            survive(bytes(damaged))


def test_files_that_are_cut_off(files):
    for content in files.values():
        for part in (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99):
            survive(content[: int(len(content) * part)])


def test_files_that_are_put_together_wrongly(files):
    contents = list(files.values())
    for one, other in itertools.pairwise(contents):
        survive(one[:64] + other)
        survive(other[: len(other) // 2] + one)


def test_noise():
    chance = random.Random(9)
    for length in (1, 7, 64, 500, 5000):
        for _ in range(8):
            assert not survive(chance.randbytes(length))


@pytest.mark.parametrize("reader", [read_image, open_clip])
def test_either_reader_refuses_what_the_other_is_for(reader, files):
    wrong = files["a.mp4"] if reader is read_image else files["JPEG"]
    with pytest.raises(X2SAMError):
        reader(wrong)
