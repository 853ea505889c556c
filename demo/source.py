"""Where the page gets its model from: it is there at once, or still being loaded.

Loading takes seconds, or minutes for a large model. The page is up meanwhile; whoever needs the
model waits for it, and is told why it cannot be had if that fails.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, Self

from x2sam.errors import WeightsError, X2SAMError

if TYPE_CHECKING:
    from x2sam.engine.engine import Engine

_log = logging.getLogger(__name__)


class EngineSource(Protocol):
    """What the page needs to know of where its model comes from."""

    @property
    def ready(self) -> bool:
        """Whether `get` would answer at once, even if only with an error."""

    def get(self) -> Engine:
        """Wait for the model; raises `X2SAMError` if it cannot be loaded."""


class Loaded:
    """A model that is there."""

    ready = True

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self) -> Engine:
        """Return it."""
        return self._engine


class Loading:
    """A model that a thread of its own loads, from `begin` on; any number of threads may wait."""

    def __init__(self, load: Callable[[], Engine]) -> None:
        self._load = load
        self._engine: Engine | None = None
        self._error: X2SAMError | None = None
        self._over = threading.Event()

    def begin(self) -> Self:
        """Begin to load; not in the constructor, as it slows whatever else is about to start."""
        threading.Thread(target=self._work, name="loading", daemon=True).start()
        return self

    @property
    def ready(self) -> bool:
        """Whether loading has come to an end, good or bad."""
        return self._over.is_set()

    def get(self) -> Engine:
        """Wait for the model; raises `X2SAMError` if it cannot be loaded."""
        self._over.wait()
        if self._engine is None:
            assert self._error is not None
            raise type(self._error)(*self._error.args)
        return self._engine

    def _work(self) -> None:
        try:
            self._engine = self._load()
        except X2SAMError as error:
            self._error = error
        except Exception:  # noqa: BLE001 (a thread has nobody to raise to)
            _log.exception("The model cannot be loaded")
            self._error = WeightsError("The model cannot be loaded; the server's log says why.")
        finally:
            self._over.set()
