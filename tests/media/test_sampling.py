"""Frame choice, against indices recorded from the official code."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x2sam.media.sampling import middles, spans, strides, uniform, uniform_at

GOLDEN = Path(__file__).parents[1] / "golden" / "language" / "preprocess.json"
RECORDED = json.loads(GOLDEN.read_text())
NUMBER = r"(\d+(?:\.\d+)?|None)"


@pytest.mark.parametrize("name", RECORDED["sample_frames"])
def test_recorded_clips(name):
    count, frames, mode, stride = re.fullmatch(
        r"n(\d+)_len(\d+)_(span|stride)_s(\d+)", name
    ).groups()
    if mode == "span":
        clips = spans(int(frames), int(count))
    else:
        clips = strides(int(frames), int(count), int(stride))
    assert [index for clip in clips for index in clip] == RECORDED["sample_frames"][name]


@pytest.mark.parametrize("name", RECORDED["sample_frames_from_metadata"])
def test_recorded_choices(name):
    pattern = rf"len{NUMBER}_vfps{NUMBER}_n{NUMBER}_fps{NUMBER}"
    frames, rate, count, wanted = re.fullmatch(pattern, name).groups()
    if wanted == "None":
        chosen = uniform(int(frames), int(count))
    else:
        chosen = uniform_at(int(frames), float(rate), float(wanted))
    assert list(chosen) == RECORDED["sample_frames_from_metadata"][name]


@given(st.integers(1, 2000), st.integers(1, 100))
def test_uniform_keeps_order_and_both_ends(frames, count):
    chosen = uniform(frames, count)
    assert len(chosen) == min(frames, count)
    assert list(chosen) == sorted(set(chosen))
    assert chosen[0] == 0
    assert chosen[-1] == frames - 1 or count == 1


@given(st.integers(1, 500), st.integers(2, 20), st.integers(1, 4))
def test_strides_take_every_frame_at_most_once(frames, count, stride):
    clips = strides(frames, count, stride)
    seen = [index for clip in clips for index in clip]
    assert len(seen) == len(set(seen))
    assert frames - len(seen) <= stride, "only clips of one frame are left out"
    assert all(2 <= len(clip) <= count for clip in clips)


@given(st.integers(1, 500), st.integers(1, 20))
def test_spans_are_clips_of_the_asked_length(frames, count):
    for clip in spans(frames, count):
        assert 1 <= len(clip) <= count
        assert len(set(clip)) == len(clip)
        assert clip[-1] < frames


def test_a_slow_rate_still_looks_at_one_frame():
    assert uniform_at(10, 25.0, 0.5) == (0,)


@given(st.integers(1, 2000), st.integers(1, 100))
def test_middles_are_evenly_spread(frames, count):
    chosen = middles(frames, count)
    count = min(count, frames)
    gaps = [after - before for before, after in pairwise(chosen)]
    assert len(set(chosen)) == count
    assert max(gaps, default=0) - min(gaps, default=0) <= 1
    before, after = chosen[0], frames - 1 - chosen[-1]
    assert 0 <= after <= before + 1
    assert abs(before - frames / count / 2) <= 1
