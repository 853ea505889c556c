"""The list as the page sees it: versions change with masks, and with nothing else."""

from dataclasses import replace

import numpy as np

from demo.listing import Listing
from x2sam.engine.objects import Object
from x2sam.media.masks import Track
from x2sam.types import How


def thing(frames=(0, 1, 4)):
    made = Object(id=3, name="the dog", masks=Track((4, 5)))
    for frame in frames:
        made.put(frame, np.eye(4, 5, dtype=bool), 0.5, How.SEEN, 1)
    made.put(5, np.zeros((4, 5), bool), 0.0, How.CARRIED, 1)
    return made


def test_an_object_is_described():
    (told,) = Listing().describe([thing()])
    assert told == {
        "id": 3,
        "name": "the dog",
        "colour": told["colour"],
        "shown": True,
        "version": told["version"],
        "score": 0.5,
        "area": 0.2,
        "first": 0,
        "visible": [[0, 1], [4, 4]],
        "origins": [[0, 1, "seen"], [4, 4, "seen"], [5, 5, "carried"]],
        "doubts": [],
    }
    assert told["colour"].startswith("#")
    assert len(told["colour"]) == 7


def test_an_object_that_is_nowhere():
    (told,) = Listing().describe([thing(())])
    assert (told["first"], told["area"], told["visible"]) == (None, 0, [])


def test_where_sam_2_is_not_sure_is_told():
    dog = thing(())
    for frame, sure in enumerate([1.0, 0.97, 0.6, 0.62, 0.01, 0.03]):
        dog.put(frame, np.eye(4, 5, dtype=bool), 0.5, How.CARRIED, 1, sure)
    dog.put(5, np.eye(4, 5, dtype=bool), 0.5, How.SEEN, 2)  # looked at since
    (told,) = Listing().describe([dog])
    assert told["doubts"] == [[2, 3, 0.625], [4, 4, 0.0]]


def test_a_version_lasts_as_long_as_the_masks():
    listing, dog = Listing(), thing()

    def version(each):
        return listing.describe([each])[0]["version"]

    first = version(dog)
    assert version(replace(dog, name="the cat", shown=False)) == first
    dog.put(9, np.eye(4, 5, dtype=bool), 0.5, How.SEEN, 1)
    second = version(dog)
    assert second != first
    corrected = dog.copy()
    assert version(corrected) not in (first, second)
    listing.describe([])
    assert version(dog) not in (first, second)
