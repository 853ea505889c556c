"""Whether a GPU is lent here for single calls, as on Hugging Face's ZeroGPU, and to which model.

This starts without Gradio and torch, as the options of the page depend on it.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Final

MODEL: Final = "hao9610/X2SAM"
"""What answers where a GPU is lent, if nothing else is said: nano has no use for one."""


def is_lent() -> bool:
    """Whether this is a machine that lends its GPU for single calls."""
    asked = os.environ.get("SPACES_ZERO_GPU", "").lower() in {"1", "true"}
    return asked and find_spec("spaces") is not None
