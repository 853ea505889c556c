"""What whoever starts the page decides: the model, who may come, and how much they may bring.

>>> settings = Settings(visitors=4)
>>> settings.model, settings.idle_minutes, settings.limits.clip_seconds
('nano', 30, 600.0)
>>> accounts(["ann:sesame:1"], {"X2SAM_AUTH": "bob:open"})
(('ann', 'sesame:1'), ('bob', 'open'))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from x2sam.errors import PromptError
from x2sam.media.limits import Limits
from x2sam.tracker.config import Backend

ACCOUNTS = "X2SAM_AUTH"
"""The environment variable for accounts, one USER:PASSWORD a line, which `ps` does not show."""

Account = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the page is served; the defaults suit a laptop and a few people."""

    model: str = "nano"  # a name, a folder or a file
    base: str | None = None  # Qwen3-VL, where the checkpoint lacks it
    revision: str | None = None  # of the model, if it is a repository on the Hub
    tracker: str | None = None  # SAM 2: a name, a folder or a file; None does without
    tracker_backend: Backend = "auto"  # the library that computes it
    bits: int | None = None  # 8 or 4 for the language model's layers
    dtype: Literal["float32", "bfloat16"] | None = None  # what the device is quick with
    device: str | None = None  # the accelerator if there is one
    offload: bool = False  # what does not fit on the device
    merge: bool = True  # LoRA into the weights
    cache_bytes: int | None = None  # for what was made of frames; by what is free if None
    host: str = "127.0.0.1"
    port: int | None = None  # the first free one from 7860 on
    auth: tuple[Account, ...] = ()  # nobody is asked who they are
    limits: Limits = field(default_factory=Limits)
    idle_minutes: float = 30
    visitors: int = 64  # open workspaces; a page has two, one for pictures and one for clips
    mcp: bool = False

    def __post_init__(self) -> None:
        for name, value in (("--idle-minutes", self.idle_minutes), ("--visitors", self.visitors)):
            if value <= 0:
                raise PromptError(f"{name} should be more than 0, not {value:g}.")

    @property
    def address(self) -> str:
        """Where it is served, as far as that is known before it starts."""
        return f"{self.host}:{self.port or 7860}"


def accounts(given: Iterable[str], environment: Mapping[str, str]) -> tuple[Account, ...]:
    """Read accounts from options and from the environment; `PromptError` where one is none."""
    found = []
    for text in (*given, *environment.get(ACCOUNTS, "").splitlines()):
        user, colon, password = text.strip().partition(":")
        if not (user and colon and password):
            raise PromptError("An account should be given as USER:PASSWORD.")
        found.append((user, password))
    return tuple(found)
