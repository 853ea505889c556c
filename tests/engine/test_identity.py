"""Identity: which segment of a frame is which thing of the frames before.

Segments are made by hand: bars and squares on a small grid with embeddings of known cosines. At
the end a whole answer is gathered from an actor (`acting`) whose two red squares cross.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.acting import clip, picture, stage
from x2sam.engine.identity import AGAIN, LIKE, WEIGHT, Identities
from x2sam.engine.tracking import Found
from x2sam.model.prediction import Prediction, Sizes
from x2sam.model.readout import Rules, instance, panoptic

SIDE = 24
EAST, NORTH = np.float32([1, 0]), np.float32([0, 1])


def at(cosine):
    """A vector with this cosine to EAST."""
    return np.float32([cosine, (1 - cosine**2) ** 0.5])


def box(x, y=4, size=6):
    mask = np.zeros((SIDE, SIDE), bool)
    mask[y : y + size, x : x + size] = True
    return mask


def segment(x, embedding=None, label=0, y=4):
    return Found(1, label, box(x, y), 0.9, embedding)


def numbers(*frames):
    """The numbers of all segments, frame by frame."""
    identities = Identities()
    return [identities.number(frame, found) for frame, found in enumerate(frames)]


def test_two_that_cross_keep_their_numbers():
    seen = []
    for step in range(13):
        right, left = segment(step, EAST), segment(12 - step, at(0.5))
        seen.append([right, left] if step % 2 else [left, right])
    for step, given_ in enumerate(numbers(*seen)):
        assert given_ == ([2, 1] if step % 2 else [1, 2]), step


def test_two_that_swap_places_between_two_frames_are_told_apart():
    assert numbers(
        [segment(0, EAST), segment(12, at(0.6))], [segment(0, at(0.6)), segment(12, EAST)]
    ) == [[1, 2], [2, 1]]


@pytest.mark.parametrize("embedding", [EAST, None])
def test_equal_or_unknown_embeddings_leave_it_to_the_overlap(embedding):
    before = [segment(0, embedding), segment(12, embedding)]
    after = [segment(11, embedding), segment(1, embedding)]
    assert numbers(before, after) == [[1, 2], [2, 1]]


def test_a_frame_is_matched_as_a_whole():
    # The first overlaps both by more than the second does; alone it would take the better one.
    before = [segment(4), segment(9)]
    after = [segment(7), segment(11)]
    assert numbers(before, after) == [[1, 2], [1, 2]]


def test_what_vanishes_and_returns_elsewhere_is_the_same():
    assert numbers([segment(0, EAST)], [], [], [segment(16, at(0.97))]) == [[1], [], [], [1]]


def test_what_comes_elsewhere_and_is_unlike_is_new():
    assert numbers([segment(0, EAST)], [], [segment(16, at(0.75))]) == [[1], [], [2]]
    assert numbers([segment(0)], [], [segment(16)]) == [[1], [], [2]]


def test_what_comes_while_its_double_is_there_is_new():
    assert numbers([segment(0, EAST)], [segment(16, EAST), segment(0, EAST)]) == [[1], [2, 1]]


def test_another_query_on_the_same_thing_is_the_same_thing():
    assert numbers([segment(4, EAST)], [segment(4, at(0.6))]) == [[1], [1]]


def test_what_takes_the_place_of_something_quite_different_is_new():
    assert numbers([segment(4, EAST)], [segment(4, NORTH)]) == [[1], [2]]


def test_a_thing_never_becomes_another_condition():
    assert numbers([segment(4, EAST, label=0)], [segment(4, EAST, label=1)]) == [[1], [2]]


def test_the_last_embedding_counts():
    drift = [[segment(2 * step % 17, at(np.cos(0.2 * step)))] for step in range(8)]
    assert numbers(*drift) == [[1]] * 8
    assert numbers(drift[0], drift[7]) == [[1], [2]]


def test_a_clip_may_be_gone_through_from_the_middle():
    identities = Identities()
    middle = [segment(6), segment(12)]
    assert identities.number(5, middle) == [1, 2]
    for frame in range(6, 12):  # both move right by one
        moved = [segment(frame + 1), segment(min(frame + 7, 18))]
        assert identities.number(frame, moved) == [1, 2]
    assert identities.number(4, [segment(5), segment(11)]) == [1, 2]  # next to the middle


def test_what_is_kept_does_not_grow_with_the_clip():
    identities = Identities()
    for frame in range(50):
        identities.number(frame, [segment(frame % 3, EAST), segment(15 + frame % 3, at(0.2))])
    assert len(identities._things) == 2


def test_nothing_found():
    assert numbers([], [], [segment(0)], []) == [[], [], [1], []]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_holds_for_any_frames(data):
    place = st.tuples(st.integers(0, 18), st.integers(0, 1), st.floats(-1, 1))
    frames = data.draw(st.lists(st.lists(place, max_size=4), max_size=5))
    seen = [[segment(x, at(cosine), label) for x, label, cosine in frame] for frame in frames]
    given_ = numbers(*seen)
    labels = {}
    for frame, row in zip(seen, given_, strict=True):
        assert len(set(row)) == len(row)
        for found, number in zip(frame, row, strict=True):
            assert labels.setdefault(number, found.label) == found.label
    assert sorted(labels) == [*range(1, len(labels) + 1)]
    if seen and seen[-1]:
        turned = [*seen[:-1], seen[-1][::-1]]
        assert len(set(numbers(*turned)[-1]) | set(given_[-1])) >= len(seen[-1])


def test_a_cosine_of_four_fifths_is_enough_alone():
    assert WEIGHT * (0.8 - LIKE) >= AGAIN > WEIGHT * (0.79 - LIKE)


# --- the way of an embedding through a reading ----------------------------------------------


def seen_with_embeddings():
    left = torch.tensor([8.0, -8.0]).expand(2, 2)
    queries = torch.tensor([[3.0, 4.0], [0.0, 2.0], [1.0, 0.0]])
    logits = torch.tensor([[0.0, 5.0, 0.0], [6.0, 0.0, 0.0], [0.0, 0.0, 9.0]])
    masks = torch.stack([left, -left, left])
    return Prediction.from_logits(logits, masks, Sizes.squashed(8, (4, 4)), queries)


@pytest.mark.parametrize("read", [panoptic, instance])
def test_a_segment_has_the_embedding_of_its_query(read):
    found = read(seen_with_embeddings(), Rules())
    by_label = dict(zip(found.labels.tolist(), found.embeddings.tolist(), strict=True))
    assert by_label == {1: pytest.approx([0.6, 0.8]), 0: [0.0, 1.0]}
    assert found[found.labels == 0].embeddings.tolist() == [[0.0, 1.0]]


def test_fused_stuff_has_the_embedding_of_its_best_query():
    seen = seen_with_embeddings()
    both = torch.tensor([[0.7, 0.1], [0.9, 0.1], [0.0, 0.0]])
    seen = Prediction(both, seen.mask_logits, seen.sizes, seen.embeddings)
    found = panoptic(seen, Rules(things=frozenset()))
    assert found.embeddings.tolist() == [[0.0, 1.0]]


# --- a whole answer ---------------------------------------------------------------------------


def crossing():
    """Two red squares that jump over each other: frame, and where the first one is."""
    for x, other in ((2, 20), (8, 14), (20, 2), (22, 0)):
        yield picture(red=[(x, 4), (other, 4)]), x


def test_two_red_squares_that_cross_stay_two_objects(monkeypatch):
    frames, places = zip(*crossing(), strict=True)
    frames = [frame.copy() for frame in frames]
    for index, frame in enumerate(frames):
        frame[0, 0] = index
    engine, actor = stage()
    predicted = actor._predicted

    def knowing(shown, names, size):
        seen = predicted(shown, names, size)
        first = places[int(shown[0, 0, 0])]
        heads = (seen.mask_logits[:, 4, first] > 0).float()
        return Prediction(
            seen.probabilities, seen.mask_logits, seen.sizes, torch.stack([heads, 1 - heads], 1)
        )

    monkeypatch.setattr(actor, "_predicted", knowing)
    session = engine.open(np.stack(frames))
    list(session.ask("all the red squares"))
    assert len(session.objects) == 2
    for frame, place in enumerate(places):
        held = [each for each in session.objects if each.masks[frame][4, place]]
        assert held == [session.objects[0]], frame


def test_a_condition_with_one_mask_is_one_object_wherever_it_jumps():
    frames = np.stack([picture(red=(2, 2)), picture(red=(22, 22))])
    session = stage()[0].open(frames)
    list(session.ask("the red square"))
    assert [each.masks.visible() for each in session.objects] == [[0, 1]]


def test_several_that_move_slowly_need_no_embedding():
    session = stage()[0].open(clip(6, red=[(2, 2), (4, 20)]))
    list(session.ask("all the red squares"))
    assert [each.masks.visible() for each in session.objects] == [[*range(6)]] * 2
