"""Marks become regions, and masks obey them. Nothing is faked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from x2sam.engine.marks import agreement, area, check, marked, obeyed
from x2sam.errors import PromptError
from x2sam.types import Drawing

SIZE = (12, 16)
POINTS = st.tuples(st.integers(0, 15), st.integers(0, 11))


def box(*sides, positive=True):
    return Drawing(kind="box", box=sides, positive=positive)


def scribble(*points, width=2, positive=True):
    return Drawing(kind="scribble", points=points, width=width, positive=positive)


def nothing():
    return np.zeros(SIZE, bool)


def test_a_box_ends_before_its_end():
    mask = area(box(2, 3, 5, 4), SIZE)
    assert mask[3, 2:5].all()
    assert mask.sum() == 3


def test_a_click_is_a_small_disc_around_it():
    mask = area(Drawing.point(50, 40), (100, 100))
    assert mask[40, 50]
    assert 8 <= mask.sum() <= 25
    assert not mask[40, 54]


@pytest.mark.parametrize(
    "drawing",
    [
        Drawing.point(16, 3),
        Drawing.point(3, -1),
        Drawing.point(3, 3, frame=2),
        box(3, 3, 3, 9),
        box(20, 20, 30, 30),
        scribble((1, 1), (90, 1)),
        Drawing(kind="mask", mask=np.ones((3, 3), bool)),
        Drawing(kind="mask", mask=np.zeros(SIZE, bool)),
    ],
)
def test_what_is_not_on_the_picture_is_said_in_a_sentence(drawing):
    with pytest.raises(PromptError, match=r"\.$"):
        check([drawing], SIZE, 2)


def test_marks_add_to_what_is_known_and_take_away():
    known = area(box(0, 0, 8, 8), SIZE)
    region = marked([box(8, 0, 10, 8), box(0, 0, 2, 8, positive=False)], SIZE, known)
    assert (region == area(box(2, 0, 10, 8), SIZE)).all()
    with pytest.raises(PromptError, match="Nothing is left"):
        marked([box(0, 0, 9, 9, positive=False)], SIZE, known)


def test_a_negative_click_takes_its_whole_part_away():
    two = area(box(0, 0, 4, 4), SIZE) | area(box(10, 6, 14, 10), SIZE)
    kept = obeyed(two, [Drawing.point(11, 7, positive=False)])
    assert (kept == area(box(0, 0, 4, 4), SIZE)).all()


def test_a_negative_click_on_a_wanted_part_takes_only_itself():
    one = area(box(0, 0, 12, 10), SIZE)
    kept = obeyed(one, [Drawing.point(2, 2), Drawing.point(9, 7, positive=False)])
    assert kept[2, 2]
    assert not kept[7, 9]
    assert kept.sum() > one.sum() - 12


@given(st.lists(st.tuples(POINTS, st.booleans()), min_size=1, max_size=6), st.integers(0, 9))
def test_every_click_is_right(clicks, seed):
    mask = np.random.default_rng(seed).random(SIZE) < 0.5
    signs = dict(clicks)  # of two on the same pixel the last one counts
    marks = [Drawing.point(x, y, positive=sign) for (x, y), sign in signs.items()]
    result = obeyed(mask, marks)
    assert agreement(result, marks) == len(marks)


@given(st.integers(0, 99))
def test_a_mask_that_agrees_stays_as_it_is(seed):
    mask = np.random.default_rng(seed).random(SIZE) < 0.5
    y, x = np.argwhere(mask)[0]
    assert (obeyed(mask, [Drawing.point(int(x), int(y)), box(0, 0, 9, 9)]) == mask).all()
