"""What goes wrong, and why something was understood as it was, on the page of a Chinese visitor.

Nothing is faked: the sentences are the server's, on their way through uploads, requests, changes
of the list and the Batch tab.
"""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE
from tests.browser.workbench import ASSETS, Workbench

HAN = re.compile("[一-鿿]")
ENGLISH = re.compile(r"[A-Za-z]{4,}")


@pytest.fixture
def chinese(browser):
    context = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 844})
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def test_errors_and_reasons_are_chinese(chinese, site, tmp_path):
    bench = Workbench(chinese, site)
    wrong = tmp_path / "信.png"
    wrong.write_text("Dear reader, this is no picture.")
    bench.upload(wrong)
    expect(bench.notice).to_contain_text("信.png 不是可以读取的图片")
    bench.root.locator(".x-notice button").click()
    bench.upload(ASSETS / "chase.mp4")
    expect(bench.notice).to_contain_text("chase.mp4 是视频")
    bench.root.locator(".x-notice button").click()
    bench.open("fruit.png")
    box = bench.root.locator(".x-box")
    box.fill("删除")
    box.press("Enter")
    bench.done(bench.messages.first, "failed")
    said = bench.messages.first.locator(".x-error").inner_text()
    assert HAN.search(said)
    assert not ENGLISH.search(said)
    box.fill("the green apple")
    box.press("Enter")
    bench.done(bench.messages.nth(1))
    expect(bench.messages.nth(1).locator(".x-chip")).to_have_attribute(
        "title", "描述某样东西的话 → 那样东西"
    )


def test_a_batch_is_chinese_and_fits_on_a_phone(chinese, site, tmp_path):
    Workbench(chinese, site)
    chinese.get_by_role("tab", name="批量").click()
    chinese.get_by_role("button", name="开始", exact=True).click()
    expect(chinese.get_by_text("请先选择一些图片或视频。")).to_be_visible()
    wrong = tmp_path / "letter.png"
    wrong.write_text("Dear reader, this is no picture.")
    files = [ASSETS / "fruit.png", wrong]
    chinese.locator('input[type="file"][multiple]').set_input_files(files)
    expect(chinese.get_by_text("letter").first).to_be_visible()
    chinese.get_by_label("要在每个文件里找什么？").fill("the green apple")
    chinese.get_by_role("button", name="开始", exact=True).click()
    expect(chinese.get_by_text("已回答 1 / 2 个文件，1 个失败。")).to_be_visible(timeout=60_000)
    table = chinese.locator("#x-results table")
    expect(table.get_by_role("columnheader")).to_have_text(["文件", "状态", "结果", "用时"])
    expect(table.get_by_role("cell", name="失败")).to_be_visible()
    expect(table.get_by_role("cell", name="不是可以读取的图片")).to_be_visible()
    width = chinese.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    outside = table.evaluate(
        """(table) => [...table.querySelectorAll("td")]
            .filter((cell) => cell.getBoundingClientRect().right > innerWidth)
            .map((cell) => cell.textContent)"""
    )
    assert outside == []
