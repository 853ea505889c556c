"""Who is here: one workspace for each token, for as long as it is used.

A token is all that a page needs to get at its workspace, and nobody can guess one. Workspaces
are bounded in number, and one that is not used for a while is closed, with everything in its
folder: a sweeper looks every few seconds. All folders lie in one root, which nobody else may read
and which is removed when the server ends.

A page that goes away may be one that is being loaded again. Its workspace is shut at once, and
closed soon after, unless the page comes back with its token: then it gets a new one for the same.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex, token_urlsafe

from demo.workspace import Workspace
from x2sam.errors import LimitError, X2SAMError

SWEEP = 5.0  # seconds between two looks for what is no longer used
RETURN = 60.0  # seconds that a page which went away may take to come back


class ClosedError(X2SAMError):
    """The workspace is gone, and what was in it."""


@dataclass(slots=True)
class Visitor:
    """A workspace, and when it was last asked for."""

    workspace: Workspace
    seen: float
    away: bool = False  # the page went away, and may come back


class Visitors:
    """All open workspaces by token; may be used from any thread."""

    def __init__(
        self,
        make: Callable[[str, Path], Workspace],
        *,
        limit: int,
        idle_minutes: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="x2sam-"))
        self._make = make
        self._limit = limit
        self._idle = idle_minutes
        self._clock = clock
        self._here: dict[str, Visitor] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        threading.Thread(target=self._sweep_on, name="sweeper", daemon=True).start()

    def __len__(self) -> int:
        return len(self._here)

    def enter(self) -> str:
        """Open a workspace, and return its token; the one unused for longest makes room.

        Raises `LimitError` where all are at work.
        """
        token = token_urlsafe(32)
        folder = self.root / token_hex(8)
        with self._lock:
            leaving = self._to_leave()
            folder.mkdir(mode=0o700)
            self._here[token] = Visitor(self._make(token, folder), self._clock())
        if leaving is not None:
            leaving.close()
        return token

    def back(self, token: object) -> str | None:
        """Give a page that was loaded again its workspace, under a new token; None if it is gone.

        Whatever still comes for the old token, as a late farewell, finds nobody.
        """
        with self._lock:
            visitor = self._here.pop(token, None) if isinstance(token, str) else None
            if visitor is None:
                return None
            fresh = token_urlsafe(32)
            self._here[fresh] = Visitor(visitor.workspace, self._clock())
        visitor.workspace.moved(fresh)
        return fresh

    def find(self, token: object) -> Workspace:
        """Return the workspace of a token, which counts as use; `ClosedError` if there is none."""
        with self._lock:
            visitor = self._here.get(token) if isinstance(token, str) else None
            if visitor is None or visitor.away:
                raise ClosedError(
                    f"This conversation was closed: it was not used for {self._idle:g} minutes, "
                    "or others needed the room. Open the picture or clip again."
                )
            visitor.seen = self._clock()
            return visitor.workspace

    def leave(self, token: str) -> None:
        """Shut a workspace, as its page goes away; nobody gets at it until the page is back."""
        with self._lock:
            visitor = self._here.get(token)
            if visitor is None:
                return
            visitor.away, visitor.seen = True, self._clock()
        visitor.workspace.interrupt()

    def _close(self, token: str) -> None:
        """Close a workspace; one that is gone already stays so."""
        with self._lock:
            visitor = self._here.pop(token, None)
        if visitor is not None:
            visitor.workspace.close()

    def sweep(self) -> None:
        """Close what has not been used for too long, and is not at work."""
        now = self._clock()
        with self._lock:
            gone = [
                token
                for token, visitor in self._here.items()
                if now - visitor.seen > (RETURN if visitor.away else 60 * self._idle)
                and not visitor.workspace.busy
            ]
        for token in gone:
            self._close(token)

    def close(self) -> None:
        """Close all workspaces, and remove every folder."""
        self._over.set()
        for token in list(self._here):
            self._close(token)
        shutil.rmtree(self.root, ignore_errors=True)

    def _to_leave(self) -> Workspace | None:
        """Take out whoever has to make room."""
        if len(self._here) < self._limit:
            return None
        idle = [token for token, visitor in self._here.items() if not visitor.workspace.busy]
        if not idle:
            raise LimitError("Too many people are here at once. Try again in a few minutes.")

        def worth(token: str) -> tuple[bool, float]:
            return not self._here[token].away, self._here[token].seen

        return self._here.pop(min(idle, key=worth)).workspace

    def _sweep_on(self) -> None:
        while not self._over.wait(SWEEP):
            self.sweep()
