"""What one page has on the server: a picture or clip, the conversation about it, and files.

The medium is there as soon as its file is; the conversation begins when the model is. One
request is answered at a time, by a thread of its own (see `turns`), while the list may be looked
at and changed by others.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import x2sam
from demo import takeaway
from demo.display import rle_json, shrink
from demo.medium import Medium
from demo.source import EngineSource
from demo.zero import Answer
from x2sam.errors import PromptError
from x2sam.media.limits import Limits
from x2sam.types import Media

if TYPE_CHECKING:
    from x2sam.engine.session import Session

_BLOCK = 64  # frames whose masks are sent at once
_TURNS = 200  # that a page is told of
_NAME = 120  # letters of a file name on the page


class Run(Protocol):
    """A request that is being answered."""

    def begin(self) -> None:
        """Start to answer."""

    def stop(self) -> None:
        """End it between two steps; the page is told, and what is done is kept."""

    def leave(self) -> None:
        """End it for somebody who is gone, and wait for that."""

    def settle(self) -> None:
        """End it between two steps, and wait for that; the page is told."""


class Workspace:
    """One medium at a time, and what was made of it; may be used from any thread."""

    def __init__(
        self,
        token: str,
        folder: Path,
        source: EngineSource,
        limits: Limits,
        gpu: Answer | None = None,
    ) -> None:
        self.folder = folder
        self.limits = limits
        self.gpu = gpu  # that is lent for a request; None where the model runs in this process
        self.medium: Medium | None = None
        self.run: Run | None = None
        self.archive: Path | None = None  # what was taken away last
        self._token = token
        self._source = source
        self._folders = count(1)
        self._lock = threading.Lock()
        self._order = threading.Lock()  # of requests that come at once
        self._exporting = threading.Lock()

    @property
    def busy(self) -> bool:
        """Whether a request is being answered."""
        return self.run is not None

    @property
    def waiting(self) -> bool:
        """Whether the model is still being loaded."""
        return not self._source.ready

    # Opening and closing

    def new_folder(self) -> Path:
        """Make a folder for a medium that is about to be opened."""
        folder = self.folder / f"medium-{next(self._folders)}"
        folder.mkdir(mode=0o700)
        return folder

    def open(self, folder: Path, source: Path, name: str, kind: Media) -> None:
        """Open a picture or clip in place of what was open.

        Raises `MediaError` and `LimitError`; what was open then stays, and the folder is gone.
        """
        if self._source.ready:
            self._source.get()  # without a model, nothing is replaced
        name = " ".join(name.split())[-_NAME:] or "upload"
        medium = Medium.open(folder, source, name, kind, self.limits)
        self._replace(medium)
        if self._source.ready:
            self.session()

    def interrupt(self) -> None:
        """End what is being answered, for somebody who may come back; what is done is kept."""
        if self.run is not None:
            self.run.leave()

    def moved(self, token: str) -> None:
        """Go by another token from now on."""
        self.interrupt()
        self._token = token

    def close(self) -> None:
        """Let go of everything, and remove the folder."""
        self._replace(None)
        shutil.rmtree(self.folder, ignore_errors=True)

    def opened(self) -> Medium:
        """What is open; raises `PromptError` if nothing is."""
        medium = self.medium
        if medium is None:
            raise PromptError("Open a picture or clip first.")
        return medium

    def session(self) -> Session:
        """The conversation about what is open; waits for the model.

        Raises `X2SAMError` where nothing is open, or the model cannot be loaded.
        """
        medium = self.opened()
        engine = self._source.get()
        with self._lock:
            if medium.session is None:
                medium.session = x2sam.Session(engine, medium.again(), engine.options)
            return medium.session

    def settled(self) -> Session:
        """The conversation, after the request that was being answered has been stopped."""
        run = self.run
        if run is not None:
            run.settle()
        return self.session()

    def _replace(self, medium: Medium | None) -> None:
        with self._lock:
            before, self.medium = self.medium, medium
        if self.run is not None:
            self.run.leave()
        if before is not None:
            before.close()

    def take_turn(self, run: Run) -> None:
        """Begin to answer a request, after the one before it has ended."""
        with self._order:
            before = self.run
            if before is not None:
                before.leave()
            self.run = run
            run.begin()

    def end_turn(self, run: Run) -> None:
        """Note that a request is answered."""
        if self.run is run:  # whoever takes over has waited for this one
            self.run = None

    # What the page is told

    def url(self, kind: str, *rest: str) -> str:
        """Address something of this workspace, relative to the page."""
        return "/".join(("x2sam", kind, self._token, *rest))

    def described(self) -> dict[str, Any]:
        """Describe what is open, as the page reads it."""
        medium = self.opened()
        return medium.describe(self.url("media", medium.id))

    def state(self, *, whole: bool = False) -> dict[str, Any]:
        """Describe the objects, and the turns that are over.

        The `whole` is for a page that has seen none of it: also what was drawn, and told.
        """
        medium = self.medium
        session = medium.session if medium else None
        if medium is None or session is None:
            return {"objects": [], "undo": False, "redo": False, "turns": []}
        with self._lock:
            objects = medium.listing.describe(session.objects)
        turns = [
            {
                "turn": each.turn,
                "text": each.text,
                "task": each.task,
                "note": each.note,
                "reply": each.reply,
                "phrases": medium.phrases(each.turn),
                "objects": list(each.objects),
                "stopped": each.stopped,
                **(medium.retold(each.turn, each.drawings) if whole else {}),
            }
            for each in session.turns[-_TURNS:]
        ]
        history = session.history
        return {
            "objects": objects,
            "undo": history.can_undo,
            "redo": history.can_redo,
            "turns": turns,
        }

    def masks(self, first: int, last: int) -> list[dict[str, Any]]:
        """Masks of all objects on frames `first` to `last`, the last included.

        No more than 64 frames are looked at. An empty mask has no runs.
        """
        medium = self.opened()
        if medium.session is None:
            return []
        with self._lock:
            objects = list(medium.session.objects)
            versions = [each["version"] for each in medium.listing.describe(objects)]
        first = max(0, first)
        frames = range(first, min(last + 1, first + _BLOCK, medium.frames))
        return [
            {
                "object": each.id,
                "frame": frame,
                "rle": rle_json(shrink(each.masks[frame], medium.display))
                if each.masks.area(frame)
                else None,
                "how": each.origins[frame][0].value,
                "version": version,
            }
            for each, version in zip(objects, versions, strict=True)
            for frame in frames
            if frame in each.masks
        ]

    # What is changed and taken away

    def adjust(self, changes: Mapping[str, Any]) -> None:
        """Look at the medium in another way, from the next request on."""
        session = self.session()
        session.adjust(replace(session.options, **changes))

    def export(
        self, formats: Sequence[str], opacity: float, *, labels: bool, effect: str = "overlay"
    ) -> Path:
        """Write what is shown into a zip, the only one that is kept; its path.

        Raises `PromptError` for an unknown format or effect, and while another is being written.
        """
        takeaway.check(formats, effect)
        medium, session = self.opened(), self.session()
        if not self._exporting.acquire(blocking=False):
            raise PromptError("The files are being written already. Wait until they are ready.")
        try:
            folder = self.folder / "files"
            self.archive = takeaway.write(
                medium, session, folder, formats, opacity=opacity, labels=labels, effect=effect
            )
            return self.archive
        finally:
            self._exporting.release()
