"""Vocabulary and text stream, with the recorded 346-token byte-level tokenizer.

The tokenizations were recorded from the official code. Nothing is faked.
"""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x2sam.errors import WeightsError
from x2sam.language.tokens import ADDED, RESERVED, TextStream, Vocabulary, neutralise

GOLDEN = Path(__file__).parents[1] / "golden"
VOCABULARY = Vocabulary.load(GOLDEN / "tokenizer.json")
RECORDED = json.loads((GOLDEN / "language" / "preprocess.json").read_text())["tokenize"]


@pytest.mark.parametrize("file", ["tokenizer.json", "tokenizer_plain.json"])
def test_the_three_tokens_have_the_official_ids_whether_or_not_the_file_has_them(file):
    vocabulary = Vocabulary.load(GOLDEN / file)
    assert (vocabulary.seg, vocabulary.phrase_open, vocabulary.phrase_close) == (346, 347, 348)
    assert (vocabulary.eos, vocabulary.end_of_text, vocabulary.size) == (322, 320, 349)


@pytest.mark.parametrize("text", RECORDED)
def test_recorded_texts_are_tokenised_exactly(text):
    assert VOCABULARY.encode(text) == RECORDED[text]


@given(st.text())
def test_decoding_undoes_encoding_up_to_composition(text):
    ids = VOCABULARY.encode(neutralise(text))
    assert VOCABULARY.encode(VOCABULARY.decode(ids)) == ids


@pytest.mark.parametrize("content", [None, "not json", '{"version": "1.0"}'])
def test_a_missing_or_damaged_tokenizer_is_said(tmp_path, content):
    path = tmp_path / "tokenizer.json"
    if content:
        path.write_text(content)
    with pytest.raises(WeightsError, match=r"tokenizer\.json cannot be read"):
        Vocabulary.load(path)


def test_a_foreign_tokenizer_is_said(tmp_path):
    foreign = json.loads((GOLDEN / "tokenizer_plain.json").read_text())
    foreign["added_tokens"] = foreign["added_tokens"][:1]
    (tmp_path / "t.json").write_text(json.dumps(foreign))
    with pytest.raises(WeightsError, match="has no token"):
        Vocabulary.load(tmp_path / "t.json")


def test_every_added_token_of_the_tokenizer_is_reserved():
    added = json.loads((GOLDEN / "tokenizer.json").read_text())["added_tokens"]
    assert {token["content"] for token in added} <= set(RESERVED)


reserved_soup = st.lists(st.sampled_from([*RESERVED, "<", ">", "/", "|", "p", " ", "é"])).map(
    "".join
)


@given(reserved_soup)
def test_neutralised_text_holds_no_reserved_token(text):
    safe = neutralise(text)
    assert not any(token in safe for token in RESERVED)
    assert max(VOCABULARY.encode(safe), default=0) < 320, "only plain text is left"
    assert neutralise(safe) == safe


def test_neutralising_leaves_ordinary_text_alone_and_replaces_surrogates():
    text = "x < y, <b>bold</b>, <P>, 语言 🙂\n"
    assert neutralise(text) == text
    assert neutralise("a\ud800b") == "a?b"


@given(st.text().map(neutralise))
def test_a_text_stream_gives_whole_characters_that_join_to_the_text(text):
    ids = VOCABULARY.encode(text)
    stream = TextStream(VOCABULARY)
    deltas = [stream.feed([token]) for token in ids]
    assert "".join(deltas) + stream.close() == VOCABULARY.decode(ids)
    if "\N{REPLACEMENT CHARACTER}" not in text:
        assert not any("\N{REPLACEMENT CHARACTER}" in delta for delta in deltas)


def test_half_a_character_waits_and_a_broken_one_comes_out_at_the_end():
    ids = VOCABULARY.encode("🙂")
    assert len(ids) > 1
    stream = TextStream(VOCABULARY)
    assert [stream.feed([token]) for token in ids] == [""] * (len(ids) - 1) + ["🙂"]
    assert stream.feed(ids[:1]) == ""
    assert stream.close() == "\N{REPLACEMENT CHARACTER}"
    assert stream.close() == ""


def test_a_stream_shows_tags():
    stream = TextStream(VOCABULARY)
    assert stream.feed([VOCABULARY.seg, VOCABULARY.phrase_open]) == "".join(ADDED[:2])
