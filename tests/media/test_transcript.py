"""A conversation in Markdown: all of it, and nothing a visitor wrote becomes markup."""

import numpy as np

from x2sam.media.annotations import Item
from x2sam.media.masks import Track
from x2sam.media.transcript import Turn, plain, transcript


def test_turns_objects_and_table():
    track = Track((4, 4))
    track[0], track[1] = np.ones((4, 4), bool), np.zeros((4, 4), bool)
    items = [Item(id=2, name="the | dog\n", track=track, score=0.913)]
    turns = [
        Turn(request="the dog?", reply="Here.", objects=(2, 9), note="question → reasoning"),
        Turn(request="谢谢", reply="Welcome."),
    ]
    text = transcript("a.mp4", turns, items)
    order = ["# a.mp4", "**You:** the dog?", "**x2sam:** Here.", "Objects: 2 (the \\| dog)"]
    order += ["*question → reasoning*", "**You:** 谢谢", "**x2sam:** Welcome.", "## Objects"]
    order += ["| 2 | the \\| dog | 0.91 | 1 | 16 |"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_html_and_markdown_stay_text():
    text = transcript("x", [Turn(request="<script>alert(1)</script>", reply="[a](b) `c`\n# d")], [])
    for markup in ("<script>", "[a](b)", "`c`", "\n# d"):
        assert markup not in text.removeprefix("# x")
    assert plain("a\n\n\nb") == "a  \nb"
    assert plain("") == ""
