"""Features of frames within a budget of bytes: who makes room, and what rounding changes.

Nothing is faked; features are plain tensors.
"""

import torch
from hypothesis import given
from hypothesis import strategies as st

from x2sam.engine.feature_cache import FeatureCache, Packed, packed, size_of, unpacked
from x2sam.model.x2sam import Decoded


def features(size=100):
    return Packed(False, (), torch.zeros(size, dtype=torch.uint8))


def scan(cache, medium, frames):
    """Pass through a clip once; how many of its frames were there."""
    cache.request(medium)
    found = 0
    for frame in frames:
        if cache.get((medium, frame)) is None:
            cache.put((medium, frame), features())
        else:
            found += 1
    return found


def held(cache, medium, frames=range(100)):
    return [frame for frame in frames if (medium, frame) in cache]


def test_a_second_pass_through_a_long_clip_finds_what_there_was_room_for():
    cache = FeatureCache(500)
    assert scan(cache, 1, range(20)) == 0
    assert held(cache, 1) == [0, 1, 2, 3, 19]  # the newest is always there
    assert all(scan(cache, 1, range(20)) >= 4 for _ in range(8))


def test_frames_that_nobody_asks_for_any_more_go_first():
    cache = FeatureCache(500)
    scan(cache, 1, range(10))
    scan(cache, 1, range(50, 55))
    scan(cache, 1, range(50, 55))
    assert scan(cache, 1, range(50, 55)) == 5


def test_a_newcomer_gets_a_fair_share():
    cache = FeatureCache(600)
    scan(cache, 1, range(20))
    scan(cache, 2, range(20))
    assert (len(held(cache, 1)), len(held(cache, 2))) == (3, 3)
    scan(cache, 3, range(20))
    assert {len(held(cache, medium)) for medium in (1, 2, 3)} == {2}


def test_two_who_pass_through_clips_at_once_both_find_their_share_again():
    cache = FeatureCache(800)
    again = []
    for _ in range(4):
        cache.request(1)
        cache.request(2)
        count = 0
        for frame in range(20):
            for medium in (1, 2):
                if cache.get((medium, frame)) is None:
                    cache.put((medium, frame), features())
                else:
                    count += 1
        again.append(count)
    assert again[-1] >= 4


def test_of_many_pictures_the_one_used_least_recently_makes_room():
    cache = FeatureCache(350)
    for medium in range(3):
        scan(cache, medium, [0])
    scan(cache, 0, [0])
    scan(cache, 3, [0])
    assert [len(held(cache, medium)) for medium in range(4)] == [1, 0, 1, 1]


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
    cache.give_way()
    assert (len(cache), cache.bytes, cache.limit) == (0, 0, 350)


steps = st.tuples(
    st.sampled_from(["put", "put", "put", "get", "request", "forget"]),
    st.integers(0, 3),
    st.integers(0, 5),
    st.sampled_from([40, 100, 260, 600]),
)


@given(st.lists(steps, max_size=60), st.sampled_from([0, 90, 500]))
def test_the_budget_holds_whatever_comes(steps, limit):
    cache = FeatureCache(limit)
    for what, medium, frame, size in steps:
        if what == "put":
            cache.put((medium, frame), features(size))
            assert ((medium, frame) in cache) >= (size <= limit)
        elif what == "get":
            cache.get((medium, frame))
        else:
            getattr(cache, what)(medium)
        assert cache.bytes <= limit
    kept = [cache.get((m, f)) for m in range(4) for f in range(6)]
    assert cache.bytes == sum(size_of(one) for one in kept if one is not None)


def decoded(*parts, first=False):
    """What was decoded, of at least three parts."""
    return Decoded(first, parts[:-2], *parts[-2:])


def test_what_is_kept_is_half_as_large_and_the_same_to_three_digits():
    shapes = (1, 4, 6, 6), (1, 4, 3, 3), (1, 4, 6, 6), (1, 3, 3, 4)
    whole = decoded(*map(torch.randn, shapes), first=True)
    small = packed(whole)
    assert size_of(small) == 2 * (144 + 36 + 144 + 36)
    again = unpacked(small, torch.float32)
    assert again.first
    assert [len(level) for level in again.maps] == [1, 1]
    torch.testing.assert_close(again.maps, whole.maps, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(again.mask_features, whole.mask_features, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(again.region_stage, whole.region_stage, rtol=1e-3, atol=1e-6)
    # Rounding again changes nothing: what comes from the cache is what was used at first.
    assert torch.equal(unpacked(packed(again), torch.float32).maps[0], again.maps[0])


def test_what_is_not_contiguous_keeps_its_shape():
    turned = torch.arange(24, dtype=torch.float32).view(1, 6, 4).mT.unflatten(2, (2, 3))
    again = unpacked(packed(decoded(turned, turned, turned)), torch.float32)
    assert torch.equal(again.maps[0], turned)
    assert torch.equal(again.region_stage, turned)


def test_what_half_precision_cannot_hold_is_kept_as_it_is():
    large = packed(decoded(torch.tensor([1.0]), torch.tensor([1e6]), torch.tensor([3.0])))
    assert [part for part, _ in large.layout] == [torch.float16, torch.float32, torch.float16]
    assert size_of(large) == 2 + 4 + 2
    again = unpacked(large, torch.float32)
    assert [one.item() for one in (again.maps[0], again.mask_features)] == [1.0, 1e6]
    assert again.region_stage.dtype is torch.float32


def test_other_precisions_are_left_alone():
    brain = torch.tensor([1e-30, 1e30], dtype=torch.bfloat16)
    again = unpacked(packed(decoded(brain, brain, brain)), torch.bfloat16)
    assert again.maps[0].dtype is torch.bfloat16
    assert torch.equal(again.maps[0], brain)


def test_what_was_taken_out_may_be_written_to():
    small = packed(decoded(*(torch.ones(2, dtype=torch.bfloat16),) * 3))
    unpacked(small, torch.bfloat16).maps[0].zero_()
    assert unpacked(small, torch.bfloat16).maps[0].tolist() == [1, 1]
