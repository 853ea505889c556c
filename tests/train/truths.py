"""What the words of a request claim, checked on the masks: one row per family.

A check asserts; it shares no code with the rules that wrote the words, except the nouns.
"""

import re

import numpy as np
from answers import caption, named, spoken
from deeds import deed
from seeing import in_between, in_half, relation

from x2sam.train.colours import NAMES as COLOURS
from x2sam.train.phrases import NUMBERS, ORDINALS


def _noun(seen):
    assert sorted(seen.target) == seen.called(seen.text)


def _colour(seen):
    said = next(word for word in re.findall(r"\w+", seen.text) if word in (*COLOURS, "grey"))
    said = "gray" if said == "grey" else said
    assert all(seen.colours[thing] in (said, None) for thing in seen.target)
    rivals = set(seen.meant(seen.text)) - set(seen.target)
    assert all(seen.colours[i] != said for i in rivals)


def _size(seen):
    areas = {i: seen.area[i] for i in seen.meant(seen.text)}
    best = (min if re.search(r"small|tin|little", seen.text) else max)(areas, key=areas.get)
    assert seen.target == (best,)


def _position(seen):
    base, text = seen.called(seen.text), seen.text
    (thing,) = seen.target
    assert len(base) > 1
    if "middle" in text:
        in_between(seen, thing, [i for i in base if i != thing])
        return
    side = re.search(r"\b(left|right|top|upper|bottom|low)", text)[1]
    side = {"upper": "top", "low": "bottom"}.get(side, side)
    if re.search(" (on|at|in) the ", text):
        assert [i for i in base if in_half(seen, i, side)] == [thing]
    axis, sign = {"left": (0, 1), "right": (0, -1), "top": (1, 1), "bottom": (1, -1)}[side]
    assert thing == min(base, key=lambda i: sign * seen.centres[0, i, axis])


def _corner(seen):
    (thing,) = seen.target
    for words in ("left", "right"), ("top", "bottom"):
        side = next(word for word in words if word in seen.text)
        assert in_half(seen, thing, side)
    far = np.abs(seen.centres[0] - [float("right" in seen.text), float("bottom" in seen.text)])
    assert far.max(axis=1).argmin() == thing
    assert far[thing].max() < 0.32


def _relation(seen):
    subject, words, name = re.fullmatch(
        r"(?:the )(.+?) (?:that is )?"
        r"((?:to the )?(?:left|right) of|above|over|below|under|in front of|behind|next to|beside"
        r"|near) the (.+)",
        seen.text,
    ).groups()
    (thing,), anchor = seen.target, seen.the(name)
    assert relation(seen, words, thing, anchor)
    rivals = set(seen.meant(subject)) - {thing, anchor}
    assert not any(relation(seen, words, rival, anchor) for rival in rivals)


def _between(seen):
    names = re.search(r"between the (.+) and the (.+)$", seen.text).groups()
    (thing,) = seen.target
    in_between(seen, thing, [seen.the(name) for name in names])


def _ordinal(seen):
    base, side = seen.called(seen.text), seen.text.rsplit(" ", 1)[1]
    axis, sign = {"left": (0, 1), "right": (0, -1), "top": (1, 1), "bottom": (1, -1)}[side]
    row = sorted(base, key=lambda i: sign * seen.centres[0, i, axis])
    place = next((k for k, word in enumerate(ORDINALS) if word in seen.text), len(row) - 1)
    if " number " in seen.text:
        place = NUMBERS.index(seen.text.split(" number ")[1].split()[0]) - 1
    assert seen.target == (row[place],)


def _motion(seen):
    text = seen.text.replace("the last one to appear", "what appears last")
    subject, words = re.fullmatch("(what|the .+? that) (.+)", text).groups()
    holds, may = deed(words)
    assert all(holds(seen, thing) for thing in seen.target)
    assert not any(may(seen, i) for i in set(seen.meant(subject)) - set(seen.target))


def _unread(seen):
    (thing,) = seen.target
    assert seen.area[thing] >= 0.8 * seen.area.max()


def _objects(seen):
    assert {group[0] for group in seen.draft.groups} == seen.everything


def _categories(seen):
    for label, word in enumerate(seen.draft.phrases):
        pairs = zip(seen.draft.labels, seen.draft.groups, strict=True)
        mine = [group[0] for own, group in pairs if own == label]
        assert sorted(mine) == [i for i, n in enumerate(seen.nouns) if n.is_a(word)], word
    assert len(seen.draft.groups) == len(set(seen.draft.groups))


def _exemplars(seen):
    for label, region in enumerate(seen.draft.regions):
        pairs = zip(seen.draft.labels, seen.draft.groups, strict=True)
        mine = [group[0] for own, group in pairs if own == label]
        name = seen.nouns[region.thing].name
        assert sorted(mine) == [i for i, n in enumerate(seen.nouns) if n.name == name]


def _describe(seen):
    answer = seen.draft.turns[-1].answer
    assert answer.endswith("<SEG>.")
    assert re.findall(r"<p>(.+?)</p>", answer) == list(seen.draft.phrases)
    for phrase, group in zip(seen.draft.phrases, seen.draft.groups, strict=True):
        assert sorted(group) == named(seen, phrase)
    told, _, _ = answer.partition(" And the segmentation mask is <SEG>.")
    caption(seen, re.sub(" ?</?p> ?", " ", told).replace("  ", " ").replace(" .", ".").strip())


def _chat(seen):
    for turn in seen.draft.turns:
        spoken(seen, turn)


CLAIMS = {
    "noun": _noun,
    "kind": _noun,
    "colour": _colour,
    "size": _size,
    "position": _position,
    "corner": _corner,
    "relation": _relation,
    "between": _between,
    "ordinal": _ordinal,
    "motion": _motion,
    "unread": _unread,
    "categories": _categories,
    "objects": _objects,
    "exemplars": _exemplars,
    "describe": _describe,
    "chat": _chat,
}
