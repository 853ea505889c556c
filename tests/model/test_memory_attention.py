"""What attention to a memory must not depend on, and what it must.

Recorded results are compared in `tests/eval/test_golden.py`; here is the recorded network on
random features. Nothing is faked.
"""

import torch
import torch.nn.functional as F
from recording import network

from x2sam.model import memory_attention
from x2sam.model.positions import rotate, rotation, sine_positions


def attended(memory, position):
    features = torch.randn(1, 32, 4, 6, generator=torch.Generator().manual_seed(0))
    return network().memory_attention(features, memory, position)


def remembered(seed=1):
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(1, 10, 32, generator=generator) for _ in range(2))


def test_a_memory_is_a_set():
    memory, position = remembered()
    order = torch.randperm(10, generator=torch.Generator().manual_seed(2))
    shuffled = attended(memory[:, order], position[:, order])
    assert torch.allclose(shuffled, attended(memory, position), atol=1e-5)


def test_remembering_everything_twice_changes_nothing():
    memory, position = remembered()
    twice = attended(memory.repeat(1, 2, 1), position.repeat(1, 2, 1))
    assert torch.allclose(twice, attended(memory, position), atol=1e-5)


def test_positions_steer_and_contents_tell():
    memory, position = remembered()
    before = attended(memory, position)
    assert (attended(memory, position.flip(1)) - before).abs().max() > 1e-3
    assert (attended(memory.flip(1), position) - before).abs().max() > 1e-3


def test_the_result_has_the_features_shape_and_a_norm():
    out = attended(*remembered())
    assert out.shape == (1, 32, 4, 6)
    norm = network().memory_attention.layer_norm
    cells = (out.movedim(1, -1) - norm.bias) / norm.weight
    assert torch.allclose(cells.mean(-1), torch.zeros(1, 4, 6), atol=1e-4)


def test_some_queries_at_a_time_attend_as_all_do(monkeypatch):
    whole, sizes = attended(*remembered()), []
    usual = F.scaled_dot_product_attention

    def attend(query, key, value):
        sizes.append(query.shape[2])
        return usual(query, key, value)

    monkeypatch.setattr(F, "scaled_dot_product_attention", attend)
    monkeypatch.setattr(memory_attention, "QUERIES", 9)
    assert torch.allclose(attended(*remembered()), whole, atol=1e-6)
    assert set(sizes) == {9, 6}, "24 queries in three parts"


def test_rotation_keeps_lengths_and_tells_differences_only():
    tables = rotation(4, 6, 32, 1e4, torch.zeros(1))
    generator = torch.Generator().manual_seed(0)
    q, k = (torch.randn(32, generator=generator).expand(1, 24, 32) for _ in range(2))
    turned_q, turned_k = rotate(q, tables), rotate(k, tables)
    assert torch.allclose(turned_q.norm(dim=-1), q.norm(dim=-1), atol=1e-4)
    scores = (turned_q @ turned_k.mT)[0].view(4, 6, 4, 6)
    assert torch.allclose(scores[0, 0, 1, 2], scores[2, 3, 3, 5], atol=1e-4)
    assert not torch.allclose(scores[0, 0, 1, 2], scores[0, 0, 2, 1], atol=1e-1)
    assert torch.equal(turned_q[0, 0], q[0, 0])  # the first cell is not turned


def test_sine_codes_tell_every_cell_apart_and_keep_the_dtype():
    code = sine_positions(torch.zeros(3, 16, 5, 7, dtype=torch.bfloat16))
    assert code.shape == (1, 16, 5, 7)
    assert code.dtype == torch.bfloat16
    cells = sine_positions(torch.zeros(1, 16, 5, 7)).flatten(2)[0].mT
    assert (torch.cdist(cells, cells) + torch.eye(35)).min() > 0.05
