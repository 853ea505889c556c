"""Photos: objects from class maps, views, cut-outs. The photos are painted here."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from x2sam.errors import MediaError
from x2sam.train.photos import Photos, objects_of, pack_cut_outs, pack_photos
from x2sam.train.recipe import Recipe, RecipeSource
from x2sam.train.samples import Stream, examples
from x2sam.train.sprites import SpriteBank
from x2sam.train.vocabulary import nouns


def scenery(number):
    """A grey photo with two dogs (class 12) apart and a car (7), with undecided edges."""
    classes = np.zeros((90, 120), np.uint8)
    classes[10:50, 8:40] = 255
    classes[12:48, 10:38] = 12
    classes[10:40, 70:110] = 12
    classes[60:84, 30:90] = 7
    classes[0, 0] = 8  # too small to be an object
    picture = np.full((90, 120, 3), 90 + number, np.uint8)
    picture[classes == 12] = (150, 90, 40)
    picture[classes == 7] = (30, 60, 220)
    return picture, classes


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for number in range(12):
        picture, classes = scenery(number)
        Image.fromarray(picture).save(folder / f"{number}.jpg")
        Image.fromarray(classes).save(folder / f"{number}.png")
    index = [{"id": str(number), "size": [120, 90]} for number in range(12)]
    (folder / "index.json").write_text(json.dumps(index))
    assert pack_photos(folder, folder / "all.npz", side=96) == 12
    return folder / "all.npz"


def test_parts_of_a_class_are_objects_and_edges_join_the_nearest():
    objects, codes = objects_of(scenery(0)[1])
    assert codes == ["voc-7", "voc-12", "voc-12"]
    assert (objects > 0).sum() == (scenery(0)[1] == 7).sum() + (objects > 1).sum()
    first = objects[30, 20]
    assert codes[first - 1] == "voc-12"
    assert objects[30, 9] == first  # an edge pixel next to the dog
    assert objects[30, 8] == 0  # and one next to the ground


def test_views_show_what_they_say(packed):
    photos = Photos.load(packed)
    rng = np.random.default_rng(0)
    for frames in (1, 4):
        view = photos.draw_view(rng, photos.rows(validation=False), frames)
        facts = photos.observe(view)
        pictures, masks = photos.compose(view, 64)
        assert pictures.shape == (frames, 3, 64, 64)
        assert masks.shape == (frames, len(view.objects), 64, 64)
        assert len(facts.things) == len(view.objects)
        assert masks.flatten(2).any(dim=2).all()
        for thing, mask, ever in zip(facts.things, masks[0], masks.unbind(1), strict=True):
            assert float(ever.float().mean()) == pytest.approx(
                thing.area, abs=0.25 * thing.area + 0.02
            )
            red, _, blue = pictures[0][:, mask].mean(dim=1)
            assert (blue > red) == (thing.noun.name == "car")
        assert not facts.whole


def test_photos_are_asked_about_and_stood_before(packed, bank):
    photos = Photos.load(packed)
    pictures, shown = photos.backgrounds(4, "cpu")
    assert pictures.shape == (4, 3, 160, 160)
    assert {noun.name for nouns in shown for noun in nouns} == {"dog", "car"}
    stream = Stream(bank, photos=photos, backgrounds=(pictures, shown))
    # Every photo shows both nouns that are known: that one is absent can never be said.
    samples = [stream.sample(i, "photo") for i in range(30)]
    assert "absence" not in {sample.family for sample in samples}
    for sample, example in zip(samples, examples(samples, stream, 64), strict=True):
        assert example.masks.flatten(2).any(dim=2).all(), sample.draft
        for turn in sample.draft.turns:
            assert "three" not in turn.answer
    # A dog on the photo behind the sprites makes "the dog" ambiguous, so nobody says it.
    for index in range(120):
        sample = stream.sample(index, family="noun")
        back = sample.scene.backdrop
        if back.kind == "photo" and not back.soft:
            assert not {"dog", "car", "the dog", "the car"} & set(sample.draft.phrases)


def test_validation_photos_are_others(packed):
    photos = Photos.load(packed)
    assert not set(photos.rows(validation=True)) & set(photos.rows(validation=False))
    assert len(photos.rows(validation=True)) == 2


def test_cut_outs_are_sprites(packed, tmp_path):
    count = pack_cut_outs(packed, tmp_path / "cut.npz", most=5)
    assert count == 5  # the car stands alone in every photo; the dogs do not
    bank = SpriteBank.load([tmp_path / "cut.npz"])
    assert set(bank.rows("seen")) == {"car"}
    assert bank.colour(0) == "blue"


def test_a_folder_without_index_is_named(tmp_path):
    with pytest.raises(MediaError, match=r"index\.json"):
        pack_photos(tmp_path, tmp_path / "x.npz")


def test_every_voc_class_has_a_noun():
    assert {f"voc-{number}" for number in range(1, 21)} <= set(nouns())


def test_what_else_a_photo_shows_is_not_known(packed, bank):
    stream = Stream(bank, photos=Photos.load(packed))
    samples = [stream.sample(i, "photo", "noun") for i in range(4)]
    for example in examples(samples, stream, 32):
        shown = {stream.nouns[number - 1] for number in example.names.unique() if number > 0}
        assert shown <= {"dog", "car"}
        assert shown
        assert 0 not in example.names
        assert (example.names == -1).any()


def test_photos_teach_cells_and_requests_but_not_every_name(packed, bank):
    """Not all that a photo shows is outlined, so nothing in it can be asked to be everything."""
    recipe = Recipe(batch=2, size=32, last_size=32, photos=1.0, sight_first=0.5, masks_first=0.5)
    stream = Stream(bank, photos=Photos.load(packed))
    source = RecipeSource(stream, replace(recipe, names=(1.0, 1.0), clips=0.0))
    for progress, expected in ((0.1, "cells"), (0.7, "words and masks")):
        shown, learnt = source.batch(0, progress)
        assert learnt == expected
        assert all(0 not in example.names for example in shown)
