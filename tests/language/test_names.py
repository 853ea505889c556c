"""Names of sorts of things.

Covered: lists are told from phrases with commas; "all" and plurals; singulars. Nothing is faked.
"""

import pytest

from x2sam.language.names import every, listed, names, singular


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sky, road, car", ("sky", "road", "car")),
        ("Dogs; Cats\tand the bus", ("dog", "cat", "bus")),
        ("dog, dog, dogs", ("dog",)),
        ("dog, cat,", ("dog", "cat")),
        ("a dog or a cat", ("dog", "cat")),
        ("狗、猫和鸟", ("狗", "猫", "鸟")),
        ("dog", ()),
        ("dog,", ()),
        ("the man, who smiles", ()),
        ("the dog, left of the cat", ()),
        ("the big, red car", ()),
        ("black and white cow", ()),
        ("salt and pepper on the table", ()),
        ("the tallest, strongest man", ()),
        ("和服", ()),
        ("红色和白色的车", ()),
        (", ,", ()),
        ("", ()),
    ],
)
def test_lists(text, found):
    assert names(text) == found


def test_a_known_list_may_hold_one_or_none():
    assert listed("the dogs") == ("dog",)
    assert listed("all people wearing hats, sky") == ("people wearing hat", "sky")
    assert listed(" , ") == ()


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("dogs", "dog"),
        ("the red cars", "red car"),
        ("all of the people", "person"),
        ("every single bus", "bus"),
        ("每个苹果", "苹果"),
        ("the dog", ""),
        ("grass", ""),
        ("the scissors", ""),
        ("all people wearing hats", ""),
        ("two dogs", ""),
        ("the other dogs", ""),
        ("dogs on the left", ""),
        ("", ""),
    ],
)
def test_every_one(text, sort):
    assert every(text) == sort


@pytest.mark.parametrize(
    ("several", "one"),
    [("dogs", "dog"), ("Buses", "bus"), ("brushes", "brush"), ("churches", "church"),
     ("tomatoes", "tomato"), ("shoes", "shoe"), ("vases", "vase"), ("babies", "baby"),
     ("fire trucks", "fire truck"), ("women", "woman"), ("dress", "dress"), ("gas", "gas"),
     ("sheep", "sheep"), ("狗", "狗"), ("", "")],
)  # fmt: skip
def test_singular(several, one):
    assert singular(several) == one
