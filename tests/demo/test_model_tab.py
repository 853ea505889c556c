"""What the Model tab says: of nano by its card, of others by their config, and what is kept.

The predictors are actors; the card, the limits and the report on this machine are real.
"""

import json
from types import SimpleNamespace

import pytest

from demo import model_tab
from demo.settings import Settings
from demo.source import Loaded
from tests.engine.acting import stage
from tests.tiny import tiny_config
from x2sam.errors import WeightsError
from x2sam.media.limits import Limits


def engine_of(config):
    engine, actor = stage()
    actor.model.config = config
    return engine


def test_the_card_has_what_is_shown():
    found = model_tab.sections(model_tab.CARD.read_text("utf-8"))
    assert "X2SAM" in found[""]
    assert "cannot" in found["What it can and cannot do"]
    assert {*model_tab.SHOWN, model_tab.RESULTS} <= {*found}


def test_nano_speaks_by_its_card():
    named = SimpleNamespace(name="nano")
    text, results = model_tab.about(engine_of(named))
    assert "gIoU" in results
    for name in model_tab.SHOWN:
        assert f"### {name}" in text
    assert "Training" not in [line.removeprefix("### ") for line in text.splitlines()]


def test_another_model_is_described_by_its_config():
    text, results = model_tab.about(engine_of(tiny_config()))
    assert results.startswith(model_tab.NOT_MEASURED)
    assert "| 4 bits | 0.00 GB |" in results
    assert "computed and not measured" in results
    assert "tiny reads words with 4 layers of width 64" in text
    assert "128 pixels" in text


def test_agreement_of_precisions_is_shown_where_it_was_measured(tmp_path, monkeypatch):
    row = {"stored": "8 bits", "megabytes": 20.8, "masks": 0.985, "words": 0.9}
    about = {"date": "2026-11-20", "commit": "abc1234", "device": "cpu", "requests": 25}
    file = tmp_path / "precision.json"
    monkeypatch.setattr(model_tab, "PRECISION", file)
    assert list(model_tab.agreement()) == []
    file.write_text(json.dumps({**about, "whole": 25.7, "rows": [row]}))
    said = "\n".join(model_tab.agreement())
    assert "| 8 bits | 20.8 MB | 98.5% | 90.0% |" in said
    assert "25 requests" in said
    assert "2026-11-20, commit abc1234, on cpu" in said


def test_facts_and_card_arrive_together():
    facts, about, results = model_tab.told(Loaded(engine_of(tiny_config())))
    assert "| model | tiny |" in facts
    assert "| device | cpu |" in facts
    assert about
    assert results


def test_a_model_that_is_missing_is_said():
    def get():
        raise WeightsError("There is no model of that name.")

    said = model_tab.told(SimpleNamespace(get=get))
    assert said == ("There is no model of that name.", "", "")


def test_limits_and_times_are_stated():
    settings = Settings(idle_minutes=7, visitors=3, limits=Limits(picture_bytes=5_000_000))
    text = model_tab.kept(settings)
    assert "Pictures up to 5 MB" in text
    assert text.count("7 minutes") == 2
    assert "At most 3" in text


@pytest.mark.timeout(120)
def test_the_report_is_made_when_asked_for(monkeypatch):
    asked = []
    monkeypatch.setattr(model_tab, "examine", lambda *, lent: asked.append(lent) or [])
    assert model_tab.doctor()["visible"]
    monkeypatch.setattr(model_tab, "is_lent", lambda: True)
    model_tab.doctor()
    assert asked == [False, True], "where a GPU is lent, this process has none"
