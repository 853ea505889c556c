"""A lesson of looking: a word attends to what it names, from the first layer on.

What the language model sees lies among the words' embeddings (`naming.py`), so one product tells
whether a word names something that is seen: of the nouns of questions, right for 98 pairs of a
present and an absent one of 100. Taught by answers alone, no attention found that product in three
hours: "is there a cat?" was answered by chance (docs/design.md). Here the first layer is told where
to look from the last token of every noun that is written: to the cells that show it, and to the
first token of all if none does. Whether a thing is there is then one direction of the word's state,
which later layers read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers.models.qwen3_vl.modeling_qwen3_vl import apply_rotary_pos_emb

from x2sam.language.tokens import VISUAL, Vocabulary
from x2sam.model.language_model import LanguageModel
from x2sam.train.batches import Batch
from x2sam.train.naming import shares
from x2sam.train.vocabulary import plural

ELSEWHERE = 0  # the place to look to for what is not there
_SEEN = 0.12  # share of a cell that a thing must cover somewhere to be there at all
_SHOWN = 0.05  # share of a cell from which on it is a place to look to


@dataclass(frozen=True, slots=True)
class Looking:
    """Which words name what: tokens of a noun, or of several of it, and its number from 0."""

    words: Mapping[tuple[int, ...], int]
    nouns: int

    @classmethod
    def at(cls, nouns: Sequence[str], vocabulary: Vocabulary) -> Looking:
        """Spell the nouns as they are spelt within a sentence."""
        words = {
            tuple(vocabulary.encode(f" {word}")): number
            for number, noun in enumerate(nouns)
            for word in (plural(noun), noun)
        }
        return cls(words, len(nouns))

    def mentions(self, ids: Sequence[Sequence[int]]) -> list[tuple[int, int, int]]:
        """Find the nouns in rows of tokens: row, place of the last token, number of the noun.

        Of words that begin alike the longest counts.

        >>> Looking({(3,): 0, (3, 5): 1}, 2).mentions([[3, 5, 3], [7]])
        [(0, 1, 1), (0, 2, 0)]
        """
        longest = max(map(len, self.words), default=0)
        found = []
        for row, tokens in enumerate(ids):
            place = 0
            while place < len(tokens):
                spans = (tuple(tokens[place : place + n]) for n in range(longest, 0, -1))
                word = next((span for span in spans if span in self.words), None)
                place += len(word) if word else 1
                if word:
                    found.append((row, place - 1, self.words[word]))
        return found

    def loss(self, language: LanguageModel, embeds: Tensor, batch: Batch) -> Tensor | None:
        """Tell where the nouns of a batch should look: a scalar, or None if it has none.

        `embeds` (B, L, D) are what the first layer gets. What is there weighs as much as what is
        not; what hardly shows is left out.
        """
        mentions = self.mentions(batch.ids.tolist()) if batch.names is not None else []
        if not mentions:
            return None
        rows, places, nouns = torch.tensor(mentions, device=embeds.device).unbind(dim=1)
        shown = self._shown(batch, rows, nouns)
        most = shown.amax(dim=1)
        told = (most > _SEEN) | (most == 0)
        if not bool(told.any()):
            return None
        rows, places, shown, most = rows[told], places[told], shown[told], most[told]
        wanted = shown > _SHOWN
        wanted[:, ELSEWHERE] = most == 0
        scores = attention(language, embeds)[rows, :, places]  # (M, H, L)
        missed = -scores.masked_fill(~wanted[:, None], -torch.inf).logsumexp(dim=-1).mean(dim=1)
        kinds = (most > 0, most == 0)
        return torch.stack([missed[kind].mean() for kind in kinds if bool(kind.any())]).mean()

    def _shown(self, batch: Batch, rows: Tensor, nouns: Tensor) -> Tensor:
        """Share of each token (M, L) that shows a noun; tokens that see nothing show none."""
        assert batch.names is not None
        times, (views, *_) = int(batch.grids[0, 0]), batch.names.shape
        visual = batch.ids == VISUAL
        cells = int(visual[0].sum())
        of_cells = shares(batch.names, views * cells, self.nouns + 1, times).view(views, cells, -1)
        seen = torch.tensor(batch.views, device=rows.device)[rows]
        shown = torch.zeros(len(rows), visual.shape[1], device=rows.device)
        return shown.masked_scatter(visual[rows], of_cells[seen, :, nouns + 1])


def attention(language: LanguageModel, embeds: Tensor) -> Tensor:
    """Logarithms of what the first layer attends to: embeds (B, L, D) -> (B, heads, L, L)."""
    text = language.model.language_model
    layer = text.layers[0]
    own = layer.self_attn
    rows, length, _ = embeds.shape
    with torch.autocast(embeds.device.type, enabled=False):
        states = layer.input_layernorm(embeds.float())
        places = torch.arange(length, device=embeds.device)
        rotary = text.rotary_emb(states, places.expand(3, rows, -1))

        def heads(values: Tensor) -> Tensor:
            return values.view(rows, length, -1, own.head_dim)

        queries = own.q_norm(heads(own.q_proj(states))).transpose(1, 2)
        keys = own.k_norm(heads(own.k_proj(states))).transpose(1, 2)
        queries, keys = apply_rotary_pos_emb(queries, keys, *rotary)
        keys = keys.repeat_interleave(own.num_key_value_groups, dim=1)
        later = torch.ones(length, length, dtype=torch.bool, device=embeds.device).triu(1)
        products = (queries @ keys.mT * own.scaling).masked_fill(later, -torch.inf)
        return F.log_softmax(products, dim=-1)
