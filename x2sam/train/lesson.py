"""What a run trains and on what: for X2SAM, conversations about pictures and clips."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from x2sam.language.tokens import Vocabulary
from x2sam.model import weights
from x2sam.model.x2sam import X2SAM
from x2sam.train.batches import Batch, Example, collate
from x2sam.train.looking import Looking
from x2sam.train.losses import uniform
from x2sam.train.naming import Naming
from x2sam.train.objective import Learnt, Objective


class Lesson(Protocol):
    """Something to be trained."""

    @property
    def trainee(self) -> nn.Module:
        """Called with a batch and a seed, gives losses by name; its part `model` is averaged."""

    def batch(self, step: int, progress: float, device: torch.device) -> tuple[Any, int]:
        """A batch, and of how many examples it is.

        Must depend on its arguments alone; `progress` runs from 0 to 1 over the budget.
        """

    def write(self, model: nn.Module, folder: Path) -> None:
        """Write the network, so that it can be loaded from the folder."""


class Source(Protocol):
    """Where examples come from."""

    @property
    def nouns(self) -> Sequence[str]:
        """The nouns that `Example.names` counts; none if it does not say what pixels show."""

    def batch(self, step: int, progress: float) -> tuple[Sequence[Example], Learnt]:
        """Examples of a step, and what is learnt from them; see `Lesson.batch`."""


class Trainee(nn.Module):
    """The network and its objective as one module, so that many devices can share the work."""

    def __init__(
        self,
        model: X2SAM,
        objective: Objective,
        nouns: Sequence[Sequence[int]] = (),
        looking: Looking | None = None,
    ) -> None:
        super().__init__()
        self.model, self.looking = model, looking
        self.naming = Naming(model.config, nouns) if objective.naming and nouns else None
        self.objective = objective

    def forward(self, batch: tuple[Batch, Learnt], seed: int) -> dict[str, Tensor]:
        """Losses of a batch; random points come from the seed."""
        examples, learnt = batch
        generator = torch.Generator(examples.pixels.device).manual_seed(seed)
        told = (self.naming, self.looking)
        return self.objective(self.model, examples, uniform(generator), learnt, *told)


class Conversations:
    """X2SAM, learning from a source."""

    def __init__(
        self,
        model: X2SAM,
        vocabulary: Vocabulary,
        source: Source,
        objective: Objective | None = None,
    ) -> None:
        # As they are spelt within a sentence.
        spelt = [vocabulary.encode(f" {noun}") for noun in source.nouns]
        looking = Looking.at(source.nouns, vocabulary)
        self.trainee = Trainee(model, objective or Objective(), spelt, looking)
        self._vocabulary, self._source = vocabulary, source

    def batch(
        self, step: int, progress: float, device: torch.device
    ) -> tuple[tuple[Batch, Learnt], int]:
        """See `Lesson`."""
        examples, learnt = self._source.batch(step, progress)
        batch = collate(examples, self._vocabulary, self.trainee.model.config, device)
        return (batch, learnt), len(examples)

    def write(self, model: nn.Module, folder: Path) -> None:
        """See `Lesson`."""
        assert isinstance(model, X2SAM)
        weights.save(model, folder)
