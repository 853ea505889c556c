"""The Batch tab without a browser: rows as they fill, the archive, stopping, and what is left.

The predictor is an actor that knows coloured squares. Faked besides: Gradio's request, of which
the session's name and the language are used. Files, exports and the archive are real.
"""

import json
import re
import tempfile
import zipfile
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from demo import batch_tab
from demo.settings import Settings
from demo.source import Loaded
from tests.engine.acting import picture, stage
from x2sam.errors import DeviceFullError, PromptError, WeightsError
from x2sam.media.masks import Rle


def visitor(name, accepted="en-GB,en;q=0.8"):
    return SimpleNamespace(session_hash=name, headers={"accept-language": accepted})


ANN, BOB = visitor("ann"), visitor("bob")


def cells(table):
    """What stands in the table, row by row."""
    rows = re.findall("<tr [^>]*data-state.*?</tr>", table)
    return [[unescape(cell) for cell in re.findall("<td.*?>(.*?)</td>", row)] for row in rows]


@pytest.fixture
def batch(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    engine, _ = stage()
    return batch_tab.Batch(Loaded(engine), Settings())


def write(path, **squares):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(**squares)).save(path)
    return str(path)


def left_behind():
    return list(Path(tempfile.gettempdir()).rglob("*"))


def run(batch, files, text="the red square", request=ANN):
    """All that was shown, and the archive's content, read while it is there."""
    shown, packed = [], {}
    for table, said, archive in batch.run(files, text, request):
        shown.append((cells(table) if isinstance(table, str) else table, said))
        if archive.get("value"):
            with zipfile.ZipFile(archive["value"]) as file:
                packed = {name: file.read(name) for name in file.namelist()}
    return shown, packed


def test_files_are_answered_one_by_one_and_packed(batch, tmp_path):
    files = [write(tmp_path / "a" / "one.png", red=(2, 2)), write(tmp_path / "b" / "two.png")]
    shown, packed = run(batch, files)
    table, said = shown[-1]
    assert said == "2 of 2 files answered."
    assert [row[:3] for row in table] == [
        ["one.png", "done", "the red square (0.90)"],
        ["two.png", "done", "not found"],
    ]
    assert re.fullmatch(r"\d+\.\d s", table[0][3])
    assert shown[0][0] == [["one.png", "waiting", "", ""], ["two.png", "waiting", "", ""]]
    assert {"one.png/overlay.png", "one.png/session.json", "two.png/chat.md"} <= packed.keys()
    coco = json.loads(packed["one.png/coco.json"])
    assert Rle.from_json(coco["annotations"][0]["segmentation"]).area > 0
    assert left_behind() == []


def test_a_bad_file_is_a_row_and_the_others_go_on(batch, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    shown, packed = run(batch, [str(bad), write(tmp_path / "good.png", red=(2, 2))])
    states = [row[1] for row in shown[-1][0]]
    assert states == ["failed", "done"]
    assert "bad.png" in shown[-1][0][0][2]
    assert shown[-1][1] == "1 of 2 files answered, 1 failed."
    assert not any(name.startswith("bad.png") for name in packed)


def test_a_bug_costs_one_file_only(batch, tmp_path, monkeypatch, caplog):
    engine = batch._source.get()
    usual = engine.open

    def opened(path, **more):
        if Path(path).name == "odd.png":
            raise ZeroDivisionError
        return usual(path, **more)

    monkeypatch.setattr(engine, "open", opened)
    files = [write(tmp_path / "odd.png"), write(tmp_path / "good.png", red=(2, 2))]
    shown, _ = run(batch, files)
    assert [row[1] for row in shown[-1][0]] == ["failed", "done"]
    assert "ZeroDivisionError" in caplog.text


def test_files_of_one_name_have_folders_of_their_own(batch, tmp_path):
    files = [write(tmp_path / folder / "same.png", red=(2, 2)) for folder in "ab"]
    _, packed = run(batch, files)
    assert {"same.png/overlay.png", "same 2.png/overlay.png"} <= packed.keys()


def test_stop_ends_the_file_and_packs_what_there_is(batch, tmp_path):
    files = [write(tmp_path / f"{n}.png", red=(2, 2)) for n in range(3)]
    steps = batch.run(files, "the red square", ANN)
    for table, _, _ in steps:
        if cells(table)[1][1] == "running":
            break
    batch.stop(BOB)  # another visitor stops nothing
    batch.stop(ANN)
    *_, (table, said, archive) = steps
    assert [row[1] for row in cells(table)] == ["done", "stopped", "waiting"]
    assert said == "2 of 3 files answered, 1 left out."
    assert archive["value"]
    assert left_behind() == []


def test_a_page_that_is_closed_leaves_nothing(batch, tmp_path):
    steps = batch.run([write(tmp_path / "one.png", red=(2, 2))], "the red square", ANN)
    for _ in range(3):
        next(steps)
    assert left_behind()
    steps.close()
    assert left_behind() == []
    assert batch._running == {}


def test_one_run_for_each_visitor(batch, tmp_path):
    files = [write(tmp_path / "one.png", red=(2, 2))]
    first = batch.run(files, "the red square", ANN)
    next(first)
    (_, said, _) = next(batch.run(files, "the red square", ANN))
    assert said.startswith("A run is under way")
    assert run(batch, files, request=BOB)[0][-1][1] == "1 of 1 files answered."
    *_, (_, said, _) = first
    assert said == "1 of 1 files answered."


@pytest.mark.parametrize(
    ("files", "text", "sentence"),
    [
        (None, "a", "Choose some"),
        ([], "a", "Choose some"),
        (["a.png"] * 51, "a", "up to 50"),
        (["a.png"], " ", "Say what"),
    ],
)
def test_what_cannot_be_run_is_said(batch, files, text, sentence):
    ((_, said, _),) = batch.run(files, text, ANN)
    assert sentence in said
    with pytest.raises(PromptError):
        batch_tab.checked(files, text)


@pytest.mark.parametrize(
    "error", [WeightsError("There is no such model."), DeviceFullError("Full.")]
)
def test_a_model_that_cannot_be_loaded_is_said(error, tmp_path):
    def get():
        raise error

    batch = batch_tab.Batch(SimpleNamespace(get=get, ready=True), Settings())
    shown, _ = run(batch, [write(tmp_path / "one.png")])
    assert shown[-1][1] == str(error)


def test_a_long_file_shows_how_far_it_is(batch, tmp_path, monkeypatch):
    monkeypatch.setattr(batch_tab, "SHOWN_EVERY", -1)
    shown, _ = run(batch, [write(tmp_path / "one.png", red=(2, 2))])
    results = {table[0][2] for table, _ in shown if isinstance(table, list)}
    assert any(" of " in result for result in results), results


def test_a_chinese_visitor_reads_chinese(batch, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    files = [str(bad), write(tmp_path / "done.png", red=(2, 2)), write(tmp_path / "none.png")]
    shown, packed = run(batch, files, "the red square", visitor("lin", "zh-CN,zh;q=0.9,en"))
    assert shown[-1][1] == "已回答 2 / 3 个文件，1 个失败。"
    assert [row[:3] for row in shown[-1][0]] == [
        ["bad.png", "失败", "bad.png 不是可以读取的图片或视频，或者已损坏。"],
        ["done.png", "完成", "the red square (0.90)"],
        ["none.png", "完成", "没有找到"],
    ]
    assert "done.png/overlay.png" in packed
    ((_, said, _),) = batch.run([], "", visitor("lin", "zh"))
    assert said == "请先选择一些图片或视频。"


def test_names_cannot_write_the_table():
    rows = [batch_tab.Row('<b>"a"</b>.png', "done", "<script>")]
    assert "<b>" not in batch_tab.table_of(rows)
    assert "<script>" not in batch_tab.table_of(rows)
    assert cells(batch_tab.table_of(rows)) == [['<b>"a"</b>.png', "done", "<script>", ""]]


def test_the_table_is_headed_in_the_language_of_the_page():
    for language, heads in {
        "en": list(batch_tab.COLUMNS),
        "zh": ["文件", "状态", "结果", "用时"],
    }.items():
        table = batch_tab.table_of([batch_tab.Row("a")], language)
        assert re.findall("<th .*?>(.*?)</th>", table) == heads
