"""The list of objects and its history. Nothing is faked."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from x2sam.engine.objects import History, Object, Objects
from x2sam.errors import MediaError, PromptError, X2SAMError
from x2sam.media.masks import Track
from x2sam.types import How

SIZE = (4, 6)


def thing(id_, name="dog", frames=(0,), turn=1):
    made = Object(id=id_, name=name, masks=Track(SIZE))
    for frame in frames:
        mask = np.zeros(SIZE, bool)
        mask[id_ % 4, frame % 6] = True
        made.put(frame, mask, 0.5, How.SEEN, turn)
    return made


def test_by_place_by_name_and_by_number():
    objects = Objects([thing(3, "the dog"), replace(thing(7, "cat"), aliases=("the animal",))])
    assert objects[1].id == objects["the cat"].id == objects.by_id(7).id == 7
    assert objects["Dog"].id == 3
    assert objects["the animal"].id == 7
    assert objects.find(3) is objects.find("dog")
    with pytest.raises(PromptError, match="There are: the dog, cat"):
        objects["horse"]
    with pytest.raises(PromptError, match="no object 4"):
        objects.by_id(4)
    with pytest.raises(IndexError):
        objects[2]


def test_a_name_wins_over_an_alias():
    objects = Objects([replace(thing(1, "cat"), aliases=("dog",)), thing(2, "dog")])
    assert objects["dog"].id == 2


def test_lists_never_change():
    one = Objects([thing(1)])
    two = one.put(thing(2, "cat"), replace(one[0], name="wolf"))
    assert [each.name for each in one] == ["dog"]
    assert [each.name for each in two] == ["wolf", "cat"]
    assert [each.id for each in two.without([1])] == [2]


def test_a_taken_name_is_numbered():
    objects = Objects([thing(1, "The dog"), thing(2, "dog 2")])
    assert objects.free_name("dog") == "dog 3"
    assert objects.free_name("  big \n cat ") == "big cat"
    with pytest.raises(PromptError):
        objects.free_name(" \n")


def test_a_copy_is_on_its_own():
    one = thing(1)
    two = one.copy(name="cat")
    two.put(1, np.ones(SIZE, bool), 1.0, How.CORRECTED, 2)
    assert list(one.masks) == [0]
    assert (one.score, two.score) == (0.5, 0.75)
    assert two.is_corrected(1)
    assert not one.is_corrected(1)


def test_merging_unites_masks_frames_and_names():
    both = thing(1, "dog", frames=(0, 1)).merged(thing(2, "cat", frames=(1, 2), turn=4))
    assert [both.masks.area(frame) for frame in both.masks] == [1, 2, 1]
    assert (both.name, both.aliases) == ("dog", ("cat",))
    assert both.provenance.at(1) == (How.SEEN, 1)
    assert both.provenance.at(2) == (How.SEEN, 4)


def test_the_score_is_the_mean_where_it_is_seen():
    made = thing(1)
    made.put(1, np.zeros(SIZE, bool), 0.0, How.SEEN, 1)
    assert made.score == 0.5
    assert Object(id=1, name="dog", masks=Track(SIZE)).score == 0
    assert made.listed().box == (0, 1, 1, 2)


def test_json_and_back():
    made = replace(thing(5, "the dog", frames=(0, 1, 4)), shown=False, aliases=("it",), mentioned=3)
    made.put(2, np.ones(SIZE, bool), 0.25, How.CORRECTED, 7)
    again = Object.from_json(made.to_json())
    assert again.to_json() == made.to_json()
    assert (again.masks[2] == made.masks[2]).all()
    assert again.origins == made.origins


@pytest.mark.parametrize("values", [{}, [], None, {"id": "x"}, {**thing(1).to_json(), "masks": 3}])
def test_damaged_json_is_a_sentence(values):
    with pytest.raises((MediaError, PromptError)) as error:
        Object.from_json(values)
    assert isinstance(error.value, X2SAMError)


# History


def names(history):
    return [each.name for each in history.now]


def test_undo_and_redo():
    history = History()
    history.edit(lambda objects: objects.put(thing(1, "dog")))
    history.edit(lambda objects: objects.put(thing(2, "cat")))
    assert history.undo()
    assert names(history) == ["dog"]
    assert history.redo()
    assert names(history) == ["dog", "cat"]
    assert not history.redo()
    assert history.undo()
    assert history.undo()
    assert not history.undo()
    assert names(history) == []


def test_what_one_turn_does_is_one_change():
    history, step = History(), object()
    history.edit(lambda objects: objects.put(thing(1)), step)
    history.edit(lambda objects: objects.put(thing(2)), step)
    history.edit(lambda objects: objects.put(thing(3)), object())
    history.undo()
    assert len(history.now) == 2
    history.undo()
    assert len(history.now) == 0


def test_a_change_after_an_undo_ends_the_other_future():
    history = History()
    history.edit(lambda objects: objects.put(thing(1)))
    history.undo()
    history.edit(lambda objects: objects.put(thing(2)))
    assert not history.redo()


def test_a_change_that_fails_changes_nothing():
    history = History(Objects([thing(1)]))
    with pytest.raises(PromptError):
        history.edit(lambda objects: Objects([objects.by_id(9)]))
    assert len(history.now) == 1
    assert not history.undo()


@given(st.lists(st.sampled_from(["add", "undo", "redo"]), max_size=30))
def test_undo_and_redo_are_a_walk_along_states(moves):
    history = History()
    states, at = [[]], 0
    for move in moves:
        if move == "add":
            new = history.new_id()
            history.edit(lambda objects, id_=new: objects.put(thing(id_, f"dog {id_}")))
            states, at = [*states[: at + 1], [*states[at], f"dog {new}"]], at + 1
        elif move == "undo":
            assert history.undo() == (at > 0)
            at = max(0, at - 1)
        else:
            assert history.redo() == (at < len(states) - 1)
            at = min(len(states) - 1, at + 1)
        assert names(history) == states[at]
