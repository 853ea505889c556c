"""Marks are checked, compared and scaled. Nothing is faked; nonsense is in test_tracker.py."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from x2sam.errors import PromptError
from x2sam.tracker.prompts import Prompt

SIZE = (60, 80)
INSIDE = st.tuples(st.floats(0, 80), st.floats(0, 60))


def prompt(**marks):
    return Prompt.checked(SIZE, **marks)


def test_more_points_extend():
    one, two = prompt(points=[(1, 2)]), prompt(points=[(1, 2), (3, 4)], labels=[1, 0])
    assert two.extends(one)
    assert not one.extends(two)
    assert not one.extends(one)
    assert one.equals(prompt(points=[(1, 2)], labels=[1]))
    assert not prompt(points=[(1, 2), (3, 4)]).extends(prompt(points=[(1, 2)], labels=[0]))
    assert not prompt(points=[(1, 2)], box=(1, 1, 5, 5)).extends(prompt(box=(1, 1, 5, 6)))


def test_points_after_a_mask_take_it_over():
    mask = np.ones(SIZE, bool)
    drawn, click = prompt(mask=mask), prompt(points=[(1, 2)])
    both = click.after(drawn)
    assert np.array_equal(both.mask, mask)
    assert both.extends(drawn)
    assert click.after(both).equals(both)
    assert prompt(box=(1, 1, 5, 5)).after(drawn).mask is None
    assert not prompt(mask=~mask).equals(drawn)


def test_a_mask_is_a_copy():
    mask = np.zeros(SIZE, bool)
    drawn = prompt(mask=mask, points=[(1, 1)])
    mask[:] = True
    assert not drawn.mask.any()


def test_a_box_is_cut_at_the_edge_of_the_picture():
    assert prompt(box=(-5, 10, 100, 30)).box == (0, 10, 80, 30)
    with pytest.raises(PromptError, match="is empty"):
        prompt(box=(-5, 10, 0, 30))
    with pytest.raises(PromptError, match="is empty"):
        prompt(box=(1, 1, float("nan"), 30))


@given(st.lists(INSIDE, min_size=1, max_size=4), st.booleans())
def test_points_and_corners_land_on_the_networks_picture(points, boxed):
    box = (8, 6, 40, 30) if boxed else None
    scaled = prompt(points=points, box=box).scaled(SIZE, 160, torch.device("cpu"))
    corners = [(16, 16), (80, 80)] if boxed else []
    wanted = corners + [(x * 160 / 80, y * 160 / 60) for x, y in points]
    assert np.allclose(scaled.at[0].numpy(), wanted, atol=1e-3)
    assert scaled.kinds[0].tolist() == [2, 3] * boxed + [1] * len(points)


def test_a_mask_alone_has_no_points():
    assert prompt(mask=np.ones(SIZE, bool)).scaled(SIZE, 160, torch.device("cpu")) is None
