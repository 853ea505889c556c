"""What travels across the engine's border.

Covered: marks and provenance survive JSON; damaged JSON is a sentence, not a crash; spans are
joined and looked up frame by frame; importing the types costs no torch. Nothing is faked.
"""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from x2sam.errors import PromptError
from x2sam.types import Drawing, How, Provenance, Span

MASK = np.eye(5, 7, dtype=bool)
MARKS = [
    Drawing.point(3, 4.5),
    Drawing.point(0, 0, positive=False, frame=12, object=3),
    Drawing(kind="box", box=(0, 1, 20.5, 30)),
    Drawing(kind="scribble", points=((1, 2), (3, 4), (5, 5)), width=3.5, object=0),
    Drawing(kind="mask", mask=MASK, frame=2),
]


@pytest.mark.parametrize("mark", MARKS, ids=lambda mark: mark.kind)
def test_marks_survive_json(mark):
    back = Drawing.from_json(json.loads(json.dumps(mark.to_json())))
    assert back.to_json() == mark.to_json()
    if mark.mask is not None:
        assert back.mask.dtype == bool
        assert np.array_equal(back.mask, mark.mask)


def test_marks_differ_by_what_was_drawn():
    assert len({json.dumps(mark.to_json()) for mark in MARKS}) == len(MARKS)
    assert Drawing(kind="mask", mask=~MASK).to_json() != MARKS[-1].to_json()


@given(height=st.integers(1, 20), width=st.integers(1, 20), seed=st.integers(0, 999))
def test_any_mask_survives_json(height, width, seed):
    mask = np.random.default_rng(seed).random((height, width)) < 0.5
    back = Drawing.from_json(Drawing(kind="mask", mask=mask).to_json())
    assert np.array_equal(back.mask, mask)


GOOD = Drawing(kind="mask", mask=MASK).to_json()
DAMAGED = {
    "nothing": {},
    "not a mapping": None,
    "a list": [1, 2],
    "unknown kind": {"kind": "circle"},
    "a point without a place": {"kind": "point"},
    "two places": {"kind": "point", "points": [[1, 2], [3, 4]]},
    "words for numbers": {"kind": "point", "points": [["a", "b"]]},
    "not a number": {"kind": "point", "points": [[float("nan"), 1]]},
    "three coordinates": {"kind": "point", "points": [[1, 2, 3]]},
    "a box with three sides": {"kind": "box", "box": [1, 2, 3]},
    "a scribble without width": {"kind": "scribble", "points": [[1, 2]]},
    "frame before the first": {"kind": "point", "points": [[1, 2]], "frame": -1},
    "endless frame": {"kind": "point", "points": [[1, 2]], "frame": float("inf")},
    "object by name": {"kind": "point", "points": [[1, 2]], "object": "dog"},
    "mask without bits": {"kind": "mask", "mask": {"size": [5, 7]}},
    "mask with broken bits": {"kind": "mask", "mask": {"size": [5, 7], "bits": "AAAA"}},
    "mask with too few bits": GOOD | {"mask": GOOD["mask"] | {"size": [50, 70]}},
    "empty mask": GOOD | {"mask": GOOD["mask"] | {"size": [0, 7]}},
    "enormous mask": GOOD | {"mask": GOOD["mask"] | {"size": [10**6, 10**6]}},
}


@pytest.mark.parametrize("values", DAMAGED.values(), ids=DAMAGED)
def test_damaged_marks_are_a_sentence(values):
    with pytest.raises(PromptError, match=r"^A saved drawing is damaged"):
        Drawing.from_json(values)


def test_a_mark_must_say_where():
    with pytest.raises(AssertionError):
        Drawing(kind="box")
    with pytest.raises(AssertionError):
        Drawing(kind="scribble", points=((1, 2),))


FRAMES = {
    3: (How.SEEN, 1),
    4: (How.CARRIED, 1),
    5: (How.CARRIED, 1),
    6: (How.CARRIED, 2),
    9: (How.CORRECTED, 4),
}


def test_frames_are_joined_where_nothing_changes():
    assert Provenance.of(FRAMES).spans == (
        Span(3, 3, How.SEEN, 1),
        Span(4, 5, How.CARRIED, 1),
        Span(6, 6, How.CARRIED, 2),
        Span(9, 9, How.CORRECTED, 4),
    )


@given(
    frames=st.dictionaries(
        st.integers(0, 30), st.tuples(st.sampled_from(How), st.integers(1, 3)), max_size=20
    )
)
def test_provenance_says_what_it_was_told(frames):
    provenance = Provenance.of(frames)
    assert {frame: (how, turn) for frame, how, turn in provenance.frames()} == frames
    assert all(provenance.at(frame) == frames.get(frame) for frame in range(-1, 32))
    assert Provenance.from_json(json.loads(json.dumps(provenance.to_json()))) == provenance


@pytest.mark.parametrize(
    "values",
    [None, 3, [[1]], [[1, 2, "guessed", 1]], [[2, 1, "seen", 1]], [["a", 1, "seen", 1]],
     [[0, 5, "seen", 1], [3, 4, "seen", 1]]],
)  # fmt: skip
def test_damaged_provenance_is_a_sentence(values):
    with pytest.raises(PromptError, match="damaged"):
        Provenance.from_json(values)


def test_no_torch():
    code = "import sys, x2sam.types; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
