"""The report: complete, and never a traceback. Faked: probes that fail, a missing package."""

import json
from importlib import metadata

import pytest

from x2sam import doctor
from x2sam.doctor import Finding
from x2sam.doctor.models import repositories


def probe_raising(error):
    def probe():
        raise error

    return probe


@pytest.mark.parametrize(
    ("error", "value"),
    [
        (OSError("no such\n device"), "failed (OSError: no such device)"),
        (ImportError("libcudnn.so.9"), "failed (ImportError: libcudnn.so.9)"),
        (AssertionError(), "failed (AssertionError:)"),
        (metadata.PackageNotFoundError("av"), "not installed"),
    ],
)
def test_a_failing_probe_becomes_a_line(error, value):
    table = [("s", "bad", probe_raising(error)), ("s", "good", lambda: "fine")]
    assert doctor.examine(table) == [
        Finding("s", "bad", value, False),
        Finding("s", "good", "fine"),
    ]


def test_what_needs_a_gpu_that_is_lent_is_not_examined():
    def probe():
        pytest.fail("there is no GPU in this process")

    table = [("devices", "x", probe), ("self-test", "y", probe), ("system", "z", lambda: "fine")]
    findings = doctor.examine(table, lent=True)
    assert [finding.value.partition(":")[0] for finding in findings] == [
        *["not examined"] * 2,
        "fine",
    ]
    assert all(finding.ok for finding in findings)


def test_text_groups_by_section_and_marks_failures():
    findings = [
        Finding("a", "one", "1"),
        Finding("a", "two", "2", ok=False),
        Finding("b", "x", "3"),
    ]
    lines = doctor.as_text(findings).splitlines()
    assert [line.split() for line in lines] == [
        ["a"],
        ["one", "1"],
        ["!", "two", "2"],
        ["b"],
        ["x", "3"],
    ]


def test_a_long_name_keeps_its_distance():
    assert " value" in doctor.as_text([Finding("s", max(repositories(), key=len), "value")])


def test_json_holds_the_same_as_text():
    findings = [Finding("a", "one", "1"), Finding("b", "two", "2", ok=False)]
    assert json.loads(doctor.as_json(findings)) == {
        "a": {"one": {"value": "1", "ok": True}},
        "b": {"two": {"value": "2", "ok": False}},
    }


def test_every_probe_works_on_this_machine():
    """All that requirements.txt installs is there, so nothing may be marked here."""
    findings = doctor.examine()
    assert [finding for finding in findings if not finding.ok] == []
    assert all(finding.value and "\n" not in finding.value for finding in findings)
    sections = list(dict.fromkeys(finding.section for finding in findings))
    assert sections == ["system", "devices", "libraries", "video", "weights", "4B", "self-test"]
