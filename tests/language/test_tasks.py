"""The table of tasks and its wordings: complete, well-formed, and cleaned-up names."""

import pytest

from x2sam.language.tasks import (
    TASKS,
    Answer,
    Needs,
    category_name,
    dataset_category_name,
    is_sentence,
)
from x2sam.language.wordings import DESCRIBING, REFERRING, SEG_OPENINGS

WORDINGS = [
    pytest.param(task, wording, id=f"{name}-{kind}")
    for name, task in TASKS.items()
    for kind in ("wording", "sentence", "explained")
    if (wording := getattr(task, kind))
]


def test_there_are_the_nine_official_tasks():
    assert " ".join(TASKS) == "chat genseg ovseg refseg reaseg gcgseg intseg objseg vgdseg"


@pytest.mark.parametrize(("task", "wording"), WORDINGS)
@pytest.mark.parametrize("media", ["image", "video"])
def test_every_question_has_one_place_for_what_the_user_gave(task, wording, media):
    for question in wording.all_questions(media):
        assert question.count("{what}") == (0 if task.needs is Needs.NOTHING else 1)
        assert "{media}" not in question
    assert wording.question(media) in wording.all_questions(media)


@pytest.mark.parametrize(("task", "wording"), WORDINGS)
def test_every_answer_asks_for_masks_exactly_once_unless_it_is_talk(task, wording):
    expected = 0 if task.answer is Answer.TEXT else 1
    assert all(answer.count("<SEG>") == expected for answer in wording.answers)
    assert wording.answer in wording.answers


def test_the_number_of_wordings_is_the_official_one():
    numbers = {name: len(task.wording.questions) for name, task in TASKS.items()}
    assert numbers == {
        "chat": 1,
        "genseg": 6,
        "ovseg": 6,
        "refseg": 10,
        "reaseg": 5,
        "gcgseg": 6,
        "intseg": 6,
        "objseg": 6,
        "vgdseg": 6,
    }


def test_a_picture_stays_a_picture_where_training_left_it_so():
    pictures = [q for q in REFERRING.all_questions("video") if "picture" in q]
    assert len(pictures) == 2
    assert not any("image" in q for q in REFERRING.all_questions("video"))
    assert all("video" in q for q in DESCRIBING.all_questions("video"))


def test_the_openings_of_seg_are_those_of_all_answers():
    assert "" in SEG_OPENINGS
    assert "And the segmentation mask is " in SEG_OPENINGS
    assert "Sure, the segmentation result is " in SEG_OPENINGS


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("wall-other-merged", "wall"),
        ("Tennis-Racket", "tennis racket"),
        ("curtain", "curtain"),
        ("  sky ", "sky"),
        ("floor-wood", "floor wood"),
        ("-merged", ""),
    ],
)
def test_category_names_are_cleaned(raw, clean):
    assert category_name(raw) == clean


def test_category_names_of_data_sets_lose_remarks_too():
    assert dataset_category_name("bicycle_rack (empty).") == "bicycle rack"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("the lamp", False),
        ("whatever stands left", False),
        ("What could warm clothes", True),
        ("It warms clothes.", True),
        ("哪个可以坐？", True),
        ("", False),
    ],
)
def test_sentences_are_told_from_phrases(text, sentence):
    assert is_sentence(text) is sentence
