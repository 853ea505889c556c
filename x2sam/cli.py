"""The `x2sam` command: one row per subcommand.

A row says what the subcommand is for, which arguments it takes and which function runs it.
Whatever is heavy is imported inside that function, so that `x2sam --help` answers at once.

Exit codes: 0 done, 1 the answer is no (a check failed), 2 a mistake the person can mend
(said in one sentence on stderr), 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

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


def _no_arguments(parser: argparse.ArgumentParser) -> None:
    """Take nothing."""


def _demo(arguments: argparse.Namespace) -> int:
    del arguments
    print("The demo page is not built yet; README.md says what works today.")
    return 0


COMMANDS: dict[str, Command] = {
    "demo": Command(help="open the demo page (not built yet)", arguments=_no_arguments, run=_demo),
    "doctor": Command(
        help="report on this machine and what is installed, to paste into a bug report",
        arguments=_doctor_arguments,
        run=_doctor,
    ),
    "verify": Command(
        help="compare the network with numbers recorded from the official code",
        arguments=_verify_arguments,
        run=_verify,
    ),
}


def parser() -> argparse.ArgumentParser:
    """Describe the command line, from the rows above."""
    assert summary is not None
    top = argparse.ArgumentParser(prog="x2sam", description=summary.partition("\n")[0])
    top.add_argument("--version", action="version", version=f"x2sam {__version__}")
    rows = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        command.arguments(rows.add_parser(name, help=command.help, description=command.help))
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit code; `argv` defaults to the process's own."""
    arguments = parser().parse_args(argv)
    try:
        return COMMANDS[arguments.command].run(arguments)
    except X2SAMError as error:
        print(f"x2sam: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
