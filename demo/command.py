"""`x2sam demo`: the page from a terminal.

x2sam demo
x2sam demo --model hao9610/X2SAM --bits 4 --host 0.0.0.0 --port 8000 --auth ann:sesame
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import replace

from demo import lending
from demo.settings import ACCOUNTS, Settings, accounts
from x2sam.engine import loading
from x2sam.media.limits import MEGA, Limits

MODEL = "X2SAM_MODEL"  # environment variables, where nobody can give options
TRACKER = "X2SAM_TRACKER"
EVERYBODY = "0.0.0.0"  # noqa: S104 (who starts the page decides; a Space is there for everybody)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `x2sam demo`."""
    usual, limits = Settings(), Limits()
    add = parser.add_argument
    loading.add_arguments(parser, model=_model(os.environ), tracker=os.environ.get(TRACKER))
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
    chosen = loading.keywords(arguments)
    return Settings(
        model=chosen.pop("source"),
        **chosen,
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


def _model(environment: Mapping[str, str]) -> str:
    """Say which model answers if nothing else is said: where GPUs are lent, the published one.

    >>> _model({}), _model({"X2SAM_MODEL": "hao9610/X2SAM@main"})
    ('nano', 'hao9610/X2SAM@main')
    """
    return environment.get(MODEL, lending.MODEL if lending.is_lent() else Settings().model)


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
