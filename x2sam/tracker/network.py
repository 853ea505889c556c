"""What a back end is: SAM 2 as four functions without memory of their own.

What has been marked and carried lies in an `ObjectMemory`, which is handed in. So one loop serves
all back ends, two clips can share one network, and a back end cannot forget to forget.

Shapes: S is the side of the square picture that the network sees, s = S / 4 that of its masks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from x2sam.tracker.config import TrackerConfig

if TYPE_CHECKING:
    import numpy as np

    from x2sam.tracker.object_memory import ObjectMemory

MEAN: Final = (0.485, 0.456, 0.406)
DEVIATION: Final = (0.229, 0.224, 0.225)
CERTAIN: Final = 10.0  # the logit of a pixel of a mask that was given
LIMIT: Final = 32.0  # of logits that are fed back


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """One object on one frame, as the mask decoder gives it."""

    logits: Tensor  # (1, 1, s, s)
    pointer: Tensor  # (1, D), which stands for the object as a whole
    quality: Tensor  # (), the intersection over union that the network expects
    visible: Tensor  # (1, 1), a logit


@dataclass(frozen=True, slots=True, eq=False)
class Remembered:
    """What stays of an object on a frame."""

    decoded: Decoded
    memory: Tensor  # in the layout of the back end
    given: NDArray[np.bool_] | None = None  # (H, W), a mask that nothing corrected: shown as it is


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points that prompt: where, in pixels of the network's picture, and of which kind.

    Kinds are 0 not the object, 1 the object, 2 and 3 the first and last corner of a box.
    """

    at: Tensor  # (1, P, 2)
    kinds: Tensor  # (1, P)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the clip, and which way it is walked through."""

    frame: int
    frames: int  # of the clip
    reverse: bool = False


class Network(Protocol):
    """SAM 2 by whatever library; `features` are what `encode` of the same network returned."""

    config: TrackerConfig
    device: torch.device
    backend: str

    def encode(self, pixels: Tensor) -> Any:
        """Look at a frame (1, 3, S, S), normalised."""

    def decode(
        self,
        features: Any,
        memory: ObjectMemory,
        place: Place,
        *,
        initial: bool = False,
        points: Points | None = None,
        mask: Tensor | None = None,
        previous: Tensor | None = None,
    ) -> Decoded:
        """Find one object on one frame.

        Args:
            features: of the frame.
            memory: where the object was on other frames.
            place: of the frame.
            initial: do not look at the memory.
            points: that were set on this frame.
            mask: (1, 1, S, S) of 0 and 1, to be taken as it is; excludes `points`.
            previous: logits (1, 1, s, s) that the points correct.
        """

    def remember(self, features: Any, decoded: Decoded, *, marked: bool) -> Tensor:
        """Encode the mask on a frame; `marked` says that a person has seen and set it."""

    def propose(self, features: Any, at: Tensor) -> tuple[Tensor, Tensor]:
        """Three masks for each of N points (N, 2): logits (N, 3, s, s) and qualities (N, 3)."""


@contextmanager
def inference(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Compute without gradients, and matrix products in `dtype`."""
    halved = dtype != torch.float32
    with torch.inference_mode(), torch.autocast(device.type, dtype, enabled=halved):
        yield


def match_memory(attention: Any, current: str) -> None:
    """Hand a memory attention its memory in the type of the features, its argument `current`.

    Memories are kept in bfloat16. Where no object pointer lies beside them, as on frames before an
    object's first mark, nothing else would make them the type of the weights again.
    """

    def hook(_: Any, args: Any, named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        (features,) = named[current] if isinstance(named[current], list) else [named[current]]
        return args, {**named, "memory": named["memory"].to(features.dtype)}

    attention.register_forward_pre_hook(hook, with_kwargs=True)


def pixels_of(picture: NDArray[np.uint8], side: int, device: torch.device) -> Tensor:
    """Scale and normalise a picture (H, W, 3) for the network: (1, 3, S, S)."""
    tensor = torch.tensor(picture, device=device).permute(2, 0, 1)[None].float() / 255
    scaled = F.interpolate(tensor, (side, side), mode="bilinear", antialias=True)
    mean, deviation = (torch.tensor(v, device=device)[:, None, None] for v in (MEAN, DEVIATION))
    return (scaled - mean) / deviation


def mask_of(mask: NDArray[np.bool_], side: int, stride: int, device: torch.device) -> Tensor:
    """Scale a mask (H, W) for the network: (1, 1, S, S) of 0 and 1.

    The network's own masks have `stride` of its pixels a cell. What is so small or thin that
    nothing of it would be left there is drawn wider, by a cell less one pixel to every side.
    """
    tensor = torch.tensor(mask, device=device)[None, None].float()
    scaled = F.interpolate(tensor, (side, side), mode="bilinear", antialias=True)
    scaled = (scaled >= 0.5).float()  # noqa: PLR2004 (half of a pixel)
    own = F.interpolate(scaled * 2 - 1, [side // stride] * 2, mode="bilinear", antialias=True)
    if not mask.any() or (enlarged(own, (side, side)) > 0).any():
        return scaled
    touched = F.adaptive_max_pool2d(tensor, side)
    return F.max_pool2d(touched, 2 * stride - 1, stride=1, padding=stride - 1)


def enlarged(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Scale logits (..., s, s) to a size."""
    return F.interpolate(logits.float(), size, mode="bilinear")
