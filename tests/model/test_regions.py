"""Points in a drawing and what is read there: values known by hand. Nothing is faked."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from x2sam.errors import PromptError
from x2sam.model.regions import draw_points, read_points, unshuffle


@given(st.integers(0, 10**6), st.integers(1, 40))
def test_points_lie_inside_and_repeat_only_when_they_must(seed, count):
    mask = torch.rand(7, 5, generator=torch.Generator().manual_seed(seed)) > 0.6
    mask[3, 3] = True
    pixels = (draw_points(mask, count) * torch.tensor(mask.shape)).round().long()
    assert pixels.shape == (count, 2)
    assert mask[pixels[:, 0], pixels[:, 1]].all()
    assert len(set(map(tuple, pixels.tolist()))) == min(count, int(mask.sum()))


def test_a_small_drawing_gives_all_its_pixels_in_reading_order():
    mask = torch.zeros(4, 8, dtype=torch.bool)
    mask[1, 2] = mask[1, 6] = mask[3, 0] = True
    points = draw_points(mask, 5)
    assert points[:3].tolist() == [[0.25, 0.25], [0.25, 0.75], [0.75, 0.0]]


def test_the_same_drawing_gives_the_same_points_whatever_was_drawn_before():
    mask = torch.ones(32, 32, dtype=torch.bool)
    first = draw_points(mask, 64)
    torch.manual_seed(1)
    draw_points(mask[:16], 64)
    assert torch.equal(draw_points(mask.clone().byte() * 255, 64), first)
    mask[0, 0] = False
    assert not torch.equal(draw_points(mask, 64), first)


def test_an_empty_drawing_is_refused():
    with pytest.raises(PromptError, match="region is empty"):
        draw_points(torch.zeros(4, 4), 8)


def test_reading_is_bilinear_between_the_centres_of_corner_cells():
    y, x = torch.meshgrid(torch.arange(3.0), torch.arange(5.0), indexing="ij")
    ramp = torch.stack([y, x])[None]  # cell (y, x) holds its own place
    points = torch.tensor([[[0.0, 0.0], [1.0, 1.0], [0.5, 0.25], [0.25, 0.125]]])
    assert read_points(ramp, points, 1)[0].tolist() == [[0, 0], [2, 4], [1, 1], [0.5, 0.5]]
    assert read_points(ramp, points, 2)[0].tolist() == [[1, 2], [0.75, 0.75]]


def test_every_region_reads_its_own_map():
    maps = torch.tensor([1.0, 2.0]).view(2, 1, 1, 1).expand(2, 1, 4, 4)
    assert read_points(maps, torch.rand(2, 8, 2), 4).flatten().tolist() == [1, 1, 2, 2]


def test_unshuffling_reads_a_block_row_by_row():
    stage = torch.arange(16).view(1, 4, 4, 1)
    assert unshuffle(stage, 2)[0, 0].tolist() == [[0, 1, 4, 5], [2, 3, 6, 7]]
    two = torch.stack([stage, -stage], dim=-1).flatten(-2)
    assert unshuffle(two, 2)[0, 1, 1].tolist() == [10, -10, 11, -11, 14, -14, 15, -15]
