"""The vocabulary of a small model: byte-level BPE, learnt from the texts it will read.

It has Qwen's chat tokens under their own names, so that prompts and code are the same as for
the published model. Any text can be written with it; what the recipe never says only takes
more tokens.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from x2sam.language import tokens
from x2sam.language.prompts import chat
from x2sam.train.samples import Stream

_CONTROL = (
    *(tokens.END_OF_TEXT, tokens.TURN_START, tokens.TURN_END),
    *(tokens.VISION_START, tokens.VISION_END),
)


def learn_vocabulary(texts: Iterable[str], size: int, file: Path) -> None:
    """Learn `size` tokens, X2SAM's own included, and write `tokenizer.json`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[*_CONTROL, *tokens.ADDED],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.save(str(file))


def corpus(stream: Stream, samples: int) -> Iterable[str]:
    """Conversations of a stream, and every noun by itself, known or held out."""
    for index in range(samples):
        source = ("picture", "picture", "clip")[index % 3]
        yield chat(stream.sample(index, source).draft.turns)  # type: ignore[arg-type]
    for sprite in stream.bank.sprites:
        noun = sprite.noun
        yield from (f"the {word}, {word}" for word in (noun.name, noun.plural, *noun.also))
