"""What people take away: the zip of the page's Export dialog, read again by other libraries.

The masks in it are those that the server has, bit for bit: COCO by pycocotools, PNG by Pillow,
and a clip's overlay has all frames (PyAV). Nothing is faked.
"""

import json
import zipfile

import av
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from pycocotools import mask as coco

from tests.browser.workbench import Workbench

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # of pycocotools


def take(bench, path):
    """Export everything, and unpack it."""
    bench.root.get_by_role("button", name="Export…").click()
    dialog = bench.page.get_by_role("dialog", name="Export")
    dialog.get_by_role("button", name="Make the file").click()
    with bench.page.expect_download(timeout=60_000) as waiting:
        dialog.get_by_role("link").click(timeout=60_000)
    waiting.value.save_as(path / "all.zip")
    bench.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    with zipfile.ZipFile(path / "all.zip") as archive:
        archive.extractall(path / "all")
    return path / "all"


def only(folder, pattern):
    (path,) = folder.rglob(pattern)
    return path


def test_a_picture_goes_out_as_it_is_on_the_page(page, site, tmp_path):
    bench = Workbench(page, site)
    bench.open("fruit.png")
    bench.answered("the green apple")
    bench.click((424, 375))
    expect(bench.rows).to_have_count(2)
    bench.idle()
    masks = {key[0]: mask for key, mask in bench.masks().items()}
    folder = take(bench, tmp_path)
    kept = json.loads(only(folder, "*coco*.json").read_text("utf-8"))
    read = [coco.decode(each["segmentation"]).astype(bool) for each in kept["annotations"]]
    assert len(read) == len(masks) > 0
    for mask, wanted in zip(read, masks.values(), strict=True):
        np.testing.assert_array_equal(mask, wanted)
    stored = [np.array(Image.open(each)) > 0 for each in sorted(folder.rglob("masks/**/*.png"))]
    assert len(stored) == len(masks)
    for mask, wanted in zip(stored, masks.values(), strict=True):
        np.testing.assert_array_equal(mask, wanted)


def test_a_clip_goes_out_with_all_its_frames(page, site, tmp_path):
    bench = Workbench(page, site, "video")
    bench.open("flight.mp4")
    bench.answered("the sailboat")
    masks = bench.masks(0, 47)
    folder = take(bench, tmp_path)
    kept = json.loads(only(folder, "*vis*.json").read_text("utf-8"))
    (annotation,) = kept["annotations"]
    read = {
        (1, frame): coco.decode(rle).astype(bool)
        for frame, rle in enumerate(annotation["segmentations"])
        if rle and coco.area(rle)
    }
    assert read.keys() == masks.keys()
    for key, mask in read.items():
        np.testing.assert_array_equal(mask, masks[key])
    with av.open(str(only(folder, "overlay.mp4"))) as video:
        assert sum(1 for _ in video.decode(video=0)) == 48


@pytest.mark.parametrize("kind", ["image"])
def test_an_export_needs_a_format(page, site, kind):
    bench = Workbench(page, site, kind)
    bench.open("fruit.png")
    bench.answered("the lemon")
    bench.root.get_by_role("button", name="Export…").click()
    dialog = bench.page.get_by_role("dialog", name="Export")
    for each in dialog.locator("input[name=format]").all():
        each.uncheck()
    expect(dialog.get_by_role("button", name="Make the file")).to_be_disabled()
