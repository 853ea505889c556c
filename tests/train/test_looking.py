"""The lesson of looking: which words name what, where they look, and that it can be learnt."""

from dataclasses import replace

import micro
import pytest
import torch

from x2sam.language.prompts import Turn
from x2sam.language.tokens import VISUAL
from x2sam.model.build import build
from x2sam.train.batches import collate
from x2sam.train.looking import ELSEWHERE, Looking, attention
from x2sam.train.losses import LossConfig, uniform
from x2sam.train.naming import NOTHING, Naming
from x2sam.train.objective import Objective, embed

CPU = torch.device("cpu")
NOUNS = list(micro.COLOURS)
LOOKING = Looking.at(NOUNS, micro.vocabulary())
TAUGHT = Objective(losses=LossConfig(points=32), naming=1.0, looking=0.5)


@pytest.fixture(scope="module")
def model():
    return build(micro.CONFIG, seed=1).train()


def asking(seed, noun, answer="Yes.", frames=1):
    """One of two squares, or neither, is asked about in words."""
    shown = micro.named(seed, frames)
    turns = [Turn(f"Is there a {noun} thing?", answer)]
    nothing = shown.masks[:, :0]
    return replace(shown, turns=turns, labels=shown.labels[:0], masks=nothing)


def batched(*given):
    return collate(given, micro.vocabulary(), micro.CONFIG, CPU)


def there(example):
    """The nouns that a picture shows."""
    return {NOUNS[number - 1] for number in example.names.unique() if number > NOTHING}


def looks(model, example):
    """What the noun of a question attends to, (heads, L), and the ids of the tokens."""
    batch = batched(example)
    ((row, place, _),) = LOOKING.mentions(batch.ids.tolist())
    with torch.no_grad():
        embeds, _ = embed(model, batch)
        return attention(model.language, embeds)[row, :, place].exp(), batch


def test_nouns_are_found_as_they_are_spelt_also_several_of_them():
    words = micro.vocabulary()
    looking = Looking.at(["box", "box of tea"], words)
    found = looking.mentions(
        [words.encode("Two boxes and a box of tea."), words.encode("No box, but tea.")]
    )
    assert [(row, noun) for row, _, noun in found] == [(0, 0), (0, 1), (1, 0)]
    tokens = words.encode("Two boxes and a box of tea.")
    assert words.decode(tokens[: found[1][1] + 1]) == "Two boxes and a box of tea"


def test_the_attention_is_that_of_the_first_layer(model):
    """Values weighed by it are what the layer passes on."""
    embeds, _ = embed(model, batched(micro.named(0), micro.named(1)))
    layer = model.language.model.language_model.layers[0].self_attn
    kept = {}

    def keep(_, arguments, options, passed):
        kept["in"], kept["out"] = options.get("hidden_states", *arguments), passed[0]

    hook = layer.register_forward_hook(keep, with_kwargs=True)
    model.language.run(embeds)
    hook.remove()
    values = layer.v_proj(kept["in"]).unflatten(-1, (-1, layer.head_dim)).transpose(1, 2)
    weights = attention(model.language, embeds).exp()
    values = values.repeat_interleave(layer.num_key_value_groups, dim=1)
    passed = layer.o_proj((weights @ values).transpose(1, 2).flatten(2))
    torch.testing.assert_close(passed, kept["out"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("frames", [1, 4])
def test_a_noun_should_look_at_the_cells_that_show_it(model, frames):
    """Told of a network that looks at one token alone: nothing is missed if it is a right one."""
    example = asking(0, next(iter(sorted(there(micro.named(0))))), frames=frames)
    batch = batched(example)
    ((row, place, noun),) = LOOKING.mentions(batch.ids.tolist())
    shown = LOOKING._shown(batch, torch.tensor([row]), torch.tensor([noun]))[0]
    visual = batch.ids[0] == VISUAL
    assert not shown[~visual].any()
    times, grid = int(batch.grids[0, 0]), int(visual.sum()) // int(batch.grids[0, 0])
    side = int(grid**0.5)
    pixels = (example.names == noun + 1).float()
    step = micro.SIDE // side
    cells = pixels.view(times, -1, side, step, side, step).mean(dim=(1, 3, 5))
    torch.testing.assert_close(shown[visual], cells.flatten())
    assert place > int(visual.nonzero().max())


def test_what_is_not_there_is_looked_for_at_the_first_token(model):
    """The loss of a batch is the mean over what is there and what is not."""
    present, absent = micro.named(0), micro.named(0)
    noun = next(iter(sorted(there(present))))
    missing = next(iter(set(NOUNS) - there(absent)))
    losses, expected = [], []
    for example in (asking(0, noun), asking(0, missing)):
        weights, batch = looks(model, example)
        ((row, _, number),) = LOOKING.mentions(batch.ids.tolist())
        shown = LOOKING._shown(batch, torch.tensor([row]), torch.tensor([number]))[0]
        wanted = weights[:, shown > 0.05].sum(1) if shown.any() else weights[:, ELSEWHERE]
        expected.append(-wanted.log().mean())
        embeds, _ = embed(model, batch)
        losses.append(LOOKING.loss(model.language, embeds, batch))
    torch.testing.assert_close(torch.stack(losses), torch.stack(expected))
    both = batched(asking(0, noun), asking(0, missing), asking(0, missing))
    embeds, _ = embed(model, both)
    torch.testing.assert_close(
        LOOKING.loss(model.language, embeds, both), torch.stack(expected).mean()
    )


def test_nothing_is_told_where_nothing_is_named(model):
    def losses(example, objective=TAUGHT):
        chance = uniform(torch.Generator().manual_seed(0))
        naming = Naming(micro.CONFIG, [micro.vocabulary().encode(f" {noun}") for noun in NOUNS])
        return objective(model, batched(example), chance, "words", naming, LOOKING)

    told = losses(asking(0, "red"))
    total = 3 * told["loss_lm"] + told["loss_tokens"] + told["loss_looks"]
    torch.testing.assert_close(told["loss"], total)
    assert "loss_looks" not in losses(asking(0, "strange"))
    assert "loss_looks" not in losses(replace(asking(0, "red"), names=None))
    assert "loss_looks" not in losses(asking(0, "red"), replace(TAUGHT, looking=0.0))


def test_what_hardly_shows_is_left_out(model):
    """Neither there nor absent: alone it tells nothing, and beside others it changes nothing."""
    example = asking(0, noun := next(iter(sorted(there(micro.named(0))))))
    names = torch.zeros_like(example.names)
    names[0, 0, :2] = NOUNS.index(noun) + 1  # two pixels
    hardly = replace(example, names=names)
    model.zero_grad()

    def loss(*given):
        batch = batched(*given)
        embeds, _ = embed(model, batch)
        return LOOKING.loss(model.language, embeds, batch)

    assert loss(hardly) is None
    other = asking(1, next(iter(sorted(there(micro.named(1))))))
    both = loss(other, hardly)
    torch.testing.assert_close(both, loss(other))
    both.backward()
    gradients = [w.grad for w in model.language.parameters() if w.grad is not None]
    assert gradients
    assert all(bool(torch.isfinite(gradient).all()) for gradient in gradients)


def test_where_to_look_can_be_learnt():
    """Of new pictures, nouns that are there look at what they name, and others elsewhere."""
    model = build(micro.CONFIG, seed=0).train()
    naming = Naming(micro.CONFIG, [micro.vocabulary().encode(f" {noun}") for noun in NOUNS])
    optimizer = torch.optim.Adam([*model.parameters(), *naming.parameters()], lr=3e-3)
    chance = uniform(torch.Generator().manual_seed(0))
    for step in range(60):
        batch = batched(*(asking(100 + 3 * step + n, noun) for n, noun in enumerate(NOUNS)))
        TAUGHT(model, batch, chance, "words", naming, LOOKING)["loss"].backward()
        optimizer.step()
        optimizer.zero_grad()
    away = {True: [], False: []}
    for seed in range(12):
        for noun in NOUNS:
            weights, _ = looks(model, asking(seed, noun))
            away[noun in there(micro.named(seed))].append(weights[:, ELSEWHERE].mean().item())
    assert max(away[True]) < 0.5 < min(away[False]), away
