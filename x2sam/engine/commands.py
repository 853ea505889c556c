"""`x2sam ask`, `x2sam point` and `x2sam batch`: the engine from a terminal.

    x2sam ask street.mp4 "the cyclist in red" -o out/
    x2sam ask street.mp4 "the cyclist in red" --from 40 --to 90 --best -o out/
    x2sam point street.mp4 --at 412,230 --not 300,100 --frame 40 --direction forward
    x2sam ask street.mp4 "the cyclist in red" --model hao9610/X2SAM --bits 4
    x2sam batch photos/ "the dog" --effect blur:background -o out/

Each has a function that describes its arguments and one that runs it. They exit with 0 when
something was answered or found, 1 when it was not, or when files of a batch failed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from x2sam.engine import loading
from x2sam.engine.engine import Engine, load
from x2sam.engine.objects import Object
from x2sam.engine.options import POLICIES, PROPAGATIONS, Options
from x2sam.engine.reach import DIRECTIONS, Reach
from x2sam.engine.session import Session
from x2sam.errors import MediaError, PromptError, X2SAMError
from x2sam.language.tasks import TASKS
from x2sam.media.effects import EFFECTS, choose
from x2sam.types import (
    Done,
    Event,
    NotFound,
    Progress,
    Routed,
    TextDelta,
    Warning,  # noqa: A004 (an event)
)

FORMATS = ("overlay", "masks", "coco", "chat")
SESSION = "session.json"


@dataclass(slots=True)
class Outcome:
    """What one request came to."""

    text: str = ""
    objects: list[Object] = field(default_factory=list)  # found or changed
    missing: list[NotFound] = field(default_factory=list)

    @property
    def found(self) -> bool:
        """Whether there is an answer at all."""
        return bool(self.objects) or (bool(self.text) and not self.missing)

    @property
    def summary(self) -> str:
        """One line: the objects and their scores, or the answer in words."""
        names = ", ".join(f"{each.name} ({each.score:.2f})" for each in self.objects)
        return names or " ".join(self.text.split()) or "not found"

    def take(self, event: object, objects: Iterable[Object]) -> None:
        """Note what an event says; `objects` is the list as it is now."""
        match event:
            case NotFound():
                self.missing.append(event)
            case Done(_, text, ids):
                self.text = text
                self.objects = [each for each in objects if each.id in ids]

    def to_json(self) -> dict[str, Any]:
        """Write as plain values; masks as COCO runs by frame."""
        return {
            "text": self.text,
            "objects": [
                {
                    "id": each.id,
                    "name": each.name,
                    "score": round(each.score, 4),
                    "masks": {str(f): each.masks.rle(f).to_json() for f in each.masks},
                }
                for each in self.objects
            ],
            "not_found": [missing.what for missing in self.missing],
        }


def ask_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `x2sam ask`."""
    parser.add_argument("media", metavar="MEDIA", help="a picture, a clip or a folder of frames")
    parser.add_argument("text", metavar="TEXT", help="what is wanted, in words")
    _shared(parser)
    _range(parser)
    parser.add_argument(
        "--best",
        action="store_true",
        help="of a clip: start where the words fit best, of the frames the model is shown",
    )
    parser.add_argument("--task", choices=TASKS, help="instead of what the words suggest")


def point_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `x2sam point`."""
    parser.add_argument("media", metavar="MEDIA", help="a picture, a clip or a folder of frames")
    parser.add_argument(
        "--at", action="append", default=[], metavar="X,Y", help="a pixel of it; may be repeated"
    )
    parser.add_argument(
        "--not", action="append", default=[], metavar="X,Y", dest="apart", help="not of it"
    )
    parser.add_argument("--box", metavar="X0,Y0,X1,Y1", help="around it, the end exclusive")
    parser.add_argument("--frame", type=int, default=0, help="of a clip: where (0)")
    _shared(parser)
    _range(parser)


def batch_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `x2sam batch`."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="pictures and clips")
    parser.add_argument("text", metavar="TEXT", help="what is wanted in each, in words")
    _shared(parser)
    parser.add_argument("--task", choices=TASKS, help="instead of what the words suggest")


def _shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--out", type=Path, metavar="DIR", help="where files are written")
    named = ", ".join(f"{name} ({each.title})" for name, each in EFFECTS.items())
    parser.add_argument(
        "--effect",
        default="overlay",
        metavar="NAME[:object|background][:#RRGGBB]",
        help=f"how the overlay in DIR is drawn, on what, and in which colour: {named}",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, with masks as runs")
    parser.add_argument("--frames", type=int, help="of a clip: how many to find things in")
    parser.add_argument("--stride", type=int, help="of a clip: segment every so many frames (1)")
    parser.add_argument(
        "--propagation",
        choices=PROPAGATIONS,
        help="of a clip: how masks get from frame to frame, by the model's memory of those before, "
        "from the one token that the words became, or by SAM 2 (auto: SAM 2 where there is one)",
    )
    parser.add_argument("--policy", choices=POLICIES, help="of a clip: how frames are shown")
    loading.add_arguments(parser)


def _range(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from", type=int, default=0, metavar="N", dest="first", help="of a clip: first frame (0)"
    )
    parser.add_argument("--to", type=int, metavar="N", help="of a clip: last frame (its own)")
    parser.add_argument(
        "--direction",
        choices=DIRECTIONS,
        default="both",
        help="of a clip: which way masks are carried from where they start (both)",
    )


def run_ask(arguments: argparse.Namespace) -> int:
    """Ask about one picture or clip."""
    with _opened(arguments) as session:
        reach = replace(_reach(arguments), best=arguments.best)
        events = session.ask(arguments.text, task=arguments.task, reach=reach)
        return _answered(arguments, session, events)


def run_point(arguments: argparse.Namespace) -> int:
    """Point at a thing in one picture or clip."""
    plus = [_numbers(text, 2, "--at") for text in arguments.at]
    minus = [_numbers(text, 2, "--not") for text in arguments.apart]
    box = _numbers(arguments.box, 4, "--box") if arguments.box else None
    if not plus and not box:
        raise PromptError("Point at something with --at X,Y or --box X0,Y0,X1,Y1.")
    with _opened(arguments) as session:
        events = session.prompt(
            points=[(x, y) for x, y in (*plus, *minus)],
            labels=[1] * len(plus) + [0] * len(minus),
            box=None if box is None else (box[0], box[1], box[2], box[3]),
            frame=arguments.frame,
            reach=_reach(arguments),
        )
        return _answered(arguments, session, events)


def run_batch(arguments: argparse.Namespace) -> int:
    """Ask the same about every file of a folder; what was done in an earlier run is kept."""
    folder: Path = arguments.folder
    if not folder.is_dir():
        raise MediaError(f"There is no folder {folder}.")
    files = sorted(f for f in folder.iterdir() if f.is_file() and not f.name.startswith("."))
    if not files:
        raise MediaError(f"There is no file in {folder}.")
    choose(arguments.effect)
    out: Path = arguments.out or folder / "x2sam"
    engine: Engine | None = None
    rows: list[dict[str, Any]] = []
    for file in tqdm(files, unit="file", disable=None):
        row = _done_before(out / file.name, arguments.text)
        if row is None:
            engine = engine or _engine(arguments)
            row = _one_of_many(engine, file, out / file.name, arguments)
        rows.append({"file": file.name, **row})
    if arguments.json:
        _say(json.dumps(rows, ensure_ascii=False))
    else:
        for row in rows:
            _say(f"{row['state']:<12} {row['file']:<30} {row['result']}")
    failed = sum(row["state"] == "failed" for row in rows)
    _say(f"{len(rows) - failed} of {len(rows)} files answered; results are in {out}", sys.stderr)
    return int(failed > 0)


def _one_of_many(
    engine: Engine, file: Path, out: Path, arguments: argparse.Namespace
) -> dict[str, Any]:
    try:
        with engine.open(file, options=_options(engine, arguments)) as session:
            outcome = _heard(session, session.ask(arguments.text, task=arguments.task))
            _written(session, out, arguments.effect)
    except X2SAMError as error:
        return {"state": "failed", "result": str(error)}
    return {"state": "done", "result": outcome.summary}


def _done_before(out: Path, text: str) -> dict[str, Any] | None:
    """Read what an earlier run wrote of a file for the same words; None if it did not end."""
    try:
        saved = json.loads((out / SESSION).read_text(encoding="utf-8"))
        turn = saved["turns"][-1]
        if turn["text"] != text:
            return None
        objects = [Object.from_json(values) for values in saved["objects"]]
    except (OSError, ValueError, LookupError, TypeError, X2SAMError):
        return None
    return {"state": "done before", "result": Outcome(turn["reply"], objects).summary}


def _opened(arguments: argparse.Namespace) -> Session:
    choose(arguments.effect)  # a slip is told before the work
    engine = _engine(arguments)
    return engine.open(arguments.media, options=_options(engine, arguments))


def _reach(arguments: argparse.Namespace) -> Reach:
    return Reach(first=arguments.first, last=arguments.to, direction=arguments.direction)


def _options(engine: Engine, arguments: argparse.Namespace) -> Options:
    asked = {
        "frames": arguments.frames,
        "stride": arguments.stride,
        "policy": arguments.policy,
        "propagation": arguments.propagation,
    }
    return replace(engine.options, **{k: v for k, v in asked.items() if v is not None})


def _engine(arguments: argparse.Namespace) -> Engine:
    return load(**loading.keywords(arguments))


def _answered(arguments: argparse.Namespace, session: Session, events: Iterator[Event]) -> int:
    """Print an answer while it comes, then what was found, and write files if asked to."""
    outcome = _heard(session, events, quiet=arguments.json)
    files = _written(session, arguments.out, arguments.effect) if arguments.out else []
    if arguments.json:
        value = {**outcome.to_json(), "files": [str(file) for file in files]}
        _say(json.dumps(value, ensure_ascii=False))
    else:
        places = dict.fromkeys(arguments.out / f.relative_to(arguments.out).parts[0] for f in files)
        for line in (*_table(outcome.objects), *map(str, places)):
            _say(line)
    return int(not outcome.found)


def _heard(session: Session, events: Iterator[Event], *, quiet: bool = True) -> Outcome:
    """Listen to an answer to its end."""
    outcome = Outcome()
    with tqdm(disable=True if quiet else None, leave=False) as bar:
        for event in events:
            if isinstance(event, Progress):
                bar.set_description(event.stage)
                bar.total, bar.n = event.total, event.done
                bar.refresh()
            outcome.take(event, session.objects)
            if not quiet:
                _tell(event)
    return outcome


def _tell(event: Event) -> None:
    """Print what an event says to a person."""
    match event:
        case Routed(_, route):
            _say(f"[{route.reason}]", sys.stderr)
        case TextDelta(text):
            sys.stdout.write(text)
            sys.stdout.flush()
        case Warning(text):
            _say(text, sys.stderr)
        case NotFound(what, candidates, frames):
            where = f", on {frames} frames" if frames > 1 else ""
            _say(f"\nNot found: {what}{where}{_near(what, candidates)}")
        case Done(_, text) if text:
            _say("")


def _near(what: str, candidates: Sequence[tuple[str, float]]) -> str:
    """Say how near it came, or what there is instead.

    >>> _near("a cat", [("a cat", 0.31)]), _near("a cat", [("the dog", 0.0), ("a cup", 0.0)])
    (' (31% likely)', ' (in the list: the dog, a cup)')
    """
    if [name for name, _ in candidates] == [what]:
        return f" ({candidates[0][1]:.0%} likely)"
    names = ", ".join(name for name, _ in candidates)
    return f" (in the list: {names})" if names else ""


def _written(session: Session, out: Path, effect: str) -> list[Path]:
    return [*session.export(out, FORMATS, effect), session.save(out / SESSION)]


def _table(objects: Iterable[Object]) -> Iterator[str]:
    """One line for each object: number, name, score, frames where it is seen, area there."""
    for number, each in enumerate(objects):
        if not number:
            yield f"{'id':>3}  {'name':<30} {'score':>5}  {'frames':>6}  {'area':>8}"
        seen = each.masks.visible()
        area = each.masks.area(seen[0]) if seen else 0
        yield f"{each.id:>3}  {each.name[:30]:<30} {each.score:>5.2f}  {len(seen):>6}  {area:>8}"


def _numbers(text: str, count: int, option: str) -> tuple[float, ...]:
    """Read numbers with commas between; raises `PromptError` for anything else.

    >>> _numbers("4,7.5", 2, "--at")
    (4.0, 7.5)
    """
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != count:
        raise PromptError(f"{option} takes {count} numbers with commas between, not “{text}”.")
    return numbers


def _say(line: str, stream: Any = None) -> None:
    (stream or sys.stdout).write(f"{line}\n")
