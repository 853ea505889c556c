"""Folders, zips and animations of pictures as clips: order, times, sizes, and hostile archives.

All files are made here. Nothing is faked.
"""

import io
import zipfile

import numpy as np
import pytest
from filming import animation, encoded, photo, scene
from PIL import Image

from x2sam.errors import LimitError, MediaError
from x2sam.media.limits import Limits
from x2sam.media.picture_series import AnimatedPicture, natural
from x2sam.media.videos import open_clip


def frame(index, **size):
    return encoded(Image.fromarray(scene(index, **size)), "PNG")


def zipped(entries, **options):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content, **options)
    return file.getvalue()


def test_natural_order():
    names = ["f10.png", "f9.png", "f1.png", "a2/9.png", "a10/1.png", "10", "9", "², x"]
    assert sorted(names, key=natural) == [
        *("9", "10", "a2/9.png", "a10/1.png", "f1.png", "f9.png", "f10.png", "², x"),
    ]


@pytest.mark.parametrize("kind", ["folder", "zip", "zip file"])
def test_numbered_pictures(kind, tmp_path):
    files = {f"shot {index}.png": frame(index) for index in (8, 9, 10, 11)}
    extra = {"notes.txt": b"x", ".shot 0.png": b"x", "Thumbs.db": b"x"}
    if kind == "folder":
        for name, content in (files | extra).items():
            (tmp_path / name).write_bytes(content)
        source = tmp_path
    else:
        source = zipped(
            {f"clip/{name}": content for name, content in (files | extra).items()}
            | {"__MACOSX/clip/8.png": b"x"}
        )
    if kind == "zip file":
        path = tmp_path / "frames.zip"
        path.write_bytes(source)
        source = path
    with open_clip(source, frame_rate=8) as clip:
        assert len(clip) == 4
        assert clip.duration == 0.5
        assert clip.notes == ("8 frames per second are assumed.",)
        for position, index in ((3, 11), (0, 8), (1, 9)):
            assert (clip.frame(position) == scene(index)).all()


def test_exif_turns_frames_and_their_size(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "0.png").write_bytes(encoded(photo(48, 64), "PNG", exif=exif))
    (tmp_path / "1.png").write_bytes(encoded(photo(64, 48), "PNG"))
    with open_clip(tmp_path) as clip:
        assert clip.size == (48, 64)
        assert clip.frame(0).shape == clip.frame(1).shape == (48, 64, 3)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_animations(kind):
    options = {} if kind in {"GIF", "PNG"} else {"quality": 95}
    with open_clip(animation(kind, 6, **options), name="a") as clip:
        assert len(clip) == 6
        assert clip.codec == kind.lower()
        assert np.rint(clip.timing.seconds * 1000).tolist() == [0, 50, 170, 220, 340, 390]
        in_order = list(clip.frames())
        for index in (5, 0, 3, 3, 1):
            assert (clip.frame(index) == in_order[index]).all()
            difference = np.abs(in_order[index].astype(int) - scene(index))
            assert difference.mean() < 4, index
        assert clip.notes == ("The time between its frames varies; it is kept.",)


def test_frames_too_short_to_be_meant_last_a_tenth_of_a_second():
    images = [Image.fromarray(scene(index)) for index in range(3)]
    gif = encoded(images[0], "GIF", save_all=True, append_images=images[1:], duration=0)
    with open_clip(gif) as clip:
        assert clip.duration == pytest.approx(0.3)


def test_arrays():
    frames = np.stack([scene(index) for index in range(6)])
    with open_clip(frames, frame_rate=12) as clip:
        assert (clip.duration, clip.size, len(clip)) == (0.5, (48, 64), 6)
        clip.frame(2)[:] = 0
        assert (clip.frame(2) == scene(2)).all()


def test_nothing_of_an_archive_reaches_the_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ("../../0.png", "../../1.png")
    with open_clip(zipped({name: frame(index) for index, name in enumerate(names)})) as clip:
        assert (clip.frame(1) == scene(1)).all()
    assert not list(tmp_path.iterdir())
    assert not (tmp_path.parent.parent / "0.png").exists()


def lying_zip():
    """A zip whose directory says that a picture unpacks to 20 bytes."""
    content = frame(0)
    archive = zipped({"0.png": content, "1.png": content})
    return archive.replace(len(content).to_bytes(4, "little"), (20).to_bytes(4, "little"))


def locked_zip():
    """A zip whose entries claim to be encrypted."""
    archive = bytearray(zipped({"0.png": frame(0)}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        archive[archive.index(signature) + offset] |= 1
    return bytes(archive)


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        (zipped({}), MediaError, "holds no pictures"),
        (zipped({"readme.txt": b"x"}), MediaError, "holds no pictures"),
        (zipped({"0.png": frame(0), "1.png": frame(1, width=32)}), MediaError, "one size"),
        (zipped({"a/0.png": frame(0), "b/0.png": frame(1)}), MediaError, "several folders"),
        (
            zipped({"0.png": frame(0), "1.png": frame(1)[:60]}),
            MediaError,
            "1.png in clip is damaged",
        ),
        (zipped({"0.png": b"no picture"}), MediaError, "0.png in clip"),
        (zipped({"0.png": frame(0)})[:150], MediaError, "not a zip"),
        (zipped({f"{index}.png": b"x" for index in range(30)}), LimitError, "30 frames"),
        (zipped({"0.png": bytes(3_000_000)}), LimitError, "3 MB"),
        (zipped({"0.png": frame(0, width=400, height=300)}), LimitError, "400 × 300"),
        (lying_zip(), MediaError, "0.png in clip"),
        (locked_zip(), MediaError, "password"),
        (encoded(photo(), "GIF"), MediaError, "still picture"),
        (encoded(photo(), "PNG"), MediaError, "still picture"),
        (encoded(photo(), "JPEG"), MediaError, "still picture"),
        (animation("GIF")[:60], MediaError, "."),
        (animation("GIF", 25), LimitError, "25 frames"),
        (np.zeros((0, 4, 4, 3), np.uint8), MediaError, "not a clip"),
        (np.zeros((4, 4, 3), np.uint8), MediaError, "not a clip"),
        (np.zeros((2, 4, 4, 3), np.float32), MediaError, "not a clip"),
    ],
)
def test_bad_input_gets_a_sentence(source, error, said):
    limits = Limits(clip_frames=20, clip_bytes=2_000_000, frame_pixels=100_000)
    with pytest.raises(error, match=said), open_clip(source, limits) as clip:
        list(clip.frames())


def test_empty_folders_and_mixed_sizes(tmp_path):
    with pytest.raises(MediaError, match="holds no pictures"):
        open_clip(tmp_path)
    (tmp_path / "0.png").write_bytes(frame(0))
    (tmp_path / "1.png").write_bytes(frame(1, height=30))
    with pytest.raises(MediaError, match=r"0\.png is 64 × 48 and 1\.png is 64 × 30"):
        open_clip(tmp_path)


def test_a_still_picture_is_closed_again():
    with pytest.raises(MediaError):
        AnimatedPicture(encoded(photo(), "GIF"), "a.gif", Limits())
