"""Pictures of every kind come out upright, RGB and 8 bits; what is no picture is refused.

All files are made here by Pillow. Nothing is faked.
"""

import io
import struct
import warnings

import numpy as np
import pytest
from filming import animation, encoded, photo
from PIL import Image

from x2sam.errors import LimitError, MediaError
from x2sam.media.images import Picture, picture_formats, read_image
from x2sam.media.limits import Limits

PHOTO = photo()
PIXELS = np.array(PHOTO)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "TGA", "ICO", "JPEG2000"])
def test_lossless_formats_keep_every_pixel(kind):
    picture = PHOTO.resize((64, 64)) if kind == "ICO" else PHOTO
    content = encoded(picture, kind, sizes=[(64, 64)]) if kind == "ICO" else encoded(picture, kind)
    read = read_image(content)
    assert isinstance(read, Picture)
    assert read.pixels.dtype == np.uint8
    assert (read.pixels == np.array(picture)).all()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_lossy_formats_come_close(kind):
    read = read_image(encoded(PHOTO, kind, quality=95))
    assert np.abs(read.pixels.astype(int) - PIXELS).mean() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_picture_upright(orientation):
    stored = {  # what a camera held that way writes
        1: PIXELS,
        2: PIXELS[:, ::-1],
        3: PIXELS[::-1, ::-1],
        4: PIXELS[::-1],
        5: PIXELS.transpose(1, 0, 2),
        6: np.rot90(PIXELS, 1),
        7: PIXELS.transpose(1, 0, 2)[::-1, ::-1],
        8: np.rot90(PIXELS, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(Image.fromarray(np.ascontiguousarray(stored)), "PNG", exif=exif)
    assert (read_image(content).pixels == PIXELS).all()


def test_a_damaged_exif_block_costs_the_turn_and_not_the_picture():
    content = encoded(PHOTO, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff broken")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert read_image(content).size == (48, 64)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "RGBa"])
def test_alpha_is_composited_on_white_and_said(mode):
    image = Image.new("RGBA", (4, 2), (200, 0, 0, 255))
    image.putpixel((0, 0), (200, 0, 0, 0))
    image.putpixel((1, 0), (200, 0, 0, 128))
    converted = image.convert(mode)
    read = read_image(converted)
    assert read.pixels[0, 0].tolist() == [255, 255, 255]
    assert read.pixels[0, 0, 1] > read.pixels[0, 1, 1] > read.pixels[0, 2, 1]
    assert read.notes == ("Transparent parts are shown on white.",)


def test_a_transparent_palette_colour_and_a_full_alpha_channel():
    palette = Image.new("P", (2, 1), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    palette.putpixel((0, 0), 0)
    read = read_image(encoded(palette, "PNG", transparency=0))
    assert read.pixels.tolist() == [[[255, 255, 255], [10, 20, 30]]]
    assert read_image(Image.new("RGBA", (2, 2), (1, 2, 3, 255))).notes == ()


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (np.array([[0, 257, 65535]], np.uint16), [0, 1, 255]),
        (np.array([[0, 255, 128]], np.int32), [0, 255, 128]),
        (np.array([[-5, 65535, 32768]], np.int32), [0, 255, 128]),
        (np.array([[0.0, 1.0, 0.5]], np.float32), [0, 255, 128]),
        (np.array([[np.nan, np.inf, 255.0]], np.float32), [0, 0, 255]),
    ],
)
def test_more_than_8_bits_are_reduced_by_their_range(stored, expected):
    read = read_image(encoded(Image.fromarray(stored), "TIFF"))
    assert read.pixels[0, :, 0].tolist() == expected
    assert (read.pixels == read.pixels[..., :1]).all()
    assert "8 bits" in read.notes[0]


def test_16_bit_png():
    stored = np.linspace(0, 65535, 12).astype(np.uint16).reshape(3, 4)
    read = read_image(encoded(Image.fromarray(stored), "PNG"))
    assert (read.pixels[..., 0] == np.rint(stored / 257)).all()


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "HSV"])
def test_modes(mode):
    stored = PHOTO.convert(mode)
    read = read_image(stored if mode in {"YCbCr", "HSV"} else encoded(stored, "TIFF"))
    expected = np.array(PHOTO.convert(mode).convert("RGB"))
    assert np.abs(read.pixels.astype(int) - expected).max() <= 1
    assert any("CMYK" in note for note in read.notes) == (mode == "CMYK")


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_read_and_that_is_said(kind):
    read = read_image(animation(kind, lossless=True))
    first = read_image(encoded(Image.open(io.BytesIO(animation(kind, lossless=True))), "PNG"))
    assert np.abs(read.pixels.astype(int) - first.pixels).max() <= 1
    assert read.notes == ("It has 5 frames; this is the first.",)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 700), (800, 200), (3, 5)])
def test_odd_shapes(width, height):
    assert read_image(encoded(photo(width, height), "PNG")).size == (height, width)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[True, False]]), [255, 0]),
        (np.array([[[7], [9]]], np.uint8), [7, 9]),
        (np.array([[514, 0]], np.uint16), [2, 0]),
        (np.array([[0.2, 1.0]]), [51, 255]),
        (np.array([[[3, 3, 3, 255], [9, 9, 9, 0]]], np.uint8), [3, 255]),
    ],
)
def test_arrays(array, expected):
    assert read_image(array).pixels[0, :, 0].tolist() == expected


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((2, 2, 2, 3), np.uint8),
        np.zeros(7, np.uint8),
        np.full((2, 2), 3.5),
        np.full((2, 2), np.nan),
        np.zeros((2, 2), np.int64),
        np.zeros((2, 2), complex),
        np.array([["a"]]),
    ],
)
def test_arrays_that_are_no_pictures(array):
    with pytest.raises(MediaError):
        read_image(array)


def test_sources_and_names(tmp_path):
    path = tmp_path / "dog.png"
    PHOTO.save(path)
    with path.open("rb") as file:
        reads = [read_image(path), read_image(str(path)), read_image(file)]
    assert [read.name for read in reads] == ["dog.png"] * 3
    assert read_image(path.read_bytes()).name == "picture"
    assert read_image(PHOTO, name="cat.png").name == "cat.png"


def bomb():
    """A PNG of a few bytes that claims 100,000 × 100,000 pixels."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    content = bytearray(encoded(PHOTO, "PNG"))
    content[16:29] = header
    import zlib

    content[29:33] = struct.pack(">I", zlib.crc32(b"IHDR" + header))
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        (b"", MediaError, "empty"),
        (b"not a picture at all", MediaError, "not a picture"),
        (bytes(range(256)) * 9, MediaError, "not a picture"),
        (encoded(PHOTO, "PNG")[:100], MediaError, "cannot be read"),
        (encoded(PHOTO, "JPEG")[:700], MediaError, "ends too early"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", MediaError, "not a picture"),
        (bomb(), LimitError, "pixels"),
        (encoded(Image.new("L", (7000, 6000)), "PNG"), LimitError, "40 megapixels"),
    ],
    ids=["empty", "text", "bytes", "cut PNG", "cut JPEG", "PostScript", "bomb", "large"],
)
def test_bad_input_gets_a_sentence(content, error, said, tmp_path):
    path = tmp_path / "upload.png"
    path.write_bytes(content)
    for source, name in ((path, "upload.png"), (content, "picture")):
        with pytest.raises(error, match=said) as caught:
            read_image(source)
        assert name in str(caught.value)
        assert str(caught.value).endswith(".")


@pytest.mark.parametrize("path", ["", "no/such.png", "/", "x" * 5000, "a\0b", "🐕.png"])
def test_paths_that_lead_nowhere(path):
    with pytest.raises(MediaError):
        read_image(path)


def test_too_many_bytes_are_not_even_opened(tmp_path):
    limits = Limits(picture_bytes=100)
    path = tmp_path / "large.png"
    PHOTO.save(path)
    for source in (path, path.read_bytes(), io.BytesIO(path.read_bytes())):
        with pytest.raises(LimitError):
            read_image(source, limits)
    with pytest.raises(LimitError):
        read_image(PIXELS, Limits(picture_pixels=100))


def test_formats_that_start_programs_are_left_out():
    assert not {"EPS", "WMF"} & set(picture_formats())
    assert {"PNG", "JPEG", "WEBP", "GIF", "AVIF", "TIFF"} <= set(picture_formats())
