"""From a request to the text the language model reads.

`question` words a request as in training; `prompt` puts it into the chat template, whose
visual slot stands directly before the first question:

    >>> question("refseg", "image", text="The man on the left")
    'Please segment <p>the man on the left</p> in this image.'
    >>> print(prompt("What is this?", "image"), end="")
    <|im_start|>user
    <|vision_start|><image><|vision_end|>What is this?<|im_end|>
    <|im_start|>assistant

Layout: X2SAM (arXiv 2605.00891) on Qwen3-VL's chat template, without a system turn.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from x2sam.errors import LimitError, PromptError
from x2sam.language.tasks import TASKS, Answer, Needs, Task, category_name, is_sentence
from x2sam.language.tokens import (
    IMAGE_SLOT,
    PHRASE_CLOSE,
    PHRASE_OPEN,
    REGION_SLOT,
    TURN_END,
    TURN_START,
    VIDEO_SLOT,
    VISION_END,
    VISION_START,
    neutralise,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x2sam.language.wordings import Media, Wording

MAX_CHARACTERS: Final = 8000

_SLOT = {"image": IMAGE_SLOT, "video": VIDEO_SLOT}


def question(
    task: str,
    media: Media,
    *,
    text: str = "",
    categories: Sequence[str] = (),
    regions: int = 0,
    explain: bool = False,
    template: str | None = None,
) -> str:
    """Word a request as the model was trained to read it.

    `template` replaces the task's own wording by another official one (with `{what}`), as
    training does. Reserved tokens in what the user wrote lose their meaning.

    Raises `PromptError` when something the task needs is missing, `LimitError` when the
    text is longer than `MAX_CHARACTERS`.
    """
    row = TASKS[task]
    assert media in row.media, (task, media)
    length = len(text) + sum(map(len, categories))
    if length > MAX_CHARACTERS:
        raise LimitError(
            f"The text has {length:,} characters; at most {MAX_CHARACTERS:,} can be read at once."
        )
    what = _what(row, text, categories, regions)
    template = template or _wording(row, text, explain=explain).question(media)
    return template.replace("{what}", what)


def split_categories(text: str) -> tuple[str, ...]:
    r"""Read the names a person listed with commas, semicolons or lines; each one once.

    >>> split_categories("Sky, road;  the car,\n sky,")
    ('Sky', 'road', 'the car')
    """
    names = (" ".join(name.split()) for name in re.split(r"[,;\n\u3001\uff0c\uff1b]", text))
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(category_name(name), name)
    return tuple(name for key, name in first.items() if key)


def _what(row: Task, text: str, categories: Sequence[str], regions: int) -> str:
    match row.needs:
        case Needs.NOTHING:
            return ""
        case Needs.TEXT:
            if not text.strip():
                raise PromptError(f"{row.title} needs some words: say what you mean.")
            if row.answer is Answer.TEXT:
                return neutralise(text.strip())
            words = " ".join(text.split())
            return _phrase(words.lower() if row.lower else words)
        case Needs.CATEGORIES:
            names = [category_name(name) for name in categories]
            if not names or not all(names):
                raise PromptError(
                    f"{row.title} needs names: list one category or more, and leave none empty."
                )
            return ", ".join(map(_phrase, names))
        case Needs.REGIONS:
            if regions < 1:
                raise PromptError(f"{row.title} needs a region: draw on the picture first.")
            if row.one_region and regions > 1:
                raise PromptError(f"{row.title} takes one region at a time, not {regions}.")
            region = PHRASE_OPEN + REGION_SLOT + PHRASE_CLOSE
            return ", ".join([region] * regions)


def _wording(row: Task, text: str, *, explain: bool) -> Wording:
    if explain and row.explained:
        return row.explained
    if row.sentence and is_sentence(text):
        return row.sentence
    return row.wording


def _phrase(words: str) -> str:
    # Last of all: lower-casing and cleaning can make a reserved token out of "<P>".
    return PHRASE_OPEN + neutralise(words) + PHRASE_CLOSE


def grounded(caption: str, spans: Sequence[tuple[int, int]], answer: str) -> str:
    """Return a caption's training text: its spans (start, end) tagged, then the answer.

    >>> grounded("A man rides.", [(0, 5)], "<SEG>.")
    '<p>A man</p>  rides. <SEG>.'
    """
    parts: list[str] = []
    done = 0
    for start, end in sorted(spans):
        assert done <= start < end <= len(caption), (caption, spans)
        # The second space before the next word is how the training captions were made.
        parts += [neutralise(caption[done:start]), _phrase(caption[start:end]), " "]
        done = end
    return f"{''.join([*parts, neutralise(caption[done:])]).strip()} {answer}"


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, and the answer that was or shall be given (None: to be generated)."""

    question: str
    answer: str | None = None


def prompt(asked: str, media: Media | None = None) -> str:
    """One user turn up to where the model begins to speak.

    `media` says what the conversation is about and belongs to its first turn only.
    """
    slot = VISION_START + _SLOT[media] + VISION_END if media else ""
    return f"{TURN_START}user\n{slot}{asked}{TURN_END}\n{TURN_START}assistant\n"


def chat(turns: Sequence[Turn], media: Media | None = None) -> str:
    """Write a whole conversation as one text; what `encoding.encode_chat` encodes.

    >>> print(chat([Turn("Hi.", "Hello."), Turn("Who?")]))
    <|im_start|>user
    Hi.<|im_end|>
    <|im_start|>assistant
    Hello.<|im_end|>
    <|im_start|>user
    Who?<|im_end|>
    <|im_start|>assistant
    <BLANKLINE>
    """
    return "".join(text for text, _ in pieces(turns, media))


def pieces(turns: Sequence[Turn], media: Media | None = None) -> list[tuple[str, bool]]:
    """Cut a conversation into what is tokenised apart, each with whether it is the model's.

    Every answer is followed by a newline of its own, which the model need not learn.
    """
    cut = []
    for number, turn in enumerate(turns):
        cut.append((prompt(turn.question, None if number else media), False))
        if turn.answer is not None:
            cut += [(turn.answer + TURN_END, True), ("\n", False)]
        else:
            assert number == len(turns) - 1, "only the last answer can be missing"
    return cut
