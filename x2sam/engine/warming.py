"""A first turn that nobody waits for, where a GPU answers many.

The first of everything is slow there: kernels are loaded, chosen and compiled, and the writing of
a word is recorded. Who has one request would only wait for two, so it is the page that asks this.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from x2sam.engine.pace import Pace
from x2sam.errors import DeviceFullError

if TYPE_CHECKING:
    from x2sam.engine.engine import Engine


def warmed(engine: Engine) -> Engine:
    """Let an engine on a GPU find something in a black picture; hand it back.

    That the device is too full for it is left for the first request to tell.
    """
    if engine.predictor.device.type == "cuda":
        black = np.zeros((64, 64, 3), np.uint8)
        with suppress(DeviceFullError), engine.open(black) as session:
            for _ in session.ask("the red car"):
                pass
        engine.pace = Pace()  # for none of this took as long as it will
    return engine
