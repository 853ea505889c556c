"""Going back to before a turn, beginning anew, and what is told to those who stand in line.

The predictor is an actor that knows coloured squares (`acting`); threads and files are real.
"""

import threading
from dataclasses import replace

import pytest

from tests.engine.acting import SURE, clip, of, stage
from x2sam.engine.engine import Work
from x2sam.engine.replay import replay
from x2sam.engine.running import Exchange, noted
from x2sam.errors import PromptError
from x2sam.types import Done, MaskReady, Routed, Waiting

SCENE = clip(6, red=(2, 2), blue=(4, 20), green=(18, 10))


@pytest.fixture
def talked():
    """Three turns, and a name given between the first and the second."""
    engine, actor = stage()
    actor.answers["to its right"] = SURE
    session = engine.open(SCENE)
    list(session.ask("the red square"))
    session.rename(1, "Fred")
    list(session.ask("the blue square"))
    list(session.ask("the green square"))
    return session, actor


def names(session):
    return [each.name for each in session.objects]


def test_the_list_is_as_it_was_before_the_turn(talked):
    session, _ = talked
    session.hide(1)
    session.rewind(2)
    assert [turn.text for turn in session.turns] == ["the red square"]
    assert names(session) == ["Fred"]
    assert session.objects[0].shown
    assert session.undo()
    assert names(session) == ["Fred", "the blue square", "the green square"]
    assert session.redo()
    assert names(session) == ["Fred"]


def test_the_conversation_goes_on_from_there(talked):
    session, actor = talked
    session.rewind(2)
    list(session.ask("the one to its right"))
    said = [turn.question for turn in actor.asked[-1]]
    assert len(said) == 2
    assert "red" in said[0]
    assert [turn.turn for turn in session.turns] == [1, 4]  # no number is used twice
    list(session.ask("the blue square"))
    assert session.objects[-1].id == 4


def test_back_to_the_beginning(talked):
    session, _ = talked
    session.rewind(1)
    assert (session.turns, names(session)) == ((), [])


def test_there_must_be_such_a_turn(talked):
    session, _ = talked
    for turn in (0, 4, -1):
        with pytest.raises(PromptError, match=r"no turn .*\.$"):
            session.rewind(turn)
    session.rewind(2)
    with pytest.raises(PromptError, match="no turn 2"):
        session.rewind(2)


def test_a_new_conversation_keeps_what_was_seen_of_the_frames(talked):
    session, actor = talked
    before = len(actor.log)
    session.forget()
    assert (session.turns, names(session)) == ((), [])
    list(session.ask("the red square"))
    kinds = [kind for kind, _ in actor.log[before:]]
    assert "features" not in kinds
    assert "look" in kinds
    assert len(actor.asked[-1]) == 1
    assert session.undo()
    assert session.undo()
    assert names(session) == ["Fred", "the blue square", "the green square"]


def test_a_turn_that_has_not_ended_is_dropped_too(talked):
    session, _ = talked
    running = session.ask("the red box")
    while not isinstance(next(running), MaskReady):
        pass
    session.rewind(3)
    assert of(Done, running)[0].stopped
    assert [turn.turn for turn in session.turns] == [1, 2]
    assert names(session) == ["Fred", "the blue square"]
    running = session.ask("the green square")
    next(running)
    session.forget()
    running.close()
    assert session.turns == ()


def test_saving_after_a_rewind(talked, tmp_path):
    session, _ = talked
    session.rewind(2)
    file = session.save(tmp_path / "session.json")
    again = replay(stage()[0], file, SCENE)
    assert [turn.to_json() for turn in again.turns] == [turn.to_json() for turn in session.turns]
    assert [each.to_json() for each in again.objects] == [
        each.to_json() for each in session.objects
    ]
    list(again.ask("the blue square"))
    with pytest.raises(PromptError, match=r"not known any more.*\.$"):
        again.rewind(1)  # what the list was is not in the file
    again.rewind(2)
    assert names(again) == ["Fred"]


def test_objects_that_came_back_are_not_taken_for_those_of_a_new_turn(talked, tmp_path):
    session, _ = talked
    session.rewind(2)
    session.undo()
    again = replay(stage()[0], session.save(tmp_path / "session.json"), SCENE)
    list(again.ask("the red square"))
    assert again.turns[-1].turn == 4


def test_lists_of_long_ago_are_let_go(talked):
    session, _ = talked
    turns, one = (), session.turns[0]
    for number in range(130):
        turns = noted(turns, replace(one, turn=number))
    assert len(turns) == 130
    assert sum(turn.before is not None for turn in turns) == 101
    assert turns[0].before is None
    assert isinstance(turns[0], Exchange)


# Standing in line


def test_who_has_to_wait_is_told_how_many_are_before():
    engine, _ = stage()
    session = engine.open(SCENE)
    held, others = threading.Event(), []

    def stand():
        with engine.step():
            held.wait(10)

    for _ in range(3):
        others.append(threading.Thread(target=stand))
        others[-1].start()
    while engine.ahead < 3:
        pass
    events = session.ask("the red square")
    assert isinstance(next(events), Routed)
    assert next(events) == Waiting(3)
    held.set()
    rest = list(events)
    for other in others:
        other.join(10)
    assert isinstance(rest[-1], Done)
    assert not of(Waiting, rest)
    assert engine.ahead == 0


def test_who_is_alone_is_told_nothing():
    engine, _ = stage()
    assert not of(Waiting, engine.open(SCENE).ask("the red square"))


def test_a_line_is_news_only_where_it_is_longer_than_before(monkeypatch):
    engine, _ = stage()
    lengths = iter([0, 1, 1, 0, 1, 2, 1, 2, 3])
    monkeypatch.setattr(type(engine), "ahead", property(lambda _: next(lengths)))
    work = Work(engine)
    told = [work.waiting() for _ in range(9)]
    assert [each.ahead for each in told if each] == [1, 2, 3]
    work.stop()
    assert work.waiting() is None
