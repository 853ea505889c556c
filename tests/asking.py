"""Ask a network in a test, and put words into its mouth: a random one never says `<SEG>`."""

import torch

SURE = "Sure, it is <SEG>."


def script(predictor, monkeypatch, text):
    """Make the network write this text, token by token, whatever it would rather say."""
    language = predictor.model.language
    ids = [*predictor.vocabulary.encode(text), predictor.vocabulary.eos]

    def generate(state, cache, *, stop, limit, sampling):
        del state, stop, sampling
        for token in ids[: min(len(ids), limit) - 1]:
            embeds, _ = language.embed(torch.tensor([[token]]))
            yield token, language.run(embeds, cache=cache)
        yield ids[min(len(ids), limit) - 1], None

    monkeypatch.setattr(language, "generate", generate)


def asked(predictor, view, turns, **more):
    """The ids and the reading of an answer that is heard to its end."""
    tokens, generator = [], predictor.ask(view, turns, **more)
    while True:
        try:
            tokens.append(next(generator))
        except StopIteration as end:
            return tokens, end.value


def same_conditions(one, other):
    for name in ("classes", "class_mask", "tokens", "token_mask", "seg"):
        torch.testing.assert_close(getattr(one, name), getattr(other, name), rtol=0, atol=2e-5)
