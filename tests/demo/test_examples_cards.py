"""The table of examples: every task occurs, and all that a card names is there and fits.

Nothing is faked; the router that answers is the real one, the model is not asked.
"""

import json
import re

import pytest
from PIL import Image

from demo.examples import CARDS, THUMBNAILS, card, cards
from x2sam.language.router import route
from x2sam.language.tasks import TASKS
from x2sam.media.videos import Clip, open_medium

LARGEST, ALL = 40_000, 800_000  # bytes
each_card = pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)


def test_every_task_occurs_on_pictures_and_most_on_clips():
    shown = {(each.kind, each.shows) for each in CARDS}
    # Generic segmentation is worded as the open-vocabulary kind.
    assert {task for kind, task in shown} == {*TASKS} - {"genseg"}
    assert {task for kind, task in shown if kind == "video"} >= {
        "refseg",
        "reaseg",
        "objseg",
        "ovseg",
        "gcgseg",
    }
    assert len(cards("image")) + len(cards("video")) == len(CARDS) >= 14


def test_names_are_unique():
    ids = [each.id for each in CARDS]
    assert len(set(ids)) == len(ids)
    assert all(card(id_).id == id_ for id_ in ids)
    assert card("nothing") is None


@each_card
def test_the_medium_is_there_and_of_its_kind(card):
    medium = open_medium(card.medium)
    assert isinstance(medium, Clip) is (card.kind == "video")
    height, width = medium.size
    for drawing in card.drawings:
        xs, ys = zip(*(drawing.points or (drawing.box[:2], drawing.box[2:])), strict=True)
        assert 0 <= min(xs) <= max(xs) <= width
        assert 0 <= min(ys) <= max(ys) <= height


@each_card
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_router_understands_it(card, language):
    text = getattr(card.question, language)
    assert route(text, card.drawings, media=card.kind, task=card.task).task == card.shows
    assert bool(re.search(r"[\u4e00-\u9fff]", text)) is (language == "zh")


@each_card
def test_the_thumbnail_is_small_and_there(card):
    assert card.thumbnail.stat().st_size < LARGEST
    with Image.open(card.thumbnail) as picture:
        assert picture.format == "WEBP"
        assert max(picture.size) == 320


def test_no_thumbnail_is_left_over():
    files = list(THUMBNAILS.iterdir())
    assert {file.stem for file in files} == {each.id for each in CARDS}
    assert sum(file.stat().st_size for file in files) < ALL


@each_card
def test_it_travels_as_json(card):
    for language in ("en", "zh"):
        wire = json.loads(json.dumps(card.wire(language)))
        assert wire["question"] == getattr(card.question, language)
        assert len(wire["drawings"]) == len(card.drawings)
        assert not wire["thumbnail"].startswith("/"), "it should work below any address"
