"""Names of sorts of things: read from a list, from "all dogs", and put into the singular.

A thing's name is what a category is called, so "dogs" and "the dog" are one and the same here.

    >>> names("dogs, the red car and a bus"), names("the man, who smiles"), every("all people")
    (('dog', 'red car', 'bus'), (), 'person')
"""

from __future__ import annotations

import re
from typing import Final

from x2sam.language.prompts import split_categories
from x2sam.language.tasks import category_name


def _set_of(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


_ARTICLE = re.compile(r"(?:the|an?|some|any|all|every|each|my) (?:the )?", re.IGNORECASE)
_ZH_EVERY = r"(?:所有的?|全部的?|每一?(?:个|只|辆|条|位|匹|头|棵|把|张|艘|座|朵)|各个|各种)"
_EVERY: Final = re.compile(
    rf"(?:all|every|each|any)(?: single)?(?: of)? (?:the )?(.+)|{_ZH_EVERY}(.+?)都?|(人)们",
    re.IGNORECASE,
)
_AND = re.compile(
    r" *(?:[,;、|]|(?<=\w)/(?=\w)|(?<!\bmr)(?<!\bdr)(?<!\bst)\. |\b(?:and|or)\b| & | \+ "
    r"|以及|还有|(?<=.)[和与及](?![服尚平谐气])) *",
    re.IGNORECASE,
)
_NO_NAME = re.compile(
    r"(?:.* )?(?:who|which|that|whose|where|while|but|not|is|are|was|with|without|on|in|at|to|of|"
    r"from|near|behind|under|above|below|beside|between|next|left|right|than|one|ones|it|them|its|his|her|"
    r"their|there|here|this|these|those|wearing|holding|sitting|standing|then|only|i|you|we|\w+est"
    r")(?: .*)?|.*(?:的|在|了|着|最|它|这|那|我|是|第).*",
    re.IGNORECASE,
)
_ADJECTIVES: Final = _set_of(
    "big small large little tall short long old young new red orange yellow green blue purple pink",
    "brown black white grey gray golden silver dark bright light shiny round square wooden metal",
    "wet dry dirty clean fast slow happy sad beautiful ugly cute empty full open closed tiny huge",
    "红色 黑色 白色 蓝色 绿色 黄色 灰色 粉色 紫色 大 小 红 黑 白 蓝 绿 黄",
)
_ENDS: Final = " .:!?'\"()[]<>…"
_LONGEST_NAME: Final = 4  # words
_LONGEST_ZH: Final = 8  # characters

_IRREGULAR: Final = {
    plural: one
    for plural, _, one in (
        pair.partition(":")
        for pair in _set_of(
            "people:person men:man women:woman children:child kids:kid policemen:policeman",
            "firemen:fireman fishermen:fisherman feet:foot teeth:tooth geese:goose mice:mouse",
            "knives:knife wolves:wolf leaves:leaf loaves:loaf wives:wife shelves:shelf",
            "calves:calf thieves:thief buses:bus viruses:virus lenses:lens cacti:cactus shoes:shoe",
            "canoes:canoe toes:toe cookies:cookie movies:movie ties:tie pies:pie hoodies:hoodie",
            "scarves:scarf oxen:ox brownies:brownie selfies:selfie",
        )
    )
}
_NOT_PLURAL: Final = _set_of(
    "glasses sunglasses scissors jeans pants shorts trousers pliers goggles binoculars headphones",
    "bus gas lens iris cactus canvas christmas tennis news series species chess this his its us",
    "yes always sometimes perhaps clothes stairs pajamas tights leggings besides towards is was",
    "has goes does swiss chaos cosmos trellis asparagus octopus walrus hippopotamus virus campus",
    "atlas james texas paris",
)
_SHORTEST_PLURAL: Final = 4  # letters
_FIELD_NAMES = re.compile(r"(?:ins|sem|things?|stuff|categories|classes|类别)\s*: *", re.IGNORECASE)


def names(text: str) -> tuple[str, ...]:
    """Read a list of two names or more, one name each and in the singular; else nothing.

    A list is told from a phrase with commas by its parts: short, and none of them goes on
    about the one before.
    """
    text = _FIELD_NAMES.sub("", text)
    parts = [part for part in _AND.split(text) if part.strip(_ENDS)]
    if len(parts) < 2 or any(_NO_NAME.fullmatch(part.strip()) for part in parts):  # noqa: PLR2004
        return ()
    if any(part.split()[-1].lower() in _ADJECTIVES for part in parts[:-1]):
        return ()
    if any(len(part.split()) > _LONGEST_NAME or _too_long_zh(part) for part in parts):
        return ()
    return listed(text)


def listed(text: str) -> tuple[str, ...]:
    """Read the names in a text that is known to be a list, be it of one."""
    text = _FIELD_NAMES.sub("", text)
    return split_categories("\n".join(_name(part.strip(_ENDS)) for part in _AND.split(text)))


def every(text: str) -> str:
    """Name, in the singular, the sort of thing of which every one is meant; "" for others.

    >>> every("the dogs"), every("every red car"), every("the dog"), every("所有的狗")
    ('dog', 'red car', '', '狗')
    """
    found = _EVERY.fullmatch(text)
    sort = next(filter(None, found.groups())) if found else _ARTICLE.sub("", text, count=1)
    short = 0 < len(sort.split()) < _LONGEST_NAME and not _too_long_zh(sort)
    if not short or _NO_NAME.fullmatch(sort) or sort.split()[0].isdigit():
        return ""
    if sort.split()[0].lower() in {"two", "three", "four", "five", "both", "other", "others"}:
        return ""
    return singular(sort) if found or singular(sort) != sort else ""


def singular(name: str) -> str:
    """Put the last word of a name into the singular.

    >>> [singular(name) for name in ("red buses", "berries", "glasses", "grass", "horses", "boxes")]
    ['red bus', 'berry', 'glasses', 'grass', 'horse', 'box']
    """
    before, blank, word = name.rpartition(" ")
    low = word.lower()
    if low in _IRREGULAR:
        return before + blank + _IRREGULAR[low]
    if (
        low in _NOT_PLURAL
        or not low.endswith("s")
        or low.endswith(("ss", "us", "is"))
        or len(low) < _SHORTEST_PLURAL
    ):
        return name
    if low.endswith("ies"):
        word = word[:-3] + "y"
    elif low.endswith(("ches", "shes", "sses", "xes", "toes", "roes")):
        word = word[:-2]
    else:
        word = word[:-1]
    return before + blank + word


def _name(part: str) -> str:
    found = _EVERY.fullmatch(part)
    bare = next(filter(None, found.groups())) if found else _ARTICLE.sub("", part, count=1)
    return singular(category_name(bare) or bare)


def _too_long_zh(text: str) -> bool:
    return len(text) > _LONGEST_ZH and not text.isascii()
