"""The doctor's report: complete, and never a traceback.

Faked: probes that fail, a missing package, an empty Hub cache and one with an entry.
"""

import json
from importlib import metadata

import pytest

from x2sam import doctor
from x2sam.doctor import Finding


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
    assert " value" in doctor.as_text([Finding("s", max(doctor.REPOSITORIES, key=len), "value")])


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
    assert sections == ["system", "devices", "libraries", "video", "weights", "self-test"]


def test_a_codec_that_loses_frames_is_noticed(monkeypatch):
    whole = doctor._clip("mp4", "libx264", "yuv420p", {"crf": "10"})
    monkeypatch.setattr(doctor, "FRAMES", doctor.FRAMES + 1)
    monkeypatch.setattr(doctor, "_clip", lambda *_: whole)
    (finding,) = doctor.examine([("video", "H.264", doctor._h264)])
    assert finding.value == "failed (RuntimeError: 16 of 17 frames came back)"


def test_alpha_that_is_dropped_is_noticed(monkeypatch):
    opaque = doctor._clip("webm", "libvpx-vp9", "yuv420p", {"deadline": "realtime"})
    monkeypatch.setattr(doctor, "_clip", lambda *_: opaque)
    (finding,) = doctor.examine([("video", "VP9", doctor._vp9_alpha)])
    assert finding.value == "failed (RuntimeError: alpha came back wrong by 128 of 255)"


def test_the_hub_cache_is_read_without_the_network(tmp_path, monkeypatch):
    from huggingface_hub.utils import _cache_manager

    cache = tmp_path / "hub"
    monkeypatch.setattr(_cache_manager, "HF_HUB_CACHE", str(cache))
    assert doctor._cached("a/b") == "not downloaded", "no cache at all"
    blob = cache / "models--a--b" / "blobs" / "0"
    blob.parent.mkdir(parents=True)
    blob.write_bytes(bytes(2000))
    snapshot = cache / "models--a--b" / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").symlink_to(blob)
    assert doctor._cached("a/b") == "2.0K"
    assert doctor._cached("a/c") == "not downloaded", "another repository"
