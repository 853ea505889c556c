"""Limits: each check refuses one more than it allows, and says both numbers."""

import pytest

from x2sam.errors import LimitError
from x2sam.media.limits import Limits

SMALL = Limits(
    picture_bytes=1_000_000,
    picture_pixels=2_000_000,
    clip_bytes=3_000_000,
    clip_seconds=90,
    clip_frames=100,
    frame_pixels=1_000_000,
)


@pytest.mark.parametrize(
    ("check", "fits", "exceeds", "said"),
    [
        ("picture_bytes", (1_000_000,), (1_500_000,), ("1.5 MB", "1 MB")),
        ("picture_size", (2000, 1000), (2001, 1000), ("2001 × 1000 pixels", "2 megapixels")),
        ("clip_bytes", (3_000_000,), (4_000_000,), ("4 MB", "3 MB")),
        ("frame_size", (1000, 1000), (1000, 1001), ("1000 × 1001", "1 megapixels")),
        ("clip_length", (100, 90.0), (10, 600.0), ("10 minutes", "90 seconds")),
        ("clip_length", (100, 90.0), (101, 4.0), ("101 frames", "100 frames")),
    ],
)
def test_what_fits_passes_and_one_more_does_not(check, fits, exceeds, said):
    getattr(SMALL, f"check_{check}")("dog.png", *fits)
    with pytest.raises(LimitError, match=r"^dog\.png is too large") as error:
        getattr(SMALL, f"check_{check}")("dog.png", *exceeds)
    assert all(number in str(error.value) for number in said)


def test_the_sentence_names_every_limit():
    for said in ("1 MB", "2 megapixels", "3 MB", "90 seconds", "100 frames"):
        assert said in SMALL.sentence()
