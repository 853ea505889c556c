"""A fair line in front of the device: who comes first is served first.

A lock of the standard library may be taken again and again by the same thread while others
wait. Here every step of every request stands in line anew, so two clips that are segmented at
once take turns frame by frame.

    >>> line = DeviceQueue()
    >>> with line.turn():
    ...     line.waiting
    0
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class DeviceQueue:
    """First come, first served; what is kept is one entry for each thread in line."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._line: deque[threading.Event] = deque()  # the first one is being served

    @property
    def waiting(self) -> int:
        """How many wait behind the one that is being served."""
        return max(0, len(self._line) - 1)

    @property
    def length(self) -> int:
        """How many are in line, the one that is being served included."""
        return len(self._line)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until it is your turn; the next one is called when the block is left."""
        called = threading.Event()
        with self._guard:
            self._line.append(called)
            self._call()
        try:
            called.wait()
            yield
        finally:  # also where the wait itself was interrupted
            with self._guard:
                self._line.remove(called)
                self._call()

    def _call(self) -> None:
        if self._line:
            self._line[0].set()
