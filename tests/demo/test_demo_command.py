"""The options of `x2sam demo`: what they come to, and which are refused. Nothing is served."""

import argparse
import sys
from types import SimpleNamespace

import pytest

from demo.command import add_arguments, settings_of
from demo.settings import ACCOUNTS, Settings
from x2sam.errors import PromptError


def settings(*words):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return settings_of(parser.parse_args(words))


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    monkeypatch.delenv(ACCOUNTS, raising=False)
    for name in (
        "GRADIO_SERVER_NAME",
        "SPACE_ID",
        "SPACES_ZERO_GPU",
        "X2SAM_MODEL",
        "X2SAM_TRACKER",
    ):
        monkeypatch.delenv(name, raising=False)


def test_without_options_it_is_for_this_machine_alone():
    assert settings() == Settings()
    assert settings().host == "127.0.0.1"


def test_options_are_taken_over():
    given = settings(
        *("--model", "folder", "--device", "cpu", "--port", "8000", "--visitors", "3"),
        *("--tracker", "tiny.pt", "--bits", "4", "--revision", "v1", "--offload", "--unmerged"),
        *("--cache-mb", "500", "--dtype", "bfloat16", "--tracker-backend", "transformers"),
        *("--max-clip-mb", "7", "--max-seconds", "9", "--auth", "ann:a:b", "--mcp"),
    )
    assert (given.model, given.device, given.port, given.visitors) == ("folder", "cpu", 8000, 3)
    assert (given.limits.clip_bytes, given.limits.clip_seconds) == (7_000_000, 9.0)
    assert given.auth == (("ann", "a:b"),)
    assert (given.tracker, given.bits, given.revision) == ("tiny.pt", 4, "v1")
    assert (given.offload, given.merge, given.cache_bytes) == (True, False, 500_000_000)
    assert (given.dtype, given.tracker_backend) == ("bfloat16", "transformers")
    assert given.mcp


def test_accounts_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv(ACCOUNTS, "ann:one\nbob:two\n")
    assert settings().auth == (("ann", "one"), ("bob", "two"))


def test_a_space_is_for_everybody_and_names_its_model_by_a_variable(monkeypatch):
    monkeypatch.setenv("SPACE_ID", "ann/x2sam")
    assert (settings().host, settings().model) == ("0.0.0.0", "nano")
    monkeypatch.setenv("X2SAM_MODEL", "hao9610/X2SAM")
    assert settings().model == "hao9610/X2SAM"
    monkeypatch.setenv("X2SAM_TRACKER", "facebook/sam2.1-hiera-tiny")
    assert settings().tracker == "facebook/sam2.1-hiera-tiny"
    monkeypatch.delenv("X2SAM_TRACKER")
    assert settings("--model", "nano", "--host", "127.0.0.1") == Settings()


def test_where_gpus_are_lent_the_published_model_answers(monkeypatch):
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(__spec__=object()))
    assert settings().model == "hao9610/X2SAM"
    monkeypatch.setenv("X2SAM_MODEL", "nano")
    assert settings().model == "nano"


@pytest.mark.parametrize(
    "words", [["--auth", "ann"], ["--idle-minutes", "0"], ["--visitors", "-1"]]
)
def test_mistakes_are_sentences(words):
    with pytest.raises(PromptError):
        settings(*words)


@pytest.mark.parametrize(
    "words", [["--max-clip-mb", "0"], ["--cache-mb", "-1"], ["--max-seconds", "x"], ["--port", "x"]]
)
def test_numbers_are_checked(words, capsys):
    with pytest.raises(SystemExit):
        settings(*words)
    assert "usage" in capsys.readouterr().err
