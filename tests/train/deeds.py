"""What things do in a clip, measured on masks: a table of verbs, each with what makes it true."""

import re

import numpy as np


def goes(seen, thing, way):
    """How far its visible part goes that way from the first frame that shows it to the last."""
    frames = np.flatnonzero(seen.masks[:, thing].sum(axis=(1, 2)) > 30)
    right, down = seen.centres[frames[-1], thing] - seen.centres[frames[0], thing]
    return {"right": right, "left": -right, "down": down, "up": -down}[way]


def leaves(seen, thing):
    return seen.there[:, thing].any() and not seen.there[-1, thing]


def _arrives(seen, thing):
    return seen.there[:, thing].any() and not seen.there[0, thing]


def _grows(seen, thing):
    sizes = seen.scene.poses[seen.there[:, thing], thing, 2]
    return sizes[-1] / sizes[0]


def returns(seen, thing):
    there = np.flatnonzero(seen.there[:, thing])
    return there[0] == 0 and bool(seen.away(thing)[: there[-1]].any())


def _spin(seen, thing):
    return np.ptp(seen.scene.poses[seen.there[:, thing], thing, 3])


def stays(seen, thing):
    return np.ptp(seen.scene.poses[:, thing, :2], axis=0).max() < 0.02


# Verbs; whether it is so; and whether it may be thought to be so. Entering and leaving shorten
# the way of what is visible.
DEEDS = {
    **{
        f"{verbs} {way}|{other}": (
            lambda seen, thing, way=way: goes(seen, thing, way) > 0.02,
            lambda seen, thing, way=way: goes(seen, thing, way) > 0.1,
        )
        for way, verbs, other in (
            ("right", "(moves?|goe?s?|is moving|are moving)( to the)?", "-"),
            ("left", "(moves?|goe?s?|is moving|are moving)( to the)?", "-"),
            ("up", "(moves?|goe?s?)", "rises?"),
            ("down", "(moves?|goe?s?)", "sinks?"),
        )
    },
    "stays? .*|does not move|do not move|stands? still": (stays, stays),
    "grows?|gets? bigger|becomes? larger": (
        lambda seen, thing: _grows(seen, thing) > 1.25,
        lambda seen, thing: _grows(seen, thing) > 1.15,
    ),
    "shrinks?|gets? smaller|becomes? smaller": (
        lambda seen, thing: _grows(seen, thing) < 0.8,
        lambda seen, thing: _grows(seen, thing) < 0.87,
    ),
    "turns?|spins?|rotates?": (
        lambda seen, thing: _spin(seen, thing) > 0.85,
        lambda seen, thing: _spin(seen, thing) > 0.2,
    ),
    "leaves? and comes? back|goe?s? away and comes? back": (returns, returns),
    "leaves? the .*|disappears? at the end": (
        leaves,
        lambda seen, thing: leaves(seen, thing) or returns(seen, thing),
    ),
    "appears? last": (
        lambda seen, thing: _last(seen) == thing,
        lambda seen, thing: _last(seen) == thing,
    ),
    "appears? later|comes? into .*|(is|are) not there at first|enters? .*": (
        _arrives,
        lambda seen, thing: _arrives(seen, thing) or returns(seen, thing),
    ),
}


def _last(seen):
    firsts = seen.there.argmax(axis=0)
    assert (firsts == firsts.max()).sum() == 1
    return int(firsts.argmax())


def deed(words):
    return next(row for pattern, row in DEEDS.items() if re.fullmatch(pattern, words))


def is_deed(words):
    return any(re.fullmatch(pattern, words) for pattern in DEEDS)
