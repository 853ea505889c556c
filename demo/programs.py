"""What the page can do, for programs: endpoints with names and types, and tools for agents.

    from gradio_client import Client, handle_file

    client = Client("http://127.0.0.1:7860")
    answer = client.predict(handle_file("fruit.png"), "the green apple", api_name="/segment_image")
    answer["objects"][0]["rle"]  # {"size": [512, 512], "counts": "..."}

Every call stands alone: it opens the file, asks once, and forgets both. Masks come back as COCO
run lengths at the size of the file. A file may be named by a public address as well; it is
fetched as far as `demo.fetching` allows. `x2sam demo --mcp` serves the same functions as MCP tools,
described by the docstrings below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypedDict, TypeVar

import gradio as gr

from demo import zero
from demo.requests import Request
from demo.settings import Settings
from demo.source import EngineSource
from x2sam.errors import MediaError, PromptError, X2SAMError
from x2sam.media.masks import Rle
from x2sam.media.videos import Clip
from x2sam.types import Drawing

if TYPE_CHECKING:
    from x2sam.engine.commands import Outcome
    from x2sam.engine.objects import Object
    from x2sam.engine.session import Session

AT_ONCE: Final = 2  # calls that are answered side by side; others wait
_UPLOADED: Final = {"_type": "gradio.FileData"}

P = ParamSpec("P")
R = TypeVar("R")


class Runs(TypedDict):
    """A mask as COCO writes it."""

    size: list[int]  # height and width
    counts: str


class Seen(TypedDict):
    """One mask of an object; of a clip, on one frame."""

    box: list[int] | None  # x0 y0 x1 y1 pixels, end exclusive; None where the mask is empty
    rle: Runs


class Found(Seen):
    """An object in a picture."""

    id: int
    name: str
    score: float  # 0 to 1


class Followed(TypedDict):
    """An object in a clip, with its masks by the number of the frame."""

    id: int
    name: str
    score: float
    frames: dict[str, Seen]


class PictureAnswer(TypedDict):
    """What was said and found in a picture."""

    text: str
    objects: list[Found]
    not_found: list[str]


class ClipAnswer(TypedDict):
    """What was said and found in a clip of so many frames, each of which has its time."""

    text: str
    objects: list[Followed]
    not_found: list[str]
    times: list[float]  # seconds


def add(source: EngineSource, settings: Settings, gpu: zero.Answer | None = None) -> None:
    """Add the endpoints to the page that is being built; `gpu` is one that is lent."""
    programs = Programs(source, settings, gpu)
    for function in (programs.segment_image, programs.segment_video, programs.track, programs.chat):
        gr.api(function, concurrency_limit=AT_ONCE, concurrency_id="programs")


def check_mcp() -> None:
    """Raise `PromptError` where the package that MCP needs is not installed."""
    if find_spec("mcp") is None:
        raise PromptError(
            "--mcp needs a package that is not installed. Install it with: "
            "pip install 'gradio[mcp]'"
        )


def _said_plainly(function: Callable[P, R]) -> Callable[P, R]:
    """Let what a person can mend reach the caller as a sentence."""

    @wraps(function)
    def answer(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except X2SAMError as error:
            raise gr.Error(str(error), print_exception=False) from error

    # Gradio reads the type of what is returned from here, and does not look up names by itself.
    vars(answer)["__signature__"] = signature(function, eval_str=True)
    return answer


class Programs:
    """The functions behind the endpoints."""

    def __init__(
        self, source: EngineSource, settings: Settings, gpu: zero.Answer | None = None
    ) -> None:
        self._source = source
        self._settings = settings
        self._gpu = gpu

    @_said_plainly
    def segment_image(
        self,
        image: gr.FileData,
        text: str = "",
        points: list[list[float]] | None = None,
        labels: list[int] | None = None,
        box: list[float] | None = None,
        task: str | None = None,
    ) -> PictureAnswer:
        """Find things in a picture by words, by marks, or by both, and return their masks.

        Args:
            image: the picture.
            text: what is wanted, such as "the green apple" or "what could I sit on?".
            points: marked pixels, x and y each.
            labels: 1 or 0 for each point: this, or not this. All 1 by default.
            box: x0, y0, x1, y1 in pixels around the thing.
            task: a task by name, for instance "refseg"; chosen from the words by default.

        Returns:
            The answer in words, the objects with masks as COCO run lengths, and what was not found.
        """
        marks = _marks(points, labels, box)
        with self._answered(image, text, marks, task, clip=False) as (_, outcome):
            objects = [_found(each) for each in outcome.objects if 0 in each.masks]
        return {
            "text": outcome.text,
            "objects": objects,
            "not_found": [missing.what for missing in outcome.missing],
        }

    @_said_plainly
    def segment_video(
        self,
        video: gr.FileData,
        text: str = "",
        points: list[list[float]] | None = None,
        labels: list[int] | None = None,
        box: list[float] | None = None,
        frame: int = 0,
        stride: int = 1,
        task: str | None = None,
        propagation: str = "auto",
    ) -> ClipAnswer:
        """Find things in a clip by words, by marks on a frame, or by both, and follow them.

        Args:
            video: the clip.
            text: what is wanted, such as "the dog that jumps".
            points: marked pixels, x and y each.
            labels: 1 or 0 for each point: this, or not this. All 1 by default.
            box: x0, y0, x1, y1 in pixels around the thing.
            frame: the frame that was marked, from 0.
            stride: segment every so many frames; those between carry the mask before.
            task: a task by name, for instance "refseg"; chosen from the words by default.
            propagation: what carries masks from frame to frame: "memory", "one_token", "sam2"
                where that is loaded, or "auto".

        Returns:
            The answer in words, the objects with masks by frame, and what was not found.
        """
        marks = _marks(points, labels, box, frame)
        how = {"stride": _whole(stride, "stride"), "propagation": propagation}
        with self._answered(video, text, marks, task, how=how) as (session, outcome):
            return _clip_answer(session, outcome)

    @_said_plainly
    def track(
        self,
        video: gr.FileData,
        points: list[list[float]] | None = None,
        labels: list[int] | None = None,
        box: list[float] | None = None,
        rle: Runs | None = None,
        frame: int = 0,
        stride: int = 1,
        propagation: str = "auto",
    ) -> ClipAnswer:
        """Follow one thing through a clip, from points, a box or a mask on one frame.

        Args:
            video: the clip.
            points: marked pixels, x and y each.
            labels: 1 or 0 for each point: this, or not this. All 1 by default.
            box: x0, y0, x1, y1 in pixels around the thing.
            rle: its mask, as COCO run lengths at the size of the clip.
            frame: the frame that was marked, from 0.
            stride: segment every so many frames; those between carry the mask before.
            propagation: what carries the mask from frame to frame: "memory", "one_token", "sam2"
                where that is loaded, or "auto".

        Returns:
            The object with its masks by frame.
        """
        marks = _marks(points, labels, box, frame)
        if rle is not None:
            mask = Rle.from_json(rle).mask()
            marks.append(Drawing(kind="mask", mask=mask, frame=frame))
        if not marks:
            raise PromptError("Mark the thing to follow: with points, a box or a mask.")
        how = {"stride": _whole(stride, "stride"), "propagation": propagation}
        with self._answered(video, "", marks, how=how) as (session, outcome):
            return _clip_answer(session, outcome)

    @_said_plainly
    def chat(self, media: gr.FileData, text: str) -> str:
        """Answer a question about a picture or clip in words, without masks.

        Args:
            media: the picture or clip.
            text: the question.

        Returns:
            The answer.
        """
        with self._answered(media, text, task="chat", clip=None) as (_, outcome):
            return outcome.text

    @contextmanager
    def _answered(
        self,
        file: Any,
        text: str,
        marks: Sequence[Drawing] = (),
        task: str | None = None,
        *,
        clip: bool | None = True,
        how: Mapping[str, Any] | None = None,
    ) -> Iterator[tuple[Session, Outcome]]:
        """Open an upload for one call, and ask; `clip` says what it has to be, None either."""
        from x2sam.engine.commands import Outcome  # noqa: PLC0415 (torch)

        request = Request(kind="ask", text=text, drawings=tuple(marks), task=task)
        path, name = uploaded(file)
        engine = self._source.get()
        options = replace(engine.options, **(how or {}))
        limits = self._settings.limits
        with engine.open(path, options=options, limits=limits, name=name) as session:
            if clip is not None and clip is not isinstance(session.medium, Clip):
                raise MediaError(
                    f"{name} is a picture; use segment_image."
                    if clip
                    else f"{name} is a clip; use segment_video."
                )
            outcome = Outcome()
            for event in zero.Turn(self._gpu, session, path, request, limits).events():
                outcome.take(event, session.objects)
            yield session, outcome


def uploaded(file: Any) -> tuple[Path, str]:
    """Take the path and name of an upload.

    Gradio has checked by then that the path is one of its own uploads, but only of values that
    say they are files. All others are refused, above all a bare path of this machine.

    >>> uploaded("/etc/passwd")
    Traceback (most recent call last):
    x2sam.errors.MediaError: A file should be uploaded first; gradio_client does it by handle_file.
    """
    match file:
        case {"path": str(path), "meta": dict(meta)} if meta == _UPLOADED and "://" not in path:
            return Path(path), str(file.get("orig_name") or Path(path).name)
    raise MediaError("A file should be uploaded first; gradio_client does it by handle_file.")


def _clip_answer(session: Session, outcome: Outcome) -> ClipAnswer:
    return {
        "text": outcome.text,
        "objects": [
            {
                "id": each.id,
                "name": each.name,
                "score": round(each.score, 4),
                "frames": {str(index): _seen(each.masks.rle(index)) for index in each.masks},
            }
            for each in outcome.objects
        ],
        "not_found": [missing.what for missing in outcome.missing],
        "times": [round(session.film.seconds(index), 4) for index in range(len(session.film))],
    }


def _found(each: Object) -> Found:
    seen = _seen(each.masks.rle(0))
    return {"id": each.id, "name": each.name, "score": round(each.score, 4), **seen}


def _seen(rle: Rle) -> Seen:
    height, width = rle.size
    return {
        "box": None if rle.box is None else list(rle.box),
        "rle": {"size": [height, width], "counts": rle.counts.decode("ascii")},
    }


def _marks(
    points: Sequence[Sequence[float]] | None,
    labels: Sequence[int] | None,
    box: Sequence[float] | None,
    frame: int = 0,
) -> list[Drawing]:
    """Read marks; raises `PromptError` where they are something else.

    >>> [mark.positive for mark in _marks([[4, 2], [8, 2]], [1, 0], None)]
    [True, False]
    """
    points = points or []
    labels = [1] * len(points) if labels is None else labels
    at = _whole(frame, "frame", least=0)
    if not isinstance(labels, Sequence) or len(labels) != len(points):
        raise PromptError("There should be as many labels as points, each 1 or 0.")
    values: list[Mapping[str, Any]] = [
        {"kind": "point", "points": [point], "positive": bool(label), "frame": at}
        for point, label in zip(points, labels, strict=True)
    ]
    if box is not None:
        values.append({"kind": "box", "box": box, "frame": at})
    try:
        return [Drawing.from_json(value) for value in values]
    except PromptError as error:
        raise PromptError(
            "Points should be a list of [x, y], and a box [x0, y0, x1, y1], in pixels."
        ) from error


def _whole(value: Any, name: str, least: int = 1) -> int:
    if not isinstance(value, int) or value < least:
        raise PromptError(f"“{name}” should be a whole number of at least {least}.")
    return value
