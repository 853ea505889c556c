"""The Batch and the Model tab on the real page; nothing is faked."""

import re
import zipfile

from playwright.sync_api import expect

from tests.browser.workbench import ASSETS, Workbench


def test_a_batch_goes_on_after_a_bad_file(page, site, tmp_path):
    Workbench(page, site)
    wrong = tmp_path / "letter.png"
    wrong.write_text("Dear reader, this is no picture.")
    page.get_by_role("tab", name="Batch").click()
    tab = page.get_by_role("tabpanel").locator("visible=true").first
    page.locator('input[type="file"][multiple]').set_input_files([ASSETS / "fruit.png", wrong])
    expect(page.get_by_text("letter").first).to_be_visible()
    page.get_by_label("What do you want in each of them?").fill("the green apple")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(tab.get_by_text("2 files answered, 1 failed")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("cell", name="failed")).to_be_visible()
    archive = page.locator('a[href*="x2sam-batch.zip"]').first
    with page.expect_download() as waiting:
        archive.click()
    waiting.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as content:
        names = content.namelist()
    assert names
    assert all(name.startswith("fruit.png/") for name in names)


def test_a_batch_asks_for_what_is_missing(page, site):
    Workbench(page, site)
    page.get_by_role("tab", name="Batch").click()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("Choose some pictures or clips first.")).to_be_visible()


def test_the_model_tab_says_what_answers(page, site):
    Workbench(page, site)
    page.get_by_role("tab", name="Model").click()
    expect(page.get_by_role("columnheader", name="nano", exact=True)).to_be_visible()
    expect(page.get_by_text("Pictures up to 3 MB").locator("visible=true")).to_be_visible()
    page.get_by_role("button", name="This machine").click()
    page.get_by_role("button", name="Examine it").click()
    expect(
        page.get_by_text(re.compile("python", re.IGNORECASE)).locator("visible=true").first
    ).to_be_visible(timeout=60_000)
