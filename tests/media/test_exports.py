"""Everything to take away of a picture and of a clip, read back by other programs' readers.

PNG by Pillow, video by PyAV, JSON by pycocotools, YOLO by a rasteriser of the tests; masks come
back bit for bit. Nothing is faked.
"""

import json
import zipfile
from dataclasses import replace

import av
import numpy as np
import pytest
from filming import film, scene
from PIL import Image
from test_annotations import FILTER, read_coco, read_yolo

from x2sam.errors import MediaError, PromptError
from x2sam.media.annotations import Item
from x2sam.media.drawing import colour_of
from x2sam.media.exports import FORMATS, Parcel, export, file_stem, pack
from x2sam.media.images import read_image
from x2sam.media.masks import Track
from x2sam.media.transcript import Turn
from x2sam.media.videos import open_clip

SIZE = (47, 63)
SHAPE = np.zeros(SIZE, bool)
SHAPE[8:40, 5:45] = True
SHAPE[15:25, 12:20] = False  # a hole
SHAPE[2:5, 50:60] = True  # a second part


@pytest.fixture
def still():
    picture = read_image(scene(4, 63, 47), name="street.jpg")
    items = [
        Item(id=1, name="red car", track=Track.still(SHAPE), score=0.9),
        Item(id=3, name="../../etc", track=Track.still(np.zeros(SIZE, bool))),
        Item(id=4, name="red car", track=Track.still(SHAPE[::-1])),
    ]
    return Parcel(medium=picture, items=items, turns=[Turn(request="cars?", reply="Two.")])


@pytest.fixture
def moving(tmp_path):
    path = film(tmp_path / "walk.mkv", "ffv1", size=SIZE, pixels="yuv444p", frames=12, sound="aac")
    track = Track(SIZE)
    for index in range(2, 9):
        track[index] = np.roll(SHAPE, index, axis=1)
    track[9] = np.zeros(SIZE, bool)
    items = [Item(id=2, name="狗 dog", track=track), Item(id=5, name="cat", track=Track(SIZE))]
    with open_clip(path) as clip:
        yield Parcel(medium=clip, items=items)


def exported(parcel, folder, *formats):
    files = list(export(parcel, folder, formats))
    assert all(file.is_file() for file in files)
    names = [str(file.relative_to(folder)) for file in files]
    assert len(set(names)) == len(names)
    assert sorted(names) == sorted(
        str(path.relative_to(folder)) for path in folder.rglob("[!.]*") if path.is_file()
    )
    return names


def pixels(path):
    return np.array(Image.open(path))


def test_all_of_a_picture(still, tmp_path):
    assert exported(still, tmp_path / "out") == [
        "overlay.png",
        *("masks/1-red-car.png", "masks/3-etc.png", "masks/4-red-car.png"),
        "coco.json",
        *("yolo/labels/street.txt", "yolo/data.yaml"),
        *("cutouts/1-red-car.png", "cutouts/3-etc.png", "cutouts/4-red-car.png"),
        "chat.md",
    ]


@pytest.mark.filterwarnings(FILTER)
def test_masks_of_a_picture_come_back_bit_for_bit(still, tmp_path):
    exported(still, tmp_path)
    data = read_coco(json.loads((tmp_path / "coco.json").read_text(encoding="utf-8")))
    assert data.imgs[1]["file_name"] == "street.jpg"
    lines = (tmp_path / "yolo/labels/street.txt").read_text().splitlines()
    for id_, name, line, expected in (
        (1, "1-red-car", lines[0], SHAPE),
        (4, "4-red-car", lines[1], SHAPE[::-1]),
    ):
        assert ((pixels(tmp_path / f"masks/{name}.png") == 255) == expected).all()
        assert set(np.unique(pixels(tmp_path / f"masks/{name}.png"))) == {0, 255}
        assert (data.annToMask(data.anns[id_]) == expected).all()
        assert (read_yolo(line, SIZE)[1] == expected).all()
        cut = pixels(tmp_path / f"cutouts/{name}.png")
        assert (cut[..., 3] == expected * 255).all()
        assert (cut[expected][:, :3] == still.medium.pixels[expected]).all()
    assert not pixels(tmp_path / "masks/3-etc.png").any()
    assert len(lines) == 2
    assert (tmp_path / "yolo/data.yaml").read_text() == (
        'path: .\nnames:\n  0: "red car"\n  1: "../../etc"\n'
    )


def test_the_overlay_of_a_picture(still, tmp_path):
    exported(still, tmp_path, "overlay")
    drawn = pixels(tmp_path / "overlay.png")
    outside = ~(SHAPE | SHAPE[::-1])
    changed = (drawn != still.medium.pixels).any(-1)
    assert changed[SHAPE].all()
    assert changed[outside].mean() < 0.3  # by plates only


def test_all_of_a_clip(moving, tmp_path):
    names = exported(moving, tmp_path / "out")
    assert [name for name in names if not name.startswith(("masks", "yolo/labels"))] == [
        *("overlay.mp4", "youtube_vis.json", "yolo/data.yaml"),
        *("cutouts/2-狗-dog.webm", "cutouts/5-cat.webm", "chat.md"),
    ]
    assert [name for name in names if name.startswith("masks")] == [
        f"masks/2-狗-dog/{index:05d}.png" for index in range(2, 10)
    ]


@pytest.mark.filterwarnings(FILTER)
def test_masks_of_a_clip_come_back_bit_for_bit(moving, tmp_path):
    from pycocotools import mask as independent

    exported(moving, tmp_path / "out", "masks", "coco", "yolo")
    value = json.loads((tmp_path / "out/youtube_vis.json").read_text(encoding="utf-8"))
    runs = value["annotations"][0]["segmentations"]
    assert value["videos"][0]["file_names"][3] == "walk/00003.png"
    assert [index for index, one in enumerate(runs) if one] == list(range(2, 9))
    assert value["annotations"][1]["segmentations"] == [None] * 12
    for index in range(2, 9):
        expected = np.roll(SHAPE, index, axis=1)
        mask = pixels(tmp_path / f"out/masks/2-狗-dog/{index:05d}.png")
        line = (tmp_path / f"out/yolo/labels/walk_{index:05d}.txt").read_text()
        assert ((mask == 255) == expected).all()
        assert (independent.decode(runs[index]) == expected).all()
        assert (read_yolo(line, SIZE)[1] == expected).all()
    assert (tmp_path / "out/yolo/labels/walk_00009.txt").read_text() == ""


def test_the_overlay_of_a_clip_has_its_frames_times_and_sound(moving, tmp_path):
    exported(moving, tmp_path / "out", "overlay")
    with av.open(str(tmp_path / "out/overlay.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        frames = list(container.decode(video=0))
    times = np.array([frame.time for frame in frames])
    assert np.abs(times - moving.medium.timing.seconds).max() < 0.001
    paint = np.array(colour_of(2))
    for index, frame in enumerate(frames):
        read = frame.to_ndarray(format="rgb24")[:47, :63].astype(int)
        blended = moving.medium.frame(index) * 0.55 + paint * 0.45
        mask = moving.items[0].track.get(index, np.zeros(SIZE, bool))
        untouched = np.abs(read - moving.medium.frame(index)).sum(-1) < 60
        assert untouched[~mask].mean() > 0.7
        if mask.any():
            assert (np.abs(read - blended).sum(-1) < 90)[mask].mean() > 0.3


def test_cutouts_of_a_clip_have_alpha_and_its_sound(moving, tmp_path):
    exported(moving, tmp_path / "out", "cutouts")
    with av.open(str(tmp_path / "out/cutouts/2-狗-dog.webm")) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        decoder = av.CodecContext.create("libvpx-vp9", "r")
        frames = [f for packet in container.demux(video=0) for f in decoder.decode(packet)]
    assert len(frames) == 12
    for index, frame in enumerate(frames):
        alpha = frame.to_ndarray(format="rgba")[:47, :63, 3] >= 128
        expected = np.roll(SHAPE, index, axis=1) if 2 <= index <= 8 else np.zeros(SIZE, bool)
        assert (alpha ^ expected).mean() < 0.03


def test_the_zip_holds_the_files(still, tmp_path):
    folder = tmp_path / "out"
    files = list(export(still, folder))
    pack(files, folder, tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [str(file.relative_to(folder)) for file in files]
        for file in files:
            assert archive.read(str(file.relative_to(folder))) == file.read_bytes()
    with pytest.raises(MediaError):
        pack(files, folder, tmp_path / "no" / "all.zip")


def test_names_lead_nowhere():
    track = Track((1, 1))
    for name in ("../../x", "/etc/passwd", "a\\b", "", ".", "con:", "x" * 300, "<b>"):
        stem = file_stem(Item(id=1, name=name, track=track))
        assert stem.startswith("1")
        assert not set(stem) & set('/\\.:<>"|?*\0')
        assert len(stem) <= 60


def test_files_of_long_chinese_names_can_be_written(tmp_path):
    track = Track.still(np.ones((20, 20), bool))
    parcel = Parcel(
        medium=read_image(scene(0, 20, 20)), items=[Item(id=1, name="狗" * 300, track=track)]
    )
    exported(parcel, tmp_path / "out", "masks", "cutouts")


def test_what_cannot_be_exported(still, tmp_path):
    with pytest.raises(PromptError, match="no format “pdf”"):
        list(export(still, tmp_path / "out", ["coco", "pdf"]))
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").write_text("x")
    with pytest.raises(MediaError, match="cannot be written"):
        list(export(still, tmp_path / "file"))


def test_nothing_found_exports_as_well(still, tmp_path):
    names = exported(Parcel(medium=still.medium, items=[]), tmp_path / "out")
    assert names == ["overlay.png", "coco.json", "yolo/data.yaml", "chat.md"]
    assert (pixels(tmp_path / "out/overlay.png") == still.medium.pixels).all()
    assert all(one.title for one in FORMATS.values())


def test_a_second_export_leaves_nothing_of_the_first_and_all_else(still, tmp_path):
    list(export(still, tmp_path))
    (tmp_path / "masks/mine.png").write_bytes(b"of somebody else")
    (tmp_path / "notes.txt").write_text("keep me")
    fewer = replace(still, items=still.items[:1])
    list(export(fewer, tmp_path, ["masks"]))
    assert sorted(file.name for file in tmp_path.glob("masks/*")) == ["1-red-car.png", "mine.png"]
    assert len([*tmp_path.glob("cutouts/*")]) == 3  # which was not exported again
    list(export(fewer, tmp_path))
    assert len([*tmp_path.glob("cutouts/*")]) == 1
    assert (tmp_path / "notes.txt").read_text() == "keep me"


def test_folders_that_become_empty_go(moving, tmp_path):
    list(export(moving, tmp_path / "out", ["masks"]))
    assert len([*tmp_path.glob("out/masks/*/*.png")]) == 8
    list(export(replace(moving, items=[]), tmp_path / "out", ["masks"]))
    assert not (tmp_path / "out/masks").exists()


@pytest.mark.parametrize("listed", ["{", "[]", "3", '{"masks": 3}', '{"masks": ["../a", "/a"]}'])
def test_a_damaged_list_of_what_was_written_harms_nothing(still, tmp_path, listed):
    (tmp_path / "a").write_text("outside")
    out = tmp_path / "out"
    out.mkdir()
    (out / ".x2sam-export.json").write_text(listed)
    assert len(list(export(still, out, ["masks"]))) == 3
    assert (tmp_path / "a").exists()


def test_an_export_that_was_broken_off_is_cleaned_by_the_next(still, tmp_path):
    files = export(still, tmp_path, ["masks"])
    next(files)
    files.close()
    list(export(replace(still, items=[]), tmp_path, ["masks"]))
    assert not (tmp_path / "masks").exists()
