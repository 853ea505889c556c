"""What the language model remembers of a conversation: keys and values, with room to grow.

Transformers' cache joins old and new at every token, which copies all of it each time. Here new
ones are written into room that is there already, and what is read is a view.

    >>> import torch
    >>> memory = KeyValues(layers=1)
    >>> for token in range(3):
    ...     new = torch.full((1, 2, 1, 4), float(token))  # (B, heads, L, D)
    ...     keys, values = memory.update(new, -new, 0)
    ...     memory.length += 1
    >>> keys[0, 0, :, 0].tolist(), memory.room
    ([0.0, 1.0, 2.0], 256)
    >>> memory.shorten(2)
    >>> memory.length
    2
"""

from __future__ import annotations

import inspect
from typing import Any

from torch import Tensor
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLTextDecoderLayer

# What a layer calls its cache: transformers renamed the argument in 5.24.
_ARGUMENTS = inspect.signature(Qwen3VLTextDecoderLayer.forward).parameters
ARGUMENT = "cache" if "cache" in _ARGUMENTS else "past_key_values"

ROOM = 256  # tokens; what there is room for is a multiple


class KeyValues:
    """Keys and values of all layers, each where its layer computes."""

    def __init__(self, layers: int) -> None:
        self.length = 0  # tokens that all layers have read
        self.layers: list[Tensor | None] = [None] * layers  # (2, B, heads, room, D) each

    @property
    def room(self) -> int:
        """How many tokens fit before it grows."""
        first = self.layers[0]
        return 0 if first is None else first.shape[3]

    def update(
        self, keys: Tensor, values: Tensor, layer: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Write what a layer made of the next tokens, (B, heads, L, D); hand out all of its own.

        Transformers' attention calls this. The tokens count once all layers have read them,
        which the caller says by moving `length` on.
        """
        end = self.length + keys.shape[2]
        held = self.layers[layer]
        if held is None or held.shape[3] < end:
            held = self.layers[layer] = self._grown(held, keys, end)
        held[0, :, :, self.length : end] = keys
        held[1, :, :, self.length : end] = values
        return held[0, :, :, :end], held[1, :, :, :end]

    def shorten(self, length: int) -> None:
        """Forget all but the first `length` tokens."""
        self.length = min(self.length, length)

    def _grown(self, held: Tensor | None, keys: Tensor, end: int) -> Tensor:
        """Make room for `end` tokens, and half as many again where it grows."""
        wanted = end if held is None else end + self.length // 2
        batch, heads, _, width = keys.shape
        grown = keys.new_empty(2, batch, heads, -(-wanted // ROOM) * ROOM, width)
        if held is not None:
            grown[..., : self.length, :] = held[..., : self.length, :]
        return grown
