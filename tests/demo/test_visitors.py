"""Who is here: expiry, room for new ones, and what is left on the disk.

Faked: time, and the workspaces, which only have a folder.
"""

import stat
from types import SimpleNamespace

import pytest

from demo.visitors import RETURN, ClosedError, Visitors
from x2sam.errors import LimitError


class Room:
    def __init__(self, token, folder):
        self.token, self.folder, self.busy, self.interrupted = token, folder, False, 0
        (folder / "upload").write_bytes(b"private")

    def interrupt(self):
        self.interrupted += 1

    def moved(self, token):
        self.token = token

    def close(self):
        (self.folder / "upload").unlink()
        self.folder.rmdir()


@pytest.fixture
def clock():
    return SimpleNamespace(now=0.0)


@pytest.fixture
def visitors(clock):
    here = Visitors(Room, limit=2, idle_minutes=30, clock=lambda: clock.now)
    yield here
    here.close()
    assert not here.root.exists()


def test_nobody_else_may_read_what_visitors_bring(visitors):
    folder = visitors.find(visitors.enter()).folder
    assert stat.S_IMODE(visitors.root.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_token_says_nothing_about_the_folder(visitors):
    token = visitors.enter()
    assert len(token) >= 43
    assert token not in str(visitors.find(token).folder)


@pytest.mark.parametrize("token", ["", "guess", None, 3, ["x"]])
def test_an_unknown_token_is_a_sentence(visitors, token):
    with pytest.raises(ClosedError, match="not used for 30 minutes"):
        visitors.find(token)


def test_what_is_unused_goes_with_its_files(visitors, clock):
    early, late = visitors.enter(), visitors.enter()
    folder = visitors.find(early).folder
    clock.now = 29 * 60
    visitors.find(late)
    clock.now = 31 * 60
    visitors.sweep()
    assert not folder.exists()
    with pytest.raises(ClosedError):
        visitors.find(early)
    assert visitors.find(late).folder.exists()


def test_what_is_at_work_is_not_idle(visitors, clock):
    token = visitors.enter()
    visitors.find(token).busy = True
    clock.now = 1e6
    visitors.sweep()
    assert visitors.find(token)


def test_the_one_unused_for_longest_makes_room(visitors, clock):
    first, second = visitors.enter(), visitors.enter()
    clock.now = 1
    visitors.find(first)
    visitors.enter()
    assert len(visitors) == 2
    assert visitors.find(first)
    with pytest.raises(ClosedError):
        visitors.find(second)


def test_where_all_are_at_work_there_is_no_room(visitors):
    for _ in range(2):
        visitors.find(visitors.enter()).busy = True
    with pytest.raises(LimitError, match="Too many people"):
        visitors.enter()


def test_who_leaves_is_shut_out_at_once_and_gone_soon(visitors, clock):
    token = visitors.enter()
    room = visitors.find(token)
    visitors.leave(token)
    visitors.leave(token)  # twice is no error
    visitors.leave("nobody")
    assert room.interrupted
    with pytest.raises(ClosedError):
        visitors.find(token)
    clock.now = RETURN + 1
    visitors.sweep()
    assert not room.folder.exists()
    assert visitors.back(token) is None


def test_who_comes_back_in_time_gets_the_same_room_under_another_token(visitors, clock):
    token = visitors.enter()
    room = visitors.find(token)
    visitors.leave(token)
    clock.now = RETURN - 1
    visitors.sweep()
    fresh = visitors.back(token)
    assert fresh != token
    assert (visitors.find(fresh), room.token) == (room, fresh)
    clock.now = 10 * RETURN
    visitors.sweep()
    visitors.leave(token)  # a farewell that comes late
    assert visitors.find(fresh) is room
    with pytest.raises(ClosedError):
        visitors.find(token)
    assert visitors.back(token) is None


def test_who_is_away_makes_room_before_who_is_idle(visitors, clock):
    idle, away = visitors.enter(), visitors.enter()
    clock.now = 1
    visitors.leave(away)
    visitors.enter()
    assert visitors.find(idle)
    assert visitors.back(away) is None


@pytest.mark.parametrize("token", ["", "guess", None, 3, ["x"], {}])
def test_nobody_comes_back_by_guessing(visitors, token):
    visitors.leave(visitors.enter())
    assert visitors.back(token) is None
