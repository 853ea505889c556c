"""Tokens of whole conversations, compared with those the official code recorded.

31 samples: every task, picture and clip, generation ("predict") and teacher forcing
("tensor", "train"), with the 346-token tokenizer. Nothing is faked.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from x2sam.language.encoding import (
    VisualGrid,
    encode,
    encode_chat,
    encode_ids,
    patch_times,
)
from x2sam.language.prompts import Turn, prompt, question
from x2sam.language.replies import read
from x2sam.language.tokens import IMAGE, REGION, VISUAL, Vocabulary

GOLDEN = Path(__file__).parents[1] / "golden"
VOCABULARY = Vocabulary.load(GOLDEN / "tokenizer.json")
RECORDED = json.loads((GOLDEN / "language" / "conversations.json").read_text())
TIMES = json.loads((GOLDEN / "language" / "preprocess.json").read_text())["calculate_timestamps"]


def turns_of(sample: dict) -> tuple[list[Turn], str]:
    """The user's words and the model's, without the template around them."""
    head, tail = prompt("\0").split("\0")
    turns, media = [], None
    for asked, answered in sample["turns"]:
        words = asked.removeprefix(head).removesuffix(tail)
        for kind in ("image", "video"):
            slot = f"<|vision_start|><{kind}><|vision_end|>"
            if words.startswith(slot):
                media, words = kind, words.removeprefix(slot)
        answer = None if sample["mode"] == "predict" else answered.removesuffix("<|im_end|>")
        turns.append(Turn(words, answer))
    return turns, media


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize(("stage", "region_tokens"), [("in", 1), ("prepare", 64)])
def test_recorded_conversations_become_the_recorded_tokens(name, stage, region_tokens):
    sample = RECORDED[name]
    turns, media = turns_of(sample)
    encoded = encode_chat(
        turns,
        VOCABULARY,
        media,
        grid=VisualGrid(*sample["grid"]),
        region_tokens=region_tokens,
    )
    fields = {
        "input_ids": encoded.ids if stage == "in" else _as_prepared(encoded.ids),
        "cond_ids": encoded.phrases,
        "seg_ids": encoded.segs,
        "labels": encoded.labels,
    }
    for field, ours in fields.items():
        recorded = sample.get(f"{stage}.{field}")
        if recorded is None:  # the official code leaves out what a sample cannot have
            continue
        padding = len(recorded) - len(ours)
        assert padding == 0 or name.startswith("train.img_genseg_b2"), "only that one is a batch"
        assert ours.tolist() == recorded[: len(ours)], field
    assert ours.dtype == np.int64


def _as_prepared(ids: np.ndarray) -> np.ndarray:
    return np.where(ids == VISUAL, IMAGE, ids)


def test_every_stage_was_recorded():
    for stage, count in (("in", 31), ("prepare", 24)):
        assert sum(f"{stage}.input_ids" in sample for sample in RECORDED.values()) == count


def test_what_was_encoded_stays_the_beginning():
    first = [Turn(question("vgdseg", "image", regions=2), "Sure, it is <SEG>.")]
    second = [*first, Turn(question("refseg", "image", text="the cup"), "<SEG>."), Turn("Why?")]
    grid = VisualGrid(1, 4, 6)
    short = encode_chat(first, VOCABULARY, "image", grid=grid)
    long = encode_chat(second, VOCABULARY, "image", grid=grid)
    for field in ("ids", "phrases", "segs", "labels"):
        before, after = getattr(short, field), getattr(long, field)
        assert np.array_equal(after[: len(before)], before), field
    assert (short.phrase_count, long.phrase_count) == (2, 3)
    assert (short.seg_count, long.seg_count) == (1, 2)


def test_a_turn_can_be_appended_to_generated_tokens():
    start = encode(prompt("Hi.", "image"), VOCABULARY, grid=VisualGrid(1, 2, 2))
    reply = VOCABULARY.encode("<p>A dog</p> runs. <SEG>.<|im_end|>")
    following = encode("\n" + prompt("And <p>this</p>?"), VOCABULARY)
    whole = start + encode_ids(reply, VOCABULARY) + following
    assert len(whole) == len(start) + len(reply) + len(following)
    assert whole.phrase_count == 2
    turns = [Turn("Hi.", "<p>A dog</p> runs. <SEG>."), Turn("And <p>this</p>?")]
    at_once = encode_chat(turns, VOCABULARY, "image", grid=VisualGrid(1, 2, 2))
    assert np.array_equal(whole.ids, at_once.ids)
    assert np.array_equal(whole.phrases, at_once.phrases)


def test_regions_belong_to_their_phrase_and_are_not_learnt():
    text = "<p><region></p>, <p><region></p>"
    encoded = encode(text, VOCABULARY, region_tokens=3, learn=True)
    assert encoded.phrases.tolist() == [0] * 5 + [-1, -1] + [1] * 5
    assert (encoded.labels[encoded.ids == REGION] == -100).all()
    assert (encoded.labels[encoded.ids != REGION] >= 0).all()


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("a</p><p>b</p>", [-1, -1, 0, 0, 0]),
        ("<p>a<p>b</p>", [-1, -1, 0, 0, 0]),
        ("<p>a</p><p>b", [0, 0, 0, -1, -1]),
        ("<p></p><p>b</p>", [0, 0, 1, 1, 1]),
        ("", []),
    ],
)
def test_broken_phrases_are_numbered_as_the_reply_numbers_them(text, phrases):
    encoded = encode(text, VOCABULARY)
    assert encoded.phrases.tolist() == phrases
    for phrase in read(text).phrases:
        ids = encoded.ids[encoded.phrases == phrase.index].tolist()
        assert VOCABULARY.decode(ids) == f"<p>{phrase.text}</p>"


def test_a_clip_can_tell_its_real_times():
    grid = VisualGrid(2, 2, 4)
    text = VOCABULARY.decode(
        [
            i
            for i in encode(prompt("?", "video"), VOCABULARY, grid=grid, times=[0.26, 61]).ids
            if i >= 0
        ]
    )
    assert "user\n<0.3 seconds><|vision_start|><|vision_end|><61.0 seconds>" in text
    with pytest.raises(AssertionError):
        encode(prompt("?", "video"), VOCABULARY, grid=grid, times=[1.0])


def test_means_stand_together_before_the_timed_frames():
    grid = VisualGrid(2, 2, 4, means=5)
    ids = encode(prompt("?", "video"), VOCABULARY, grid=grid).ids
    start, end = (VOCABULARY.encode(f"<|vision_{side}|>")[0] for side in ("start", "end"))
    counts = [
        int((ids[a:b] == VISUAL).sum())
        for a, b in zip(np.flatnonzero(ids == start), np.flatnonzero(ids == end), strict=True)
    ]
    assert counts == [5, 2, 2] == list(grid.runs)
    assert grid.tokens == 9
    text = VOCABULARY.decode([i for i in ids if i >= 0])
    assert text.count("seconds>") == 2
    assert "<|vision_end|><1.0 seconds>" in text


@pytest.mark.parametrize("frames", TIMES)
def test_patch_times_are_the_recorded_ones(frames):
    seconds = [index / 24 for index in range(int(frames))]
    assert patch_times(seconds) == pytest.approx(TIMES[frames])


def test_blanks_between_slots_are_dropped_but_a_blank_text_is_not():
    only = encode("<region> \n<region>", VOCABULARY, region_tokens=1)
    assert only.ids.tolist() == [REGION, REGION]
    assert encode("\n", VOCABULARY).ids.tolist() == VOCABULARY.encode("\n")


def test_a_grid_counts_its_tokens():
    grid = VisualGrid(4, 4, 6)
    assert (grid.per_frame, grid.tokens) == (6, 24)
    with pytest.raises(AssertionError):
        _ = VisualGrid(1, 3, 4).per_frame
