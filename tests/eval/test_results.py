"""Results as a table and as JSON; the machine is the one the test runs on."""

import hashlib
import json
import math

from x2sam.eval.results import Result, checkpoint_hash, report, table, write


def test_a_bar_may_be_a_least_or_a_most():
    at_least = {value: Result(task="", metric="", value=value, bar=0.5).met for value in (0.4, 0.5)}
    assert at_least == {0.4: False, 0.5: True}
    at_most = Result(task="", metric="", value=0.4, bar=0.5, at_most=True)
    assert at_most.met
    assert Result(task="", metric="", value=1.0).met is None
    assert Result(task="", metric="", bar=0.5).met is None


def test_the_table_lines_up_and_says_once_why_rows_are_missing():
    rows = [
        Result(task="referring", metric="gIoU", value=1.0, n=100, bar=0.8),
        Result(task="photos", metric="gIoU", why="no photos"),
        Result(task="photos", metric="cIoU", why="no photos"),
    ]
    lines = table(rows).splitlines()
    assert len({len(line) for line in lines[:5]}) == 1
    assert lines[5:] == ["photos: not run (no photos)"]


def test_the_report_is_json_and_names_what_was_measured(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.safetensors").write_bytes(b"weights")
    (model / "config.json").write_text("{}")
    rows = [Result(task="a", metric="m", parts={"x": math.nan, "y": 1.0}, bar=0.5)]
    write(tmp_path / "new" / "out.json", report(rows, model=model, seconds=1.26, limit=3))
    content = json.loads((tmp_path / "new" / "out.json").read_text())
    assert content["sha256"] == hashlib.sha256(b"weights").hexdigest()
    assert (content["seconds"], content["limit"]) == (1.3, 3)
    assert "cores" in content["machine"]
    row = content["results"][0]
    assert (row["value"], row["met"], row["parts"]) == (None, None, {"x": None, "y": 1.0})


def test_other_weights_have_another_hash(tmp_path):
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"one")
    one = checkpoint_hash(file)
    file.write_bytes(b"other")
    assert checkpoint_hash(file) != one
    assert checkpoint_hash(tmp_path) == checkpoint_hash(file)
