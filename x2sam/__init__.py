"""Talk to a picture or a video, point at it, and get pixel-exact masks.

What stands here is the public API. Importing the package costs no torch: names that need it
are fetched from their module when they are first used.

    >>> import x2sam
    >>> x2sam.X2SAMConfig().name
    'x2sam-4b'
    >>> issubclass(x2sam.MediaError, x2sam.X2SAMError)
    True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from x2sam.config import X2SAMConfig
from x2sam.errors import (
    DeviceFullError,
    LimitError,
    MediaError,
    PromptError,
    WeightsError,
    X2SAMError,
)

if TYPE_CHECKING:
    from x2sam.engine.engine import Engine, load
    from x2sam.engine.options import Options
    from x2sam.engine.reach import Reach
    from x2sam.engine.replay import replay
    from x2sam.engine.session import Session
    from x2sam.model.x2sam import X2SAM
    from x2sam.tracker.build import load as load_tracker
    from x2sam.tracker.search import Search
    from x2sam.tracker.tracker import Tracker

__all__ = [
    "X2SAM",
    "DeviceFullError",
    "Engine",
    "LimitError",
    "MediaError",
    "Options",
    "PromptError",
    "Reach",
    "Search",
    "Session",
    "Tracker",
    "WeightsError",
    "X2SAMConfig",
    "X2SAMError",
    "load",
    "load_tracker",
    "replay",
]
__version__ = "0.1.0"

_HOMES = {  # public names behind torch, and where each lives, if need be by which name
    "Engine": "x2sam.engine.engine",
    "Options": "x2sam.engine.options",
    "Reach": "x2sam.engine.reach",
    "Search": "x2sam.tracker.search",
    "Session": "x2sam.engine.session",
    "Tracker": "x2sam.tracker.tracker",
    "X2SAM": "x2sam.model.x2sam",
    "load": "x2sam.engine.engine",
    "load_tracker": "x2sam.tracker.build:load",
    "replay": "x2sam.engine.replay",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    module, _, own = _HOMES[name].partition(":")
    return getattr(import_module(module), own or name)
