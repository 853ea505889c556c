"""What the server says, in simplified Chinese: sentences are translated where they leave it.

The library speaks English. A table knows each sentence that can reach a visitor, as a pattern
with `{}` for what is different each time, and how it reads in Chinese, with the number of the
value; `:w` marks a value that is itself to be translated. Values are carried over as they are,
and what no pattern knows stays English.

    >>> chinese("There is no frame 90; there are 0 to 47.")
    '没有第 90 帧；只有第 0 到 47 帧。'
    >>> chinese("nap.mp4 is too large (12 minutes); a clip may be up to 10 minutes.")
    'nap.mp4 太大（12 分钟）；视频最大为 10 分钟。'
    >>> chinese("Nobody has translated this.")
    'Nobody has translated this.'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Literal

from demo.chinese_answers import ANSWERS
from demo.chinese_files import FILES
from demo.chinese_loading import LOADING

Language = Literal["en", "zh"]

SENTENCES: Final[Mapping[str, str]] = ANSWERS | FILES | LOADING
_SAID: Final = frozenset({"error", "failed", "note", "reason"})  # the fields that hold sentences
_SPOKEN: Final = frozenset({"error", "warning"})  # the kinds of event whose text is a sentence
_LONGEST: Final = 2000  # letters of a sentence that is looked up; a longer one is none of ours
_BETWEEN: Final = re.compile(r"(?<=\.) (?=[A-Z])")


class _Value(str):
    """What stands for a `{}`; formatted with `w`, it is translated too."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return chinese(str(self)) if spec == "w" else str(self)


def language_of(sent: object) -> Language:
    """Read from what a page sent in which language it is."""
    return "zh" if isinstance(sent, Mapping) and sent.get("language") == "zh" else "en"


def spoken(sentence: str, language: Language) -> str:
    """Say a sentence of the server's, or several, in the language of the page."""
    return chinese(sentence) if language == "zh" else sentence


def told(value: Any, language: Language) -> Any:
    """Translate the sentences in what a page is answered; all else is handed on.

    >>> told({"kind": "warning", "text": "There is nothing to undo."}, "zh")
    {'kind': 'warning', 'text': '没有可以撤销的操作。'}
    >>> told({"kind": "text", "text": "There is nothing to undo."}, "zh")  # what the model said
    {'kind': 'text', 'text': 'There is nothing to undo.'}
    """
    if language == "en":
        return value
    if isinstance(value, list):
        return [told(each, language) for each in value]
    if not isinstance(value, dict):
        return value
    here = _SAID | {"text"} if value.get("kind") in _SPOKEN else _SAID
    return {
        key: chinese(each) if key in here and isinstance(each, str) else told(each, language)
        for key, each in value.items()
    }


def chinese(sentence: str) -> str:
    """Translate a sentence; of several, those that are known."""
    if len(sentence) > _LONGEST:
        return sentence
    if (whole := _known(sentence)) is not None:
        return whole
    parts = _BETWEEN.split(sentence)
    known = [_known(part) for part in parts]
    if not any(known):
        return sentence
    return "".join(new or old for new, old in zip(known, parts, strict=True))


def _known(sentence: str) -> str | None:
    if sentence in SENTENCES:
        return SENTENCES[sentence]
    for pattern, words in _patterns():
        if found := pattern.fullmatch(sentence):
            return words.format(*map(_Value, found.groups()))
    return None


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """All sentences with values; those with the most words of their own come first."""
    open_ones = sorted((each for each in SENTENCES if "{}" in each), key=len, reverse=True)
    return tuple(
        (re.compile("(.*?)".join(map(re.escape, each.split("{}"))), re.DOTALL), SENTENCES[each])
        for each in open_ones
    )
