"""A picture or clip that is open: its file, and what the page is shown of it.

Each lies in a folder of its own, beside it the picture or the proxy that the page gets. A clip
is opened three times, for the model, for single frames and for the proxy, so that none sends
another back to a key frame.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from demo import wire
from demo.display import Proxy, Stills, display_size, picture_bytes
from demo.listing import Listing
from x2sam.errors import MediaError
from x2sam.media.images import Picture
from x2sam.media.limits import Limits
from x2sam.media.masks import Size
from x2sam.media.videos import Clip, open_clip, open_medium
from x2sam.tracker.search import Segment
from x2sam.types import Drawing, Media

if TYPE_CHECKING:
    from x2sam.engine.session import Session

PICTURE, PROXY = "picture.webp", "proxy.mp4"


@dataclass(slots=True)
class Told:
    """What a page was told of a turn that the conversation itself does not keep."""

    kind: str  # of the request
    events: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Medium:
    """What is open, and the conversation about it once the model is there."""

    id: str
    folder: Path
    source: Path
    name: str
    limits: Limits
    opened: Picture | Clip
    stills: Stills | None = None
    proxy: Proxy | None = None
    session: Session | None = None
    listing: Listing = field(default_factory=Listing)
    told: dict[int, Told] = field(default_factory=dict)  # by turn
    proposed: list[tuple[int, Segment]] = field(default_factory=list)  # by frame, to choose from

    @classmethod
    def open(cls, folder: Path, source: Path, name: str, kind: Media, limits: Limits) -> Medium:
        """Open a file as a picture or clip, whichever is wanted.

        Raises `MediaError` and `LimitError`; the folder is then removed.
        """
        try:
            opened = open_medium(source, limits, name=name)
            medium = cls(
                id=token_hex(8),
                folder=folder,
                source=source,
                name=name,
                limits=limits,
                opened=opened,
            )
            medium._furnish(kind)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return medium

    @property
    def kind(self) -> Media:
        """Whether it moves."""
        return "video" if isinstance(self.opened, Clip) else "image"

    @property
    def frames(self) -> int:
        """How many frames there are; 1 for a picture."""
        return len(self.opened) if isinstance(self.opened, Clip) else 1

    @property
    def size(self) -> Size:
        """Height and width of the source."""
        return self.opened.size

    @property
    def display(self) -> Size:
        """Height and width on the page."""
        return display_size(self.size, moving=self.kind == "video")

    def again(self) -> Picture | Clip:
        """The same for one more reader, who closes it if it is a clip."""
        if isinstance(self.opened, Clip):
            return self._clip()
        return self.opened

    def describe(self, base: str) -> dict[str, Any]:
        """Describe it as the page reads it; `base` is where its files are served."""
        clip = self.opened if isinstance(self.opened, Clip) else None
        height, width = self.display
        return {
            "kind": self.kind,
            "id": self.id,
            "name": self.name,
            "width": width,
            "height": height,
            "source": [self.size[1], self.size[0]],
            "scale": self.size[1] / width,
            "frames": self.frames,
            "rate": clip.frame_rate if clip else 0,
            "seconds": clip.duration if clip else 0,
            "times": clip.timing.seconds.round(6).tolist() if clip else None,
            "picture": None if clip else f"{base}/{PICTURE}",
            "proxy": f"{base}/{PROXY}" if clip else None,
            "frame": f"{base}/frame/{{i}}.jpg" if clip else None,
            "sound": bool(clip and clip.has_sound),
            "shown": list(self.session.shown) if self.session and clip else [],
            "note": " ".join(self.opened.notes),
        }

    def phrases(self, turn: int) -> list[dict[str, Any]]:
        """List where the answer of a turn speaks of objects."""
        events = self.told[turn].events if turn in self.told else []
        return [
            {"start": each["start"], "end": each["end"], "objects": list(each["objects"])}
            for each in events
            if each["kind"] == "phrase" and each["objects"]
        ]

    def retold(self, turn: int, drawings: Sequence[Drawing]) -> dict[str, Any]:
        """Tell of a turn what a page needs that has not seen it, beside what `Workspace` tells."""
        told = self.told.get(turn)
        if told is None:
            return {}
        drawn = [wire.drawn(each) for each in drawings]
        return {"kind": told.kind, "drawings": drawn, "events": list(told.events)}

    def close(self) -> None:
        """Let go of it, and remove its files."""
        if self.session is not None:
            self.session.close()
        if self.proxy is not None:
            self.proxy.close()
        if self.stills is not None:
            self.stills.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _clip(self) -> Clip:
        return open_clip(self.source, self.limits, name=self.name)

    def _furnish(self, wanted: Media) -> None:
        """Make what the page is shown."""
        if isinstance(self.opened, Picture):
            if wanted == "video":
                raise MediaError(f"{self.name} is a still picture. Open it in the Image tab.")
            (self.folder / PICTURE).write_bytes(picture_bytes(self.opened))
            return
        if wanted == "image":
            self.opened.close()
            raise MediaError(f"{self.name} is a clip. Open it in the Video tab.")
        self.stills = Stills(self.opened)
        self.proxy = Proxy(self._clip, self.folder / PROXY)
