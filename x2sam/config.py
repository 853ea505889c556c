"""What a network is made of: nested frozen dataclasses, with JSON in and out.

The defaults are the published 4B model. A small model is the same code with other
numbers, so whatever may differ between the two is a field here.

    >>> config = X2SAMConfig()
    >>> config.memory.frames
    5
    >>> X2SAMConfig.from_json(config.to_json()) == config
    True
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any, TypeVar, cast, get_origin, get_type_hints

from x2sam.errors import WeightsError

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageConfig:
    """The Qwen3-VL text model."""

    vocab_size: int = 151_672
    hidden_size: int = 2560
    intermediate_size: int = 9728
    layers: int = 36
    heads: int = 32
    kv_heads: int = 8
    head_dim: int = 128
    rope_theta: float = 5e6
    mrope_section: tuple[int, ...] = (24, 20, 20)
    max_positions: int = 262_144


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionConfig:
    """The Qwen3-VL vision tower, and the size at which it is shown a picture."""

    hidden_size: int = 1024
    intermediate_size: int = 4096
    layers: int = 24
    heads: int = 16
    patch: int = 16
    temporal_patch: int = 2
    merge: int = 2
    positions: int = 2304
    deepstack_layers: tuple[int, ...] = (5, 11, 17)
    # The official image processor ignores the size of its own config and always uses
    # these two; a clip's budget counts all of its frames together.
    image_pixels: tuple[int, int] = (56 * 56, 28 * 28 * 1280)
    clip_pixels: tuple[int, int] = (4096, 25_165_824)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskEncoderConfig:
    """The SAM 2 image encoder: Hiera and its feature pyramid."""

    image_size: int = 1024
    stage_widths: tuple[int, ...] = (144, 288, 576, 1152)
    stage_blocks: tuple[int, ...] = (2, 6, 36, 4)
    stage_heads: tuple[int, ...] = (2, 4, 8, 16)
    stage_windows: tuple[int, ...] = (8, 4, 16, 8)
    global_blocks: tuple[int, ...] = (23, 33, 43)
    position_grid: tuple[int, int] = (7, 7)
    top_down_levels: tuple[int, ...] = (2, 3)
    maps: int = 3  # 3: strides 4, 8, 16; 4: also 32, and 4 only feeds the pyramid's sum


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelDecoderConfig:
    """Mask2Former's multi-scale deformable encoder."""

    layers: int = 6
    heads: int = 8
    feed_forward: int = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskDecoderConfig:
    """Mask2Former's masked-attention decoder, with text cross-attention."""

    queries: int = 200
    layers: int = 9
    heads: int = 8
    feed_forward: int = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryConfig:
    """Mask memory: how many frames, and the two networks that write and read it."""

    frames: int = 5
    grid_stride: int = 16  # pixels of the mask encoder's picture per memory cell
    attention_layers: int = 4
    attention_feed_forward: int = 2048
    rope_theta: float = 1e4
    fuser_layers: int = 2
    fuser_feed_forward: int = 1024
    growth: int = 4  # channels of a feature down-sampler, per halving


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionConfig:
    """Where a drawn region's tokens come from."""

    stage: int = 2  # of the mask encoder, counted from 0
    unshuffle: int = 2
    points: int = 256
    pooling: int = 4  # neighbouring points averaged into one token

    @property
    def tokens(self) -> int:
        """How many tokens a region becomes."""
        return self.points // self.pooling


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraConfig:
    """The adapters that the published checkpoint trains on the text model."""

    rank: int = 128
    alpha: int = 256

    @property
    def scale(self) -> float:
        """The factor of B @ A."""
        return self.alpha / self.rank


@dataclass(frozen=True, slots=True, kw_only=True)
class X2SAMConfig:
    """The whole network."""

    name: str = "x2sam-4b"
    width: int = 256  # of everything between the encoders and the masks
    language: LanguageConfig = field(default_factory=LanguageConfig)
    vision: VisionConfig = field(default_factory=VisionConfig)
    mask_encoder: MaskEncoderConfig = field(default_factory=MaskEncoderConfig)
    pixel_decoder: PixelDecoderConfig = field(default_factory=PixelDecoderConfig)
    mask_decoder: MaskDecoderConfig = field(default_factory=MaskDecoderConfig)
    memory: MemoryConfig = field(default_factory=MemoryConfig)
    regions: RegionConfig = field(default_factory=RegionConfig)
    lora: LoraConfig = field(default_factory=LoraConfig)

    def to_json(self) -> str:
        """Write all values, defaults included."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> X2SAMConfig:
        """Read what `to_json` wrote; an unknown or mistyped field is a `WeightsError`."""
        try:
            return _read(cls, json.loads(text), "config")
        except json.JSONDecodeError as error:
            message = f"The model's config.json is not JSON: {error}."
            raise WeightsError(message) from error


def _read(kind: type[_T], values: Any, where: str) -> _T:
    """Build a config class from parsed JSON, saying where a wrong value stands."""
    if not isinstance(values, dict):
        message = f"The model's config.json is damaged: {where} should be an object."
        raise WeightsError(message)
    hints = get_type_hints(kind)
    if unknown := sorted(values.keys() - hints.keys()):
        message = (
            f"The model's config.json has fields this version does not know: {where}.{unknown}"
        )
        raise WeightsError(message)
    return kind(**{name: _value(hints[name], v, f"{where}.{name}") for name, v in values.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    if is_dataclass(hint):
        return _read(cast("type[Any]", hint), value, where)
    if get_origin(hint) is tuple:
        if isinstance(value, list) and all(type(item) is int for item in value):
            return tuple(value)
    elif type(value) is hint or (hint is float and type(value) is int):
        return hint(value)
    message = f"The model's config.json is damaged: {where} is {value!r}."
    raise WeightsError(message)
