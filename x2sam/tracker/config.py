"""What a tracking network is made of: SAM 2.1 in its four sizes, and a small one of ours.

    >>> [config.name for config in CONFIGS][:2]
    ['small-320', 'facebook/sam2.1-hiera-tiny']
    >>> SMALL.trunk.image_size, SMALL.stride
    (320, 4)

The numbers are those of the official configurations; what all four share is a default.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from x2sam.config import MaskEncoderConfig

Backend = Literal["auto", "sam2", "transformers"]
"""Which library computes; auto takes sam2 where it can be imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerConfig:
    """One network; both back ends build it from this."""

    name: str
    trunk: MaskEncoderConfig = field(default_factory=MaskEncoderConfig)
    width: int = 256  # of everything behind the image encoder
    attention_layers: int = 4
    attention_feed_forward: int = 2048
    memory_width: int = 64  # channels of a remembered frame; transformers knows no other
    memories: int = 7  # frames with a mask that one frame looks at, the marked one included
    pointers: int = 16  # frames whose object pointer one frame looks at
    stride: int = 4  # pixels of the network's picture per pixel of its masks
    coarse_stride: int = 16  # and per cell of what it remembers


def _official(
    size: str, widths: int, heads: int, blocks: tuple[int, ...], **rest: object
) -> TrackerConfig:
    trunk = {
        "stage_widths": tuple(widths * 2**stage for stage in range(4)),
        "stage_heads": tuple(heads * 2**stage for stage in range(4)),
        "stage_windows": (8, 4, 14, 7),
        "stage_blocks": blocks,
        **rest,
    }
    return TrackerConfig(name=f"facebook/sam2.1-hiera-{size}", trunk=MaskEncoderConfig(**trunk))  # type: ignore[arg-type]


SMALL: Final = TrackerConfig(
    name="small-320",
    trunk=MaskEncoderConfig(
        image_size=320,
        stage_widths=(32, 64, 128, 256),
        stage_blocks=(1, 2, 3, 1),  # as nano's, with whose weights its training begins
        stage_heads=(1, 2, 4, 8),
        stage_windows=(8, 4, 8, 4),
        global_blocks=(4,),
    ),
    width=128,
    attention_layers=2,
    attention_feed_forward=512,
)

CONFIGS: Final = (
    SMALL,
    _official("tiny", 96, 1, (1, 2, 7, 2), global_blocks=(5, 7, 9)),
    _official("small", 96, 1, (1, 2, 11, 2), global_blocks=(7, 10, 13)),
    _official(
        "base-plus", 112, 2, (2, 3, 16, 3), global_blocks=(12, 16, 20), position_grid=(14, 14)
    ),
    _official(
        "large",
        144,
        2,
        (2, 6, 36, 4),
        global_blocks=(23, 33, 43),
        stage_windows=(8, 4, 16, 8),
    ),
)
