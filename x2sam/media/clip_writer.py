"""Clips that browsers play: MP4 for pictures, WebM for cut-outs with alpha.

Frames keep the times of the clip they were made from, so a clip with a varying frame rate stays
in step with its sound, which is copied packet by packet where the container allows, and
otherwise encoded anew. Frames and sound are written side by side: memory stays flat.

MP4 is H.264 in yuv420p with even sides (a side that is odd gets its last row or column twice),
and its index stands at the front, so that it plays while it loads. WebM is VP9 in yuva420p.
Both are lossy: masks to compute with are exported as PNG or run lengths.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import av
import numpy as np
from numpy.typing import NDArray

from x2sam.errors import MediaError
from x2sam.media.timing import Timing
from x2sam.media.video_file import open_container

BT709 = 1  # FFmpeg's number for it as colour space, primaries and transfer alike
LEAD = 0.1  # seconds; codecs need a packet or two of sound before time 0 to get going
LIMITED = 1  # of colour ranges, the usual one: 16 to 235


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """How one kind of file is encoded."""

    format: str
    codec: str
    pixels: str  # FFmpeg's name of the layout in memory
    source: str  # of the arrays that come in
    options: dict[str, str]
    container_options: dict[str, str]
    copied: frozenset[str]  # kinds of sound that may stay as they are
    sound: str  # the kind that others become


MP4 = Container(
    format="mp4",
    codec="libx264",
    pixels="yuv420p",
    source="rgb24",
    options={"preset": "veryfast", "crf": "18"},
    container_options={"movflags": "+faststart"},
    copied=frozenset({"aac", "mp3"}),
    sound="aac",
)
WEBM = Container(
    format="webm",
    codec="libvpx-vp9",
    pixels="yuva420p",
    source="rgba",
    options={
        "deadline": "realtime",
        "cpu-used": "6",
        "crf": "24",
        "b": "0",
        "auto-alt-ref": "0",  # hidden frames and alpha do not go together
    },
    container_options={},
    copied=frozenset({"opus", "vorbis"}),
    sound="libopus",
)


def write_clip(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    timing: Timing,
    *,
    sound: Path | bytes | None = None,
    kind: Container = MP4,
) -> None:
    """Encode frames, (H, W, 3) for `MP4` and (H, W, 4) for `WEBM`, all of one size.

    `sound` is the file whose sound is taken over. Fewer frames than `timing` has make a shorter
    clip. What was written is removed if anything fails.

    Raises `MediaError` if there are no frames, or the file cannot be written.
    """
    output = _Output(path, timing, sound, kind)
    try:
        with output:
            for index, frame in enumerate(frames):
                output.write(index, frame)
            output.finish()
    except (av.error.FFmpegError, OSError) as error:
        path.unlink(missing_ok=True)
        raise MediaError(f"{path} cannot be written: {error}.") from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise


class _Output:
    """One file that is being written."""

    def __init__(
        self, path: Path, timing: Timing, sound: Path | bytes | None, kind: Container
    ) -> None:
        self._path = path
        self._timing = timing
        self._kind = kind
        self._input = None if sound is None else open_container(sound, path.name)
        self._written = 0

    def __enter__(self) -> Self:
        kind = self._kind
        self._container = av.open(
            str(self._path), "w", format=kind.format, options=kind.container_options
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()
        if self._input is not None:
            self._input.close()

    def write(self, index: int, frame: NDArray[np.uint8]) -> None:
        """Add frame `index`, and the sound that comes before it."""
        assert index < len(self._timing.stamps), index
        if index == 0:
            self._start(frame.shape[0], frame.shape[1])
        self._write_sound(float(self._timing.seconds[index]))
        picture = av.VideoFrame.from_ndarray(_even(frame), format=self._kind.source)
        picture = picture.reformat(
            format=self._kind.pixels, dst_colorspace=BT709, dst_color_range=LIMITED
        )
        picture.time_base = self._timing.unit
        picture.pts = int(self._timing.stamps[index] - self._timing.stamps[0])
        self._container.mux(self._video.encode(picture))
        self._written += 1

    def finish(self) -> None:
        """Add what the encoders hold back, and the sound up to the end of the last frame."""
        if not self._written:
            raise MediaError("A clip without frames cannot be written.")
        last = self._written - 1
        complete = self._written == len(self._timing.stamps)
        end = self._timing.duration if complete else self._timing.seconds[last]
        self._write_sound(float(end))
        self._container.mux(self._video.encode())
        self._container.mux(self._sound.flush())

    def _start(self, height: int, width: int) -> None:
        kind, timing = self._kind, self._timing
        self._video = self._container.add_stream(
            kind.codec, rate=timing.rate, options=dict(kind.options)
        )
        context = self._video.codec_context
        context.width, context.height = width + width % 2, height + height % 2
        context.pix_fmt = kind.pixels
        context.time_base = timing.unit
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED
        self._sound = _Sound(self._input, self._container, kind, timing.start)

    def _write_sound(self, until: float) -> None:
        for packet in self._sound.until(until):
            self._container.mux(packet)


class _Sound:
    """The sound of one file on its way into another; nothing at all if there is none."""

    def __init__(self, source: Any, target: Any, kind: Container, start: Fraction) -> None:
        self._start = start  # of the pictures, which become time 0
        streams = source.streams.audio if source else ()
        self._stream = next((s for s in streams if s.codec_context is not None), None)
        self._packets: Iterator[Any] = iter(())
        self._waiting: Any = None
        self._encoder: Any = None
        if self._stream is None:
            return
        self._packets = source.demux(self._stream)
        if self._stream.codec_context.name in kind.copied:
            self._output = target.add_stream_from_template(self._stream)
        else:
            rate = 48_000 if kind.sound == "libopus" else self._stream.codec_context.sample_rate
            self._encoder = self._output = target.add_stream(kind.sound, rate=rate)
            self._resampler = av.AudioResampler(
                self._output.codec_context.format.name, "stereo", rate
            )
        self._waiting = self._next()

    def until(self, seconds: float) -> Iterator[Any]:
        """Yield packets to be written that begin before a time of the pictures."""
        while self._waiting is not None:
            packet = self._waiting
            begins = float(packet.pts * packet.time_base - self._start)
            if begins >= seconds:
                return
            self._waiting = self._next()
            if begins > -LEAD:
                yield from self._convert(packet)

    def flush(self) -> list[Any]:
        """What the encoder holds back."""
        return list(self._encoder.encode(None)) if self._encoder is not None else []

    def _next(self) -> Any:
        """Read the next packet that says when it begins; None at the end, or where it breaks."""
        try:
            return next((p for p in self._packets if p.pts is not None), None)
        except (av.error.FFmpegError, OSError):
            return None

    def _convert(self, packet: Any) -> Iterator[Any]:
        shift = int(self._start / packet.time_base)
        if self._encoder is None:
            packet.pts -= shift
            packet.dts = packet.pts
            packet.stream = self._output
            yield packet
            return
        try:
            frames = packet.decode()
        except (av.error.FFmpegError, OSError):
            return
        for frame in frames:
            if frame.pts is None:
                continue
            frame.pts -= shift
            for part in self._resampler.resample(frame):
                yield from self._encoder.encode(part)


def _even(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Repeat the last row and column of odd sides."""
    height, width, _ = frame.shape
    if height % 2 or width % 2:
        frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(frame)
