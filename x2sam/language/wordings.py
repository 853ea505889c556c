"""The questions and answers X2SAM was trained on, word for word.

A reworded question is a question the model has never seen, so these lists are data, slips
of the pen included. Training draws from a list at random; everything else always uses the
same one of its lines (`Wording.question`). `{media}` is "image" or "video" and `{what}` is
what the user asked for.

    >>> REFERRING.question("video").format(what="<p>the dog</p>")
    'Please segment <p>the dog</p> in this video.'

Source: the prompt templates of the X2SAM release (arXiv 2605.00891). Its variant of the
category questions for samples with captions is left out: none of its data sets has any.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

Media = Literal["image", "video"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One way to ask: its questions and answers, and which of them we use."""

    questions: tuple[str, ...]
    answers: tuple[str, ...]
    video_questions: tuple[str, ...] = ()  # only where "video" for "image" is not enough
    asked: int = 0
    answered: int = 3

    def all_questions(self, media: Media) -> tuple[str, ...]:
        """Every official question about such a medium; `{what}` stays open."""
        lines = self.video_questions if media == "video" and self.video_questions else None
        return tuple(line.replace("{media}", media) for line in lines or self.questions)

    def question(self, media: Media) -> str:
        """Return the question we always ask; `{what}` stays open."""
        return self.all_questions(media)[self.asked]

    @property
    def answer(self) -> str:
        """The answer we give on the model's behalf when it need not generate."""
        return self.answers[self.answered]


_RESULT_ANSWERS = (
    "<SEG>.",
    "It is <SEG>.",
    "Sure, <SEG>.",
    "Sure, it is <SEG>.",
    "Sure, the segmentation result is <SEG>.",
)
_MASK_ANSWERS = (*_RESULT_ANSWERS[:4], "Sure, the segmentation mask is <SEG>.")

CHAT: Final = Wording(questions=("{what}",), answers=("",), answered=0)

CATEGORIES: Final = Wording(
    questions=(
        (
            "Can you segment the {media} based on the following categories: {what}? "
            "Please output the segmentation masks."
        ),
        (
            "Can you generate segmentation masks for this {media} based on the specified "
            "categories: {what}? Please generate the segmentation masks."
        ),
        (
            "Can you provide segmentation masks for this {media} based on these categories: "
            "{what}? Please provide the segmentation masks."
        ),
        (
            "Could you create segmentation masks for this {media} according to the specified "
            "categories: {what}? Please create the segmentation masks."
        ),
        (
            "Could you output segmentation masks for this {media} that highlight the following "
            "categories: {what}? Please output the segmentation masks."
        ),
        (
            "Could you provide segmentation masks for this {media} according to the specified "
            "categories: {what}? Please respond with the segmentation masks."
        ),
    ),
    answers=_RESULT_ANSWERS,
)

REFERRING: Final = Wording(
    questions=(
        "Please identify and segment the {what} in this {media}.",
        "Please segment {what} in this {media}.",
        "What is {what} in this {media}? Please output the corresponding segmentation mask.",
        "Can you segment {what} in this {media}? Please generate the segmentation mask.",
        (
            "Could you provide a segmentation mask for the {what} in this {media}? "
            "Please provide the segmentation mask."
        ),
        "Where is the {what} in this picture? Please output the segmentation masks.",
        (
            "Can you highlight the {what} in this {media} with a segmentation mask? "
            "Please output the segmentation mask."
        ),
        # Listed twice in the release, and so drawn twice as often.
        (
            "Can you highlight the {what} in this {media} with a segmentation mask? "
            "Please output the segmentation mask."
        ),
        (
            "Could you provide a segmentation mask for the {what} in this {media}? "
            "Please respond with the segmentation mask."
        ),
        "Where is the {what} in this picture? Please output the corresponding segmentation mask.",
    ),
    answers=_MASK_ANSWERS,
    asked=1,
)

REASONING_PHRASE: Final = Wording(
    questions=(
        "Can you segment {what} in this {media}? Please output the segmentation mask.",
        (
            "Can you give the segmentation mask for {what} in this {media}? "
            "Please respond with the segmentation mask."
        ),
        (
            "Can you highlight {what} and output the corresponding segmentation mask? "
            "Please provide the segmentation mask."
        ),
        "What is {what} in this {media}? Please output the corresponding segmentation mask.",
        "What is {what} in this {media}? Please generate a segmentation mask for this {media}.",
    ),
    answers=_MASK_ANSWERS,
)

REASONING_SENTENCE: Final = Wording(
    questions=(
        "{what} Please output the corresponding segmentation mask.",
        "{what} Please generate a segmentation mask for this {media}.",
        "{what} Please extract the segmentation mask.",
        "{what} Please return the segmentation predictions as masks.",
        "{what} Please segment the {media}.",
    ),
    answers=_MASK_ANSWERS,
)

REASONING_EXPLAINED: Final = Wording(
    questions=(
        "{what} Please explain why and output the corresponding segmentation mask.",
        "{what} Please explain the reason and output the corresponding segmentation mask.",
        "{what} Please explain the reason and output the corresponding segmentation mask.",
        "{what} Please give some explanation and output the corresponding segmentation mask.",
        "{what} Please give detailed explanation and output the corresponding segmentation mask.",
    ),
    answers=(
        "<SEG>.",
        "It is <SEG>.",
        "And <SEG>.",
        "And it is <SEG>.",
        "And the segmentation mask is <SEG>.",
    ),
)

_MASKS = "interleaved segmentation masks for the corresponding"

DESCRIBING: Final = Wording(
    questions=(
        (
            "Could you please give me a brief description of the image? "
            f"Please respond with {_MASKS} parts of the answer."
        ),
        f"Can you provide a brief description of the this image? Please output {_MASKS} phrases.",
        (
            "Please briefly describe the contents of the image. "
            f"Please respond with {_MASKS} parts of the answer."
        ),
        (
            "Could you give a brief explanation of what can be found within this picture? "
            f"Please output {_MASKS} phrases."
        ),
        (
            "Could you give me an brief explanation of this picture? "
            f"Please respond with {_MASKS} phrases."
        ),
        (
            "Could you provide me with a briefly analysis of this photo? "
            f"Please output {_MASKS} parts of the answer."
        ),
    ),
    video_questions=(
        (
            "Could you please give me a brief description of the video? "
            f"Please respond with {_MASKS} parts of the answer."
        ),
        f"Can you provide a brief description of this video? Please output {_MASKS} phrases.",
        (
            "Please briefly describe the contents of the video. "
            f"Please respond with {_MASKS} parts of the answer."
        ),
        (
            "Could you give a brief explanation of what can be found within this video? "
            f"Please output {_MASKS} phrases."
        ),
        (
            "Could you give me an brief explanation of this video? "
            f"Please respond with {_MASKS} phrases."
        ),
        (
            "Could you provide me with a briefly analysis of this video? "
            f"Please output {_MASKS} parts of the answer."
        ),
    ),
    answers=(
        "<SEG>.",
        "And <SEG>.",
        "The segmentation mask is <SEG>.",
        "And the segmentation mask is <SEG>.",
    ),
)

REGIONS: Final = Wording(
    questions=(
        (
            "Can you segment the {media} based on the following regions: {what}? "
            "Please output the corresponding segmentation mask."
        ),
        (
            "Can you generate segmentation masks for this {media} based on the specified "
            "regions: {what}? Please generate the segmentation masks."
        ),
        (
            "Can you provide segmentation masks for this {media} based on these regions: "
            "{what}? Please provide the segmentation masks."
        ),
        (
            "Could you create segmentation masks for this {media} according to the specified "
            "regions: {what}? Please create the segmentation masks."
        ),
        (
            "Could you output segmentation masks for this {media} that highlight the following "
            "regions: {what}? Please output the segmentation masks."
        ),
        (
            "Could you provide segmentation masks for this {media} according to the specified "
            "regions: {what}? Please respond with the segmentation masks."
        ),
    ),
    answers=_RESULT_ANSWERS,
)

# "This one" and "all like this" share their lines in the release, which cannot tell them apart.
# Here each has its own: any of the six is as good to the published model.
LIKE_REGIONS: Final = replace(REGIONS, asked=4)

# What may stand before <SEG> in an answer; none of it is meant for a reader.
SEG_OPENINGS: Final = tuple(
    sorted(
        {
            answer.partition("<SEG>")[0]
            for wording in (CATEGORIES, REFERRING, REASONING_EXPLAINED, DESCRIBING)
            for answer in wording.answers
        }
    )
)
