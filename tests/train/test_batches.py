"""From examples to a batch: what is padded, what is normalised and what is to be found.

Covered: patches equal to those of inference, the last request of a conversation, targets that
leave the picture, regions and their owners, examples that bring their own patches. Nothing is
faked.
"""

from dataclasses import replace

import micro
import numpy as np
import pytest
import torch

from x2sam.errors import PromptError
from x2sam.language.encoding import encode_chat
from x2sam.language.prompts import Turn
from x2sam.language.tokens import IGNORED, REGION, VISUAL
from x2sam.model.pixels import clip_patches, image_patches, squares
from x2sam.train.batches import collate, join, last_request, visible

CPU = torch.device("cpu")
WORDS = micro.vocabulary()
SIDE = micro.SIDE


def batched(*examples):
    return collate(examples, WORDS, micro.CONFIG, CPU)


def as_pixels(pictures):
    """(T, 3, S, S) in 0..1 -> (T, S, S, 3) uint8."""
    return (pictures.movedim(1, 3) * 255).round().byte().numpy()


def speckled(seed, frames):
    """Make an example whose every pixel is one of 256 levels, so that bytes can hold it."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, 256, (frames, 3, SIDE, SIDE)).astype(np.float32)
    return replace(micro.squares(seed, frames), pictures=torch.from_numpy(levels) / 255)


# What the network is shown


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_training_and_inference_cut_the_same_patches(frames):
    examples = [speckled(seed, frames) for seed in range(2)]
    batch = batched(*examples)
    vision = replace(micro.CONFIG.vision, clip_pixels=(1, frames * 2 * SIDE * SIDE))
    values, grids = batch.patches.chunk(2), batch.grids
    for number, example in enumerate(examples):
        pixels = as_pixels(example.pictures)
        cut = image_patches(pixels[0], vision) if frames == 1 else clip_patches(pixels, vision)
        torch.testing.assert_close(values[number], cut.values, rtol=0, atol=1e-6)
        assert torch.equal(grids[number], cut.grids[0])
        shown = squares(pixels, SIDE)
        torch.testing.assert_close(batch.pixels[number], shown, rtol=0, atol=1e-5)
    assert (batch.ids == VISUAL).sum() == len(batch.patches) / vision.merge**2


def test_an_example_may_show_the_language_model_something_else():
    """A wide picture keeps its shape there, while the mask encoder sees a square."""
    wide = image_patches(np.zeros((32, 96, 3), np.uint8), micro.CONFIG.vision)
    examples = [replace(micro.squares(0), seen=wide), replace(micro.squares(1), seen=wide)]
    batch = batched(*examples)
    assert torch.equal(batch.grids, wide.grids.expand(2, 3))
    assert torch.equal(batch.patches, torch.cat([wide.values] * 2))
    assert batch.pixels.shape == (2, 1, 3, SIDE, SIDE)
    with pytest.raises(AssertionError, match="for all examples or for none"):
        batched(examples[0], micro.squares(1))


def test_short_conversations_are_padded_on_the_right():
    long = micro.squares(0, turns=[Turn("Please segment <p>the red one</p>, now.", "<SEG>.")])
    batch = batched(micro.squares(1), long)
    alone = batched(micro.squares(1))
    length = alone.ids.shape[1]
    for name, filler in (("ids", 0), ("labels", IGNORED), ("phrases", -1), ("segs", -1)):
        padded, own = getattr(batch, name)[0], getattr(alone, name)[0]
        assert torch.equal(padded[:length], own), name
        assert (padded[length:] == filler).all(), name


# What was asked last


def encoded(*turns):
    return encode_chat([Turn(question, answer) for question, answer in turns], WORDS)


def phrases_of(kept):
    """The words of each phrase that is kept."""
    return [
        WORDS.decode(kept.ids[kept.phrases == number].tolist())
        for number in range(kept.phrase_count)
    ]


def test_the_last_request_alone_is_to_be_found():
    kept = last_request(
        encoded(
            ("Find <p>the dog</p>.", "It is <SEG>."),
            ("And <p>the cat</p>, <p>the owl</p>?", "<SEG>."),
        )
    )
    assert phrases_of(kept) == ["<p>the cat</p>", "<p>the owl</p>"]
    where = np.flatnonzero(kept.segs >= 0)
    assert kept.segs[where].tolist() == [0]
    assert kept.ids[where].tolist() == [WORDS.seg]
    assert where[0] > np.flatnonzero(kept.phrases >= 0).max()


def test_phrases_of_an_answer_belong_to_its_seg():
    kept = last_request(encoded(("Describe it.", "<p>A dog</p> and <p>a cat</p>. <SEG>.")))
    assert phrases_of(kept) == ["<p>A dog</p>", "<p>a cat</p>"]


def test_what_was_looked_for_in_vain_is_not_looked_for_again():
    turns = [("Find <p>a fox</p>.", "There is no fox."), ("<p>The hen</p>?", "It is <SEG>.")]
    assert phrases_of(last_request(encoded(*turns))) == ["<p>The hen</p>"]


def test_phrases_of_an_answer_replace_those_of_its_question():
    kept = last_request(encoded(("What is <p>this</p>?", "<p>A dog</p>. <SEG>.")))
    assert phrases_of(kept) == ["<p>A dog</p>"]


def test_an_answer_without_a_mask_asks_for_nothing():
    """Not even for what an earlier answer has found."""
    kept = last_request(encoded(("Find <p>a fox</p>.", "<SEG>."), ("Sure?", "Yes.")))
    assert kept.phrases.max() == kept.segs.max() == -1


def test_every_answer_is_learnt_not_only_the_last():
    kept = last_request(encoded(("<p>One</p>?", "It is <SEG>."), ("<p>Two</p>?", "<SEG>.")))
    learnt = WORDS.decode(kept.labels[kept.labels >= 0].tolist())
    assert learnt == "It is <SEG>.<|im_end|><SEG>.<|im_end|>"


# Targets and regions


def test_targets_are_left_out_of_frames_that_do_not_show_them():
    clip = micro.squares(0, frames=3)
    masks = torch.cat([clip.masks, clip.masks.clone()], dim=1)
    masks[1, 0] = False
    masks[2] = False
    example = replace(clip, labels=torch.tensor([4, 7]), masks=masks)
    empty = replace(micro.squares(1, frames=3), labels=clip.labels[:0], masks=masks[:, :0])
    targets = visible([example, empty, example])
    assert [[own[0].tolist() for own in frame] for frame in targets] == [
        [[4, 7], [], [4, 7]],
        [[7], [], [7]],
        [[], [], []],
    ]
    assert torch.equal(targets[1][2][1], masks[1, 1:])
    joined = join([own for frame in targets for own in frame], CPU)
    assert joined.counts == (2, 0, 2, 1, 0, 1, 0, 0, 0)
    assert joined.labels.tolist() == [4, 7, 4, 7, 7, 7]


def test_regions_know_whose_they_are():
    batch = batched(micro.squares(0, regions=2), micro.squares(1), micro.squares(2, regions=1))
    assert batch.owners.tolist() == [0, 0, 2]
    tokens = micro.CONFIG.regions.tokens
    assert (batch.ids == REGION).sum(dim=1).tolist() == [2 * tokens, 0, tokens]
    mask = micro.squares(2).masks[0, 0]
    y, x = (batch.points[2] * SIDE).long().T
    assert mask[y, x].all()
    assert batched(micro.squares(1)).points is None


def test_an_empty_region_is_refused():
    nothing = torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
    with pytest.raises(PromptError, match="empty"):
        batched(replace(micro.squares(0, regions=1), regions=nothing))
