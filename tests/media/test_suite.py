"""Reading suites: a tiny one built in a temporary folder, and every way to damage it.

Clips are folders of frames; decoding a clip file is faked by a function that makes pictures.
"""

import json

import numpy as np
import pytest
from PIL import Image

from x2sam.errors import MediaError, PromptError
from x2sam.media.suite import Request, objects, read_suite

PHOTO = {
    "id": "street",
    "type": "photo",
    "file": "street.png",
    "mask": "street-ids.png",
    "labels": {"1": "bus", "2": "bus"},
    "expressions": [
        {"kind": "referring", "text": "the bus on the left", "target": [1]},
        {"kind": "reasoning", "text": "What could fly here?", "target": []},
    ],
    "class_queries": [{"text": "bus", "target": [1, 2]}],
}
CLIP = {
    "id": "pond",
    "type": "video",
    "file": "pond.mp4",
    "frames_dir": "pond/frames",
    "mask_dir": "pond/masks",
    "stride": 2,
    "category": "swan",
    "expressions": [{"kind": "referring", "text": "the swan", "target": [1]}],
}


def picture(shade, size=(20, 12)):
    return Image.new("RGB", size, (shade, shade, shade))


@pytest.fixture
def folder(tmp_path):
    picture(50).save(tmp_path / "street.png")
    ids = np.zeros((12, 20), np.uint8)
    ids[2:6, 2:6], ids[2:6, 10:16], ids[11] = 1, 2, 255
    Image.fromarray(ids).save(tmp_path / "street-ids.png")
    for name in ("frames", "masks"):
        (tmp_path / "pond" / name).mkdir(parents=True)
    for t in range(3):
        picture(t * 10).save(tmp_path / "pond" / "frames" / f"{t:05}.png")
        mask = np.zeros((12, 20), bool)
        mask[4:8, 3 * t : 3 * t + 4] = True
        Image.fromarray(mask).save(tmp_path / "pond" / "masks" / f"{t:05}.png")
    write(tmp_path, PHOTO, CLIP)
    return tmp_path


def write(folder, *entries):
    (folder / "suite.json").write_text(json.dumps(entries))


def test_a_photo(folder):
    photo, _ = read_suite(folder)
    assert (photo.id, photo.type, photo.labels) == ("street", "photo", {1: "bus", 2: "bus"})
    assert photo.expressions[0] == Request("referring", "the bus on the left", (1,))
    assert photo.expressions[1].target == ()
    assert photo.class_queries == (Request("class", "bus", (1, 2)),)
    assert photo.ids().shape == (1, 12, 20)
    assert objects(photo.ids()) == (1, 2)
    (seen,) = photo.pictures()
    assert seen.shape == (12, 20, 3)
    assert (seen == 50).all()


def test_a_clip_with_black_and_white_masks(folder):
    _, clip = read_suite(folder)
    assert (clip.id, clip.type, clip.stride) == ("pond", "video", 2)
    assert clip.ids().shape == (3, 12, 20)
    assert objects(clip.ids()) == (1,)
    assert [int(seen.mean()) for seen in clip.pictures()] == [0, 10, 20]


def test_a_clip_without_frames_is_decoded_at_its_stride(folder):
    (folder / "pond.mp4").touch()
    write(folder, {**CLIP, "frames_dir": ""})
    (clip,) = read_suite(folder)

    def decode(path, numbers):
        assert path == folder / "pond.mp4"
        return (np.full((12, 20, 3), number, np.uint8) for number in numbers)

    assert [int(seen.mean()) for seen in clip.pictures(decode)] == [0, 2, 4]


def test_a_photo_lying_on_its_side_is_turned(folder):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    picture(9, size=(12, 20)).save(folder / "street.png", exif=exif)
    photo, _ = read_suite(folder)
    assert next(photo.pictures()).shape == (12, 20, 3)


def test_reading_a_suite_opens_no_picture(folder):
    (folder / "street.png").write_bytes(b"not a picture")
    photo, _ = read_suite(folder)
    with pytest.raises(MediaError, match=r"street\.png cannot be read as a picture"):
        next(photo.pictures())


def test_no_suite_here(tmp_path):
    with pytest.raises(MediaError, match=r"There is no suite\.json in"):
        read_suite(tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[", "is not JSON"),
        ("{}", "should be a list of pictures and clips"),
        ('["street"]', "Entry 0 of .* should be an object in braces"),
        ("[{}]", "“id” of entry 0 of .* is missing"),
    ],
)
def test_not_a_suite(tmp_path, text, sentence):
    (tmp_path / "suite.json").write_text(text)
    with pytest.raises(MediaError, match=sentence):
        read_suite(tmp_path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"type": "hologram"}, "should be photo or video, not 'hologram'"),
        ({"file": "gone.png"}, "names .*gone.png, which is not there"),
        ({"mask": 3}, "“mask” of 'street' .* is 3"),
        ({"labels": {"bus": 1}}, "should give each object id its name"),
        ({"expressions": {}}, "“expressions” of 'street' .* is {}"),
        ({"expressions": [{"text": "x", "target": []}]}, "“kind” of one of the expressions"),
        ({"class_queries": [{"text": "x"}]}, "“target” of one of the class_queries"),
        ({"stride": 0}, "should be at least 1, not 0"),
    ],
)
def test_a_damaged_photo(folder, change, sentence):
    write(folder, {**PHOTO, **change})
    with pytest.raises(MediaError, match=sentence):
        read_suite(folder)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"mask_dir": "pond/nothing"}, "names the folder .*nothing, which is not there"),
        ({"mask_dir": "."}, "pond has 3 frames, but 2 masks"),
        ({"mask_dir": "pond"}, "holds no pictures"),
        ({"frames_dir": ""}, "names .*pond.mp4, which is not there"),
    ],
)
def test_a_damaged_clip(folder, change, sentence):
    write(folder, {**CLIP, **change})
    with pytest.raises(MediaError, match=sentence):
        read_suite(folder)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"text": " ", "target": [1]}, "The text of one of the class_queries of .* is empty"),
        ({"text": "bus", "target": [0]}, "“bus” of .* should have object ids from 1 to 254"),
        ({"text": "bus", "target": ["1"]}, "“bus” of .* should have object ids from 1 to 254"),
    ],
)
def test_a_request_that_makes_no_sense(folder, row, sentence):
    write(folder, {**PHOTO, "class_queries": [row]})
    with pytest.raises(PromptError, match=sentence):
        read_suite(folder)


def test_a_request_for_an_object_that_is_not_there(folder):
    write(folder, {**PHOTO, "class_queries": [{"text": "tram", "target": [2, 7]}]})
    (photo,) = read_suite(folder)
    with pytest.raises(PromptError, match="“tram” of street should find object 7"):
        photo.ids()


def test_two_entries_of_one_name(folder):
    write(folder, PHOTO, PHOTO)
    with pytest.raises(MediaError, match="more than one entry 'street'"):
        read_suite(folder)


def test_masks_and_pictures_of_different_sizes(folder):
    picture(0, size=(10, 10)).save(folder / "street.png")
    picture(0, size=(10, 10)).convert("L").save(folder / "pond" / "masks" / "00001.png")
    photo, clip = read_suite(folder)
    with pytest.raises(MediaError, match="is 20×12, but its picture is 10×10"):
        next(photo.pictures())
    with pytest.raises(MediaError, match="The masks of pond are not all of one size"):
        clip.ids()


def test_a_clip_that_ends_early(folder):
    (folder / "pond.mp4").touch()
    write(folder, {**CLIP, "frames_dir": ""})
    (clip,) = read_suite(folder)
    with pytest.raises(MediaError, match=r"pond\.mp4 ends after 1 of 3 masks"):
        list(clip.pictures(lambda path, numbers: [np.zeros((12, 20, 3), np.uint8)]))


def test_a_mask_with_colours(folder):
    picture(1).save(folder / "street-ids.png")
    photo, _ = read_suite(folder)
    with pytest.raises(MediaError, match="should have one byte per pixel"):
        photo.ids()


def test_pictures_cut_short(folder):
    """A file whose header is whole but whose pixels are not."""
    for name in ("street.png", "street-ids.png"):
        noise = np.random.default_rng(0).integers(0, 255, (12, 20), np.uint8)
        Image.fromarray(noise).save(folder / name)
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: len(data) // 2])
    photo, _ = read_suite(folder)
    with pytest.raises(MediaError, match=r"street\.png is damaged"):
        next(photo.pictures())
    with pytest.raises(MediaError, match=r"street-ids\.png is damaged"):
        photo.ids()
