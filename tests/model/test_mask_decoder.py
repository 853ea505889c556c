"""Where queries may look, that padding is invisible, and classes as cosines.

Recorded layers are compared in `tests/eval/test_golden.py`. Nothing is faked; the weights
are the recorded network's.
"""

import math
from dataclasses import replace

import pytest
import torch
from recording import network
from torch import nn

from x2sam.model.conditions import Conditions
from x2sam.model.mask_decoder import PADDED_CLASS, ClassHead, _attend, _outside


def conditions(batch=1, words=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return Conditions(
        classes=torch.randn(batch, 3, 32, generator=generator),
        class_mask=torch.ones(batch, 3, dtype=torch.bool),
        tokens=torch.randn(batch, words, 32, generator=generator),
        token_mask=torch.ones(batch, words, dtype=torch.bool),
        seg=torch.randn(batch, 1, 32, generator=generator),
    )


def decode(given, batch=1, seed=1):
    generator = torch.Generator().manual_seed(seed)
    maps = [torch.randn(batch, 32, side, side, generator=generator) for side in (4, 8, 16)]
    pixels = torch.randn(batch, 32, 16, 16, generator=generator)
    return network().mask_decoder(maps, pixels, given)


def test_a_query_looks_inside_its_mask_and_everywhere_if_it_has_none():
    half = torch.tensor([5.0, 5.0, -5.0, -5.0]).expand(4, 4)
    logits = torch.stack([half, torch.full((4, 4), -5.0)])[None]
    blocked = _outside(logits, torch.zeros(1, 1, 2, 2))
    assert blocked.tolist() == [[[[False, True, False, True], [False] * 4]]]


def test_there_is_a_prediction_before_the_first_layer_and_after_each():
    predictions = decode(conditions())
    assert len(predictions) == 1 + network().config.mask_decoder.layers
    assert predictions[0][0].shape == (1, 20, 32)
    assert predictions[-1][1].shape == (1, 20, 16, 16)


def test_padded_words_are_invisible():
    given = conditions()
    noise = torch.full((1, 3, 32), 7.0)
    padded = replace(
        given,
        tokens=torch.cat([given.tokens, noise], dim=1),
        token_mask=torch.cat([given.token_mask, torch.zeros(1, 3, dtype=torch.bool)], dim=1),
    )
    assert torch.allclose(decode(padded)[-1][1], decode(given)[-1][1], atol=1e-4)


@pytest.mark.parametrize("changed", ["tokens", "seg"])
def test_words_and_seg_both_steer(changed):
    given = conditions()
    other = replace(given, **{changed: getattr(conditions(seed=5), changed)})
    assert (decode(other)[-1][1] - decode(given)[-1][1]).abs().max() > 0.1


def test_one_request_serves_a_batch_of_frames():
    given = conditions()
    several = Conditions(
        *(getattr(given, f).expand(3, -1, -1) for f in ("classes",)),
        given.class_mask.expand(3, -1),
        given.tokens.expand(3, -1, -1),
        given.token_mask.expand(3, -1),
        given.seg.expand(3, -1, -1),
    )
    assert torch.allclose(decode(given, 3)[-1][1], decode(several, 3)[-1][1], atol=1e-5)


def test_attention_is_torch_multi_head_attention():
    generator = torch.Generator().manual_seed(0)
    attention = nn.MultiheadAttention(16, 4, batch_first=True).requires_grad_(False).eval()
    q, k = (torch.randn(2, n, 16, generator=generator) for n in (3, 6))
    allowed = torch.rand(2, 1, 3, 6, generator=generator) > 0.3
    allowed[..., 0] = True
    expected, _ = attention(q, k, k, attn_mask=~allowed[:, 0].repeat_interleave(4, dim=0))
    assert torch.allclose(_attend(attention, q, k, k, allowed), expected, atol=1e-6)


def test_a_class_is_a_scaled_cosine_within_fifty():
    head = ClassHead().requires_grad_(False)
    east, north = torch.eye(2)
    given = replace(
        conditions(),
        classes=torch.stack([3 * east, north, east + north, east])[None],
        class_mask=torch.tensor([[True, True, True, False]]),
    )
    logits = head(2 * east.view(1, 1, 2), given)[0, 0]
    assert logits.tolist() == pytest.approx([1 / 0.07, 0, math.sqrt(0.5) / 0.07, PADDED_CLASS])
    head.logit_scale.fill_(9.0)
    assert head(east.view(1, 1, 2), given)[0, 0, 0] == 50
