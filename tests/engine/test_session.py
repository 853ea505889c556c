"""What a session does with requests, marks and its list, event by event.

The predictor is an actor (`acting`) that knows coloured squares; router, masks, list and
events are real. `test_session_network` does the same with a network.
"""

import numpy as np
import pytest

from tests.engine.acting import SURE, clip, colour_in, of, picture, square, stage
from x2sam.engine.options import Options
from x2sam.errors import LimitError, PromptError
from x2sam.types import (
    Command,
    Done,
    Drawing,
    How,
    MaskReady,
    NotFound,
    Phrase,
    Progress,
    Route,
    Routed,
    TextDelta,
    Warning,  # noqa: A004
)

THREE = {"red": (2, 2), "green": (20, 4), "blue": (10, 20)}


@pytest.fixture
def actor_and_session():
    engine, actor = stage()
    with engine.open(picture(**THREE)) as session:
        yield actor, session


def names(session):
    return [each.name for each in session.objects]


# Words


def test_words_find_a_thing(actor_and_session):
    _, session = actor_and_session
    events = list(session.ask("the red square"))
    assert [type(event) for event in events] == [Routed, Progress, MaskReady, Done]
    assert isinstance(events[0].route, Route)
    assert (events[2].object, events[2].frame, events[2].how) == (1, 0, How.SEEN)
    assert (session.objects["the red square"].masks[0] == square(2, 2)).all()
    assert session.objects[0].score == pytest.approx(0.9)
    assert events[-1].objects == (1,)


def test_an_answer_without_a_mask_is_not_found(actor_and_session):
    _, session = actor_and_session
    events = list(session.ask("the purple square"))
    assert [event.what for event in of(NotFound, events)] == ["the purple square"]
    assert "".join(event.text for event in of(TextDelta, events)) == "There is none here."
    assert events[-1].text == "There is none here."
    assert names(session) == []


def test_what_is_unlikely_is_not_found_and_says_how_near_it_came(actor_and_session):
    actor, session = actor_and_session
    actor.answers["purple"] = SURE
    (missing,) = of(NotFound, session.ask("the purple square"))
    assert missing.candidates == (("the purple square", pytest.approx(0.05)),)
    assert names(session) == []


def test_an_answer_about_other_things_finds_nothing_of_these(actor_and_session):
    actor, session = actor_and_session
    actor.answers["red"] = "<p>a green one</p> and <p>a blue one</p>. <SEG>."
    assert of(NotFound, session.ask("the red square"))
    assert names(session) == []


def test_categories_find_every_one_and_say_what_is_missing():
    engine, _ = stage()
    session = engine.open(picture(red=[(2, 2), (20, 20)], blue=(2, 20)))
    events = list(session.ask("red box, blue box, green box"))
    assert sorted(names(session)) == ["blue box", "red box", "red box 2"]
    assert [event.what for event in of(NotFound, events)] == ["green box"]
    masks = [each.masks[0] for each in session.objects]
    assert np.sum(masks) == 3 * 64


def test_a_description_ties_words_to_objects(actor_and_session):
    actor, session = actor_and_session
    actor.answers["escri"] = "<p>A red box</p> is left of <p>a green box</p> . And <SEG>."
    events = list(session.ask("describe this with masks"))
    text = events[-1].text
    assert text == "A red box is left of a green box."
    phrases = of(Phrase, events)
    assert [text[phrase.start : phrase.end] for phrase in phrases] == ["A red box", "a green box"]
    assert [phrase.objects for phrase in phrases] == [(1,), (2,)]
    assert (session.objects["a green box"].masks[0] == square(20, 4)).all()


def test_a_description_that_points_at_nothing_says_so(actor_and_session):
    actor, session = actor_and_session
    actor.answers["escri"] = "There are squares."
    events = list(session.ask("describe this with masks"))
    assert of(Warning, events)
    assert events[-1].text == "There are squares."


def test_talk_leaves_the_list_alone(actor_and_session):
    _, session = actor_and_session
    events = list(session.ask("what is in this picture?"))
    assert events[-1].text == "Squares, I think."
    assert names(session) == []


def test_the_same_thing_by_other_words_is_one_object(actor_and_session):
    _, session = actor_and_session
    list(session.ask("the red square"))
    events = list(session.ask("the red box"))
    assert names(session) == ["the red square"]
    assert events[-1].objects == (1,)
    assert session.objects["the red box"].id == 1
    assert session.objects[0].mentioned == 2


def test_a_task_may_be_chosen(actor_and_session):
    actor, session = actor_and_session
    list(session.ask("red box", task="chat"))
    assert actor.log[-1] == ("ask", "red box")
    with pytest.raises(PromptError):
        list(session.ask("red box", task="fly"))


def test_a_follow_up_is_read_after_the_earlier_turns(actor_and_session):
    actor, session = actor_and_session
    list(session.ask("the red square"))
    actor.answers["the one to its right"] = SURE
    list(session.ask("the one to its right"))
    first, second = actor.asked[-1]
    assert first.answer == SURE
    assert "the red square" in first.question
    assert "the one to its right" in second.question
    list(session.ask("the blue square"))
    assert len(actor.asked[-1]) == 1  # stands by itself


def test_a_follow_up_shows_the_picture_once(actor_and_session):
    actor, session = actor_and_session
    for words in ("the red square", "the one to its right", "what is it?", "the blue square"):
        list(session.ask(words))
    assert [what for what, _ in actor.log].count("look") == 1
    assert [what for what, _ in actor.log].count("features") == 1


# Orders about the list


def test_orders_need_no_model(actor_and_session):
    actor, session = actor_and_session
    list(session.ask("red box, green box, blue box"))
    calls = len(actor.log)
    events = list(session.ask("rename the second one to Fred"))
    assert isinstance(events[0].route, Command)
    list(session.ask("hide the first one"))
    list(session.ask("delete the blue box"))
    assert len(actor.log) == calls
    assert names(session) == ["red box", "Fred"]
    assert [each.shown for each in session.objects] == [False, True]
    list(session.ask("undo"))
    assert names(session) == ["red box", "Fred", "blue box"]
    list(session.ask("redo"))
    assert names(session) == ["red box", "Fred"]
    list(session.ask("merge them all"))
    assert len(session.objects) == 1
    assert session.objects[0].masks.area(0) == 128


def test_not_this_takes_it_off_the_list(actor_and_session):
    _, session = actor_and_session
    list(session.ask("the red square"))
    list(session.ask("not this"))
    assert names(session) == []


def test_every_method_can_be_undone(actor_and_session):
    _, session = actor_and_session
    list(session.ask("red box, green box"))
    for change in (
        lambda: session.rename("red box", "Fred"),
        lambda: session.delete(1),
        lambda: session.merge(1, "green box"),
        lambda: session.hide(1, 2),
        lambda: session.only(2),
    ):
        before = [each.to_json() for each in session.objects]
        change()
        after = [each.to_json() for each in session.objects]
        assert after != before
        assert session.undo()
        assert [each.to_json() for each in session.objects] == before
        assert session.redo()
        assert [each.to_json() for each in session.objects] == after
        assert session.undo()
    session.rename(1, "green box")
    assert names(session) == ["green box 2", "green box"]  # a name is of one object


# Marks


def test_a_click_makes_an_object(actor_and_session):
    _, session = actor_and_session
    events = list(session.prompt(points=[(13, 23)]))
    assert (session.objects[0].masks[0] == square(10, 20)).all()
    assert names(session) == ["object"]
    assert of(MaskReady, events)[0].how is How.SEEN
    list(session.prompt(box=(19, 3, 29, 13)))
    assert names(session) == ["object", "object 2"]
    assert (session.objects[1].masks[0] == square(20, 4)).all()


def test_a_click_with_a_name(actor_and_session):
    _, session = actor_and_session
    list(session.ask("my little box", [Drawing.point(13, 23)]))
    assert names(session) == ["my little box"]


def test_two_groups_of_marks_are_two_objects(actor_and_session):
    _, session = actor_and_session
    marks = [Drawing.point(13, 23, object=-1), Drawing.point(5, 5, object=-2)]
    events = list(session.ask("", marks))
    assert len(session.objects) == 2
    assert events[-1].objects == (1, 2)
    session.undo()
    assert len(session.objects) == 0  # one turn, one change


def test_every_click_is_right_even_against_the_model(actor_and_session):
    _, session = actor_and_session
    list(session.ask("the red square"))
    list(session.prompt(points=[(9, 9), (3, 3), (14, 5)], labels=[1, 0, 1], object=1))
    mask = session.objects[0].masks[0]
    assert mask[9, 9]
    assert mask[5, 14]
    assert not mask[3, 3]
    assert session.objects[0].is_corrected(0)
    assert len(session.objects) == 1
    session.undo()
    assert (session.objects[0].masks[0] == square(2, 2)).all()


def test_where_the_model_sees_nothing_the_mark_itself_counts(actor_and_session):
    _, session = actor_and_session
    events = list(session.prompt(box=(0, 28, 4, 32)))
    assert of(Warning, events)
    assert session.objects[0].masks.box(0) == (0, 28, 4, 32)
    assert session.objects[0].is_corrected(0)


def test_a_drawn_mask_is_kept_as_drawn(actor_and_session):
    actor, session = actor_and_session
    drawn = square(3, 3)
    list(session.prompt(mask=drawn))
    assert (session.objects[0].masks[0] == drawn).all()
    assert not actor.log  # nobody else needs to be asked


def test_all_like_this():
    engine, _ = stage()
    session = engine.open(picture(red=[(2, 2), (20, 20)], blue=(2, 20)))
    list(session.ask("all like this", [Drawing.point(5, 5)]))
    assert [each.masks.area(0) for each in session.objects] == [64, 64]
    assert session.objects.by_id(2).name.endswith("2")


def test_a_negative_mark_corrects_what_words_find():
    engine, _ = stage()
    session = engine.open(picture(red=[(2, 2), (20, 20)]))
    list(session.ask("red box, blue box", [Drawing.point(21, 21, positive=False)]))
    assert [each.masks.box(0) for each in session.objects] == [(2, 2, 10, 10)]


def test_a_question_about_a_spot_is_asked_about_that_spot(actor_and_session):
    actor, session = actor_and_session
    list(session.ask("what colour is this?", [Drawing.point(5, 5)]))
    assert [what for what, _ in actor.log].count("look") == 1
    assert names(session) == []


# Mistakes cost nothing


BAD = [
    {"text": ""},
    {"text": " \n"},
    {"text": "x" * 10_001},
    {"text": "delete the horse"},
    {"text": "", "drawings": [Drawing.point(400, 2)]},
    {"text": "", "drawings": [Drawing.point(4, 2, frame=9)]},
    {"text": "", "drawings": [Drawing.point(4, 2, positive=False)]},
    {"text": "the box", "task": "nothing"},
    {"text": "", "drawings": [Drawing(kind="mask", mask=np.ones((3, 3), bool))]},
    {"text": "the box", "task": "intseg"},
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad['text'][:20]!r}")
def test_a_mistake_is_a_sentence_and_costs_nothing(actor_and_session, bad):
    _, session = actor_and_session
    list(session.ask("the red square"))
    before = [each.to_json() for each in session.objects]
    with pytest.raises((PromptError, LimitError), match=r"\.$"):
        list(session.ask(**bad))
    assert [each.to_json() for each in session.objects] == before
    list(session.ask("the blue square"))
    assert names(session) == ["the red square", "the blue square"]


@pytest.mark.parametrize(
    "text",
    ["给我红色的 the red 🟥", "<b>the red</b> box", "<p>the red</p> <SEG>", "the red \udc80 box"],
)
def test_strange_words_are_only_words(actor_and_session, text):
    actor, session = actor_and_session
    list(session.ask(text, task="refseg"))
    assert colour_in(actor.asked[-1][-1].question) == "red"
    assert len(session.objects) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda s: s.prompt(points=[(1, 2)], labels=[1, 0]),
        lambda s: s.prompt(points=[(1, 2)], object="the horse"),
        lambda s: s.prompt(points=[(1, 2)], frame=-1),
        lambda s: s.prompt(),
        lambda s: s.prompt(box=(5, 5, 5, 9)),
        lambda s: iter(s.rename(1, " ")),
        lambda s: iter(s.merge(1)),
        lambda s: iter(s.delete(8)),
        lambda s: iter(s.export("nowhere", ["gif"])),
    ],
)
def test_wrong_calls_are_sentences(actor_and_session, call):
    _, session = actor_and_session
    list(session.ask("the red square"))
    with pytest.raises(PromptError, match=r"\.$"):
        list(call(session))
    assert names(session) == ["the red square"]


def test_nothing_to_undo(actor_and_session):
    _, session = actor_and_session
    assert not session.undo()
    with pytest.raises(PromptError, match="nothing to undo"):
        list(session.ask("undo"))


def test_impossible_options_are_refused():
    for wrong in ({"frames": 0}, {"stride": 0}, {"absent": -1.0}, {"words": 0}):
        with pytest.raises(PromptError, match="at least"):
            Options(**wrong)
    with pytest.raises(PromptError, match="uniform or sparse_dense"):
        Options(policy="dense")
    with pytest.raises(PromptError, match="at least 8"):
        Options(frames=4, policy="sparse_dense")
    assert Options().policy == "uniform"


# What is taken away


def test_export_holds_what_is_shown(actor_and_session, tmp_path):
    _, session = actor_and_session
    list(session.ask("red box, green box"))
    session.hide("red box")
    files = session.export(tmp_path, ["masks", "coco", "chat"])
    masks = [file.name for file in files if file.suffix == ".png"]
    assert masks == ["2-green-box.png"]
    assert "red box, green box" in (tmp_path / "chat.md").read_text()


def test_turns_are_kept(actor_and_session):
    _, session = actor_and_session
    (done,) = of(Done, session.ask("the red square"))
    (turn,) = session.turns
    assert (turn.turn, turn.text, turn.objects) == (done.turn, "the red square", done.objects)
    assert clip(2).shape == (2, 32, 32, 3)
