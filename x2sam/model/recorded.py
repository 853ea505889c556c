"""Writing one token, recorded once and played back: on a GPU, mostly for the 4B.

A step through 36 layers is over a thousand small kernels, and a processor needs several times
longer to start them than a GPU to run them. A CUDA graph starts all of them at once. What is
recorded must not move or change its shape: so there is one place for keys and values of a fixed
size, in which those of the conversation that is being answered are laid, and the attention looks
at all of it through a mask. Conversations that take turns are laid in there again.

The step itself is ordinary torch code and runs anywhere; only `record` needs a GPU.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from x2sam.model.key_values import KeyValues

if TYPE_CHECKING:
    from x2sam.model.language_model import LanguageModel

SIZE = 2048  # tokens; longer conversations have the next multiple
SPARE = 4  # times the room that an answer needs, at which it is given up
WARM_UP = 3  # runs before recording, in which libraries choose and allocate


class Recorded:
    """One step of writing, with at most `room` tokens in all."""

    def __init__(self, language: LanguageModel, room: int) -> None:
        text = language.model.config.text_config
        weight = language.lm_head.weight
        shape = (2, 1, text.num_key_value_heads, room, text.head_dim)
        self.room, self.device = room, weight.device
        self._language = language
        self._layers = [weight.new_zeros(shape) for _ in range(text.num_hidden_layers)]
        self._token = torch.zeros(1, 1, dtype=torch.long, device=self.device)
        self._position = torch.zeros(1, dtype=torch.long, device=self.device)
        self._places = torch.arange(room, device=self.device)
        self._holds: object = None  # the answer whose conversation lies here
        self._graph: torch.cuda.CUDAGraph | None = None
        self._out: tuple[Tensor, Tensor] | None = None
        self._guard = threading.Lock()

    @torch.inference_mode()
    def step(self, answer: object, cache: KeyValues, token: int) -> tuple[Tensor, Tensor]:
        """Read a token: its state (1, 1, D) and the logits of the next, (V,).

        Args:
            answer: what the token is part of; another one lays its conversation in anew.
            cache: the conversation, which grows by the token.
            token: its id.
        """
        at = cache.length
        with self._guard:
            if self._holds is not answer:
                self._lay_in(cache)
                self._holds = answer
            self._token.fill_(token)
            self._position.fill_(at)
            if self._graph is None:
                state, logits = self.compute()
            else:
                self._graph.replay()
                assert self._out is not None
                state, logits = (each.clone() for each in self._out)
            for index, layer in enumerate(self._layers):
                new = layer[..., at : at + 1, :]
                cache.update(new[0], new[1], index)
        cache.length += 1
        return state, logits

    def compute(self) -> tuple[Tensor, Tensor]:
        """Compute the step from and into what does not move."""
        embeds, _ = self._language.embed(self._token)
        mask = (self._places <= self._position)[None, None, None]  # (1, 1, 1, room)
        states = self._language.through(embeds, self._position, mask, self)
        return states, self._language.logits(states)[0, -1]

    def update(
        self, keys: Tensor, values: Tensor, layer: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Write keys and values (1, heads, 1, D) of the token; hand out all room, (1, heads, ...).

        Transformers' attention calls this.
        """
        held = self._layers[layer]
        held[0].index_copy_(2, self._position, keys)
        held[1].index_copy_(2, self._position, values)
        return held[0], held[1]

    @torch.inference_mode()
    def record(self) -> None:
        """Record the step; `RuntimeError` where something in it cannot be."""
        with torch.cuda.device(self.device):
            aside = _aside(self.device)
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(WARM_UP):
                    self.compute()
            torch.cuda.current_stream().wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            # Other threads may use the device meanwhile.
            with torch.cuda.graph(graph, stream=aside, capture_error_mode="thread_local"):
                self._out = self.compute()
            self._graph = graph

    def _lay_in(self, cache: KeyValues) -> None:
        for here, held in zip(self._layers, cache.layers, strict=True):
            assert held is not None, "nothing was read before the answer"
            here[..., : cache.length, :] = held[..., : cache.length, :]


@cache
def _aside(device: torch.device) -> torch.cuda.Stream:
    """Give a device's stream for recording; torch's own may be another device's.

    It is always the same, as cuBLAS keeps a workspace for every stream it has seen.
    """
    return torch.cuda.Stream(device)
