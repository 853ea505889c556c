"""How people wrap what they want to see, in English and Chinese.

`Said` is a request with the wrapping taken off, layer by layer: courtesies, the order to
segment, the mention of the medium. What is left is the phrase that the model is asked for.

    >>> said = Said.of("Please segment the red car in this picture!")
    >>> said.core, said.ordered
    ('the red car', True)
    >>> Said.of("请把左边的狗标出来").core
    '左边的狗'

All patterns ignore case and take time in proportion to the length of the text.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Self

MAX_MATCHED: Final = 400  # characters; what is longer is no order but a text to talk about

_END = ".,;:!?…~-–—'\"`*_|。、（）()[]{}<>“”‘’#^\\/ "


def pattern(*options: str, whole: bool = False, inside: bool = False) -> re.Pattern[str]:
    """Compile alternatives that stand at the beginning, are the whole text, or lie inside it."""
    body = "|".join(options)
    return re.compile(body if inside else f"(?:{body})$" if whole else body, re.IGNORECASE)


# English imperatives whose object is to be shown; a noun of the same spelling goes on otherwise.
_SHOW = (
    r"(?:(?:segment|segmentate|mask|highlight|find|locate|track|follow|select|outline|detect"
    r"|isolate|extract|blur|pixelate|crop|spot|label|trace|mark|circle|identify|pick|cut|point|single|show|look|search"
    r")(?:(?: out| up| at| to| for| me| us| all of)(?= |$))*(?= *$| (?!(?:on|in|of|with|under|that|"
    r"which|is|are|how|if|whether|worn)\b)))"
)
_MASK = r"(?:(?:segmentation|binary|pixel\S*|precise) ){0,2}(?:masks?|outlines?|segmentations?)"
_MASK_OF = (
    rf"(?:(?:an? |the )?{_MASK} (?:of|for)(?= )"
    r"|(?:give|get|show|draw|put|make|create|generate|output|return|produce|provide)"
    rf"(?: me| us)? (?:an? |the )?{_MASK}(?: out)? (?:of|for|on|around|over)(?= ))"
)
_TELL = (
    r"(?:tell|describe|count|explain|list|name|read|caption|delete|remove|erase|hide|rename|call"
    r"|merge|combine|undo|redo|keep|only|give me (?:a|an) (?:title|caption|description|summary))\b"
)
_POLITE = (
    r"(?:(?:hey|hi|hello|ok|okay|now|then|also|next|well|great|thanks|thank you|please|kindly"
    r"|and(?! (?:the|that|this|his|her|its|what) ))(?:[,.!]? +|[,.!])"
    r"|(?:yes|no|nope|sorry|right), ?)"
)
_REQUEST = (
    r"(?:(?:can|could|would|will) you(?: please| kindly| maybe| try to| help me(?: to)?)*"
    r"|i(?:'d| would) (?:like|love)(?: you)? to|i (?:want|need)(?: you)? to|let's|let us|try to"
    rf"|help me(?: to)?|go and) (?={_SHOW}|{_MASK_OF}|{_TELL})"
)
_WANT = (
    r"(?:and|what about|how about|give me|get me) (?=(?:the|that|his|her|its|all|every|only) )"
    r"(?!.*\b(?:title|caption|description|summary|names?|number|colou?r|answer|reason)\b)"
    r"|i(?:'d like| would like| want|'m looking for| am looking for)(?: to see)? "
    r"(?=the |all |every )"
)
_WHERE = (
    r"(?:do you know )?where(?:'s| is| are)"
    r"(?! (?:this|we|i|you|he|she|they|there)\b)"
    r"(?!.*\b(?:going|looking|heading|walking|running|from|facing|pointing|moving|going to)\W*$) "
)
MEDIUM_NAMES = (
    r"(?:picture|image|photo|photograph|pic|video|clip|footage|scene|frame|shot|movie|screenshot)s?"
)
_TAIL = (
    rf",? (?:in|from|within|throughout|across|through|over|of) (?:all |each |every )?(?:of )?"
    rf"(?:this|the|that|my|each|every|all|(?:the |this )?(?:whole|entire)) {MEDIUM_NAMES}"
    r"|,? (?:please|thanks|thank you|thx|for me|for us|if you can|right now|will you|would you)"
    r"|[.,;!?]? (?:and |please |then )*(?:output|provide|respond with|return|generate|give me|draw)"
    r"(?: the| a| its| their)?(?: corresponding)?(?: segmentation)? masks?"
    r"|,? (?:with|as|using) (?:a )?segmentation masks?"
)

# Chinese: courtesies, the order, and what trails behind its object.
_ZH_POLITE = (
    r"(?:请问|请你|请|麻烦你|麻烦|帮我|帮忙|给我|替我|你能不能|能不能|能否|可不可以|可以"
    r"|你能|你可以|能|我想要|我想|我要|我需要|你|现在|然后|再)"
)
_ZH_SHOW = (
    r"(?:分割|标出|标记|标注|标识|找|圈|框|抠|高亮|突出显示|显示|展示|跟踪|追踪|跟随|定位"
    r"|选中|选出|选择|指出|识别|勾出|勾勒|检测|提取|分离|画出|标)"
)
_ZH_OUT = r"(?:出来|出|一下|到|给我看|给我)*"
_ZH_ORDER = rf"{_ZH_POLITE}*{_ZH_SHOW}{_ZH_OUT}"
_ZH_HOLD = (
    rf"{_ZH_POLITE}*(?:(?:把|将)(?P<held>.+?)[都全]?|(?P<all>.+?)[都全])(?:给我)?"
    rf"{_ZH_SHOW}{_ZH_OUT}"
)
_ZH_HERE = (
    r"在?(?:这|那|该|此)?(?:张|个|段|幅|副)?(?:图像|图片|照片|画面|视频|影片|图)"
    r"(?:里面|里|中|上|内)的?"
)
_ZH_WHERE = r"都?[停放坐站躺藏挂]?在?(?:哪里|哪儿|什么地方|什么位置)(?:呢|啊|呀)?"
_ZH_TAIL = r"(?:吧|谢谢|好吗|行吗|可以吗|好不好|出来|(?:的)?(?:掩码|蒙版|遮罩|轮廓|分割结果))"

_HEADS = tuple(map(pattern, (_POLITE, _REQUEST, r"(?:请你?|麻烦你?|请?帮我)(?=.)")))
_ORDERS = tuple(map(pattern, (_SHOW, _MASK_OF, _WHERE, _WANT, _ZH_ORDER)))
_TAILS = pattern(_TAIL, _ZH_TAIL)
_TAIL_STARTS = re.compile(r"[ ,.;!?]|吧|谢|好|行|可|出|的|掩|蒙|遮|轮|分")
_ZH_HELD = re.compile(_ZH_HOLD + "$")
_ZH_FOUND = re.compile(rf"(?!我|你|这|它|他|她)(.+?){_ZH_WHERE}$")
_ZH_PLACE = re.compile(_ZH_HERE)
_LOOSE_ORDER = re.compile(r"(?:out|me|us|at|for|of|to|all of)\b *", re.IGNORECASE)

_KEYWORDS = (
    *("segment", "describe", "highlight", "everything", "please", "delete", "rename", "remove"),
    *("locate", "caption", "similar"),
)
_TYPOS: Final = {
    slip: word
    for word, slips in {
        "what": ("wat", "waht", "whta"),
        "what's": ("whats",),
        "where's": ("wheres",),
        "who's": ("whos",),
        "which": ("wich", "whcih"),
        "how": ("hwo",),
        "please": ("pls", "plz"),
        "the": ("teh", "hte"),
        "find": ("fidn", "fnd"),
        "you": ("u",),
        "first": ("frist",),
        "second": ("secodn", "secnd"),
        "third": ("thrid",),
    }.items()
    for slip in slips
}
_TAG = re.compile(r"</?[a-z][^<>]{0,80}>", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Said:
    """A request, whole and unwrapped."""

    whole: str  # as typed, blanks collapsed, wide letters made narrow, without HTML tags
    plain: str  # without courtesies and end marks
    core: str  # also without the order and the mention of the medium
    question: bool  # ended with a question mark
    ordered: bool  # something was to be shown: "segment", "where is"

    @classmethod
    def of(cls, text: str) -> Self:
        """Unwrap a request. Only the ends of a long one are cleaned."""
        text = _TAG.sub(" ", unicodedata.normalize("NFKC", text))
        whole = " ".join(text.split()).replace("\u2019", "'")
        question = _bare(whole, keep="?").endswith("?")
        plain = _bare(whole)
        if len(plain) > MAX_MATCHED:
            return cls(whole, plain, plain, question, ordered=False)
        plain = _without_heads(_typos_mended(plain))
        core, ordered = _without_order(plain)
        return cls(whole, plain, core, question, ordered)


def _bare(text: str, keep: str = "") -> str:
    """Cut end marks, emoji and other symbols off both ends, unless nothing would be left."""
    marks = [
        character in keep
        or (character not in _END and unicodedata.category(character)[0] not in "SCZM")
        for character in text
    ]
    if True not in marks:
        symbols = text.strip(_END)
        return symbols if any(unicodedata.category(c) == "So" for c in symbols) else ""
    first = marks.index(True)
    return text[first : len(text) - marks[::-1].index(True)]


def _without_heads(text: str) -> str:
    while cut := next((m.end() for head in _HEADS if (m := head.match(text)) and m.end()), 0):
        if not text[cut:].strip():
            return text
        text = _bare(text[cut:])
    return text


def _without_tails(text: str) -> str:
    for _ in range(3):
        ends = (m.start() for m in _TAIL_STARTS.finditer(text))
        cut = next((at for at in ends if at and _TAILS.fullmatch(text, at)), 0)
        if not cut:
            break
        text = _bare(text[:cut])
    return text


def _without_order(text: str) -> tuple[str, bool]:
    """Take off the order to show something and where to look for it."""
    text = _without_tails(text)
    if found := _ZH_HELD.match(text) or _ZH_FOUND.match(text):
        what = next(filter(None, found.groups()))
        return _ZH_PLACE.sub("", what, count=1) or what, True
    ordered = False
    for _ in range(3):
        order = next((m for each in _ORDERS if (m := each.match(text)) and m.end()), None)
        if not order:
            break
        ordered, text = True, _without_heads(_bare(text[order.end() :]))
        text = _without_tails(text)
    if ordered and text.endswith("吗"):
        text = text[:-1]
    place = _ZH_PLACE.match(text)
    return (text[place.end() :] if place and place.end() < len(text) else text), ordered


def _typos_mended(text: str) -> str:
    """Mend slips in the words that decide; nouns that merely resemble one are left alone."""
    return _WORD.sub(lambda word: _mended(word[0]), text)


def _mended(word: str) -> str:
    low = word.lower()
    if low in _TYPOS:
        return _TYPOS[low]
    if len(low) < 5 or low in _KEYWORDS or low.endswith(("d", "s", "er")):  # noqa: PLR2004
        return word
    return next((key for key in _KEYWORDS if _one_slip(low, key)), word)


def _one_slip(word: str, key: str) -> bool:
    """Tell whether one letter is missing, doubled, wrong, or swapped with the next."""
    if abs(len(word) - len(key)) > 1 or word[0] != key[0]:
        return False
    start = next((i for i, (a, b) in enumerate(zip(word, key, strict=False)) if a != b), len(key))
    rest, right = word[start:], key[start:]
    return (
        rest[1:] == right
        or rest == right[1:]
        or rest[1:] == right[1:]
        or (rest[:2] == right[:2][::-1] and rest[2:] == right[2:])
    )
