"""Features of frames within a budget of bytes. Nothing is faked; features are plain tensors."""

import torch

from x2sam.engine.feature_cache import FeatureCache, size_of
from x2sam.model.mask_encoder import Features


def features(size=100):
    return Features((torch.zeros(size // 2, dtype=torch.uint8),) * 2, torch.zeros(0))


def test_the_least_recently_used_make_room():
    cache = FeatureCache(350)
    for index in range(3):
        cache.put((1, index), features())
    assert cache.get((1, 0)) is not None  # now the newest
    cache.put((1, 3), features())
    assert [cache.get((1, index)) is not None for index in range(4)] == [True, False, True, True]
    assert cache.bytes == 300


def test_bytes_count_and_not_entries():
    cache = FeatureCache(350)
    cache.put((1, 0), features())
    cache.put((1, 1), features(300))
    assert (len(cache), cache.bytes) == (1, 300)
    cache.put((1, 2), features(400))  # does not fit at all, and costs nobody their place
    assert (len(cache), cache.bytes) == (1, 300)


def test_the_same_frame_is_counted_once():
    cache = FeatureCache(350)
    for _ in range(5):
        cache.put((1, 0), features())
    assert cache.bytes == size_of(features()) == 100


def test_a_closed_medium_is_forgotten_and_others_are_not():
    cache = FeatureCache(350)
    cache.put((1, 0), features())
    cache.put((2, 0), features())
    cache.forget(1)
    assert cache.get((1, 0)) is None
    assert cache.get((2, 0)) is not None
    assert cache.bytes == 100
    cache.clear()
    assert (len(cache), cache.bytes) == (0, 0)
