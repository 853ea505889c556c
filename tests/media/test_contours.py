"""Outlines lose nothing: filled by pixel centres they give the mask back, holes and all.

The filling is done by a rasteriser of this test, which knows nothing of how they were traced.
"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from x2sam.media.contours import polygon, rings

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=14), elements=st.booleans())


def filled(outlines, shape):
    """Fill by pixel centres, even-odd: count the edges to the left of each centre."""
    inside = np.zeros(shape, bool)
    columns = np.arange(shape[1]) + 0.5
    for outline in outlines:
        for (x0, y0), (x1, y1) in zip(outline, [*outline[1:], outline[0]], strict=True):
            for row in range(shape[0]):
                centre = row + 0.5
                if min(y0, y1) <= centre < max(y0, y1):
                    x = x0 + (centre - y0) / (y1 - y0) * (x1 - x0)
                    inside[row] ^= columns > x
    return inside


def area(ring):
    """Signed, positive if clockwise on screen."""
    following = [*ring[1:], ring[0]]
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(ring, following, strict=True)) / 2


@given(masks)
def test_rings_and_the_one_polygon_give_the_mask_back(mask):
    assert (filled(rings(mask), mask.shape) == mask).all()
    corners = polygon(mask)
    assert (filled([corners] if corners else [], mask.shape) == mask).all()
    assert bool(corners) == bool(mask.any())
    assert sum(area(ring) for ring in rings(mask)) == mask.sum()


def test_a_part_is_clockwise_and_a_hole_is_not():
    mask = np.ones((7, 7), bool)
    mask[2:4, 2:5] = False
    assert sorted(area(ring) for ring in rings(mask)) == [-6, 49]
    assert all(len(ring) == 4 for ring in rings(mask))


def test_bridges_have_no_width():
    mask = np.zeros((5, 9), bool)
    mask[1:3, 1:3] = mask[2:4, 6:8] = True
    assert len(rings(mask)) == 2
    assert area(polygon(mask)) == mask.sum()


def test_nothing_has_no_outline():
    assert rings(np.zeros((3, 3), bool)) == polygon(np.zeros((3, 3), bool)) == []
