"""Requests to the model: from the page's wish to batches of events.

A thread reads the engine and the page's event reads what the thread has put down, so that words
and masks that come in quick succession travel together, while the first of every kind travels at
once. Whoever is gone, or asks something else, ends the engine's turn between two steps.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from contextvars import copy_context
from itertools import count
from queue import Empty, SimpleQueue
from secrets import token_hex
from typing import Any, Final

from demo import wire, zero
from demo.medium import Medium, Told
from demo.requests import Heard, Request, read
from demo.visitors import ClosedError, Visitors
from demo.workspace import Workspace
from x2sam.errors import X2SAMError
from x2sam.tracker.search import Segment
from x2sam.types import Done, MaskReady, Phrase, Progress, Routed

BATCH: Final = 0.05  # seconds that an event may wait for the next ones
LOADING: Final = "loading the model"
_ENDS: Final = ("done", "error")
_RETOLD: Final = {"routed", "phrase", "notfound", "warning", *_ENDS}  # to a page loaded again
_log = logging.getLogger(__name__)

Answer = dict[str, Any]


def act(visitors: Visitors, payload: Any) -> Iterator[dict[str, Any]]:
    """Answer one request of the page: batches of events, numbered, the last with its end."""
    asked = payload if isinstance(payload, dict) else {}
    name, numbers = str(asked.get("run", ""))[:40], count()

    def delta(events: list[Answer]) -> dict[str, Any]:
        return {"run": name, "seq": next(numbers), "events": events}

    try:
        workspace = visitors.find(asked.get("token"))
    except ClosedError as error:
        yield delta([wire.failed(str(error)) | {"expired": True}])
        return
    run = Turn(workspace, asked)
    try:
        for events in run.batches():
            yield delta(events)
            visitors.find(asked.get("token"))  # whoever is being answered is here
    except ClosedError:
        return
    finally:
        run.leave()


def apologise(error: Exception) -> str:
    """Write down what only we can have caused, and say where to find it."""
    report = token_hex(3)
    _log.error("Report %s", report, exc_info=error)
    return (
        f"Something went wrong on the server (report {report} in its log). "
        "What you have made so far is kept."
    )


class Turn:
    """One request, and the thread that reads its answer."""

    def __init__(self, workspace: Workspace, asked: dict[str, Any]) -> None:
        self._workspace = workspace
        self._asked = asked
        self._events: SimpleQueue[Answer | None] = SimpleQueue()  # at most what a turn makes
        self._stopped = self._left = False
        self._turn: zero.Turn | None = None  # once it has begun
        self._started: dict[str, float] = {}  # when each stage began
        self._listed: set[int] = set()  # objects that the page has been told of
        self._told: Told | None = None  # of the engine's turn
        # Gradio's context says who asks, which whoever lends a GPU wants to know.
        run = copy_context().run
        self._thread = threading.Thread(target=run, args=[self._work], name="turn", daemon=True)
        workspace.take_turn(self)

    def begin(self) -> None:
        """Start to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End it between two steps; the page is told, and what is done is kept."""
        self._stopped = True
        if self._turn is not None:
            self._turn.stop()

    def leave(self) -> None:
        """End it for somebody who is gone, and wait for that."""
        self._left = True
        self.settle()

    def settle(self) -> None:
        """End it between two steps, and wait for that; the page is told."""
        self.stop()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def batches(self) -> Iterator[list[Answer]]:
        """Wait for events, and hand out those that come soon after each other together."""
        seen: set[str] = set()
        event = self._events.get()
        while event is not None:
            batch, due = [event], time.monotonic() + BATCH
            while batch[-1]["kind"] in seen and batch[-1]["kind"] not in _ENDS:
                try:
                    event = self._events.get(timeout=max(0.0, due - time.monotonic()))
                except Empty:
                    break
                if event is None:
                    break
                batch.append(event)
            seen.update(each["kind"] for each in batch)
            yield batch
            event = None if event is None else self._events.get()

    # The thread

    def _work(self) -> None:
        try:
            self._answer()
        except X2SAMError as error:
            self._fail(str(error))
        except Exception as error:  # noqa: BLE001 (the server lives on)
            self._fail(apologise(error))
        finally:
            self._workspace.end_turn(self)
            self._events.put(None)

    def _answer(self) -> None:
        workspace = self._workspace
        medium = workspace.opened()
        if workspace.waiting:
            self._tell("progress", stage=LOADING, done=0, total=0, left=None)
        session = workspace.session()
        request = read(self._asked, source=medium.size, display=medium.display)
        self._listed = set(session.objects.ids())
        # To know how long a step takes, one has to be tried; there is nowhere to do so for the
        # page of a machine that lends its GPU.
        if request.kind == "ask" and workspace.gpu is None:
            estimate = session.estimate(request.text, request.drawings, request.task, request.reach)
            self._events.put({"kind": "estimate", **wire.estimated(estimate)})
        self._turn = zero.Turn(workspace.gpu, session, medium.source, request, workspace.limits)
        if request.kind == "everything":
            medium.proposed.clear()
        with closing(self._turn.events()) as events:
            for event in events:
                if self._left:
                    return
                if self._stopped:  # perhaps before the engine's turn had begun
                    self._turn.stop()
                if isinstance(event, Routed):
                    self._told = medium.told[event.turn] = Told(request.kind)
                self._pass_on(event, medium, request)

    def _pass_on(self, event: Heard, medium: Medium, request: Request) -> None:
        """Put an event down for the page, after the list where it speaks of what is new."""
        display = medium.display
        if isinstance(event, Segment):
            medium.proposed.append((request.frame, event))
            self._events.put(wire.proposed(event, len(medium.proposed) - 1, display))
            return
        told = wire.shown(event, display)
        self._remember(told)
        match event:
            case MaskReady() if event.object not in self._listed:
                self._tell_state()
            case Phrase() if not self._listed.issuperset(event.objects):
                self._tell_state()
            case Progress():
                told["left"] = self._left_of(event)
            case Done():
                self._end(told)
                return
        self._events.put(told)

    def _remember(self, told: Answer) -> None:
        if self._told is not None and told["kind"] in _RETOLD:
            self._told.events.append(told)

    def _left_of(self, event: Progress) -> float | None:
        """Guess how many seconds a stage will take yet, from those it has taken."""
        now = time.monotonic()
        began = self._started.setdefault(event.stage, now)
        if event.done < 2 or now == began:  # noqa: PLR2004 (the first step is no measure)
            return None
        return round((now - began) / (event.done - 1) * (event.total - event.done), 1)

    def _fail(self, sentence: str) -> None:
        told = wire.failed(sentence)
        self._remember(told)
        self._end(told)

    def _end(self, event: Answer) -> None:
        """End the turn: others may ask now, and the page gets the list as it has become."""
        self._workspace.end_turn(self)
        self._tell_state()
        self._events.put(event)

    def _tell_state(self) -> None:
        state = self._workspace.state()
        self._listed.update(each["id"] for each in state["objects"])
        self._tell("state", state=state)

    def _tell(self, kind: str, **values: Any) -> None:
        self._events.put({"kind": kind, **values})
