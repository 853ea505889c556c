"""The networks we train ourselves: same code as the published model, other numbers.

`NANO` is the model that ships with the package; `NANO_GPU` is its larger sister for a run on
one modern GPU. Both use four feature maps: attention over strides 8 to 32 with the stride-4
map only in the pyramid's sum is several times faster on a CPU than the 4B's three maps.
"""

from __future__ import annotations

from x2sam.config import (
    LanguageConfig,
    MaskDecoderConfig,
    MaskEncoderConfig,
    MemoryConfig,
    PixelDecoderConfig,
    RegionConfig,
    VisionConfig,
    X2SAMConfig,
)

VOCABULARY = 4096

_MEMORY = {"grid_stride": 32, "growth": 2, "attention_layers": 2, "fuser_layers": 1}
_REGIONS = RegionConfig(stage=1, unshuffle=1, points=32, pooling=4)

NANO = X2SAMConfig(
    name="nano",
    width=64,
    language=LanguageConfig(
        vocab_size=VOCABULARY,
        hidden_size=192,
        intermediate_size=512,
        layers=5,
        heads=6,
        kv_heads=3,
        head_dim=32,
        rope_theta=1e4,
        mrope_section=(8, 4, 4),
        max_positions=4096,
    ),
    vision=VisionConfig(
        hidden_size=128,
        intermediate_size=384,
        layers=3,
        heads=4,
        positions=256,
        deepstack_layers=(1,),
        image_pixels=(192 * 192, 192 * 192),
        clip_pixels=(4096, 16 * 192 * 192),
    ),
    mask_encoder=MaskEncoderConfig(
        image_size=192,
        stage_widths=(32, 64, 128, 256),
        stage_blocks=(1, 2, 3, 1),
        stage_heads=(1, 2, 4, 8),
        stage_windows=(8, 4, 8, 4),
        global_blocks=(4,),
        maps=4,
    ),
    pixel_decoder=PixelDecoderConfig(layers=1, heads=4, feed_forward=256),
    mask_decoder=MaskDecoderConfig(queries=20, layers=3, heads=4, feed_forward=256),
    memory=MemoryConfig(**_MEMORY, attention_feed_forward=256, fuser_feed_forward=256),
    regions=_REGIONS,
)

NANO_GPU = X2SAMConfig(
    name="nano",
    width=96,
    language=LanguageConfig(
        vocab_size=VOCABULARY,
        hidden_size=256,
        intermediate_size=768,
        layers=6,
        heads=8,
        kv_heads=4,
        head_dim=32,
        rope_theta=1e4,
        mrope_section=(8, 4, 4),
        max_positions=4096,
    ),
    vision=VisionConfig(
        hidden_size=192,
        intermediate_size=768,
        layers=6,
        heads=6,
        positions=256,
        deepstack_layers=(2,),
        image_pixels=(256 * 256, 256 * 256),
        clip_pixels=(4096, 16 * 256 * 256),
    ),
    mask_encoder=MaskEncoderConfig(
        image_size=256,
        stage_widths=(48, 96, 192, 384),
        stage_blocks=(1, 2, 5, 2),
        stage_heads=(1, 2, 4, 8),
        stage_windows=(8, 4, 8, 4),
        global_blocks=(5, 7),
        maps=4,
    ),
    pixel_decoder=PixelDecoderConfig(layers=2, heads=6, feed_forward=384),
    mask_decoder=MaskDecoderConfig(queries=20, layers=4, heads=6, feed_forward=384),
    memory=MemoryConfig(**_MEMORY, attention_feed_forward=384, fuser_feed_forward=384),
    regions=_REGIONS,
)
