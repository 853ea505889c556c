"""How a session looks at its medium.

>>> Options(frames=8).frames
8
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from x2sam.errors import PromptError


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What may be traded: frames that are looked at for time and memory."""

    # Of a clip, that the language model is shown to find things in it. One alone is shown as a
    # picture, which helps a model that knows pictures better than clips.
    frames: int = 16
    chat_frames: int = 64  # the same where it is only talked about
    stride: int = 1  # every so many frames are segmented; those between carry the mask before
    memory: bool = True  # False: every frame by itself, from the one token (VideoLISA)
    context: int = 4  # earlier questions that a follow-up is read after
    words: int = 512  # tokens of an answer
    absent: float = 0.5  # what is less likely than this on a frame is not to be seen there

    def __post_init__(self) -> None:
        for field in fields(self):
            value, least = getattr(self, field.name), 0 if field.name in _FROM_0 else 1
            if value < least:
                raise PromptError(f"“{field.name}” should be at least {least}, not {value}.")


_FROM_0 = {"memory", "absent", "context"}

# What suits a model, by the name in its config; the defaults suit the published 4B. Nano learnt
# most of what it knows from single pictures and single questions.
SUITED: Final = {"nano": Options(frames=1, chat_frames=1, context=1, words=128)}
