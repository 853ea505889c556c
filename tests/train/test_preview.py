"""The sheets that a person looks at. Sprites come from the test bank instead of a file."""

from __future__ import annotations

import pytest
from PIL import Image

from x2sam.errors import MediaError
from x2sam.train.preview import write_scenes


def test_sheets_are_written(tmp_path, monkeypatch, bank):
    monkeypatch.setattr("x2sam.train.preview.read_sources", lambda *_: (bank, None))
    for clips in (False, True):
        files = write_scenes(tmp_path, n=6, clips=clips, sprites=[tmp_path / "any.npz"], size=64)
        for file in files:
            with Image.open(file) as sheet:
                assert min(sheet.size) > 128
        assert len(files) == (2 if clips else 1)


def test_a_missing_source_is_named(tmp_path):
    with pytest.raises(MediaError, match="nothing at"):
        write_scenes(tmp_path, sprites=[tmp_path / "nowhere"])
