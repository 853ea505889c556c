"""Which objects of the list words speak of.

Covered: counting in the list and along an edge, in English and Chinese; pronouns; names; sets;
and that nothing is found where the list alone cannot tell. Nothing is faked.
"""

import pytest

from x2sam.language.references import last, resolve
from x2sam.types import ListedObject


def at(x, y):
    return (float(x), float(y), x + 5.0, y + 5.0)


# In the list: 3 dogs and a cat. From the left: cat, dog 7, dog 1, dog 5.
LIST = (
    ListedObject(1, "dog", at(50, 10)),
    ListedObject(5, "dog", at(90, 40), mentioned=2),
    ListedObject(7, "dog", at(20, 30)),
    ListedObject(8, "the black cat", at(5, 80), mentioned=1),
)
PAIR = (ListedObject(1, "cup", mentioned=1), ListedObject(2, "plate", mentioned=1))


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ("the first", (1,)),
        ("second one", (5,)),
        ("the 3rd one", (7,)),
        ("the last one", (8,)),
        ("the second to last one", (7,)),
        ("the tenth", ()),
        ("the third dog", (7,)),
        ("the fourth dog", ()),
        ("the second cat", ()),
        ("the first one from the left", (7,)),  # of the dogs, as a dog was spoken of last
        ("the second from the right", (1,)),
        ("the first from the top", (1,)),
        ("the lowest one", (5,)),
        ("the first cat from the left", ()),
        ("object 7", (7,)),
        ("#8", (8,)),
        ("object 2", ()),
        ("it", (5,)),
        ("That One", (5,)),
        ("the others", (1, 7)),
        ("the other cat", ()),
        ("everything", (1, 5, 7, 8)),
        ("all except the second one", (1, 7, 8)),
        ("everything but the dogs", (8,)),
        ("the first and the third", (1, 7)),
        ("the first, the third and the cow", ()),
        ("the one behind it", ()),
        ("the dog", ()),
        ("", ()),
        ("第三个", (7,)),
        ("第二只狗", ()),  # nothing in the list is called so
        ("倒数第二个", (7,)),
        ("从左数第二个", (1,)),
        ("左边第一只", (7,)),
        ("第一个和第三个", (1, 7)),
        ("最右边的那个", (5,)),
        ("最后一个", (8,)),
        ("它", (5,)),
        ("其他的", (1, 7)),
        ("除了第一个", (5, 7, 8)),
        ("8号", (8,)),
        ("第十二个", ()),
    ],
)
def test_what_the_list_can_tell(words, ids):
    assert resolve(words, LIST) == ids


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ("the dog", (1, 5, 7)),
        ("dogs", (1, 5, 7)),
        ("all dogs", (1, 5, 7)),
        ("the cat", (8,)),
        ("black", (8,)),
        ("the black cat", (8,)),
        ("the white cat", ()),
        ("the cat and the second dog", (8, 5)),
    ],
)
def test_names(words, ids):
    assert resolve(words, LIST, by_name=True) == ids


def test_it_is_nobody_when_two_were_spoken_of():
    assert last(PAIR) == (1, 2)
    assert resolve("it", PAIR) == ()
    assert resolve("them", PAIR) == resolve("both", PAIR) == (1, 2)
    assert resolve("the other one", PAIR) == ()


def test_along_an_edge_one_needs_to_know_where_they_are():
    assert resolve("the second from the left", PAIR) == ()
    assert resolve("the left one", PAIR) == ()


def test_an_empty_list_knows_nobody():
    assert resolve("it", ()) == resolve("the first", ()) == resolve("everything", ()) == ()
    assert last(()) == ()
