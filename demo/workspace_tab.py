"""The Image and the Video tab: one component each, whose life is in `static/workspace.js`.

The template never changes, so that what the script builds in it stays. Words and masks come as
values, of which the script takes each as an addition to those before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import gradio as gr

from demo.actions import Desk
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

    def hello(sent: Any) -> dict[str, Any]:
        return desk.hello(sent)

    def call(sent: Any) -> dict[str, Any]:
        return desk.call(sent)

    def answer(event: gr.EventData) -> Iterator[dict[str, Any]]:
        yield from act(desk.visitors, event._data)  # noqa: SLF001 (where Gradio keeps it)

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
