"""`x2sam eval tracker`: how marks are set and answers scored, and clips from a folder.

Faked: the tracker, which knows the truth or is off by some pixels.
"""

import numpy as np
import pytest
from PIL import Image

from tests.train.conftest import bank, stream  # noqa: F401 (fixtures)
from x2sam.errors import MediaError
from x2sam.eval import tracker as evaluation
from x2sam.eval.tracker import ROWS, Row, Shown, drawn, evaluate, real, score
from x2sam.tracker.tracker import Shape, Tracked

TRUTH = np.zeros((4, 40, 60), bool)
for number in range(4):
    TRUTH[number, 10:25, 5 + 6 * number : 25 + 6 * number] = True
CASE = ("square", Shown(np.zeros((4, 40, 60, 3), np.uint8)), TRUTH)


class Knowing:
    """Finds what is true, moved by so many pixels; keeps how it was marked."""

    def __init__(self, truth, off=0):
        self.truth, self.off, self.marks = truth, off, []

    def open(self, clip):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def shape(self, frame):
        return Shape(np.roll(self.truth[frame], self.off, axis=1), 1.0, 1.0)

    def add(self, number, frame, **mark):
        assert (number, frame) == (1, 0)
        self.marks.append(mark)
        return self.shape(0)

    def propagate(self, start):
        for frame in range(start, len(self.truth)):
            yield Tracked(frame, {1: self.shape(frame)})


def row(start, *, moving=True):
    return Row(kind="scenes", start=start, moving=moving)


def test_who_knows_the_truth_has_all_points():
    for start in ("click", "box", "mask", "click and correction"):
        assert score(Knowing(TRUTH), CASE, row(start), 0) == 1.0
        assert score(Knowing(TRUTH), CASE, row(start, moving=False), 0) == 1.0


def test_who_is_off_loses_points():
    off = Knowing(TRUTH, off=4)  # of 20 pixels
    assert score(off, CASE, row("click", moving=False), 0) == pytest.approx(16 / 24)
    assert 0 < score(off, CASE, row("click"), 0) < 0.7
    assert score(Knowing(TRUTH, off=30), CASE, row("mask"), 0) == 0


def test_objects_are_marked_as_the_row_says():
    knowing = Knowing(TRUTH, off=4)
    for start in ("click", "box", "mask", "click and correction"):
        score(knowing, CASE, row(start, moving=False), 0)
    (click,), box, mask, first, then = (
        knowing.marks[0]["points"],
        *knowing.marks[1:],
    )
    assert TRUTH[0][int(click[1]), int(click[0])]
    assert box == {"box": (5, 10, 25, 25)}
    assert mask["mask"] is TRUTH[0] or (mask["mask"] == TRUTH[0]).all()
    assert then["points"][0] == first["points"][0]
    x, y = map(int, then["points"][1])
    assert then["labels"] == [1, int(TRUTH[0][y, x])]
    assert np.roll(TRUTH[0], 4, axis=1)[y, x] != TRUTH[0][y, x]


def test_a_given_mask_is_no_achievement():
    """The first frame, which was given, does not count; all that follows is missed."""
    lost = Knowing(TRUTH)
    lost.shape = lambda frame: Shape(TRUTH[0] & (frame == 0), 1.0, 1.0)
    assert score(lost, CASE, row("mask"), 0) == 0
    assert score(lost, CASE, row("click"), 0) == pytest.approx(0.25)


def test_generated_clips_are_always_the_same(stream):  # noqa: F811
    own = row("click")
    one, again = (list(drawn(stream, own, 2)) for _ in range(2))
    assert [name for name, _, _ in one] == ["0", "1"]
    for (_, clip, truth), (_, same, mask) in zip(one, again, strict=True):
        assert (clip.frame(3) == same.frame(3)).all()
        assert (truth == mask).all()
        assert truth.shape == (evaluation.FRAMES, evaluation.SIDE, evaluation.SIDE)


@pytest.fixture
def clips(tmp_path):
    folder = tmp_path / "clips"
    for part in ("frames", "masks"):
        (folder / "square" / part).mkdir(parents=True)
    for number, mask in enumerate(TRUTH):
        picture = np.where(mask[..., None], (220, 40, 40), (60, 90, 120)).astype(np.uint8)
        Image.fromarray(picture).save(folder / "square" / "frames" / f"{number}.jpg")
        Image.fromarray(mask.astype(np.uint8) * 255).save(
            folder / "square" / "masks" / f"{number}.png"
        )
    return folder


def test_real_clips_are_read(clips, tmp_path):
    ((name, clip, truth),) = real(clips)
    assert (name, len(clip)) == ("square", 4)
    assert clip.frame(0).shape == (40, 60, 3)
    assert (truth == TRUTH).all()
    (clips / "square" / "masks" / "3.png").unlink()
    with pytest.raises(MediaError, match="4 frames and 3 masks"):
        list(real(clips))
    with pytest.raises(MediaError, match="has no clips"):
        list(real(tmp_path))


def test_what_is_not_there_is_not_measured(stream):  # noqa: F811
    results = evaluate(Knowing(TRUTH), stream, 0, rows=ROWS[2:3] + ROWS[-2:], quiet=True)
    assert [result.why for result in results] == [
        "no photos were given",
        *["no folder of clips was given"] * 2,
    ]
