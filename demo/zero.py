"""Turns on a GPU that is lent for a minute: Hugging Face's ZeroGPU.

There, a function marked `spaces.GPU` runs in a process of its own that ends with the call, and
all that comes back is what it yields. So nothing may be remembered on that side: a `Job` names a
folder with the conversation as its `session.json`, and what is yielded between the events, and
last of all, is the conversation as it became. What stays with the page is a session that never
computes. A turn stops by itself before its time is over, and should it be cut off before that, what
it had made some seconds ago is at home already.

    gpu = on_gpu(source)  # once, before the page is served; None where no GPU is lent
    turn = Turn(gpu, session, path, Request(kind="ask", text="the blue car"))
    for event in turn.events():  # as those of `session.ask`; `session` has all of it afterwards
        ...

Without a GPU to borrow, a `Turn` is answered by the session itself.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib import import_module
from math import inf
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from gradio.exceptions import Error

from demo.lending import is_lent
from demo.requests import Heard, Request
from demo.source import EngineSource
from x2sam.engine.reach import Reach
from x2sam.errors import X2SAMError
from x2sam.language.router import route
from x2sam.language.tasks import TASKS
from x2sam.language.tasks import Answer as Kind
from x2sam.media.limits import Limits
from x2sam.types import Command, Done, Route, Warning  # noqa: A004 (an event)

if TYPE_CHECKING:
    from x2sam.engine.engine import Engine
    from x2sam.engine.objects import Objects
    from x2sam.engine.session import Session

START: Final = 20  # seconds for the process, the file and the first words
FRAME: Final = 0.2  # seconds for a frame of a clip, by the 4B and with some to spare
FRAMES: Final = {"nano": 0.05}  # likewise, by the model's name
LONGEST: Final = 120  # seconds of one call; what asks for less is served sooner
SPARE: Final = 5  # seconds before the end at which a turn stops by itself, with all it has made
KEPT: Final = 5  # seconds after which what was made is brought home, should the call be cut off
OVER: Final = (
    "The time that the GPU was lent for is over. What was made is kept; go on with a range of the "
    "clip that begins there."
)
SESSION: Final = "session.json"
STOP: Final = "stop"


class LendingError(X2SAMError):
    """No GPU was lent, or it was taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A request and all that the other process needs to answer it."""

    request: Request
    medium: str  # path of the picture or clip
    folder: str  # with the conversation so far; once STOP is in it, the person wants no more
    frames: int  # that may have to be segmented
    frame: float = FRAME  # seconds that one of them takes
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Saved:
    """The conversation as the request has left it so far."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """The request ended with an error that the person can mend."""

    error: X2SAMError


Answer = Callable[[Job], Iterator[Heard | Saved | Failed]]


def prepare() -> bool:
    """Let the model be loaded for a GPU that is not there yet; False where none is lent.

    This has to come before the model, which has to be loaded by the same thread.
    """
    if not is_lent():
        return False
    import_module("spaces")
    return True


def on_gpu(source: EngineSource) -> Answer | None:
    """Make the function that asks for a GPU and answers a job there; None where none is lent.

    It waits for the model, for the other process begins as a copy of this one.
    """
    if not is_lent():
        return None
    engine = source.get()

    def answer(job: Job) -> Iterator[Heard | Saved | Failed]:
        yield from answers(engine, job)

    lent: Answer = import_module("spaces").GPU(duration=seconds)(answer)
    return lent


def seconds(job: Job) -> int:
    """How long a GPU is asked for.

    >>> job = Job(request=Request(kind="ask"), medium="a.mp4", folder="", frames=300)
    >>> seconds(job), seconds(replace(job, frames=1)), seconds(replace(job, frames=9000))
    (80, 20, 120)
    >>> seconds(replace(job, frame=FRAMES["nano"]))
    35
    """
    return min(LONGEST, round(START + job.frame * job.frames))


def forewarning(job: Job) -> Warning | None:
    """Say that a GPU is not lent for long enough, if it seems so.

    >>> job = Job(request=Request(kind="ask"), medium="a.mp4", folder="", frames=500)
    >>> forewarning(job)
    >>> print(forewarning(replace(job, frames=9000)).text.partition(". ")[0])
    A GPU is lent for 120 seconds, which is enough for about 500 of these 9000 frames
    """
    enough = round((LONGEST - START) / job.frame)
    if job.frames <= enough:
        return None
    return Warning(
        f"A GPU is lent for {LONGEST} seconds, which is enough for about {enough} of these "
        f"{job.frames} frames. What is made by then is kept; take a range of the clip at a time."
    )


def answers(engine: Engine, job: Job) -> Iterator[Heard | Saved | Failed]:
    """Answer a job from nothing but what is in it."""
    from x2sam.engine.replay import replay, save  # noqa: PLC0415 (torch)

    folder, began = Path(job.folder), monotonic()
    over, due = began + seconds(job) - SPARE, began + KEPT
    try:
        with replay(engine, folder / SESSION, job.medium, limits=job.limits) as session:

            def saved() -> Saved:
                return Saved(save(session, folder / SESSION).read_bytes())

            failed, known = None, session.objects.ids()
            try:
                for event in job.request.answer(session):
                    now = monotonic()
                    if (folder / STOP).exists():
                        session.stop()
                    elif now > over:
                        session.stop()
                        over = inf
                        yield Warning(OVER)
                    # The page can show no mask of what it does not know.
                    if now > due or not known.issuperset(session.objects.ids()):
                        known, due = session.objects.ids(), now + KEPT
                        yield saved()
                    yield event
            except X2SAMError as error:
                failed = error  # what was found before it is kept
            yield saved()
            if failed:
                raise failed
    except X2SAMError as error:
        yield Failed(error)


class Turn:
    """One request of a session that lives in this process, answered where the model may run."""

    def __init__(
        self,
        gpu: Answer | None,
        session: Session,
        medium: Path,
        request: Request,
        limits: Limits | None = None,
    ) -> None:
        self._gpu = gpu
        self._session = session
        self._medium = medium
        self._request = request
        self._limits = limits or Limits()
        self._folder: Path | None = None  # while it is answered elsewhere
        self._begun = False  # to be answered there

    def stop(self) -> None:
        """End it before its next step; what is done is kept. It has to have begun."""
        self._session.stop()
        if self._folder is not None:
            with suppress(FileNotFoundError):  # it is over
                (self._folder / STOP).touch()

    def events(self) -> Generator[Heard, None, None]:
        """Yield what happens, and bring the session up to date; closing it ends the turn.

        Raises what `Session.ask` raises, and `LendingError` where there is no GPU to be had.
        """
        task = self._task() if self._gpu else None
        if self._gpu is None or isinstance(task, Command):
            yield from self._request.answer(self._session)
            return
        with tempfile.TemporaryDirectory(prefix="x2sam-turn-") as folder:
            self._folder = Path(folder)
            try:
                yield from self._lent(self._gpu, self._job(task))
            except Error as error:  # from `spaces`: no quota is left, or the time is over
                raise LendingError(_sentence(error, begun=self._begun)) from error

    def _lent(self, gpu: Answer, job: Job) -> Generator[Heard, None, None]:
        """Ask for a GPU, and pass on what comes from there."""
        before, step, done = self._session.objects, object(), None
        if warning := forewarning(job):
            yield warning
        values = gpu(job)
        try:
            for value in values:
                self._begun = True
                match value:
                    case Saved(content):
                        adopt(self._session, content, before, step)
                    case Failed(error):
                        raise error
                    case Done():
                        done = value  # the list has to be up to date by then
                    case _:
                        yield value
        except GeneratorExit:
            self.stop()
            for value in values:  # what is done is kept
                if isinstance(value, Saved):
                    adopt(self._session, value.content, before, step)
            raise
        if done is not None:
            yield done

    def _task(self) -> Route | Command | None:
        """What the words ask for; a command changes the list, and nobody has to lend anything."""
        request = self._request
        if request.kind in ("propagate", "everything"):
            return None
        return route(
            request.text,
            request.drawings,
            media=self._session.film.media,
            objects=[each.listed() for each in self._session.objects],
            task=request.task,
        )

    def _job(self, task: Route | None) -> Job:
        from x2sam.engine.replay import save  # noqa: PLC0415 (torch)

        assert self._folder is not None
        session, request = self._session, self._request
        save(session, self._folder / SESSION)
        reach = (request.reach or Reach()).within(len(session.film))
        assert reach.last is not None
        frames = 1 + (reach.last - reach.first) // session.options.stride
        if request.kind == "everything":
            frames = 1
        elif task and TASKS[task.task].answer is Kind.TEXT:  # without masks
            frames = min(frames, session.options.chat_frames)
        return Job(
            request=request,
            medium=str(self._medium),
            folder=str(self._folder),
            frames=frames,
            frame=FRAMES.get(session.film.engine.predictor.model.config.name, FRAME),
            limits=self._limits,
        )


def adopt(session: Session, content: bytes, before: Objects, step: object) -> None:
    """Go on from a conversation as another process left it, which began with `before`.

    What was changed there is put into the list; all changes of one `step` are one to undo.
    """
    from x2sam.engine.objects import Object  # noqa: PLC0415 (torch)
    from x2sam.engine.running import Exchange  # noqa: PLC0415

    value: dict[str, Any] = json.loads(content)
    told = [Object.from_json(each) for each in value["objects"]]
    was = {each.id: each.to_json() for each in before}
    changed = [each for each in told if each.to_json() != was.get(each.id)]
    gone = was.keys() - {each.id for each in told}
    history = session.history
    if changed or gone:
        history.edit(lambda now: now.put(*changed).without(gone), step)
    history.next_id = max(history.next_id, int(value["next_id"]))
    known = {turn.turn: turn for turn in session.turns}
    read = (Exchange.from_json(turn) for turn in value["turns"])
    turns = [known.get(turn.turn, replace(turn, before=before)) for turn in read]
    session.restore(turns, history)


def _sentence(error: Error, *, begun: bool) -> str:
    """Say why there is no GPU, or not any more.

    >>> no = Error("You have <b>0s left</b>. <a href='x'>Sign in</a> for more")
    >>> print(_sentence(no, begun=False))
    There is no GPU for this at the moment. You have 0s left. Sign in for more
    >>> print(_sentence(Error("GPU task aborted"), begun=True))
    The GPU was taken back; what was made until shortly before is kept. GPU task aborted
    """
    told = re.sub(r"<[^>]*>", "", str(error.message))
    if begun:
        return f"The GPU was taken back; what was made until shortly before is kept. {told}"
    return f"There is no GPU for this at the moment. {told}"
