r"""From what the model wrote to what a person reads.

Tags never reach the reader. A phrase between `<p>` and `</p>` becomes a span of the clean
text, so that it can be coloured like its mask; `<SEG>` only says that there are masks, and
the stock words around it ("Sure, it is <SEG>.") go with it.

    >>> reply = read("<p>The man</p>  is on <p>the red car</p> . And it is <SEG>.<|im_end|>")
    >>> reply.text, reply.has_mask
    ('The man is on the red car.', True)
    >>> [(phrase.text, phrase.start, phrase.end) for phrase in reply.phrases]
    [('The man', 0, 7), ('the red car', 14, 25)]

The model may also answer without `<SEG>`: then it found nothing to mark.

    >>> read("There is no dog here.").has_mask
    False

`ReplyStream` does the same to a reply that is still being written. It is a state machine
that consumes its input mark by mark; text that may turn out to be part of a mark waits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from x2sam.language.tokens import PHRASE_CLOSE, PHRASE_OPEN, RESERVED, SEG
from x2sam.language.wordings import SEG_OPENINGS

_TAGS: Final = (PHRASE_OPEN, PHRASE_CLOSE, *(t for t in RESERVED if t.startswith("<|")))
_SEGS: Final = tuple(o + SEG + dot for o in SEG_OPENINGS for dot in ("", "."))
_MARKS: Final = tuple(sorted((*_TAGS, *_SEGS), key=len, reverse=True))
_FIRST = re.compile(f"[{re.escape(''.join(sorted({mark[0] for mark in _MARKS})))}]")
_WORDS = re.compile(r"\s+|\S+")
_CLOSES_UP = frozenset(".,;:!?)")  # no blank before these where a tag left one
_ENDS_SENTENCE = frozenset(".!?:\u3002\uff01\uff1f")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words of a reply that have a mask of their own: `text == reply.text[start:end]`.

    `index` is the number of its `<p>` pair in the reply, as in `encoding.encode_ids`.
    """

    index: int
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Piece:
    """What a delta adds: clean text, and the phrases that ended in it."""

    text: str
    phrases: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply in clean text; `has_mask` is False when the model marked nothing."""

    text: str
    phrases: tuple[Phrase, ...]
    has_mask: bool


def read(text: str) -> Reply:
    """Read a complete reply."""
    stream = ReplyStream()
    stream.feed(text)
    stream.close()
    return stream.reply


class ReplyStream:
    """Reads a reply delta by delta; the pieces, joined, are `read` of the whole.

    Keeps the reply so far, and at most one unfinished mark and one run of blanks.
    """

    def __init__(self) -> None:
        self._raw = ""  # not yet consumed: may be the beginning of a mark
        self._at_word = True  # the next raw character begins a word
        self._text = ""  # clean and given out, or about to be
        self._gap = ""  # blanks that wait for the next word
        self._tagged = False  # a tag stood at the gap, whose blanks are then not the writer's
        self._open = False  # between <p> and </p> ...
        self._start: int | None = None  # ... and where its first word began
        self._pairs = 0
        self._phrases: list[Phrase] = []
        self._has_mask = False

    @property
    def reply(self) -> Reply:
        """The reply as far as it is certain."""
        return Reply(self._text, tuple(self._phrases), self._has_mask)

    def feed(self, delta: str) -> Piece:
        """Take more of the raw reply; return what became certain."""
        self._raw += delta
        return self._consume(final=False)

    def close(self) -> Piece:
        """End the reply: what still waits is only text."""
        return self._consume(final=True)

    def _consume(self, *, final: bool) -> Piece:
        text, phrases = len(self._text), len(self._phrases)
        position = 0
        while position < len(self._raw):
            found = _FIRST.search(self._raw, position)
            if found is None or found.start() > position:
                end = found.start() if found else len(self._raw)
                self._write(self._raw[position:end])
                position = end
                continue
            mark = self._mark_at(position)
            if not final and self._may_grow(position):
                break
            if mark:
                self._tag(mark)
            else:
                self._write(self._raw[position])
            position += len(mark) or 1
        self._raw = self._raw[position:]
        return Piece(self._text[text:], tuple(self._phrases[phrases:]))

    def _marks_here(self) -> tuple[str, ...]:
        # "And <SEG>" must not be found in "HAnd <SEG>".
        return _MARKS if self._at_word else tuple(m for m in _MARKS if m.startswith("<"))

    def _mark_at(self, position: int) -> str:
        """Return the longest complete mark at a position, or nothing."""
        return next((m for m in self._marks_here() if self._raw.startswith(m, position)), "")

    def _may_grow(self, position: int) -> bool:
        """Tell whether what follows could still turn the rest into a longer mark."""
        rest = self._raw[position:]
        return any(len(m) > len(rest) and m.startswith(rest) for m in self._marks_here())

    def _tag(self, mark: str) -> None:
        self._at_word = self._tagged = True
        if mark == PHRASE_OPEN:
            self._open, self._start = True, None
        elif mark == PHRASE_CLOSE:
            self._close_phrase()
        elif mark in _SEGS:
            self._has_mask = True
            unfinished = self._text and self._text[-1] not in _ENDS_SENTENCE
            if mark.endswith(".") and unfinished:
                self._write(".")

    def _close_phrase(self) -> None:
        if not self._open:
            return
        if self._start is not None:
            words = self._text[self._start :]
            self._phrases.append(Phrase(self._pairs, words, self._start, len(self._text)))
        self._pairs += 1
        self._open, self._start = False, None

    def _write(self, raw: str) -> None:
        """Add text; blanks wait, so that none is given out before a mark or the end."""
        for word in _WORDS.findall(raw):
            self._at_word = word.isspace()
            if self._at_word:
                self._gap += word
                continue
            self._text += self._blank_before(word)
            if self._open and self._start is None:
                self._start = len(self._text)
            self._text += word
            self._gap, self._tagged = "", False

    def _blank_before(self, word: str) -> str:
        if not self._text:
            return ""
        if not self._tagged or not self._gap:
            return self._gap
        if word[0] in _CLOSES_UP:
            return ""
        return "\n" * min(2, self._gap.count("\n")) or " "
