"""Orders about the list of objects.

Covered: every action, by pronoun, number, name and what was drawn on; orders about what is not
there, or about one of several, are a sentence; what is no order stays none. Nothing is faked.
"""

import pytest

from x2sam.errors import PromptError
from x2sam.language.commands import command
from x2sam.types import ListedObject

LIST = (ListedObject(3, "dog"), ListedObject(4, "cat", mentioned=1), ListedObject(9, "dog"))


@pytest.mark.parametrize(
    ("words", "action", "ids", "name"),
    [
        ("Undo", "undo", (), ""),
        ("take that back", "undo", (), ""),
        ("ctrl+z", "undo", (), ""),
        ("重做", "redo", (), ""),
        ("show all", "show", (3, 4, 9), ""),
        ("show the cat again", "show", (4,), ""),
        ("unhide it", "show", (4,), ""),
        ("don't show the dogs", "hide", (3, 9), ""),
        ("hide both dogs", "hide", (3, 9), ""),
        ("rename the cat to Minka the Great", "rename", (4,), "Minka the Great"),
        ("name it 'Tom'", "rename", (4,), "Tom"),
        ("把第二个改名为咪咪", "rename", (4,), "咪咪"),
        ("把它叫做咪咪", "rename", (4,), "咪咪"),
        ("merge all dogs", "merge", (3, 9), ""),
        ("combine the first and the last one", "merge", (3, 9), ""),
        ("合并第一个和第三个", "merge", (3, 9), ""),
        ("delete", "delete", (4,), ""),
        ("get rid of the cat", "delete", (4,), ""),
        ("not that one", "delete", (4,), ""),
        ("remove everything", "delete", (3, 4, 9), ""),
        ("only the dogs", "only", (3, 9), ""),
        ("keep the cat", "only", (4,), ""),
        ("只留下第二个", "only", (4,), ""),
        ("the second one", "select", (4,), ""),
        ("not this but the last one", "select", (9,), ""),
        ("the cat", None, (), ""),
        ("only the blue one", None, (), ""),
        ("name the objects", None, (), ""),
        ("call center", None, (), ""),
        ("merge it", None, (), ""),
        ("everything", None, (), ""),
        ("the one to its left", None, (), ""),
        ("undoing", None, (), ""),
    ],
)
def test_orders(words, action, ids, name):
    order = command(words, LIST)
    assert (order and order.action) == action
    if order:
        assert (order.objects, order.name) == (ids, name)


def test_this_is_what_was_drawn_on():
    for words in ("delete this", "delete it", "remove", "删除这个"):
        assert command(words, LIST, pointed=(9,)).objects == (9,)
    assert command("delete the cat", LIST, pointed=(9,)).objects == (4,)


@pytest.mark.parametrize(
    ("words", "objects", "sentence"),
    [
        ("delete the dog", LIST, "2 objects are called so"),
        ("delete the cow", LIST, "no object “the cow” in the list to delete.*dog, cat, dog"),
        ("hide it", (), "no object yet to hide"),
        ("rename the cow to Elsa", LIST, "to rename"),
        ("remove", (), "no object yet"),
        ("去掉所有的狗", LIST, "所有的狗"),
    ],
)
def test_orders_without_sense_are_a_sentence(words, objects, sentence):
    with pytest.raises(PromptError, match=sentence):
        command(words, objects)


def test_a_negation_without_a_list_is_no_mistake():
    assert command("not the dog on the left", ()) is None
    assert command("不是这个", ()) is None
