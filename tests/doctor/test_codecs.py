"""The codec probes notice what is lost. Faked: what comes back."""

from x2sam import doctor
from x2sam.doctor import codecs


def test_a_codec_that_loses_frames_is_noticed(monkeypatch):
    whole = codecs._clip("mp4", "libx264", "yuv420p", {"crf": "10"})
    monkeypatch.setattr(codecs, "FRAMES", codecs.FRAMES + 1)
    monkeypatch.setattr(codecs, "_clip", lambda *_: whole)
    (finding,) = doctor.examine([("video", "H.264", codecs._h264)])
    assert finding.value == "failed (RuntimeError: 16 of 17 frames came back)"


def test_alpha_that_is_dropped_is_noticed(monkeypatch):
    opaque = codecs._clip("webm", "libvpx-vp9", "yuv420p", {"deadline": "realtime"})
    monkeypatch.setattr(codecs, "_clip", lambda *_: opaque)
    (finding,) = doctor.examine([("video", "VP9", codecs._vp9_alpha)])
    assert finding.value == "failed (RuntimeError: alpha came back wrong by 128 of 255)"
