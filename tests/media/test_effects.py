"""Effects: what changes, what stays bit for bit, and files made with them.

Hand-made pictures have known answers; properties hold on random masks. Nothing is faked: clips are
written and read back.
"""

import numpy as np
import pytest
from filming import film, scene
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from x2sam.errors import PromptError
from x2sam.media.annotations import Item
from x2sam.media.drawing import Mark, colour_of
from x2sam.media.effects import DARK, EFFECTS, Choice, choose, draw
from x2sam.media.exports import Parcel, export
from x2sam.media.images import read_image
from x2sam.media.masks import Track
from x2sam.media.videos import open_clip

SIZE = (60, 96)
SQUARE = np.zeros(SIZE, bool)
SQUARE[20:44, 30:62] = True
OFFERED = [(name, target) for name, effect in EFFECTS.items() for target in effect.targets]
INSIDE = [(name, target) for name, target in OFFERED if EFFECTS[name].inside]


def noise(seed=0, size=SIZE):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


def drawn(picture, text, *masks, labels=False, opacity=0.45):
    marks = [Mark(id_, mask, "thing" if labels else "") for id_, mask in enumerate(masks, 1)]
    return draw(picture, marks, choose(text), opacity=opacity)


def split(value=200, around=50):
    """Paint a picture of two colours, parted as the square is."""
    return np.where(SQUARE[..., None], np.uint8(value), np.uint8(around)).repeat(3, -1)


# What stays


@pytest.mark.parametrize(("name", "target"), INSIDE)
@given(seed=st.integers(0, 2**31), share=st.floats(0, 1), blocks=st.booleans())
def test_what_is_not_meant_stays_bit_for_bit(name, target, seed, share, blocks):
    random = np.random.default_rng(seed)
    masks = random.random((2, 6, 8)) < share
    if blocks:
        masks = masks.repeat(5, 1).repeat(5, 2)
    picture = noise(seed, masks.shape[1:])
    before = picture.copy()
    changed = drawn(picture, f"{name}:{target}", *masks)
    stays = masks.any(0) if target == "background" else ~masks.any(0)
    assert (changed[stays] == picture[stays]).all()
    assert (changed.shape, changed.dtype) == (picture.shape, np.uint8)
    assert (picture == before).all()


@pytest.mark.parametrize(("name", "target"), OFFERED)
def test_something_happens(name, target):
    changed = (drawn(noise(), f"{name}:{target}", SQUARE) != noise()).any(-1)
    where = SQUARE if target == "object" else ~SQUARE
    assert changed[where].mean() > (0.9 if EFFECTS[name].inside else 0.1)


@pytest.mark.parametrize(("name", "target"), OFFERED)
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 2)])
def test_tiny_pictures(name, target, size):
    full = np.ones(size, bool)
    assert drawn(noise(0, size), f"{name}:{target}", full).shape == (*size, 3)


def test_what_is_cut_out_stands_on_a_checkerboard():
    changed = drawn(noise(), "transparent", SQUARE)  # squares of 96 / 48 pixels
    assert changed[0, :6, 0].tolist() == [255, 255, 204, 204, 255, 255]
    assert changed[:6, 0, 0].tolist() == [255, 255, 204, 204, 255, 255]


def test_without_a_mask_all_is_background():
    picture = noise()
    for name, target in INSIDE:
        changed = drawn(picture, f"{name}:{target}", np.zeros(SIZE, bool))
        none = drawn(picture, f"{name}:{target}")
        assert (changed == none).all()
        if target == "object":
            assert (changed == picture).all()
    assert (drawn(picture, "cover:background") == 255).all()


# Known answers


def test_spotlight_darkens_what_is_around():
    changed = drawn(split(), "spotlight", SQUARE)
    assert (changed[SQUARE] == 200).all()
    assert (changed[~SQUARE] == 50 * DARK).all()


def test_grey_has_the_brightness_of_the_colour():
    picture = np.full((4, 4, 3), (200, 100, 50), np.uint8)
    mask = np.eye(4, dtype=bool)
    changed = drawn(picture, "grey", mask)
    assert (changed[~mask] == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)).all()
    assert (drawn(picture, "grey:object", mask)[~mask] == picture[~mask]).all()


def test_cover_has_the_colour_that_was_chosen():
    assert (drawn(noise(), "cover:background:#1a9850", SQUARE)[~SQUARE] == (26, 152, 80)).all()
    assert (drawn(noise(), "cover", SQUARE)[SQUARE] == 255).all()


def test_a_blur_does_not_mix_object_and_background():
    for target in ("object", "background"):
        changed = drawn(split(), f"blur:{target}", SQUARE)
        assert np.abs(changed.astype(int) - split()).max() <= 5  # a plain blur: 75


@pytest.mark.parametrize("name", ["blur", "pixelate"])
def test_detail_is_lost_and_brightness_is_kept(name):
    picture, mask = noise(3, (320, 480)), np.zeros((320, 480), bool)
    mask[100:260, 120:400] = True
    changed = drawn(picture, name, mask)[mask].astype(float)
    assert changed.std() < 0.3 * picture[mask].std()
    assert changed.mean() == pytest.approx(picture[mask].mean(), abs=3)


def test_strength_follows_the_size():
    """An effect on a small picture looks like the same on a large one, made small."""
    large = np.array(Image.fromarray(noise(5, (12, 18))).resize((960, 640)))
    mask = np.zeros((640, 960), bool)
    mask[120:520, 200:760] = True
    small = np.array(Image.fromarray(large).resize((480, 320), Image.Resampling.BOX))
    for name in ("blur", "pixelate", "erase"):
        of_large = Image.fromarray(drawn(large, name, mask)).resize((480, 320), 4)
        of_small = drawn(small, name, mask[::2, ::2]).astype(int)
        assert np.abs(of_small - np.array(of_large)).mean() < 2, name


def test_squares_are_of_one_colour():
    picture, everything = noise(1, (96, 96)), np.ones((96, 96), bool)
    changed = drawn(picture, "pixelate", everything)
    assert (changed == changed[::2, ::2].repeat(2, 0).repeat(2, 1)).all()
    mean = picture[:2, :2].reshape(4, 3).mean(0)
    assert changed[0, 0] == pytest.approx(mean, abs=1)


def test_what_is_erased_looks_like_what_is_around():
    slope = np.linspace(40, 220, 96, dtype=np.uint8)[None, :, None].repeat(60, 0).repeat(3, 2)
    picture = np.where(SQUARE[..., None], np.uint8(0), slope)
    changed = drawn(picture, "erase", SQUARE)
    assert np.abs(changed.astype(int) - slope)[SQUARE].max() < 60
    assert np.abs(changed.astype(int) - slope)[SQUARE].mean() < 15
    flat = drawn(split(), "erase", SQUARE)
    assert np.abs(flat.astype(int) - 50).max() <= 2


def test_outlines_and_numbers_leave_the_rest():
    picture = noise()
    outlined = drawn(picture, "outline", SQUARE)
    assert (outlined[20, 30:62] == colour_of(1)).all()
    assert (outlined[22:42, 32:60] == picture[22:42, 32:60]).all()
    tagged = drawn(picture, "tags", SQUARE)
    plate = (tagged != picture).any(-1)
    assert plate.any()
    assert plate.mean() < 0.1
    assert (tagged == drawn(picture, "tags", SQUARE, labels=True)).all()


def test_the_overlay_is_as_opaque_as_it_should_be():
    changed = drawn(split(), "overlay", SQUARE, opacity=1)
    assert (changed[SQUARE] == colour_of(1)).all()


# What is chosen


def test_what_is_left_out_is_as_usual():
    assert choose("overlay") == Choice()
    assert choose("spotlight").target == "background"
    assert choose("blur").target == "object"
    assert choose("cover:#102030") == Choice("cover", "object", (16, 32, 48))


@pytest.mark.parametrize(
    "text",
    ["", "sepia", "blur:", "blur:sky", "spotlight:object", "erase:background", "cover:#12",
     "cover:red", "blur:object:9", "BLUR", "blur:#12345g"],
)  # fmt: skip
def test_what_there_is_not_is_a_sentence(text):
    with pytest.raises(PromptError, match=r"\.$"):
        choose(text)


# Files


def test_a_picture_is_exported_with_its_effect(tmp_path):
    picture = scene(2, 96, 60)
    items = [Item(id=1, name="thing", track=Track.still(SQUARE))]
    parcel = Parcel(medium=read_image(picture), items=items, effect="cover:background:#00b140")
    (file,) = export(parcel, tmp_path, ["overlay"])
    read = np.array(Image.open(file))
    assert (read[SQUARE] == picture[SQUARE]).all()
    assert (read[~SQUARE] == (0, 177, 64)).all()


def test_a_clip_is_exported_with_its_effect(tmp_path):
    """Where nobody looked for the object, all is background."""
    path = film(tmp_path / "walk.mp4", frames=4, size=SIZE, crf="10")
    track = Track(SIZE)
    for index in range(3):
        track[index] = np.roll(SQUARE, index, axis=1)
    with open_clip(path) as clip:
        items = [Item(id=1, name="thing", track=track)]
        parcel = Parcel(medium=clip, items=items, effect="spotlight")
        (file,) = export(parcel, tmp_path / "out", ["overlay"])
        frames = list(clip.frames())
    with open_clip(file) as written:
        read = [frame.astype(int) for frame in written.frames()]
    assert len(read) == 4
    for index, (frame, was) in enumerate(zip(read, frames, strict=True)):
        mask = track.get(index, np.zeros(SIZE, bool))
        wanted = np.where(mask[..., None], was, was * DARK)
        assert np.abs(frame - wanted).mean() < 6


def test_without_objects_nothing_is_done(tmp_path):
    parcel = Parcel(medium=read_image(scene(2)), items=[], effect="cover:background")
    (file,) = export(parcel, tmp_path, ["overlay"])
    assert (np.array(Image.open(file)) == scene(2)).all()


def test_an_unknown_effect_writes_nothing(tmp_path):
    parcel = Parcel(medium=read_image(scene(2)), items=[], effect="sepia")
    with pytest.raises(PromptError, match="no effect “sepia”"):
        list(export(parcel, tmp_path / "out", ["overlay"]))
    assert not (tmp_path / "out").exists()
