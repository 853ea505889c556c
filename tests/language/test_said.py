"""Requests without their wrapping.

Covered: courtesies, orders, mentions of the medium, end marks, emoji, HTML and slips of the pen
are taken off, in English and Chinese; nouns that look like any of these stay. Nothing is faked.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x2sam.language.said import MAX_MATCHED, Said


@pytest.mark.parametrize(
    ("text", "core", "ordered"),
    [
        ("the dog", "the dog", False),
        ("  the \n dog ...", "the dog", False),
        ("Please, segment the dog.", "the dog", True),
        ("hey! could you kindly show me the dog, please?", "the dog", True),
        ("i would like to find the dog", "the dog", True),
        ("Where is the dog?", "the dog", True),
        ("where are we?", "where are we", False),
        ("where is the dog running?", "where is the dog running", False),
        ("a mask for the dog in this image", "the dog", True),
        ("put an outline around the dog", "the dog", True),
        ("point to the dog", "the dog", True),
        ("look for the dog in every frame", "the dog", True),
        ("Segment the dog in the image. Please output the segmentation mask.", "the dog", True),
        ("track in the snow", "track in the snow", False),
        ("label on the bottle", "label on the bottle", False),
        ("the track of the train", "the track of the train", False),
        ("the picture on the wall", "the picture on the wall", False),
        ("segment", "", True),
        ("the dog 🐶❤️", "the dog", False),
        ("🐶", "🐶", False),
        ("<i>the dog</i><br>", "the dog", False),
        ("ｔｈｅ　ｄｏｇ", "the dog", False),
        ("highlght the truck", "the truck", True),
        ("the plate", "the plate", False),
        ("please", "please", False),
        ("请标出这张图片里的狗", "狗", True),
        ("请帮我把狗抠出来，谢谢", "狗", True),
        ("能不能找到那只狗？", "那只狗", True),
        ("狗在哪里", "狗", True),
        ("我们在哪里", "我们在哪里", False),
        ("图中的狗", "狗", False),
        ("可以坐的地方", "可以坐的地方", False),
    ],
)
def test_what_is_left(text, core, ordered):
    said = Said.of(text)
    assert (said.core, said.ordered) == (core, ordered)


def test_questions_are_known_by_their_mark():
    assert Said.of("a dog? 🐶").question
    assert Said.of("一只狗？").question
    assert not Said.of("a dog!").question


def test_nothing_but_marks_is_nothing():
    assert Said.of("?!… ---").plain == Said.of("<p></p>").plain == ""


@given(st.text(max_size=80))
def test_unwrapping_never_adds_and_never_fails(text):
    said = Said.of(text)
    assert len(said.core) <= len(said.plain) <= len(said.whole) + 20  # a slip may be too short
    assert Said.of(text) == said


def test_long_texts_are_left_alone():
    text = "please find " * MAX_MATCHED
    assert Said.of(text).core == text.strip()
