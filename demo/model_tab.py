r"""The Model tab: which model answers, what it can and cannot do, what is kept, and for how long.

What is said of nano is taken from its card, section by section, so that the tab cannot say
anything else than the card does. The report on the machine is made when somebody asks for it.

    >>> card = ("# nano", "Small.", "## Data", "Many.", "### Parts", "## Results", "0.5")
    >>> sections("\n".join(card))
    {'': 'Small.', 'Data': 'Many.\n### Parts', 'Results': '0.5'}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import gradio as gr

from demo.labels import label, sentence
from demo.lending import is_lent
from demo.settings import Settings
from demo.source import EngineSource
from x2sam.doctor import as_text, examine
from x2sam.errors import X2SAMError

if TYPE_CHECKING:
    from x2sam.engine.engine import Engine

TITLE: Final = "Model"
CARD: Final = files("x2sam") / "weights" / "nano" / "MODEL_CARD.md"
PRECISION: Final = files("x2sam") / "weights" / "nano" / "precision.json"
SHOWN: Final = ("What it can and cannot do", "Data, licences and credits")
RESULTS: Final = "Results"
NOT_MEASURED: Final = "It was not measured here; `x2sam eval` does that with pictures of yours."
LICENCES: Final = """\
| what | licence |
|---|---|
| x2sam, this page | Apache-2.0 |
| nano | Apache-2.0; of what it was trained on, see its card |
| the published X2SAM, not part of this package | as its authors say where it is published |
| Qwen3-VL, SAM 2 and Mask2Former, which it is built on | Apache-2.0 |

Where the method and its parts come from is in the file `NOTICE`.
"""


def build(source: EngineSource, settings: Settings) -> None:
    """Fill the tab that is being built."""
    facts = gr.Markdown("The model is being loaded.")
    with gr.Accordion(label("What it is, and what it can do"), open=True):
        about = gr.Markdown()
    with gr.Accordion(label("How often it is right"), open=False):
        results = gr.Markdown()
    with gr.Accordion(label("Limits, and what is kept"), open=True):
        for paragraph in kept(settings).split("\n\n"):
            gr.Markdown(sentence(paragraph))
    with gr.Accordion(label("Licences"), open=False):
        gr.Markdown(LICENCES)
    with gr.Accordion(label("This machine, for a bug report"), open=False):
        examined = gr.Button(label("Examine it"))
        report = gr.Code(label=label("Report"), language=None, interactive=False, visible=False)
    examined.click(
        doctor, None, report, api_visibility="private", show_progress="minimal", concurrency_limit=1
    )
    blocks = gr.context.Context.root_block
    assert blocks is not None, "the tab is built inside a page"
    blocks.load(
        lambda: told(source),
        None,
        [facts, about, results],
        api_visibility="private",
        show_progress="hidden",
        concurrency_limit=4,
    )


def told(source: EngineSource) -> tuple[str, str, str]:
    """Wait for the model, and say which it is, what is known about it, and what it scores."""
    try:
        engine = source.get()
    except X2SAMError as error:
        return str(error), "", ""
    return table(engine.facts()), *about(engine)


def table(facts: dict[str, str]) -> str:
    """Write facts as a table in Markdown.

    >>> print(table({"name": "nano", "device": "cpu"}))
    | model | nano |
    |---|---|
    | device | cpu |
    """
    (_, name), *rest = facts.items()
    rows = [f"| model | {name} |", "|---|---|"]
    return "\n".join([*rows, *(f"| {key} | {value} |" for key, value in rest)])


def about(engine: Engine) -> tuple[str, str]:
    """Say what a model is and can do, and what it scores: nano's card, or what a config knows."""
    config = engine.predictor.model.config
    if config.name == "nano" and CARD.is_file():
        found = sections(CARD.read_text(encoding="utf-8"))
        parts = [found[""], *(f"### {name}\n\n{found[name]}" for name in SHOWN if name in found)]
        results = [found.get(RESULTS, NOT_MEASURED), *agreement()]
        return "\n\n".join(parts), "\n\n".join(results)
    text = (
        f"{config.name} reads words with {config.language.layers} layers of width "
        f"{config.language.hidden_size}, sees pictures for masks at "
        f"{config.mask_encoder.image_size} pixels, and draws up to "
        f"{config.mask_decoder.queries} masks at once. What it was trained on, what it can and "
        "cannot do, and its licence are told where its weights come from. Do not use it where a "
        "wrong mask does harm."
    )
    return text, f"{NOT_MEASURED}\n\n{memory(engine)}"


def agreement() -> Iterator[str]:
    """Say how nano's answers change with its precision, if that was measured."""
    if not PRECISION.is_file():
        return
    measured = json.loads(PRECISION.read_text(encoding="utf-8"))
    yield (
        f"### In fewer bits\n\n{measured['requests']} requests about the pictures and clips in "
        f"`assets/`, compared with float32 ({measured['whole']} MB); {measured['date']}, commit "
        f"{measured['commit']}, on {measured['device']}."
    )
    rows = [
        f"| {row['stored']} | {row['megabytes']} MB | {row['masks']:.1%} | {row['words']:.1%} |"
        for row in measured["rows"]
    ]
    head = ("| stored in | weights | masks overlap by | same words |", "|---|---|---|---|")
    yield "\n".join([*head, *rows])
    yield "8 and 4 bits are of the language model's layers alone, a small part of nano."


def memory(engine: Engine) -> str:
    """Say what a model's weights take in each precision, worked out from their shapes."""
    from x2sam.model.memory_needs import precisions  # noqa: PLC0415 (torch)
    from x2sam.model.room import gb  # noqa: PLC0415

    rows = [
        f"| {stored} | {gb(weight.all)} | {gb(weight.all + weight.work)} |"
        for stored, weight in precisions(engine.predictor.model.config).items()
    ]
    head = ("| stored in | weights | with a picture, about |", "|---|---|---|")
    return "\n".join(["Memory, computed and not measured:\n", *head, *rows])


def kept(settings: Settings) -> str:
    """State the limits, and how long things are kept."""
    minutes = f"{settings.idle_minutes:g} minutes"
    return (
        f"{settings.limits.sentence()}\n\n"
        f"A picture or clip that you open, and what is found in it, is deleted after {minutes} "
        "without use, a minute after you close the page, or when the server stops. Files that you "
        f"give to Batch, and its archive, are deleted after {minutes}. Nobody else can see them. "
        "Nothing is sent anywhere; weights are fetched once, when a model is asked for by the name "
        "of a repository.\n\n"
        f"At most {settings.visitors} pictures and clips are open at once; the one that was "
        "unused for longest makes room for a new one."
    )


def doctor() -> object:
    """Examine the machine and the installation."""
    return gr.update(value=as_text(examine(lent=is_lent())), visible=True)


def sections(text: str) -> dict[str, str]:
    """Take a text in Markdown apart at its headings of the second level.

    What stands before the first of them is found under "", without the title.
    """
    body = re.sub(r"\A# .*\n", "", text)
    first, *rest = re.split(r"^## (.*)\n", body, flags=re.MULTILINE)
    names, contents = rest[::2], rest[1::2]
    found = {"": first, **dict(zip(names, contents, strict=True))}
    return {name.strip(): content.strip() for name, content in found.items()}
