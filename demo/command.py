"""`x2sam demo`: the page from a terminal.

x2sam demo
x2sam demo --model hao9610/X2SAM --host 0.0.0.0 --port 8000 --auth ann:sesame
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import replace

from demo.settings import ACCOUNTS, Settings, accounts
from x2sam.media.limits import MEGA, Limits

MODEL = "X2SAM_MODEL"
TRACKER = "X2SAM_TRACKER"
EVERYBODY = "0.0.0.0"  # noqa: S104 (who starts the page decides; a Space is there for everybody)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `x2sam demo`."""
    usual, limits = Settings(), Limits()
    add = parser.add_argument
    model = os.environ.get(MODEL, usual.model)
    add("--model", default=model, help=f"a name, folder or file ({model}); also set by {MODEL}")
    add("--base", help="Qwen3-VL, where the checkpoint lacks it")
    add(
        "--tracker",
        default=os.environ.get(TRACKER),
        help="SAM 2, to point with and to carry masks, for instance facebook/sam2.1-hiera-tiny; "
        f"also set by {TRACKER}",
    )
    add("--device", help="where to run; the accelerator if there is one")
    host = _host(os.environ)
    add("--host", default=host, help=f"who can reach it: 0.0.0.0 is everybody ({host})")
    add("--port", type=int, help="where it is served; the first free one from 7860 on")
    add(
        "--auth",
        action="append",
        default=[],
        metavar="USER:PASSWORD",
        help=f"who may come in; may be repeated, or be set in {ACCOUNTS}",
    )
    sizes = {
        "--max-picture-mb": limits.picture_bytes // MEGA,
        "--max-clip-mb": limits.clip_bytes // MEGA,
        "--max-seconds": round(limits.clip_seconds),
    }
    for name, value in sizes.items():
        add(name, type=_positive, default=value, metavar="N", help=f"largest upload ({value})")
    idle, visitors = usual.idle_minutes, usual.visitors
    add("--idle-minutes", type=float, default=idle, help=f"what is unused goes after ({idle:g})")
    add("--visitors", type=int, default=visitors, help=f"workspaces open at once ({visitors})")
    add("--mcp", action="store_true", help="serve its functions to agents as well")


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Read the arguments; raises `PromptError` where they make no sense."""
    return Settings(
        model=arguments.model,
        base=arguments.base,
        tracker=arguments.tracker,
        device=arguments.device,
        host=arguments.host,
        port=arguments.port,
        auth=accounts(arguments.auth, os.environ),
        limits=replace(
            Limits(),
            picture_bytes=arguments.max_picture_mb * MEGA,
            clip_bytes=arguments.max_clip_mb * MEGA,
            clip_seconds=float(arguments.max_seconds),
        ),
        idle_minutes=arguments.idle_minutes,
        visitors=arguments.visitors,
        mcp=arguments.mcp,
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve the page until it is stopped."""
    settings = settings_of(arguments)
    from demo.page import serve  # noqa: PLC0415 (Gradio takes seconds; a wrong option should not)

    return serve(settings)


def _host(environment: Mapping[str, str]) -> str:
    """Say who can reach the page if nothing else is said: hosting services name their address.

    >>> _host({}), _host({"SPACE_ID": "ann/x2sam"}), _host({"GRADIO_SERVER_NAME": "10.0.0.2"})
    ('127.0.0.1', '0.0.0.0', '10.0.0.2')
    """
    usual = EVERYBODY if "SPACE_ID" in environment else Settings().host
    return environment.get("GRADIO_SERVER_NAME", usual)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"should be at least 1, not {number}")
    return number
