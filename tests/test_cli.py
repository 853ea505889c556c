"""The command line: exit codes, and where each subcommand leads.

Faked: the subcommand that fails, and the comparison that `verify` calls.
"""

import json
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import x2sam
from x2sam import cli, doctor
from x2sam.errors import WeightsError


def failing_with(error):
    def run(arguments):
        raise error

    return cli.Command(help="fails", arguments=lambda parser: None, run=run)


def test_a_persons_mistake_is_one_sentence_and_exit_code_2(monkeypatch, capsys):
    error = WeightsError("The folder holds no weights.")
    monkeypatch.setitem(cli.COMMANDS, "fail", failing_with(error))
    assert cli.main(["fail"]) == 2
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "x2sam: The folder holds no weights.\n")


def test_an_interrupt_is_exit_code_130(monkeypatch):
    monkeypatch.setitem(cli.COMMANDS, "fail", failing_with(KeyboardInterrupt()))
    assert cli.main(["fail"]) == 130


def test_a_bug_looks_like_one(monkeypatch):
    monkeypatch.setitem(cli.COMMANDS, "fail", failing_with(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        cli.main(["fail"])


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["verify"]])
def test_wrong_usage_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2
    assert "usage: x2sam" in capsys.readouterr().err


def test_help_names_every_subcommand(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--help"])
    assert stop.value.code == 0
    output = capsys.readouterr().out
    listed = {line.split()[0] for line in output.splitlines() if line.startswith("    ")}
    assert listed >= set(cli.COMMANDS)


@pytest.mark.parametrize("code", [0, 1])
def test_verify_hands_over_the_folder_and_returns_the_verdict(code, monkeypatch):
    seen = []

    def verify(folder):
        seen.append(folder)
        return code

    monkeypatch.setitem(sys.modules, "x2sam.eval.golden", SimpleNamespace(verify=verify))
    assert cli.main(["verify", "some/folder"]) == code
    assert seen == [Path("some/folder")]


@pytest.mark.parametrize("ok", [True, False])
def test_doctor_fails_when_a_probe_does(ok, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "examine", lambda: [doctor.Finding("video", "VP9", "text", ok)])
    assert cli.main(["doctor", "--json"]) == int(not ok)
    assert json.loads(capsys.readouterr().out) == {"video": {"VP9": {"value": "text", "ok": ok}}}


def test_the_demo_refuses_a_port_that_is_taken(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert cli.main(["demo", "--port", str(taken.getsockname()[1])]) == 2
    assert "--port" in capsys.readouterr().err


def test_python_m_x2sam_is_the_command():
    command = [sys.executable, "-m", "x2sam", "--version"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout == f"x2sam {x2sam.__version__}\n"
