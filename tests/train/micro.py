"""The smallest network with all parts, and examples it can be trained on in milliseconds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from x2sam.config import (
    LanguageConfig,
    LoraConfig,
    MaskDecoderConfig,
    MaskEncoderConfig,
    MemoryConfig,
    PixelDecoderConfig,
    RegionConfig,
    VisionConfig,
    X2SAMConfig,
)
from x2sam.language.prompts import Turn
from x2sam.language.tokens import Vocabulary
from x2sam.train.batches import Example

SIDE = 64
TOKENIZER = Path(__file__).parent.parent / "golden" / "tokenizer.json"
COLOURS = {"red": (0.9, 0.1, 0.1), "green": (0.1, 0.8, 0.2), "blue": (0.1, 0.2, 0.9)}

CONFIG = X2SAMConfig(
    name="micro",
    width=32,
    language=LanguageConfig(
        vocab_size=349,
        hidden_size=32,
        intermediate_size=64,
        layers=2,
        heads=2,
        kv_heads=1,
        head_dim=16,
        mrope_section=(4, 2, 2),
        max_positions=1024,
    ),
    vision=VisionConfig(
        hidden_size=32,
        intermediate_size=64,
        layers=2,
        heads=2,
        positions=16,
        deepstack_layers=(0,),
        image_pixels=(1024, SIDE * SIDE),
        clip_pixels=(1024, 16 * SIDE * SIDE),
    ),
    mask_encoder=MaskEncoderConfig(
        image_size=SIDE,
        stage_widths=(16, 32, 64, 128),
        stage_blocks=(1, 1, 2, 1),
        stage_heads=(1, 2, 4, 8),
        stage_windows=(8, 4, 4, 2),
        global_blocks=(3,),
    ),
    pixel_decoder=PixelDecoderConfig(layers=1, heads=2, feed_forward=32),
    mask_decoder=MaskDecoderConfig(queries=6, layers=2, heads=2, feed_forward=32),
    memory=MemoryConfig(
        frames=2,
        attention_layers=1,
        attention_feed_forward=32,
        fuser_layers=1,
        fuser_feed_forward=32,
        growth=2,
    ),
    regions=RegionConfig(points=16),
    lora=LoraConfig(rank=2, alpha=4),
)


def vocabulary() -> Vocabulary:
    return Vocabulary.load(TOKENIZER)


def squares(seed: int, frames: int = 1, turns=None, *, regions: int = 0) -> Example:
    """Two squares of different colours that move; the first one is asked for."""
    rng = np.random.default_rng(seed)
    names = rng.permutation(list(COLOURS))[:2]
    pictures = torch.full((frames, 3, SIDE, SIDE), 0.5)
    masks = torch.zeros(frames, 1, SIDE, SIDE, dtype=torch.bool)
    for number, name in enumerate(names):
        y, x = 8 + 32 * number, int(rng.integers(4, 32))
        for frame in range(frames):
            left = x + 4 * frame
            pictures[frame, :, y : y + 20, left : left + 20] = torch.tensor(COLOURS[name])[
                :, None, None
            ]
            if number == 0:
                masks[frame, 0, y : y + 20, left : left + 20] = True
    asked = "<p><region></p>" if regions else f"<p>{names[0]}</p>"
    return Example(
        media="image" if frames == 1 else "video",
        pictures=pictures,
        turns=turns or [Turn(f"Segment {', '.join([asked] * max(1, regions))}.", "It is <SEG>.")],
        labels=torch.zeros(1, dtype=torch.int64),
        masks=masks,
        regions=masks[0].expand(regions, -1, -1) if regions else None,
    )


def named(seed: int, frames: int = 1) -> Example:
    """The same, and every pixel says its colour; number n of `COLOURS` is n + 1."""
    example = squares(seed, frames)
    names = torch.zeros(frames, SIDE, SIDE, dtype=torch.int64)
    for number, colour in enumerate(COLOURS.values(), 1):
        alike = (example.pictures - torch.tensor(colour)[:, None, None]).abs().amax(1) < 0.01
        names[alike] = number
    return replace(example, names=names)


def chatting(seed: int, text: str = "Yes.") -> Example:
    """The same, but only talked about."""
    shown = squares(seed)
    nothing = torch.zeros(1, 0, SIDE, SIDE, dtype=torch.bool)
    turns = [Turn("Is it red?", text)]
    return Example("image", shown.pictures, turns, shown.labels[:0], nothing)
