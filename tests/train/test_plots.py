"""The plot of a run's log. Faked: the absence of matplotlib."""

import logging
import sys

import pytest
from PIL import Image

from x2sam.train import plots
from x2sam.train.plots import plot, read_log

LOG = """{"step": 1, "seconds": 0.1, "loss": 4.0, "loss_lm": 1.0}
{"step": 2, "seconds": 0.2, "loss": 3.0}
{"step": 2, "seconds": 0.2, "scores": {"referring": 0.5}}
{"step": 3, "seconds": 0.3, "lo"""


def test_a_log_becomes_a_picture(tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "log.jsonl").write_text(LOG)
    file = plot(tmp_path)
    with Image.open(file) as picture:
        assert picture.width == 960
        tall = picture.height
    (tmp_path / "log.jsonl").write_text("\n".join(LOG.splitlines()[:2]))
    with Image.open(plot(tmp_path)) as picture:
        assert picture.height < tall  # no scores, no second plot


def test_how_long_scoring_took_is_no_score(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    told = []
    monkeypatch.setattr(plots, "_curves", lambda axis, columns, title: told.append([*columns]))
    line = '{"step": 2, "loss": 3.0}\n{"step": 2, "scores": {"referring": 0.5, "seconds": 60.0}}'
    (tmp_path / "log.jsonl").write_text(line)
    plot(tmp_path)
    assert told == [["loss"], ["referring"]]


def test_a_line_that_was_cut_is_left_out(tmp_path):
    (tmp_path / "log.jsonl").write_text(LOG)
    assert [line["step"] for line in read_log(tmp_path)] == [1, 2, 2]


def test_without_a_log_there_is_no_picture(tmp_path):
    assert plot(tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_there_is_a_line_in_the_log(tmp_path, monkeypatch, caplog):
    (tmp_path / "log.jsonl").write_text(LOG)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with caplog.at_level(logging.INFO):
        assert plot(tmp_path) is None
    assert "matplotlib is not installed" in caplog.text
