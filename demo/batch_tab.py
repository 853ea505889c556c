"""The Batch tab: the same request of many files, a table that fills, and one archive at the end.

Files are answered one after the other; a bad one becomes a row that says why, and the others go
on. Stop ends the file that is being answered and packs what there is. All that a run writes lies
in a folder of its own, which is gone when the run is over; Gradio keeps the archive for as long
as it keeps uploads. Everything is said in the language of the visitor's browser, in which Gradio
shows the words of the tab itself.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import gradio as gr

from demo import zero
from demo.chinese import Language, spoken
from demo.labels import label, language_in, sentence
from demo.requests import Request
from demo.settings import Settings
from demo.source import EngineSource
from x2sam.errors import PromptError, X2SAMError
from x2sam.media.exports import pack
from x2sam.media.limits import Limits
from x2sam.types import Progress

if TYPE_CHECKING:
    from x2sam.engine.engine import Engine

TITLE: Final = "Batch"
MOST: Final = 50  # files in one run
SHOWN_EVERY: Final = 0.5  # seconds between two looks at a file that takes long
ARCHIVE: Final = "x2sam-batch.zip"
COLUMNS: Final = ("File", "State", "Result", "Time")
Shown = tuple[Any, Any, Any]
"""New values of the table, the sentence below it, and the archive."""
Told = tuple["Sequence[Row] | None", str, Any]
"""The same before it is put into words and marks: rows, the sentence in English, the archive."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Row:
    """One file in the table."""

    file: str
    state: str = "waiting"
    result: str = ""
    told: bool = True  # whether the result is a sentence of ours, and not what a model said
    seconds: float | None = None

    def cells(self, language: Language = "en") -> list[str]:
        """What stands in the table."""
        seconds = "" if self.seconds is None else f"{self.seconds:.1f} s"
        told = spoken(self.result, language) if self.told else self.result
        return [self.file, spoken(self.state, language), told, spoken(seconds, language)]


def build(source: EngineSource, settings: Settings, gpu: zero.Answer | None = None) -> None:
    """Fill the tab that is being built; `gpu` is one that is lent."""
    batch = Batch(source, settings, gpu)
    gr.Markdown(
        label(
            "One request for up to 50 pictures and clips. You get one archive with masks, overlays "
            "and a saved session for each of them."
        )
    )
    gr.Markdown(sentence(settings.limits.sentence()))
    with gr.Row():
        with gr.Column(scale=1):
            files = gr.File(
                label=label("Pictures and clips"), file_count="multiple", type="filepath"
            )
            text = gr.Textbox(
                label=label("What do you want in each of them?"), placeholder="the dog"
            )
            with gr.Row():
                start = gr.Button(label("Run"), variant="primary")
                stop = gr.Button(label("Stop"))
        with gr.Column(scale=2):
            table = gr.HTML(apply_default_css=False, elem_id="x-results")
            said = gr.Markdown()
            archive = gr.File(
                label=label("Everything in one archive"), interactive=False, visible=False
            )
    gr.on(
        [start.click, text.submit],
        batch.run,
        [files, text],
        [table, said, archive],
        api_visibility="private",
        show_progress="hidden",
        concurrency_limit=2,
    )
    stop.click(batch.stop, None, None, api_visibility="private", queue=False)


class Batch:
    """Runs of all visitors; one for each at a time."""

    def __init__(
        self, source: EngineSource, settings: Settings, gpu: zero.Answer | None = None
    ) -> None:
        self._source = source
        self._settings = settings
        self._gpu = gpu
        self._running: dict[str, bool] = {}  # visitor -> whether to go on

    def stop(self, request: gr.Request) -> None:
        """End the run of this visitor before its next step."""
        if request.session_hash in self._running:
            self._running[request.session_hash] = False

    def run(self, files: list[str] | None, text: str, request: gr.Request) -> Iterator[Shown]:
        """Answer files, and yield the table, a sentence, and at the end the archive."""
        language = language_in(request)
        with closing(self._steps(files, text, str(request.session_hash))) as steps:
            for rows, remark, archive in steps:
                shown = gr.skip() if rows is None else table_of(rows, language)
                yield shown, spoken(remark, language), archive

    def _steps(
        self, files: list[str] | None, text: str, visitor: str
    ) -> Generator[Told, None, None]:
        if visitor in self._running:
            yield None, "A run is under way. Stop it first, or wait for its end.", gr.skip()
            return
        self._running[visitor] = True
        try:
            yield from self._run(checked(files, text), text.strip(), visitor)
        except X2SAMError as error:
            yield None, str(error), gr.skip()
        finally:
            del self._running[visitor]

    def _run(self, paths: Sequence[Path], text: str, visitor: str) -> Iterator[Told]:
        rows = [Row(name) for name in names_of(paths)]
        hidden = gr.update(value=None, visible=False)
        yield rows, "Waiting for the model.", hidden
        engine = self._source.get()
        with tempfile.TemporaryDirectory(prefix="x2sam-batch-") as folder:
            out, archive = Path(folder) / "files", Path(folder) / ARCHIVE
            limits = self._settings.limits
            work = Work(engine, self._gpu, text, out, limits, lambda: self._running[visitor])
            for number, (path, row) in enumerate(zip(paths, rows, strict=True), 1):
                for _ in work.answer(path, row):
                    yield rows, f"File {number} of {len(rows)}.", hidden
                if not self._running[visitor]:
                    break
            written = sorted(file for file in out.rglob("[!.]*") if file.is_file())
            if written:
                yield rows, "Packing.", hidden
                pack(written, out, archive)
            # Gradio copies the archive before it asks for more, so the folder can go after that.
            value = gr.update(value=str(archive), visible=True) if written else hidden
            yield rows, _conclusion(rows), value


@dataclass(frozen=True, slots=True)
class Work:
    """What the files of one run share."""

    engine: Engine
    gpu: zero.Answer | None
    text: str
    out: Path
    limits: Limits
    goes_on: Callable[[], bool]

    def answer(self, path: Path, row: Row) -> Iterator[None]:
        """Answer one file and write what was found; yields where its row has changed."""
        started = time.monotonic()
        row.state = "running"
        yield
        try:
            yield from self._answer(path, row)
        except X2SAMError as error:
            row.state, row.result = "failed", str(error)
        except Exception:  # noqa: BLE001 (a bug that one file brings out costs that file alone)
            _log.exception("A file of a batch failed")
            row.state, row.result = "failed", "It failed for a reason that the server's log says."
        row.seconds = time.monotonic() - started
        yield

    def _answer(self, path: Path, row: Row) -> Iterator[None]:
        from x2sam.engine.commands import FORMATS, SESSION, Outcome  # noqa: PLC0415 (torch)

        outcome, stopped, shown = Outcome(), False, time.monotonic()
        with self.engine.open(path, limits=self.limits, name=row.file) as session:
            request = Request(kind="ask", text=self.text)
            turn = zero.Turn(self.gpu, session, path, request, self.limits)
            with closing(turn.events()) as events:
                for event in events:
                    outcome.take(event, session.objects)
                    if not stopped and not self.goes_on():
                        stopped = True
                        turn.stop()
                    if isinstance(event, Progress) and time.monotonic() - shown > SHOWN_EVERY:
                        row.result = f"{event.stage}, {event.done} of {event.total}"
                        shown = time.monotonic()
                        yield
            session.export(self.out / row.file, FORMATS)
            session.save(self.out / row.file / SESSION)
        row.state = "stopped" if stopped else "done"
        row.result = outcome.summary
        row.told = not outcome.found


def checked(files: Sequence[str] | None, text: str) -> list[Path]:
    """Check what a run is asked to do; raises `PromptError` where it cannot be done.

    >>> checked(["a/dog.png"], "the dog")
    [PosixPath('a/dog.png')]
    """
    if not files:
        raise PromptError("Choose some pictures or clips first.")
    if len(files) > MOST:
        raise PromptError(f"These are {len(files)} files; one run takes up to {MOST}.")
    if not text.strip():
        raise PromptError("Say what you want in each file, for instance “the dog”.")
    return [Path(file) for file in files]


def names_of(paths: Sequence[Path]) -> list[str]:
    """Name files so that no two are called the same.

    >>> names_of([Path("a/dog.png"), Path("b/dog.png"), Path("c/cat.png")])
    ['dog.png', 'dog 2.png', 'cat.png']
    """
    names: list[str] = []
    for path in paths:
        name, number = path.name, 2
        while name.lower() in (taken.lower() for taken in names):
            name, number = f"{path.stem} {number}{path.suffix}", number + 1
        names.append(name)
    return names


def table_of(rows: Sequence[Row], language: Language = "en") -> str:
    """Draw the rows as a table.

    On a phone each row is a block, so the roles are said outright.
    """
    heads = [spoken(column, language) for column in COLUMNS]
    lines = [
        "".join(f'<td role="cell">{escape(cell)}</td>' for cell in row.cells(language))
        for row in rows
    ]
    head = "".join(f'<th role="columnheader" scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(
        f'<tr role="row" data-state="{row.state}">{line}</tr>'
        for row, line in zip(rows, lines, strict=True)
    )
    return (
        f'<table role="table"><thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table>'
    )


def _conclusion(rows: Sequence[Row]) -> str:
    """Say how a run ended.

    >>> _conclusion([Row("a", "done"), Row("b", "failed"), Row("c")])
    '1 of 3 files answered, 1 failed, 1 left out.'
    """
    count = {state: sum(row.state == state for row in rows) for state in ("failed", "waiting")}
    answered = len(rows) - sum(count.values())
    parts = [f"{answered} of {len(rows)} files answered"]
    parts += [f"{count['failed']} failed"] if count["failed"] else []
    parts += [f"{count['waiting']} left out"] if count["waiting"] else []
    return ", ".join(parts) + "."
