"""Reading replies, whole and delta by delta; hand-made cases and random ones."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x2sam.language.replies import ReplyStream, read
from x2sam.language.tokens import RESERVED
from x2sam.language.wordings import SEG_OPENINGS

HIDDEN = ("<p>", "</p>", "<SEG>", *(token for token in RESERVED if token.startswith("<|")))
WHOLE = [
    *("<p>", "</p>", "<SEG>", "<SEG>.", "<|im_end|>", "<|endoftext|>"),
    *SEG_OPENINGS,
    *("And ", "Sure", "it is", "The man", "a", "é", "🙂", " ", "  ", "\n", "\n\n", ".", ",", "?"),
]
PARTS = ["<", "<S", "EG>", "</", "<|", "|>", "p>", ">"]
well_formed = st.lists(st.sampled_from(WHOLE), max_size=20).map("".join)
replies = st.lists(st.sampled_from(WHOLE + PARTS), max_size=20).map("".join)


@pytest.mark.parametrize(
    ("raw", "text", "phrases", "has_mask"),
    [
        ("Sure, it is <SEG>.<|im_end|>", "", [], True),
        ("Sure, the segmentation result is <SEG>.", "", [], True),
        ("It irons. And the segmentation mask is <SEG>.", "It irons.", [], True),
        ("It irons <SEG>.", "It irons.", [], True),
        ("A cat sat And it is <SEG>.", "A cat sat.", [], True),
        ("Here <SEG> and there", "Here and there", [], True),
        ("<p>A man</p> on <p>a car</p>. <SEG>.", "A man on a car.", ["A man", "a car"], True),
        ("<p>A</p>  on <p>a car</p> . And <SEG>.", "A on a car.", ["A", "a car"], True),
        ("<p> dog </p>runs", "dog runs", ["dog"], False),
        ("<p>a</p> <p>a</p>", "a a", ["a", "a"], False),
        ("a</p> b", "a b", [], False),
        ("<p>a <p>b</p> c", "a b c", ["b"], False),
        ("see <p>a b", "see a b", [], False),
        ("<p></p>x<p> </p>", "x", [], False),
        ("I see no dog.", "I see no dog.", [], False),
        ("Sure, it is a cat.", "Sure, it is a cat.", [], False),
        ("BrAnd <SEG>.", "BrAnd.", [], True),
        ("if a < b and b <p", "if a < b and b <p", [], False),
        ("code:\n\n    if x:\n        pass\n", "code:\n\n    if x:\n        pass", [], False),
        ("<p>One</p>.\n\n<p>Two</p> .", "One.\n\nTwo.", ["One", "Two"], False),
        ("", "", [], False),
    ],
)  # fmt: skip
def test_replies_are_cleaned(raw, text, phrases, has_mask):
    reply = read(raw)
    assert (reply.text, reply.has_mask) == (text, has_mask)
    assert [phrase.text for phrase in reply.phrases] == phrases


def test_phrases_keep_the_number_of_their_pair():
    assert [phrase.index for phrase in read("<p></p><p>a</p></p><p>b</p>").phrases] == [1, 2]


@given(replies, st.data())
def test_any_split_reads_like_the_whole(raw, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=len(raw))))
    stream = ReplyStream()
    ends = [0, *cuts, len(raw)]
    pieces = [stream.feed(raw[a:b]) for a, b in pairwise(ends)]
    pieces.append(stream.close())
    whole = read(raw)
    assert stream.reply == whole
    assert "".join(piece.text for piece in pieces) == whole.text
    assert tuple(phrase for piece in pieces for phrase in piece.phrases) == whole.phrases


@given(well_formed)
def test_readers_never_see_a_tag_and_spans_are_right(raw):
    reply = read(raw)
    assert not any(tag in reply.text for tag in HIDDEN)
    assert reply.text == reply.text.strip()
    assert reply.has_mask == ("<SEG>" in raw)
    for phrase in reply.phrases:
        assert reply.text[phrase.start : phrase.end] == phrase.text == phrase.text.strip() != ""


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_ordinary_text_is_left_alone(raw):
    if not any(tag in raw for tag in HIDDEN):
        assert read(raw).text == raw.strip()


def test_a_stream_waits_exactly_as_long_as_it_must():
    stream = ReplyStream()
    given_out = [stream.feed(c).text for c in "A <p>dog</p>. Sure, it was."]
    assert "".join(given_out[:9]) == "A dog"
    assert given_out[13] == ""  # the blank waits for a word
    held = "".join(given_out[: len("A <p>dog</p>. Sure, it ")])
    assert held == "A dog."
    assert "".join(given_out[: len("A <p>dog</p>. Sure, it w")]).endswith("Sure, it w")


def test_a_phrase_comes_with_its_last_tag():
    stream = ReplyStream()
    assert stream.feed("a <p>red car</").phrases == ()
    (phrase,) = stream.feed("p>").phrases
    assert (phrase.text, phrase.start, phrase.end) == ("red car", 2, 9)
