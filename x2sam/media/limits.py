"""How large a picture or clip may be, checked before anything is decoded.

A server states its limits before an upload and enforces them after it:

    >>> print(Limits().sentence())
    Pictures up to 50 MB and 40 megapixels. Clips up to 200 MB, 10 minutes, 18,000 frames and \
9 megapixels a frame.

A few hundred bytes can claim a picture of many gigabytes, so what a header claims is checked
before its pixels are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from x2sam.errors import LimitError

MEGA = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The largest picture and clip that are accepted; the defaults suit a laptop.

    Every check names the thing it refuses and raises a `LimitError`.
    """

    picture_bytes: int = 50 * MEGA
    picture_pixels: int = 40 * MEGA
    clip_bytes: int = 200 * MEGA  # the file; for an archive of frames, what it unpacks to as well
    clip_seconds: float = 600.0
    clip_frames: int = 18_000
    frame_pixels: int = 9 * MEGA  # 3840 × 2160 fits

    def sentence(self) -> str:
        """Say all limits, for the page."""
        return (
            f"Pictures up to {_megabytes(self.picture_bytes)} and "
            f"{_megapixels(self.picture_pixels)}. "
            f"Clips up to {_megabytes(self.clip_bytes)}, {_duration(self.clip_seconds)}, "
            f"{self.clip_frames:,} frames and {_megapixels(self.frame_pixels)} a frame."
        )

    def check_picture_bytes(self, name: str, size: int) -> None:
        """Refuse a picture file of too many bytes."""
        if size > self.picture_bytes:
            _refuse(name, _megabytes(size), "picture", _megabytes(self.picture_bytes))

    def check_picture_size(self, name: str, width: int, height: int) -> None:
        """Refuse a picture of too many pixels."""
        if width * height > self.picture_pixels:
            _refuse(name, _size(width, height), "picture", _megapixels(self.picture_pixels))

    def check_clip_bytes(self, name: str, size: int) -> None:
        """Refuse a clip, or an archive of frames, of too many bytes."""
        if size > self.clip_bytes:
            _refuse(name, _megabytes(size), "clip", _megabytes(self.clip_bytes))

    def check_frame_size(self, name: str, width: int, height: int) -> None:
        """Refuse a clip whose frames have too many pixels."""
        if width * height > self.frame_pixels:
            _refuse(name, _size(width, height), "frame", _megapixels(self.frame_pixels))

    def check_clip_length(self, name: str, frames: int, seconds: float) -> None:
        """Refuse a clip that is too long."""
        if seconds > self.clip_seconds:
            _refuse(name, _duration(seconds), "clip", _duration(self.clip_seconds))
        if frames > self.clip_frames:
            _refuse(name, f"{frames:,} frames", "clip", f"{self.clip_frames:,} frames")


def _refuse(name: str, measured: str, kind: str, allowed: str) -> None:
    raise LimitError(f"{name} is too large ({measured}); a {kind} may be up to {allowed}.")


def _megabytes(size: int) -> str:
    return f"{_rounded(size / MEGA)} MB"


def _megapixels(pixels: int) -> str:
    return f"{_rounded(pixels / MEGA)} megapixels"


def _size(width: int, height: int) -> str:
    return f"{width} × {height} pixels"


def _duration(seconds: float) -> str:
    """Write 90 as “90 seconds” and 600 as “10 minutes”."""
    whole, rest = divmod(seconds, 60)
    return f"{_rounded(seconds)} seconds" if rest else f"{whole:g} minutes"


def _rounded(value: float) -> str:
    """Write with at most one decimal.

    >>> _rounded(50.0), _rounded(52.43), _rounded(1200)
    ('50', '52.4', '1,200')
    """
    return f"{value:,.1f}".removesuffix(".0")
