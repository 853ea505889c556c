"""Questions and the chat template: the recorded conversations word for word, and bad input."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x2sam.errors import LimitError, PromptError
from x2sam.language.prompts import (
    MAX_CHARACTERS,
    Turn,
    chat,
    grounded,
    prompt,
    question,
    split_categories,
)
from x2sam.language.tasks import TASKS
from x2sam.language.tokens import RESERVED
from x2sam.language.wordings import REASONING_PHRASE, REGIONS

RECORDED = json.loads(
    (Path(__file__).parents[1] / "golden" / "language" / "conversations.json").read_text()
)
CLASSES = ("tree", "person", "sky", "dog", "wall")
KIDS = "What are the two kids playing on in this video?"
GIVEN = {
    "img_chat": {"text": "What is unusal about this image?"},
    "vid_chat": {"text": "Please describe this video in detail."},
    "img_genseg": {"categories": CLASSES},
    "vid_genseg": {"categories": CLASSES},
    "img_ovseg": {"categories": CLASSES},
    "img_refseg": {"text": "the man on the left"},
    "vid_refseg": {"text": "the jumping boy on the bed"},
    "img_reaseg": {"text": "What can be used to warm clothes?"},
    # This conversation was recorded with the wording for phrases around a sentence.
    "vid_reaseg": {"text": KIDS, "template": REASONING_PHRASE.question("video")},
    "img_gcgseg": {},
    "vid_gcgseg": {},
    "img_intseg": {"regions": 1},
    "vid_objseg": {"regions": 1},
    # Recorded with the line that is set apart here for a single object.
    "img_vgdseg": {"regions": 2, "template": REGIONS.question("image")},
    "vid_vgdseg": {"regions": 2, "template": REGIONS.question("video")},
}
LOUD = [token.upper() for token in RESERVED]
NAMES = [name for name in RECORDED if not name.startswith("train.")]


@pytest.mark.parametrize("name", NAMES)
def test_recorded_conversations_are_worded_exactly(name):
    kind = name.partition(".")[0]
    media = "image" if kind.startswith("img_") else "video"
    ((asked, answered),) = RECORDED[name]["turns"]
    assert prompt(question(kind[4:], media, **GIVEN[kind]), media) == asked
    if name.endswith(".tensor") and "gcg" not in kind:
        assert TASKS[kind[4:]].wording.answer + "<|im_end|>" == answered


def test_every_recorded_task_is_checked():
    assert {name.partition(".")[0] for name in NAMES} == set(GIVEN)


@pytest.mark.parametrize(
    "kind", ["refseg_2sent", "genseg_b2", "gcgseg", "vid_refseg", "vid_genseg"]
)
def test_questions_drawn_in_training_are_in_the_lists(kind):
    for name, sample in RECORDED.items():
        if not name.startswith("train.") or kind not in name:
            continue
        task = TASKS[next(task for task in TASKS if f"_{task}" in name)]
        for asked, answered in sample["turns"]:
            lines = task.wording.all_questions("image" if "img_" in name else "video")
            bodies = [line.split("{what}")[-1] for line in lines]
            assert any(body in asked for body in bodies)
            assert any(answered.endswith(a + "<|im_end|>") for a in task.wording.answers)


def test_a_captioned_answer_is_made_as_in_training():
    caption = "The man is on the red car."
    spans = [(caption.index(part), caption.index(part) + len(part)) for part in ("the red car",)]
    answer = grounded(caption, [(0, 7), *spans], "And the segmentation mask is <SEG>.")
    assert answer + "<|im_end|>" == RECORDED["img_gcgseg.tensor"]["turns"][0][1]


def test_reasoning_is_worded_by_what_was_asked():
    assert question("reaseg", "image", text="the warmest thing").startswith(
        "Can you segment <p>the warmest thing</p> in"
    )
    assert question("reaseg", "video", text="Why?") == (
        "<p>Why?</p> Please output the corresponding segmentation mask."
    )
    assert "explain why" in question("reaseg", "image", text="the iron", explain=True)


def test_case_is_kept_where_training_kept_it():
    assert "<p>red car</p>" in question("refseg", "image", text="Red  Car\n")
    assert "<p>The NASA logo</p>" in question("reaseg", "image", text="The NASA logo")
    assert question("chat", "image", text=" Two\nlines ") == "Two\nlines"


@pytest.mark.parametrize(
    ("task", "given", "message"),
    [
        ("chat", {"text": " \n"}, "needs some words"),
        ("refseg", {}, "needs some words"),
        ("reaseg", {"text": "\t"}, "needs some words"),
        ("genseg", {}, "list one category"),
        ("ovseg", {"categories": ["sky", "-other"]}, "leave none empty"),
        ("vgdseg", {}, "draw on the picture"),
        ("intseg", {"regions": 2}, "one region at a time, not 2"),
    ],
)
def test_what_is_missing_is_said(task, given, message):
    with pytest.raises(PromptError, match=message):
        question(task, "image", **given)


def test_too_long_a_text_is_refused_with_both_numbers():
    with pytest.raises(LimitError, match="10,000 characters; at most 8,000"):
        question("chat", "image", text="a" * 10_000)
    assert len(question("chat", "image", text="a" * MAX_CHARACTERS)) == MAX_CHARACTERS


@given(
    st.lists(
        st.sampled_from([*RESERVED, *LOUD, "<", "p>", "-other", "{what}", "{media}", "x", ","])
    ).map("".join)
)
def test_a_persons_words_never_add_a_token(words):
    text = "x" + words
    assert not any(token in question("chat", "image", text=text) for token in RESERVED)
    for task in ("refseg", "reaseg"):
        asked = question(task, "video", text=text)
        assert (asked.count("<p>"), asked.count("</p>"), asked.count("<SEG>")) == (1, 1, 0)
    asked = question("genseg", "image", categories=[text, "y"])
    assert asked.count("<p>") == asked.count("</p>") == 2


@pytest.mark.parametrize("name", ["<-other|im_end|>", "<|IM_END|>", "<P>", "<p-merged>"])
def test_no_token_comes_out_of_the_cleaning(name):
    for asked in (
        question("genseg", "image", categories=[name]),
        question("refseg", "image", text=name),
    ):
        assert "<|im_end|>" not in asked
        assert asked.count("<p>") == 1


def test_categories_are_split_and_each_is_named_once():
    assert split_categories("tree; Traffic-Light\n traffic light,, 天空、云") == (
        "tree",
        "Traffic-Light",
        "天空",
        "云",
    )
    assert split_categories(" ,; ") == ()


def test_the_picture_belongs_to_the_first_turn_only():
    turns = [Turn("One?", "1."), Turn("Two?")]
    text = chat(turns, "video")
    assert text.count("<video>") == 1
    assert text.index("<video>") < text.index("One?")
    assert text.startswith(chat(turns[:1], "video")), "a conversation only grows"


def test_an_answer_can_only_be_missing_at_the_end():
    with pytest.raises(AssertionError):
        chat([Turn("One?"), Turn("Two?")])
