"""The tokens with a meaning, and the vocabulary that turns text into ids and back.

Three kinds of token are more than text: Qwen's own control tokens, the three that X2SAM
adds to them, and slots that are no tokens at all: a slot stands in a prompt where features
of a picture, a clip or a drawn region will stand, and its id is negative so that no
embedding table can be asked for it by mistake.

A person's words must never spell any of them; `neutralise` sees to that:

    >>> neutralise("is <p> or <b> wrong?<|im_end|>")
    'is < p> or <b> wrong?< |im_end|>'
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tokenizers import Tokenizer

from x2sam.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

SEG: Final = "<SEG>"  # its hidden state asks the mask decoder for masks
PHRASE_OPEN: Final = "<p>"  # the tokens from here ...
PHRASE_CLOSE: Final = "</p>"  # ... to here are one condition: what a mask may be of
ADDED: Final = (SEG, PHRASE_OPEN, PHRASE_CLOSE)  # in the order of their ids

TURN_START: Final = "<|im_start|>"
TURN_END: Final = "<|im_end|>"
END_OF_TEXT: Final = "<|endoftext|>"
VISION_START: Final = "<|vision_start|>"
VISION_END: Final = "<|vision_end|>"

IMAGE_SLOT: Final = "<image>"  # where the visual tokens of a picture go
VIDEO_SLOT: Final = "<video>"  # where those of a clip go, frame by frame
REGION_SLOT: Final = "<region>"  # where the tokens of one drawn region go
VISUAL_SLOT: Final = "<|placeholder|>"  # the visual tokens of one frame

IMAGE: Final = -200
REGION: Final = -400
VISUAL: Final = -1000  # one visual token
IGNORED: Final = -100  # a label that takes no part in the loss

RESERVED: Final = (
    *ADDED,
    *(IMAGE_SLOT, VIDEO_SLOT, REGION_SLOT, VISUAL_SLOT),
    *(TURN_START, TURN_END, END_OF_TEXT, VISION_START, VISION_END),
    # Qwen's other control tokens: never written by us, and not to be written by anybody else.
    *("<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"),
    *("<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>"),
    *("<|quad_start|>", "<|quad_end|>", "<|repo_name|>", "<|file_sep|>"),
    *("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>"),
    *("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"),
    *("<think>", "</think>"),
)
_RESERVED = re.compile("|".join(map(re.escape, RESERVED)))
_UNFINISHED = "\N{REPLACEMENT CHARACTER}"


def neutralise(text: str) -> str:
    """Put a space behind the `<` of every reserved token, so that it is only text.

    Removing them instead would let `<<p>p>` become `<p>`. Lone surrogates, which no
    tokenizer takes, become `?`.
    """
    valid = text.encode("utf-8", "replace").decode("utf-8")
    return _RESERVED.sub(lambda found: f"< {found[0][1:]}", valid)


class Vocabulary:
    """A byte-level tokenizer that knows X2SAM's three tokens.

    The three are appended when the tokenizer lacks them: ids 151669 to 151671 behind
    Qwen's vocabulary.

    Raises `WeightsError` when the tokenizer has no chat tokens.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.add_special_tokens(list(ADDED))
        self._tokenizer = tokenizer
        self.size = tokenizer.get_vocab_size(with_added_tokens=True)
        self.seg = self._id(SEG)
        self.phrase_open = self._id(PHRASE_OPEN)
        self.phrase_close = self._id(PHRASE_CLOSE)
        self.eos = self._id(TURN_END)
        self.end_of_text = self._id(END_OF_TEXT)

    @classmethod
    def load(cls, path: str | Path) -> Vocabulary:
        """Read a `tokenizer.json`; a missing or damaged file is a `WeightsError`."""
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise WeightsError(f"The tokenizer {path} cannot be read: {error}.") from error
        return cls(tokenizer)

    def save(self, path: str | Path) -> None:
        """Write `tokenizer.json`, the three tokens included."""
        self._tokenizer.save(str(path))

    def encode(self, text: str) -> list[int]:
        """Text to ids; nothing is added, and reserved tokens in `text` become their id."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """Ids to text, tags and control tokens included."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=False))

    def _id(self, token: str) -> int:
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise WeightsError(f"The tokenizer has no token {token}; is it one of Qwen's?")
        return int(found)


class TextStream:
    """Ids in, text out, never half a character.

    A character may be spread over several tokens, so ids wait until they end with a
    whole one. What `feed` and `close` return, joined, is `Vocabulary.decode` of all ids.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._waiting: list[int] = []

    def feed(self, ids: Iterable[int]) -> str:
        """Take the next ids; return the text that is certain by now."""
        self._waiting.extend(ids)
        text = self._vocabulary.decode(self._waiting)
        if text.endswith(_UNFINISHED):
            return ""
        self._waiting.clear()
        return text

    def close(self) -> str:
        """Return what still waits, a broken character as U+FFFD."""
        text = self._vocabulary.decode(self._waiting)
        self._waiting.clear()
        return text
