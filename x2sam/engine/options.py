"""How a session looks at its medium.

>>> Options(frames=8).frames
8
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Literal, get_args

from x2sam.errors import PromptError

Policy = Literal["uniform", "sparse_dense"]
"""How the language model is shown a clip to find things in it.

uniform: `frames` of them, spread over the clip. sparse_dense, an experiment (VideoLISA, section
3.2, arXiv 2409.19603): a quarter as many in full, and before them twice as many as little more
than their mean, so that a long clip costs a fraction of the tokens. `Predictor.look` tells what
differs from VideoLISA; no model of ours was trained so.
"""

POLICIES: Final[tuple[Policy, ...]] = get_args(Policy)

Propagation = Literal["auto", "memory", "one_token", "sam2"]
"""How masks get from frame to frame of a clip.

memory: the model remembers its masks of the frames before. one_token: it looks at every frame by
itself, for what the language model meant (VideoLISA). sam2: it looks at the frames
that the language model was shown, and SAM 2 carries the masks to all others. auto: SAM 2 where one
is loaded and the clip has other frames, and the memory elsewhere. Marks without words go the same
way: SAM 2 answers them where it is loaded, unless memory or one_token is chosen.
"""

PROPAGATIONS: Final[tuple[Propagation, ...]] = get_args(Propagation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What may be traded: frames that are looked at for time and memory."""

    # Of a clip, that the language model is shown to find things in it. One alone is shown as a
    # picture, which helps a model that knows pictures better than clips.
    frames: int = 16
    policy: Policy = "uniform"  # how they are shown, see `Policy`
    chat_frames: int = 64  # the same where it is only talked about
    # Every so many frames are segmented; those between carry the mask before. SAM 2 takes all.
    stride: int = 1
    propagation: Propagation = "auto"
    context: int = 4  # earlier questions that a follow-up is read after
    words: int = 512  # tokens of an answer
    absent: float = 0.5  # what is less likely than this on a frame is not to be seen there

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if (chosen := getattr(self, name)) not in choices:
                raise PromptError(f"“{name}” should be {' or '.join(choices)}, not “{chosen}”.")
        for field in fields(self):
            value, least = getattr(self, field.name), 0 if field.name in _FROM_0 else 1
            if field.name not in _CHOICES and value < least:
                raise PromptError(f"“{field.name}” should be at least {least}, not {value}.")
        if self.policy == "sparse_dense" and self.frames < _SPARSE_DENSE:
            raise PromptError(
                f"For “sparse_dense”, “frames” should be at least {_SPARSE_DENSE}, "
                f"not {self.frames}."
            )

    def carried_by(self, *, tracker: bool, frames: int, shown: int) -> Propagation:
        """Settle what “auto” means for a clip of which the language model is `shown` some frames.

        >>> Options().carried_by(tracker=True, frames=250, shown=16)
        'sam2'
        >>> Options().carried_by(tracker=True, frames=16, shown=16)
        'memory'
        """
        if self.propagation != "auto":
            return self.propagation
        return "sam2" if tracker and frames > shown else "memory"


_FROM_0 = {"absent", "context"}
_CHOICES: Final = {"policy": POLICIES, "propagation": PROPAGATIONS}
_SPARSE_DENSE: Final = 8  # of which two are shown in full: fewer are no clip

# What suits a model, by the name in its config; the defaults suit the published 4B. Nano learnt
# most of what it knows from single pictures and single questions.
SUITED: Final = {"nano": Options(frames=1, chat_frames=1, context=1, words=128)}


def suited(model: str) -> Options:
    """Choose the options for a model by the name in its config."""
    return SUITED.get(model, Options())
