"""What SAM 2 is told of a person's clicks: the real page and server, and a network that listens.

Covered: each click reaches SAM 2 once, whatever the page sends with it, also after one was taken
back. Faked: the networks (`acting` and `following` of the engine's tests).
"""

import pytest
from playwright.sync_api import expect

from demo.settings import Settings
from tests.browser.workbench import Workbench
from tests.demo.visiting import png, served
from tests.engine.acting import picture, stage
from tests.engine.following import follower

SCENE = picture(red=[(2, 2), (20, 2)], blue=(2, 20), green=(20, 20))


@pytest.fixture
def listening(page):
    """The page with a picture of four squares, and what SAM 2 is asked."""
    tracker, network = follower()
    engine, _ = stage(tracker=tracker)
    with served(Settings(), engine) as address:
        bench = Workbench(page, address)
        bench.upload({"name": "squares.png", "mimeType": "image/png", "buffer": png(SCENE)})
        bench.opened()
        yield bench, network.log


def clicked(bench, number, area, *places):
    for place in places:
        bench.click(place)
    for _ in range(100):
        covered = sum(int(mask.sum()) for mask in bench.masks().values())
        if covered == area * 64:
            break
        bench.page.wait_for_timeout(50)
    bench.idle()
    assert covered == area * 64
    expect(bench.rows).to_have_count(number)


def points(log):
    return [len(entry[2]) for entry in log if entry[0] == "points"]


def test_three_clicks_are_three_points(listening):
    bench, log = listening
    clicked(bench, 1, 1, (6, 6))
    clicked(bench, 1, 2, (24, 6))
    clicked(bench, 1, 3, (6, 24))
    assert points(log) == [1, 2, 3]
    bench.page.keyboard.press("z")
    clicked(bench, 1, 2)
    log.clear()
    clicked(bench, 1, 3, (24, 24))
    assert points(log) == [3]


def test_quick_clicks_are_told_together(listening):
    bench, log = listening
    clicked(bench, 1, 3, (6, 6), (24, 6), (6, 24))
    assert points(log)[-1] == 3
