"""What travels: marks of the page become marks of the engine, events become plain values."""

import json

import numpy as np
import pytest

from demo.wire import marks, numbers, reach, shown, whole
from x2sam.engine.reach import Reach
from x2sam.errors import PromptError
from x2sam.media.masks import Rle
from x2sam.types import Command, Done, How, MaskReady, NotFound, Phrase, Routed, Waiting

SOURCE, DISPLAY = (40, 60), (20, 30)


def read(*values):
    return marks(list(values), source=SOURCE, display=DISPLAY)


def test_what_the_page_leaves_empty_does_not_matter():
    (point,) = read(
        {
            "kind": "point",
            "positive": False,
            "frame": 3,
            "object": 2,
            "points": [[4, 5]],
            "width": 0,
            "box": None,
        }
    )
    assert (point.kind, point.positive, point.frame, point.object) == ("point", False, 3, 2)
    assert point.points == ((4, 5),)


def test_a_box_may_be_drawn_from_any_corner_and_over_the_edge():
    (box,) = read({"kind": "box", "box": [70, 30, 10, -5]})
    assert box.box == (10, 0, 60, 30)


def test_a_drawn_mask_grows_to_the_source():
    drawn = np.zeros(DISPLAY, bool)
    drawn[5:10, 10:20] = True
    (mask,) = read({"kind": "mask", "rle": Rle.of(drawn).to_json()})
    assert mask.mask.shape == SOURCE
    assert mask.mask[10:20, 20:40].all()
    assert mask.mask.sum() == 200


@pytest.mark.parametrize(
    "wrong",
    [
        "point",
        {"kind": "star"},
        {"kind": "point", "points": [[1]]},
        {"kind": "point", "points": [["1", 2]]},
        {"kind": "point", "points": [[float("nan"), 2]]},
        {"kind": "scribble", "points": []},
        {"kind": "box", "box": None},
        {"kind": "box", "box": ["a", 0, 1, 1]},
        {"kind": "mask", "rle": {"size": [100_000, 100_000], "counts": "0"}},
        {"kind": "mask", "rle": None},
        {"kind": "point", "points": [[1, 2]], "frame": -1},
    ],
)
def test_nonsense_is_refused(wrong):
    with pytest.raises(PromptError):
        read(wrong)


def test_marks_have_a_bound():
    with pytest.raises(PromptError, match="201 marks"):
        read(*[{"kind": "point", "points": [[1, 2]]}] * 201)
    with pytest.raises(PromptError, match="scribbles"):
        read({"kind": "scribble", "points": [[1, 2]] * 20_001, "width": 3})


def test_a_mask_is_sent_at_the_display_size():
    mask = np.zeros(SOURCE, bool)
    mask[10:20, 20:40] = True
    told = shown(MaskReady(3, 7, mask, np.float32(0.51239), How.CARRIED), DISPLAY)
    assert (told["kind"], told["object"], told["frame"]) == ("mask", 3, 7)
    assert (told["score"], told["how"]) == (0.5124, "carried")
    assert Rle.from_json(told["rle"]).mask().sum() == 50
    json.dumps(told)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (Waiting(2), {"kind": "waiting", "ahead": 2}),
        (
            Phrase("a dog", 3, 8, (1,)),
            {"kind": "phrase", "text": "a dog", "start": 3, "end": 8, "objects": (1,)},
        ),
        (
            NotFound("a cat", (("a dog", 0.2),)),
            {"kind": "notfound", "what": "a cat", "candidates": (("a dog", 0.2),), "frames": 1},
        ),
        (
            Done(1, "yes", (2,), 0.5),
            {
                "kind": "done",
                "turn": 1,
                "text": "yes",
                "objects": (2,),
                "seconds": 0.5,
                "stopped": False,
            },
        ),
    ],
)
def test_events_are_plain_values(event, told):
    assert shown(event, DISPLAY) == told
    json.dumps(told)


def test_a_change_of_the_list_has_no_task():
    told = shown(Routed(4, Command(action="undo", reason="undo → the list")), DISPLAY)
    assert (told["task"], told["chip"], told["turn"]) == (None, "Change the list", 4)


def test_frames_and_numbers_are_checked():
    assert reach(None) is None
    assert reach({"first": 2, "last": 5}) == Reach(first=2, last=5)
    assert numbers([1, 2]) == [1, 2]
    for wrong in ([], "12", [1.5], [True], None):
        with pytest.raises(PromptError):
            numbers(wrong)
    with pytest.raises(PromptError):
        whole("3")
