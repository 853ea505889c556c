"""A recorded step writes what the layers write; conversations may take turns in its room.

The weights are the recorded network's. There is no GPU: what would be recorded is computed each
time, with the same fixed room, mask and copies; only `CUDAGraph` itself is left out. What a GPU
must not be asked during a recording, to wait for it or to look at a number, is looked for in
`test_waiting.py`.
"""

import pytest
import torch
from recording import network

from x2sam.model.recorded import Recorded

NEVER = frozenset({-1})


@pytest.fixture
def language(monkeypatch):
    language = network().language
    monkeypatch.setattr(language, "_recorded", None)
    monkeypatch.setattr(language, "_recordable", lambda: False)
    return language


def record(language, monkeypatch):
    made = []

    def counted(recorded):
        made.append(recorded.room)

    monkeypatch.setattr(language, "_recordable", lambda: True)
    monkeypatch.setattr(Recorded, "record", counted)
    return made


@torch.inference_mode()
def prompt(language, length, seed):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, 340, (1, length), generator=generator)
    cache = language.new_cache()
    return language.run(language.embed(ids)[0], cache=cache), cache


def writing(language, length=6, seed=0, limit=8):
    states, cache = prompt(language, length, seed)
    return cache, language.generate(states[:, -1:], cache, stop=NEVER, limit=limit)


@torch.inference_mode()
def written(language, *conversations):
    """All tokens and states of conversations that take turns, token by token."""
    begun = [writing(language, *conversation) for conversation in conversations]
    rounds = list(zip(*(each for _, each in begun), strict=True))
    return [list(each) for each in zip(*rounds, strict=True)], [cache for cache, _ in begun]


def same(one, other):
    for (token, state), (expected, wanted) in zip(one, other, strict=True):
        assert token == expected
        assert (state is None) == (wanted is None)
        if state is not None:
            torch.testing.assert_close(state, wanted, atol=1e-5, rtol=0)


def test_it_writes_what_the_layers_write(language, monkeypatch):
    (plain,), (cache,) = written(language, (6, 0))
    made = record(language, monkeypatch)
    (ours,), (again,) = written(language, (6, 0))
    assert made == [2048]
    same(ours, plain)
    assert again.length == cache.length == 6 + 7
    for one, other in zip(again.layers, cache.layers, strict=True):
        held = [each[..., : cache.length, :] for each in (one, other)]
        torch.testing.assert_close(*held, atol=1e-5, rtol=0)


def test_conversations_take_turns_in_one_room(language, monkeypatch):
    conversations = (6, 0), (11, 1)
    plain, _ = written(language, *conversations)
    record(language, monkeypatch)
    ours, _ = written(language, *conversations)
    for one, other in zip(ours, plain, strict=True):
        same(one, other)


def test_more_room_is_made_in_the_middle_of_an_answer(language, monkeypatch):
    monkeypatch.setattr("x2sam.model.language_model.SIZE", 8)
    (plain,), _ = written(language, (6, 0))
    made = record(language, monkeypatch)
    (ours,), _ = written(language, (6, 0))
    assert made == [8, 16]
    same(ours, plain)


def test_what_cannot_be_recorded_is_written_plainly(language, monkeypatch, caplog):
    (plain,), _ = written(language, (6, 0))
    record(language, monkeypatch)

    def refuse(_):
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(Recorded, "record", refuse)
    monkeypatch.setattr(language, "_unrecordable", False)
    for _ in range(2):
        (ours,), _ = written(language, (6, 0))
        same(ours, plain)
    assert len(caplog.messages) == 1  # it is tried once


@pytest.mark.parametrize("where", ["__init__", "record"])
def test_an_answer_for_which_memory_was_short_is_written_plainly(language, monkeypatch, where):
    (plain,), _ = written(language, (6, 0))
    made, tried = record(language, monkeypatch), []

    def full(*_):
        tried.append(where)
        raise torch.OutOfMemoryError("CUDA out of memory")

    with monkeypatch.context() as short:
        short.setattr(Recorded, where, full)
        (ours,), _ = written(language, (6, 0))
    same(ours, plain)
    assert len(tried) == 1
    assert made == []
    (ours,), _ = written(language, (6, 0))  # there is memory again
    same(ours, plain)
    assert made == [2048]


def test_a_short_answer_gives_up_the_room_of_a_long_one(language, monkeypatch):
    monkeypatch.setattr("x2sam.model.language_model.SIZE", 8)
    made = record(language, monkeypatch)
    for length in (26, 12, 6, 12):  # with their words 40, 24, 16 and 24
        written(language, (length, 0))
    assert made == [32, 40, 8, 16, 24]


def test_answers_that_take_turns_do_not_take_each_others_room_at_every_word(language, monkeypatch):
    monkeypatch.setattr("x2sam.model.language_model.SIZE", 8)
    conversations = (33, 1), (6, 0)
    plain, _ = written(language, *conversations)
    made = record(language, monkeypatch)
    ours, _ = written(language, *conversations)
    assert made == [40, 8, 40]  # the short one begins, and has to share after all
    for one, other in zip(ours, plain, strict=True):
        same(one, other)


def test_a_recording_does_not_outlive_a_move(language, monkeypatch):
    record(language, monkeypatch)
    written(language, (6, 0))
    assert language._recorded is not None
    language.float()
    assert language._recorded is None
