"""A lesson of names: what is where, told of every cell of what the network sees.

A request names one or two things of a picture, and its answer tells little of how they look.
Networks taught by requests alone found things by colour and outline: a linear reading of the
visual tokens told the right one of 209 nouns for 2 % of the things, of the queries for 3 %
(docs/design.md). Here one linear layer per map tells the nouns of every cell, and every object
of a picture is to be found by its noun, for which no language model has to run.

What the language model sees is read by the words themselves: a visual token should be like the
embedding of the noun that it shows. Then a word finds what it names, and is written where it is
seen, by one and the same product, not by two hundred that have to be learnt one by one.

What is learnt here besides the network exists in training only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from x2sam.config import X2SAMConfig
from x2sam.model.conditions import Conditions
from x2sam.model.language_model import Visual

UNKNOWN = -1  # what a pixel shows is not known
NO_TOKEN = -1
NOTHING = 0  # none of the nouns; number n of a list of nouns is n + 1
_WEIGHT_OF_NOTHING = 0.2  # it is most of a picture
_MAPS = 3  # of the pixel decoder


class Naming(nn.Module):
    """A vector for every noun, and what reads the tokens, deepstack levels and maps.

    `nouns` are the tokens that spell each of them.
    """

    spelt: Tensor

    def __init__(self, config: X2SAMConfig, nouns: Sequence[Sequence[int]]) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)  # two runs begin alike

        def vectors(count: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(count, config.width, generator=generator) * 0.02)

        self.nouns, self.words = vectors(len(nouns)), vectors(2)
        rows = [torch.tensor(ids, dtype=torch.int64) for ids in nouns]
        self.register_buffer("spelt", pad_sequence(rows, True, NO_TOKEN), persistent=False)
        seen = 1 + len(config.vision.deepstack_layers)
        self.of_tokens = nn.ModuleList(Spelling(config.language.hidden_size) for _ in range(seen))
        self.of_maps = _layers([config.width] * _MAPS, len(nouns) + 1)

    def conditions(self, background: Tensor) -> Conditions:
        """Ask for every noun at once: a batch of one."""
        word, seg = self.words[:, None, None]  # (1, 1, D) each
        classes = torch.cat([self.nouns, background])[None]
        seen = torch.ones(1, classes.shape[1], dtype=torch.bool, device=word.device)
        return Conditions(classes, seen, word, seen[:, :1], seg)

    def tokens(self, names: Tensor, visual: Visual, times: int, table: Tensor) -> Tensor:
        """Read the visual tokens of V pictures or clips: the loss, a scalar.

        `names` (V, T, S, S) int64 are the nouns of all pixels, see `UNKNOWN`; `times` is how many
        temporal patches T frames make, and `table` (words, D) the embeddings of tokens.
        """
        known = (self.spelt != NO_TOKEN)[..., None]
        words = (table[self.spelt.clamp(min=0)] * known).sum(dim=1) / known.sum(dim=1)
        pairs = zip(self.of_tokens, (visual.tokens, *visual.deepstack), strict=True)
        losses = [_loss(partial(layer, words), cells, names, times) for layer, cells in pairs]
        return torch.stack(losses).mean()

    def maps(self, names: Tensor, maps: Sequence[Tensor]) -> Tensor:
        """Read the pixel decoder's maps (F, D, h, w): the loss, a scalar.

        `names` (F, S, S) int64 are the nouns of all pixels, see `UNKNOWN`.
        """
        cells = (level.flatten(2).mT.flatten(0, 1) for level in maps)
        pairs = zip(self.of_maps, cells, strict=True)
        return torch.stack([_loss(layer, own, names[:, None]) for layer, own in pairs]).mean()


class Spelling(nn.Module):
    """Compares what is seen with words: the logits of none of them and of each."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.nothing = nn.Linear(width, 1)
        self.scale = nn.Parameter(torch.tensor(width**-0.5))
        for weight in self.nothing.parameters():
            nn.init.zeros_(weight)

    def forward(self, words: Tensor, cells: Tensor) -> Tensor:
        """Compare cells (N, D) with words (K, D): (N, 1 + K)."""
        words = F.layer_norm(words.float(), words.shape[-1:])
        return torch.cat([self.nothing(cells), self.scale * cells @ words.mT], dim=-1)


def _layers(widths: Sequence[int], classes: int) -> nn.ModuleList:
    layers = nn.ModuleList(nn.Linear(width, classes) for width in widths)
    for weight in layers.parameters():
        nn.init.zeros_(weight)
    return layers


def _loss(
    layer: Callable[[Tensor], Tensor], cells: Tensor, names: Tensor, times: int = 1
) -> Tensor:
    """Cross-entropy with the share that each noun has of a cell, for cells (N, D)."""
    with torch.autocast(cells.device.type, enabled=False):
        cells = cells.float()
        logits = layer(F.layer_norm(cells, cells.shape[-1:]))
        truth = shares(names, len(cells), logits.shape[-1], times)
        truth[:, NOTHING] *= _WEIGHT_OF_NOTHING
        losses = -(truth * logits.log_softmax(dim=-1)).sum()
    return torch.as_tensor(losses / truth.sum().clamp(min=1))


def shares(names: Tensor, count: int, classes: int, times: int = 1) -> Tensor:
    """Tell which share of each cell shows what: (V, T, S, S) -> (count, classes).

    The cells of V square grids lie one after the other, V * times * g * g of them; each is of
    T / times frames. Unknown pixels are of no class.

    >>> shares(torch.tensor([[[[1, 1], [0, -1]]]]), 1, 2)
    tensor([[0.2500, 0.5000]])
    """
    views, frames, side, _ = names.shape
    grid = math.isqrt(count // (views * times))
    assert views * times * grid**2 == count, (names.shape, count, times)
    device = names.device
    step = torch.arange(side, device=device) * grid // side
    time = torch.arange(frames, device=device)[:, None, None] * times // frames
    view = torch.arange(views, device=device)[:, None, None, None]
    cells = ((view * times + time) * grid + step[:, None]) * grid + step  # (V, T, S, S)
    column = names - UNKNOWN  # unknown pixels are counted too, first
    counts = _count((cells * (classes + 1) + column).flatten()[None], count * (classes + 1))
    counts = counts.view(count, classes + 1)
    return counts[:, 1:] / counts.sum(dim=1, keepdim=True)


def nouns_of(names: Tensor, masks: Tensor, nouns: int) -> Tensor:
    """Name what masks (N, S, S) show: numbers of nouns (N,), by most of their pixels (S, S)."""
    columns = torch.where(masks, names, UNKNOWN).flatten(1) - UNKNOWN
    return _count(columns, nouns + 2)[:, 2:].argmax(dim=1)


def _count(columns: Tensor, most: int) -> Tensor:
    """Count numbers below `most` in each row; unlike `bincount`, without waiting for a device."""
    counts = torch.zeros(len(columns), most, device=columns.device)
    return counts.scatter_add_(1, columns, torch.ones_like(columns, dtype=counts.dtype))
