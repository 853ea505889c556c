"""The page: its tabs, and the server that it is served by.

Gradio gives the frame, the queue and the log-in; pictures, uploads and the page's own files are
served by `routes` in the same process. The page is up before the model is.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import gradio as gr
from gradio.exceptions import ServerFailedToStartError

import x2sam
from demo import batch_tab, model_tab, programs, workspace_tab, zero
from demo.actions import Desk
from demo.fetching import capped
from demo.labels import label, words
from demo.routes import STATIC, routes
from demo.settings import Settings
from demo.source import EngineSource, Loaded, Loading
from demo.visitors import Visitors
from demo.workspace import Workspace
from x2sam.engine.warming import warmed
from x2sam.errors import PromptError, X2SAMError

if TYPE_CHECKING:
    from x2sam.engine.engine import Engine

TITLE: Final = "x2sam"
HEAD: Final = """
<meta name="description" content="Talk to a picture or a video, point at it, and get its masks.">
<link rel="stylesheet" href="x2sam/static/style.css">
<link rel="stylesheet" href="x2sam/static/page.css">
<script type="module" src="x2sam/static/tabs.js"></script>
"""
_FONT: Final = ("system-ui", "sans-serif")
_MONO: Final = ("ui-monospace", "monospace")
_WAITING: Final = 64  # requests in Gradio's own line, beyond those that are being answered


def build(desk: Desk) -> gr.Blocks:
    """Build the page; what Gradio keeps of files goes as soon as a workspace would."""
    age = round(60 * desk.settings.idle_minutes)
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(60, age)) as blocks:
        gr.HTML(f"<h1>{TITLE}</h1>", elem_id="x-title", apply_default_css=False)
        with gr.Tab(label("Image"), elem_id="x-image"):
            workspace_tab.build(desk, "image")
        with gr.Tab(label("Video"), elem_id="x-video"):
            workspace_tab.build(desk, "video")
        with gr.Tab(label("Batch")):
            batch_tab.build(desk.source, desk.settings, desk.gpu)
        with gr.Tab(label("Model")):
            model_tab.build(desk.source, desk.settings)
        programs.add(desk.source, desk.settings, desk.gpu)
    blocks.queue(max_size=desk.settings.visitors + _WAITING)
    return blocks


@contextmanager
def serving(settings: Settings, source: EngineSource) -> Iterator[str]:
    """Serve the page from threads, and give its address; at the end nothing is left on the disk.

    Raises `PromptError` where it cannot be served at the address that was asked for.
    """
    gpu = zero.on_gpu(source)

    def make(token: str, folder: Path) -> Workspace:
        return Workspace(token, folder, source, settings.limits, gpu)

    visitors = Visitors(make, limit=settings.visitors, idle_minutes=settings.idle_minutes)
    temporary = os.environ.get("GRADIO_TEMP_DIR")
    os.environ["GRADIO_TEMP_DIR"] = str(visitors.root / "gradio")
    blocks = None
    try:
        desk = Desk(settings, source, visitors, gpu)
        blocks = build(desk)
        with capped(settings.limits.clip_bytes):
            yield _launch(blocks, desk)
    finally:
        if blocks is not None:
            blocks.close(verbose=False)
        visitors.close()
        if temporary is None:
            del os.environ["GRADIO_TEMP_DIR"]
        else:
            os.environ["GRADIO_TEMP_DIR"] = temporary


def serve(settings: Settings) -> int:
    """Serve the page until the process is told to end; the exit code.

    Raises `PromptError` where it cannot be served at the address that was asked for.
    """
    if settings.mcp:
        programs.check_mcp()
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())

    def load() -> Engine:
        return x2sam.load(
            settings.model,
            base=settings.base,
            revision=settings.revision,
            tracker=settings.tracker,
            tracker_backend=settings.tracker_backend,
            bits=settings.bits,
            dtype=settings.dtype,
            device=settings.device,
            offload=settings.offload,
            merge=settings.merge,
            cache_bytes=settings.cache_bytes,
        )

    source = Loaded(load()) if zero.prepare() else Loading(lambda: warmed(load()))
    with serving(settings, source) as address:
        if isinstance(source, Loading):
            source.begin()  # the page is up sooner than the model
        threading.Thread(target=_greet, args=(source, address), daemon=True).start()
        over.wait()
    return 0


def _launch(blocks: gr.Blocks, desk: Desk) -> str:
    settings = desk.settings
    options: dict[str, Any] = {
        "server_name": settings.host,
        "server_port": _free_port() if settings.port == 0 else settings.port,
        "auth": list(settings.auth) or None,
        "app_kwargs": {"routes": routes(desk)},
        "prevent_thread_lock": True,
        "quiet": True,
        "show_error": True,
        "ssr_mode": False,
        "share": False,
        "footer_links": [],
        "favicon_path": STATIC / "icon.svg",
        "mcp_server": settings.mcp,
        # A request that is being answered occupies a thread of Gradio's.
        "max_threads": 2 * settings.visitors + 40,
        "max_file_size": settings.limits.clip_bytes,
        "theme": _theme(),
        "i18n": words(*model_tab.kept(settings).split("\n\n")),
        "head": HEAD,
    }
    try:
        _, address, _ = blocks.launch(**options)
    except (OSError, ServerFailedToStartError) as error:
        raise PromptError(
            f"The page cannot be served at {settings.address}: the address is taken, or not "
            "allowed. Choose another one with --host and --port."
        ) from error
    return str(address).rstrip("/")


def _theme() -> gr.themes.Base:
    """Gradio's own tabs in the colours of `static/base.css`, with contrast enough to be read."""
    return gr.themes.Default(primary_hue="blue", font=_FONT, font_mono=_MONO).set(
        body_background_fill="#ffffff",
        body_background_fill_dark="#14161a",
        body_text_color_subdued="*neutral_600",
        button_primary_background_fill="#2457d6",
        button_primary_background_fill_dark="#8ab0ff",
        button_primary_background_fill_hover="#1d47b0",
        button_primary_background_fill_hover_dark="#a9c5ff",
        button_primary_text_color_dark="#0d1526",
    )


def _free_port() -> int:
    """Find a port that nobody has; Gradio itself takes 0 for one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _greet(source: EngineSource, address: str) -> None:
    """Say where the page is, and then that the model is there, or why there is none."""
    _say(f"x2sam opens at {address}; the model is being loaded.")
    try:
        facts = source.get().facts()
    except X2SAMError as error:
        sys.stderr.write(f"x2sam: {error} The page at {address} says so too.\n")
        return
    where = f"{facts['name']}, {facts['device']}"
    _say(f"x2sam is ready: {address} ({where}). Stop with Ctrl+C.")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
