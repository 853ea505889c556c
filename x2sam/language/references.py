"""Which objects of the list a person speaks of: "the second one", "it", "the other one".

Only what the list alone can answer is answered here; "the one behind it" needs eyes.

    >>> dogs = (ListedObject(1, "dog", (50, 0, 60, 9)), ListedObject(4, "dog", (0, 0, 9, 9), 2))
    >>> resolve("the second one", dogs), resolve("the second from the left", dogs)
    ((4,), (1,))
    >>> resolve("it", dogs), resolve("the other one", dogs), resolve("第一个", dogs)
    ((4,), (1,), (1,))
    >>> resolve("the third one", dogs), resolve("the one behind it", dogs)
    ((), ())
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from x2sam.language.names import every, singular
from x2sam.language.said import pattern
from x2sam.types import ListedObject

Objects = Sequence[ListedObject]
Ids = tuple[int, ...]

_ORDINALS: Final = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"),
    "tenth",
)
_DIGITS: Final = "零一二三四五六七八九十"
_ORDINAL = (
    rf"(?P<nth>{'|'.join(_ORDINALS)}|\d{{1,3}}(?:st|nd|rd|th)|(?:second |next )?(?:to )?last)"
)
_ONE = r"(?: ?(?:one|object|mask|thing|item|result))"
_CALLED = r"(?P<noun>[^\W\d]\w*(?: [^\W\d]\w*)?)"
_EDGE = (
    r",? (?:from|on|to|counting from|starting from)(?: the)? "
    r"(?P<from>left|right|top|bottom)(?: side)?"
)
_SIDE = (
    r"(?P<side>left|right|top|bottom|upper|lower|leftmost|rightmost|topmost|lowest|highest"
    r"|far left|far right)(?:-most)?"
)
_ZH_UNIT = r"[个只条辆位名头匹棵把张块件艘座朵台架]"
_ZH_SIDE = r"(?P<zside>左|右|上|下)(?:边|面|侧|方)?"

_PLACES: Final = {  # which side a word means, and the axis and direction to count along
    **dict.fromkeys(("left", "leftmost", "far left", "左"), (0, 1)),
    **dict.fromkeys(("right", "rightmost", "far right", "右"), (0, -1)),
    **dict.fromkeys(("top", "upper", "topmost", "highest", "上"), (1, 1)),
    **dict.fromkeys(("bottom", "lower", "lowest", "下"), (1, -1)),
}


def resolve(words: str, objects: Objects, *, by_name: bool = False) -> Ids:
    """Find the ids that words mean; none if the list cannot tell.

    `by_name` also takes "the dog" for the objects of that name, be there one or several.
    """
    words = _trimmed(words)
    if not words or not objects:
        return ()
    for form, find in FORMS:
        if found := form.fullmatch(words):
            return find(found, objects)
    if by_name and (ids := _named(words, objects)):
        return ids
    parts = re.split(r" *(?:,| and |&|、|和|与) *(?:and )?", words)
    each = [resolve(part, objects, by_name=by_name) for part in parts if part] if parts[1:] else []
    return tuple(dict.fromkeys(id_ for ids in each for id_ in ids)) if all(each) else ()


def last(objects: Objects) -> Ids:
    """Find the objects that were spoken of last."""
    turn = max((each.mentioned for each in objects), default=0)
    return tuple(each.id for each in objects if each.mentioned == turn)


def name_of(id_: int, objects: Objects) -> str:
    """Name an object of the list."""
    return next(each.name for each in objects if each.id == id_)


def _trimmed(words: str) -> str:
    words = re.sub(r"^(?:only|just) ", "", words.strip().lower())
    return re.sub(r"(?:, | )(?:then|too|instead|again|please)$", "", words)


def _all(_: re.Match[str], objects: Objects) -> Ids:
    return tuple(each.id for each in objects)


def _last_one(_: re.Match[str], objects: Objects) -> Ids:
    ids = last(objects)
    return ids if len(ids) == 1 else ()


def _last_ones(_: re.Match[str], objects: Objects) -> Ids:
    return last(objects)


def _both(found: re.Match[str], objects: Objects) -> Ids:
    noun = found["noun"]
    sets = [_named(noun, objects)] if noun else [last(objects), _all(found, objects)]
    return next((ids for ids in sets if len(ids) == 2), ())  # noqa: PLR2004


def _other(found: re.Match[str], objects: Objects) -> Ids:
    noun = found.groupdict().get("noun")
    rest = _rest(_alike(noun, objects))
    return rest if len(rest) == 1 else ()


def _others(_: re.Match[str], objects: Objects) -> Ids:
    alike = _rest(_alike(None, objects))
    return alike or _rest(objects)


def _rest(objects: Objects) -> Ids:
    ids = last(objects)
    return tuple(each.id for each in objects if each.id not in ids)


def _except(found: re.Match[str], objects: Objects) -> Ids:
    left_out = resolve(found["but"] or found["zbut"], objects, by_name=True)
    rest = tuple(each.id for each in objects if each.id not in left_out)
    return rest if left_out else ()


def _numbered(found: re.Match[str], objects: Objects) -> Ids:
    number = int(found["number"] or found["znumber"])
    return (number,) if any(each.id == number for each in objects) else ()


def _nth(found: re.Match[str], objects: Objects) -> Ids:
    """Count in the list, or along an edge; along an edge only if there are several to count."""
    noun, edge = (found.groupdict().get(name) for name in ("noun", "from"))
    place = _place(found["nth"])
    return _counted(place, noun, edge, objects)


def _zh_nth(found: re.Match[str], objects: Objects) -> Ids:
    digits = found["znth"]
    number = int(digits) if digits.isdigit() else _zh_number(digits)
    place = -number if found["back"] else number - 1
    edge = found["zside"] or found["zside2"]
    return _counted(place, found["znoun"] or None, edge, objects) if number else ()


def _at_side(found: re.Match[str], objects: Objects) -> Ids:
    values = found.groupdict()
    side = values.get("side") or values["zside"]
    return _counted(0, values.get("noun"), side, objects)


def _counted(place: int, noun: str | None, edge: str | None, objects: Objects) -> Ids:
    several = 2
    among = _alike(noun, objects) if noun or edge else list(objects)
    if edge:
        axis, step = _PLACES[edge]
        if len(among) < several or any(each.box is None for each in among):
            return ()
        among = sorted(among, key=lambda each: step * _centre(each, axis))
    if noun and len(among) < several:
        return ()
    return (among[place].id,) if -len(among) <= place < len(among) else ()


def _alike(noun: str | None, objects: Objects) -> list[ListedObject]:
    """Objects of one name: that of the noun, else that of the last one spoken of."""
    if noun:
        ids = _named(noun, objects)
        return [each for each in objects if each.id in ids]
    recent = {_key(each.name) for each in objects if each.id in last(objects)}
    alike = [each for each in objects if _key(each.name) in recent]
    return alike if len(alike) > 1 else list(objects)


def _named(words: str, objects: Objects) -> Ids:
    """Find objects by name, or by words of their name, all of them in the plural too."""
    wanted = _key(every(words) or words)
    if not wanted:
        return ()
    exact = tuple(each.id for each in objects if _key(each.name) == wanted)
    if exact:
        return exact
    if wanted.isascii():
        parts = set(wanted.split())
        return tuple(each.id for each in objects if parts <= set(_key(each.name).split()))
    return tuple(each.id for each in objects if wanted in each.name)


def _key(name: str) -> str:
    """Reduce a name to what two spellings of it share: no article, number or plural."""
    name = re.sub(
        r"^(?:the|an?|that|this|my|所有的?|那[个只条辆位]|这[个只条辆位]) ?", "", name.lower()
    )
    name = re.sub(r"(?: object| one| \d+)$", "", name)
    return singular(name.strip())


def _place(nth: str) -> int:
    if nth.endswith("last"):
        return -1 if nth == "last" else -2
    return _ORDINALS.index(nth) if nth in _ORDINALS else int(nth[:-2]) - 1


def _zh_number(digits: str) -> int:
    tens, ten, ones = digits.rpartition("十")
    if not ten:
        return _DIGITS.index(digits) if len(digits) == 1 else 0
    return 10 * (_DIGITS.index(tens) if tens else 1) + (_DIGITS.index(ones) if ones else 0)


def _centre(listed: ListedObject, axis: int) -> float:
    assert listed.box is not None, listed
    return listed.box[axis] + listed.box[axis + 2]


_IT = (
    r"it|(?:this|that)(?:{one})?|the last one mentioned|the same(?:{one})?"
    r"|(?:它|这|那|这{unit}|那{unit}|刚才那{unit}|刚才的)(?:东西|物体|对象)?"
)

FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Objects], Ids]], ...]] = (
    (pattern(_IT.format(one=_ONE, unit=_ZH_UNIT)), _last_one),
    (
        pattern(r"them|they|those|these|those ones|these ones|它们|他们|这些|那些|这几个|那几个"),
        _last_ones,
    ),
    (
        pattern(
            rf"(?:all|every|each){_ONE}?s?|all (?:of them|of these|the (?:objects|masks|results))"
            r"|them all"
            r"|everything|(?:全部|所有)(?:的)?(?:物体|对象|东西|目标|掩码)?|一切"
        ),
        _all,
    ),
    (
        pattern(rf"both(?: of them| objects| ones| (?:the |of the )?{_CALLED})?|两个都?|它们俩"),
        _both,
    ),
    (
        pattern(
            r"(?:everything|all|all of them|all (?:the )?objects)(?: else)? "
            r"(?:but|except(?: for)?|apart from|other than|besides) (?P<but>.+)"
            r"|除了?(?P<zbut>.+?)(?:以外|之外|外)?的?(?:所有|全部|其他|其它|都)?(?:的)?(?:物体|东西|对象)?"
        ),
        _except,
    ),
    (
        pattern(
            r"(?:the )?(?:object|number|mask|no\.?|nr\.?|item)? ?#? ?(?P<number>\d{1,6})"
            r"|(?:物体|编号|对象)?(?P<znumber>\d{1,6})号?(?:物体|对象)?"
        ),
        _numbered,
    ),
    (pattern(rf"(?:the )?{_ORDINAL}{_ONE}?(?:{_EDGE})?"), _nth),
    (pattern(rf"(?:the )?{_ORDINAL} {_CALLED}(?:{_EDGE})?"), _nth),
    (
        pattern(
            rf"(?:从?(?:{_ZH_SIDE})(?:往[左右上下])?(?:数|起|开始)?(?:的)?)?(?P<back>倒数)?"
            rf"第(?P<znth>\d{{1,3}}|[{_DIGITS}]{{1,3}}){_ZH_UNIT}?(?P<znoun>[^\W和与第从]*?)"
            r"(?:从(?P<zside2>[左右上下])(?:边|面)?(?:数|起)?)?"
        ),
        _zh_nth,
    ),
    (pattern(rf"最后一?{_ZH_UNIT}"), lambda _, objects: (objects[-1].id,)),
    (pattern(rf"the {_SIDE}{_ONE}?"), _at_side),
    (pattern(rf"the{_ONE} (?:on|to|at) the {_SIDE}(?: side)?"), _at_side),
    (pattern(rf"最?{_ZH_SIDE}的?(?:那)?一?{_ZH_UNIT}"), _at_side),
    (pattern(rf"the other{_ONE}?|另外?(?:那|一)?{_ZH_UNIT}|另外那?{_ZH_UNIT}"), _other),
    (pattern(rf"the other {_CALLED}"), _other),
    (
        pattern(
            r"the others|the other ones|the rest(?: of them)?|the remaining ones|all the others"
            r"|(?:其他|其它|其余|别|剩下)的?(?:物体|东西|对象|几个)?"
        ),
        _others,
    ),
)
