"""The network all golden numbers were recorded with: every part of the 4B, at thumbnail size."""

from x2sam.config import (
    LanguageConfig,
    LoraConfig,
    MaskDecoderConfig,
    MaskEncoderConfig,
    MemoryConfig,
    PixelDecoderConfig,
    VisionConfig,
    X2SAMConfig,
)


def tiny_config() -> X2SAMConfig:
    """Describe it: 600,000 weights, pictures of 128 pixels, a vocabulary of 349."""
    return X2SAMConfig(
        name="tiny",
        width=32,
        language=LanguageConfig(
            vocab_size=349,
            hidden_size=64,
            intermediate_size=128,
            layers=4,
            heads=4,
            kv_heads=2,
            head_dim=16,
            mrope_section=(4, 2, 2),
            max_positions=4096,
        ),
        vision=VisionConfig(
            hidden_size=32,
            intermediate_size=64,
            layers=4,
            heads=2,
            positions=64,
            deepstack_layers=(1, 2),
            image_pixels=(4096, 65_536),
            clip_pixels=(4096, 65_536),
        ),
        mask_encoder=MaskEncoderConfig(
            image_size=128,
            stage_widths=(16, 32, 64, 128),
            stage_blocks=(1, 2, 3, 1),
            stage_heads=(1, 2, 4, 8),
            stage_windows=(8, 4, 6, 4),
            global_blocks=(4,),
        ),
        pixel_decoder=PixelDecoderConfig(layers=2, heads=4, feed_forward=64),
        mask_decoder=MaskDecoderConfig(queries=20, layers=4, heads=4, feed_forward=64),
        memory=MemoryConfig(attention_layers=2, attention_feed_forward=64, fuser_feed_forward=64),
        lora=LoraConfig(rank=4, alpha=8),
    )
