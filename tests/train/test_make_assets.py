"""The pictures of assets/ as a suite: what stands in it is what is drawn."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from tests.train.conftest import COLOURS, drawn
from x2sam.media.suite import objects, read_suite
from x2sam.train.sprites import Sprite, SpriteBank
from x2sam.train.vocabulary import nouns

VIVID = 120
SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def make_assets(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("make_assets")


def test_a_suite_of_the_assets_is_true_of_them(make_assets, tmp_path):
    known = {noun.name: noun for noun in nouns().values()}
    wanted = {thing.noun for each in make_assets.PICTURES for thing in each.things}
    assert not [name for name in wanted if known[name].held_out]
    sprites = [(Sprite(known[name], "noto"), drawn("ring", COLOURS["red"])) for name in wanted]
    make_assets.write_suite(SpriteBank.build(sprites), tmp_path)

    samples = read_suite(tmp_path)
    assert [sample.id for sample in samples] == [each.name for each in make_assets.PICTURES]
    for sample, arrangement in zip(samples, make_assets.PICTURES, strict=True):
        (ids,), (picture,) = sample.ids(), sample.pictures()
        assert objects(ids) == tuple(range(1, len(arrangement.things) + 1))
        # The sprites are of one vivid colour, whatever their hue.
        vivid = np.ptp(picture.astype(int), axis=2) > VIVID
        assert all(vivid[ids == number].mean() > 0.9 for number in objects(ids))
        names = list(sample.labels.values())
        for request in sample.expressions:
            noun = request.text.removeprefix("the ")
            called = [id_ for id_, name in sample.labels.items() if name == noun]
            assert list(request.target) == called
            assert request.kind == ("referring" if noun in names else "absent")
        assert {request.kind for request in sample.expressions} == {"referring", "absent"}
