"""Two people at once, people who guess, and files that are too large; nothing is faked."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE
from tests.browser.workbench import Workbench


@pytest.fixture
def other(browser, site):
    """Somebody else, in a browser of their own."""
    context = browser.new_context(locale="en-US")
    context.set_default_timeout(PATIENCE)
    yield Workbench(context.new_page(), site)
    context.close()


def test_two_visitors_do_not_see_each_other(page, site, other):
    mine = Workbench(page, site)
    mine.open("fruit.png")
    other.open("pets.png")
    mine.answered("the lemon")
    other.answered("the dog")
    expect(mine.rows).to_have_text(re.compile("lemon"))
    expect(other.rows).to_have_text(re.compile("dog"))
    mine.answered("the banana")
    expect(other.rows).to_have_count(1)
    assert mine.token != other.token


def test_nothing_can_be_read_by_guessing(page, site, other):
    mine = Workbench(page, site)
    seen = []
    page.on("request", lambda request: seen.append(request.url))
    mine.open("fruit.png")
    other.open("pets.png")
    (picture,) = [url for url in seen if url.endswith("picture.webp")]
    ask = page.request
    assert ask.get(picture).status == 200
    medium = picture.rsplit("/", 2)[1]
    wrong = [
        picture.replace(mine.token, other.token),
        picture.replace(mine.token, "x" * 43),
        picture.replace(medium, "medium-1"),
        picture.replace("picture.webp", "source"),
        picture.replace("picture.webp", "%2e%2e%2fsource"),
        picture.replace("picture.webp", "..%2f..%2f..%2fetc%2fpasswd"),
        picture.replace("picture.webp", "frame/0.jpg"),
        f"{site}/x2sam/files/{mine.token}/x2sam-00000000.zip",
        f"{site}/x2sam/files/{other.token}/..%2fsource",
        f"{site}/x2sam/static/%2e%2e/page.py",
        f"{site}/x2sam/static/..%2fpage.py",
    ]
    assert {url: ask.get(url).status for url in wrong} == dict.fromkeys(wrong, 404)
    refused = ask.get(f"{site}/gradio_api/file=/etc/passwd").status
    assert refused in (403, 404)


def test_closing_the_page_lets_go_of_everything(page, site, context):
    bench, watcher = Workbench(page, site), context.new_page()
    with bench.page.expect_response(re.compile(r"picture\.webp")) as fetched:
        bench.open("fruit.png")
    address = fetched.value.url
    assert watcher.request.get(address).status == 200
    page.close(run_before_unload=True)
    watcher.goto(f"{site}/x2sam/static/icon.svg")
    watcher.wait_for_function("async (url) => (await fetch(url)).status === 404", arg=address)


def test_a_file_that_is_too_large_is_refused_with_the_limit(page, site, tmp_path):
    bench = Workbench(page, site)
    expect(bench.root.locator(".x-limits")).to_contain_text("Pictures up to 3 MB")
    large = tmp_path / "large.png"
    large.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(4_000_000))
    bench.upload(large)
    expect(bench.notice).to_contain_text("3 MB")
    bench.open("fruit.png")
    expect(bench.notice).to_be_hidden()
