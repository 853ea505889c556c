"""The Image and the Video tab: one component each, whose life is in `static/workspace.js`.

The template never changes, so that what the script builds in it stays. Words and masks come as
values, of which the script takes each as an addition to those before. What the server says is
put into the language of the page here, where it leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import gradio as gr

from demo.actions import Desk
from demo.chinese import language_of, told
from demo.routes import STATIC
from demo.turns import act
from x2sam.types import Media

START: Final = """
const page = { kind: "%s", trigger, server, watch, props };
import(new URL("x2sam/static/workspace.js", document.baseURI))
  .then(({ mount }) => mount(element, page));
// The script triggers 'act'.
"""


def build(desk: Desk, kind: Media) -> None:
    """Add the workspace to the tab that is being built."""

    def hello(sent: Any) -> Any:
        return told(desk.hello(sent), language_of(sent))

    def call(sent: Any) -> Any:
        return told(desk.call(sent), language_of(sent))

    def answer(event: gr.EventData) -> Iterator[Any]:
        asked = event._data  # noqa: SLF001 (where Gradio keeps it)
        for delta in act(desk.visitors, asked):
            yield told(delta, language_of(asked))

    workspace = gr.HTML(
        html_template=(STATIC / "workspace.html").read_text(encoding="utf-8"),
        js_on_load=START % kind,
        apply_default_css=False,
        server_functions=[hello, call],
        elem_classes="x-component",
    )
    workspace.act(
        answer,
        outputs=workspace,
        trigger_mode="multiple",
        show_progress="hidden",
        concurrency_limit=desk.settings.visitors,
        api_visibility="private",
    )
