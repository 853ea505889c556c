"""What X2SAM can be asked to do: one row per task, and nothing else.

A row says what the user must give, how the request is worded, and how the reply is read.
A row never knows whether it looks at a picture or a clip; that is the noun in its question.

    >>> [name for name, task in TASKS.items() if task.needs is Needs.REGIONS]
    ['intseg', 'objseg', 'vgdseg']
    >>> category_name("door-stuff"), category_name("floor-other-merged")
    ('door', 'floor')
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from x2sam.language import wordings

if TYPE_CHECKING:
    from x2sam.language.wordings import Media, Wording

_SUFFIX = re.compile("-merged|-other|-stuff")
_PARENTHESES = re.compile(r"\([^)]*\)")
_SENTENCE_END = (".", "?", "!", "\u3002", "\uff1f", "\uff01")
_QUESTION_WORDS = frozenset(
    (
        *("what", "which", "who", "whom", "whose", "where", "when", "why", "how", "if"),
        *("is", "are", "was", "were", "does", "do", "did", "has", "have"),
        *("can", "could", "should", "would", "will"),
    )
)


class Needs(Enum):
    """What the user must give besides the medium."""

    NOTHING = "nothing"
    TEXT = "text"
    CATEGORIES = "category names"
    REGIONS = "drawn regions"


class Answer(Enum):
    """How the reply and its masks are to be read."""

    TEXT = "words only"
    PANOPTIC = "every pixel belongs to at most one segment of the named categories"
    ONE_MASK = "one mask for the whole request"
    MASK_PER_PHRASE = "words, with one mask per phrase in them"
    MASKS_LIKE_REGION = "all objects like the ones that were drawn"
    MASK_OF_REGION = "the object that was drawn"
    MASKLET_OF_REGION = "the object that was drawn, in every frame"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One row: what the user gives, what the model is asked, how the reply is read."""

    title: str
    needs: Needs
    answer: Answer
    wording: Wording
    sentence: Wording | None = None  # for a request that is a sentence, not a phrase
    explained: Wording | None = None  # for a request that also wants to know why
    lower: bool = False  # the text was lower-cased in training
    one_region: bool = False
    media: tuple[Media, ...] = ("image", "video")


TASKS: Final[dict[str, Task]] = {
    "chat": Task(
        title="Chat",
        needs=Needs.TEXT,
        answer=Answer.TEXT,
        wording=wordings.CHAT,
    ),
    "genseg": Task(
        title="Generic segmentation",
        needs=Needs.CATEGORIES,
        answer=Answer.PANOPTIC,
        wording=wordings.CATEGORIES,
    ),
    "ovseg": Task(
        title="Open-vocabulary segmentation",
        needs=Needs.CATEGORIES,
        answer=Answer.PANOPTIC,
        wording=wordings.CATEGORIES,
    ),
    "refseg": Task(
        title="Referring segmentation",
        needs=Needs.TEXT,
        answer=Answer.ONE_MASK,
        wording=wordings.REFERRING,
        lower=True,
    ),
    "reaseg": Task(
        title="Reasoning segmentation",
        needs=Needs.TEXT,
        answer=Answer.ONE_MASK,
        wording=wordings.REASONING_PHRASE,
        sentence=wordings.REASONING_SENTENCE,
        explained=wordings.REASONING_EXPLAINED,
    ),
    "gcgseg": Task(
        title="Grounded conversation generation",
        needs=Needs.NOTHING,
        answer=Answer.MASK_PER_PHRASE,
        wording=wordings.DESCRIBING,
    ),
    "intseg": Task(
        title="Interactive segmentation",
        needs=Needs.REGIONS,
        answer=Answer.MASK_OF_REGION,
        wording=wordings.REGIONS,
        one_region=True,
        media=("image",),
    ),
    "objseg": Task(
        title="Video object segmentation",
        needs=Needs.REGIONS,
        answer=Answer.MASKLET_OF_REGION,
        wording=wordings.REGIONS,
        one_region=True,
        media=("video",),
    ),
    "vgdseg": Task(
        title="Visual-grounded segmentation",
        needs=Needs.REGIONS,
        answer=Answer.MASKS_LIKE_REGION,
        wording=wordings.LIKE_REGIONS,
    ),
}


def category_name(name: str) -> str:
    """Clean a category name as it stands in a prompt; lower case, no data-set suffixes."""
    return " ".join(_SUFFIX.sub("", name.strip()).replace("-", " ").lower().split())


def dataset_category_name(name: str) -> str:
    """Clean a category name of a data set: also without remarks, dots and underscores.

    >>> dataset_category_name("Traffic_light (red)")
    'traffic light'
    """
    return category_name(_PARENTHESES.sub("", name).replace(".", "").replace("_", " "))


def is_sentence(text: str) -> bool:
    """Tell a sentence or question from a noun phrase; decides how reasoning is worded.

    >>> is_sentence("what could I sit on"), is_sentence("the tallest chair")
    (True, False)
    """
    words = text.lower().split()
    return bool(words) and (text.rstrip().endswith(_SENTENCE_END) or words[0] in _QUESTION_WORDS)
