"""The line in front of the device: order, fairness, and what an error leaves behind.

Nothing is faked; threads are real, and wait for each other by events, not by time.
"""

import threading
import time
from itertools import pairwise

import pytest

from x2sam.engine.device_queue import DeviceQueue


def wait_for(condition):
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.001)
    raise AssertionError("it never came to pass")


def test_first_come_first_served():
    line, served, threads = DeviceQueue(), [], []

    def stand(number):
        with line.turn():
            served.append(number)

    with line.turn():
        for number in range(5):
            threads.append(threading.Thread(target=stand, args=[number]))
            threads[-1].start()
            wait_for(lambda expected=number + 1: line.waiting == expected)
        assert served == []
    for thread in threads:
        thread.join(5)
    assert served == [0, 1, 2, 3, 4]
    assert line.waiting == 0


def test_two_who_come_again_and_again_take_turns():
    line, served = DeviceQueue(), []
    ready = threading.Barrier(2)

    def work(name):
        ready.wait(5)
        for _ in range(50):
            with line.turn():
                served.append(name)
                time.sleep(0.0005)  # long enough for the other one to stand in line

    threads = [threading.Thread(target=work, args=[name]) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    changes = sum(one != two for one, two in pairwise(served))
    assert changes > 80  # of 99


def test_an_error_lets_the_next_one_in():
    line = DeviceQueue()
    with pytest.raises(ZeroDivisionError), line.turn():
        raise ZeroDivisionError
    with line.turn():
        pass
