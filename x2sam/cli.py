"""The `x2sam` command: one row per subcommand.

A row says what the subcommand is for, which arguments it takes and which function runs it.
Whatever is heavy is imported inside that function, so that `x2sam --help` answers at once.

Exit codes: 0 done, 1 the answer is no (a check failed), 2 a mistake the person can mend
(said in one sentence on stderr), 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from x2sam import __doc__ as summary
from x2sam import __version__
from x2sam.errors import X2SAMError


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One subcommand: `run` gets the parsed arguments and returns the exit code."""

    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def _doctor_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def _doctor(arguments: argparse.Namespace) -> int:
    from x2sam import doctor

    findings = doctor.examine()
    print(doctor.as_json(findings) if arguments.json else doctor.as_text(findings))
    return int(not all(finding.ok for finding in findings))


def _verify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", metavar="GOLDEN_DIR", type=Path, help="numbers recorded from the official code"
    )


def _verify(arguments: argparse.Namespace) -> int:
    from x2sam.eval.golden import verify

    return verify(arguments.folder)


def _elsewhere(help: str, module: str, arguments: str, run: str) -> Command:  # noqa: A002
    """Make a row of two functions that live in a module too heavy to import before its turn."""
    return Command(
        help=help,
        arguments=lambda parser: _call(module, arguments, parser),
        run=lambda given: int(_call(module, run, given)),
    )


def _call(module: str, function: str, argument: object) -> Any:
    return getattr(import_module(module), function)(argument)


def _train_arguments(parser: argparse.ArgumentParser) -> None:
    from x2sam.train.command import add_arguments

    add_arguments(parser)


def _train(arguments: argparse.Namespace) -> int:
    from x2sam.eval.during_training import JUDGES
    from x2sam.train.command import run

    return run(arguments, JUDGES)


COMMANDS: dict[str, Command] = {
    "ask": _elsewhere(
        "ask about a picture or clip, in words; masks come out",
        *("x2sam.engine.commands", "ask_arguments", "run_ask"),
    ),
    "batch": _elsewhere(
        "ask the same of every picture and clip in a folder; goes on where it stopped",
        *("x2sam.engine.commands", "batch_arguments", "run_batch"),
    ),
    "demo": _elsewhere(
        "serve the page: talk to pictures and clips in a browser",
        *("demo.command", "add_arguments", "run"),
    ),
    "doctor": Command(
        help="report on this machine and what is installed, to paste into a bug report",
        arguments=_doctor_arguments,
        run=_doctor,
    ),
    "eval": _elsewhere(
        "score a model: nano's own bars, or a folder of pictures and clips with masks",
        *("x2sam.eval.command", "add_arguments", "run"),
    ),
    "everything": _elsewhere(
        "find everything in a picture, by SAM 2; masks come out",
        *("x2sam.engine.everything_command", "add_arguments", "run"),
    ),
    "pack": _elsewhere(
        "pack sprites, photos or cut-outs into the files that training takes",
        *("x2sam.train.packs", "add_arguments", "run"),
    ),
    "point": _elsewhere(
        "point at a thing in a picture or clip; its masks come out",
        *("x2sam.engine.commands", "point_arguments", "run_point"),
    ),
    "scenes": _elsewhere(
        "write training samples with masks and texts, to look at",
        *("x2sam.train.preview", "add_arguments", "run"),
    ),
    "train": Command(
        help="train the small model, or fine-tune any on a folder of your own",
        arguments=_train_arguments,
        run=_train,
    ),
    "verify": Command(
        help="compare the network with numbers recorded from the official code",
        arguments=_verify_arguments,
        run=_verify,
    ),
}


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """Describe the command line, from the rows above.

    Describing the arguments of some subcommands takes torch, so `only` names the one whose
    arguments are wanted; None wants all.
    """
    assert summary is not None
    top = argparse.ArgumentParser(prog="x2sam", description=summary.partition("\n")[0])
    top.add_argument("--version", action="version", version=f"x2sam {__version__}")
    rows = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        row = rows.add_parser(name, help=command.help, description=command.help)
        if only in (None, name):
            command.arguments(row)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit code; `argv` defaults to the process's own."""
    argv = sys.argv[1:] if argv is None else argv
    # Before torch is there: what Apple's GPUs cannot do yet then runs on the CPU.
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    arguments = parser(only=argv[0] if argv else "").parse_args(argv)
    try:
        return COMMANDS[arguments.command].run(arguments)
    except X2SAMError as error:
        print(f"x2sam: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
