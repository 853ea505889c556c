"""A video file through FFmpeg: frames by number, exactly, without decoding the whole.

Opening it reads every packet's time stamp, but decodes one frame only. A frame is then found
by its stamp: go on decoding if it lies ahead in the same group of pictures, else jump to the
key frame before it and decode from there. What is kept is one frame and one number per frame.

Some containers do not stamp their frames (AVI, MPEG-PS, raw H.264). Those are counted once by
decoding them, and a step back starts from the beginning.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import Type as SideData
from numpy.typing import NDArray

from x2sam.errors import MediaError
from x2sam.media.images import Pixels
from x2sam.media.limits import Limits
from x2sam.media.timing import Timing

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,ivf,h264,hevc,"
    "obu,av1,m4v,mjpeg,yuv4mpegpipe,nut,mxf,gxf,dv,rm,swf,vc1,wtv,gif,apng,live_flv"
)
"""Containers that hold their own frames. Playlists, which name other files and addresses to be
opened, are left out on purpose."""

UNSTAMPED = {
    "avi",  # its stamps are the order of decoding, not of showing
    "mpeg",  # few packets are stamped; after a jump FFmpeg guesses the others anew
}
DEFAULT_RATE = Fraction(25)  # FFmpeg's own, for streams that do not say
RETRIES = 3  # key frames to step back when a container lands too late


class VideoFile:
    """The first video stream of a file; not safe to use from two threads at once.

    Raises:
        MediaError: FFmpeg cannot read it, or there is no frame in it.
        LimitError: its frames are too large, or it is too long.
    """

    _shown: Any  # the newest decoded frame that is not after the one asked for, or None
    _ahead: Any  # the one that comes after it; None at the end

    def __init__(self, file: Path | bytes, name: str, limits: Limits) -> None:
        self._file = file
        self._name = name
        self._open()
        try:
            self._examine(limits)
        except BaseException:
            self.close()
            raise

    def _examine(self, limits: Limits) -> None:
        """Check what the header claims, then index the frames and look at the first."""
        stream, name = self._stream, self._name
        self.codec: str = stream.codec_context.name
        self.has_sound = bool(self._container.streams.audio)
        limits.check_frame_size(name, stream.codec_context.width, stream.codec_context.height)
        claimed = (self._container.duration or 0) / av.time_base
        limits.check_clip_length(name, stream.frames or 0, claimed)
        rate = stream.average_rate or stream.guessed_rate or DEFAULT_RATE
        stamps, self._keys = self._read_stamps(name, limits)
        self._counted = stamps is None
        if stamps is None:
            frames = self._count(name, limits)
            self.timing = Timing.regular(max(1, frames), Fraction(rate))
            self._order, self._keys = np.arange(frames), np.zeros(1, np.int64)
        else:
            self.timing = Timing.stamped(stamps, Fraction(stream.time_base), Fraction(rate))
            self._order = stamps
        limits.check_clip_length(name, len(self._order), float(self.timing.duration))
        self._restart()
        if self._ahead is None:
            raise MediaError(f"{name} has no frame that can be decoded.")
        self._layout = self._ahead.width, self._ahead.height
        self._turn = _turn(self._ahead)
        self.size = self._pixels(self._ahead).shape[:2]
        self.notes = self._remarks(claimed)

    def read(self, index: int) -> Pixels:
        """Decode frame `index`: (H, W, 3). A frame that is damaged looks like the one before."""
        target = int(self._order[index])
        if not self._lies_ahead(index, target):
            self._seek(index)
        while self._ahead is not None and self._key(self._ahead) <= target:
            self._step()
        frame = self._shown or self._ahead
        if frame is None:
            raise MediaError(f"Frame {index} of {self._name} is damaged.")
        return self._pixels(frame)

    def close(self) -> None:
        """Let go of the file."""
        self._shown = self._ahead = None
        self._container.close()

    def _open(self) -> None:
        self._container = open_container(self._file, self._name)
        cover = av.stream.Disposition.attached_pic
        streams = [s for s in self._container.streams.video if not s.disposition & cover]
        if not streams or streams[0].codec_context is None:
            self._container.close()
            reason = "is in a format nobody here can decode" if streams else "has no moving picture"
            raise MediaError(f"{self._name} {reason}.")
        self._stream = streams[0]
        self._shown = self._ahead = None
        self._decoded: Iterator[Any] = iter(())

    def _read_stamps(
        self, name: str, limits: Limits
    ) -> tuple[NDArray[np.int64] | None, NDArray[np.int64]]:
        """Read the stamps of all frames and of the key frames; None if they do not say enough."""
        stamps, keys = [], []
        for packet in self._packets():
            if packet.size == 0 or packet.is_discard:
                continue
            stamps.append(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
            if len(stamps) > limits.clip_frames:
                limits.check_clip_length(name, len(stamps), 0)
        complete = bool(stamps) and None not in stamps and len(set(stamps)) == len(stamps)
        if not complete or self._container.format.name in UNSTAMPED:
            return None, np.zeros(0, np.int64)
        return np.array(sorted(stamps)), np.array(sorted(keys), np.int64)

    def _count(self, name: str, limits: Limits) -> int:
        """Count the frames by decoding them."""
        frames = 0
        self._reopen()
        for _ in self._decode():
            frames += 1
            if frames > limits.clip_frames:
                limits.check_clip_length(name, frames, 0)
        return frames

    def _remarks(self, claimed: float) -> tuple[str, ...]:
        seconds = float(self.timing.duration)
        notes = []
        if claimed - float(self.timing.start) > 1.5 * seconds + 1 and not self._counted:
            notes.append(f"It ends after {seconds:.1f} of the {claimed:.1f} seconds it promises.")
        if self.timing.variable:
            notes.append("The time between its frames varies; it is kept.")
        shape = self._stream.sample_aspect_ratio
        if shape and shape != 1:
            notes.append(f"Its pixels are not square ({shape}); they are shown as if they were.")
        return tuple(notes)

    def _lies_ahead(self, index: int, target: int) -> bool:
        """Whether decoding on is at least as quick as jumping to a key frame."""
        if self._shown is None:
            return self._ahead is not None and target == self._key(self._ahead)
        here = self._key(self._shown)
        if target < here or self._counted:
            return target >= here
        before = int(self._order[max(0, index - 1)])
        return before <= here or self._key_before(target) <= here

    def _key_before(self, target: int) -> int:
        position = int(np.searchsorted(self._keys, target, side="right")) - 1
        return int(self._keys[max(0, position)]) if len(self._keys) else int(self._order[0])

    def _seek(self, index: int) -> None:
        """Land on a frame that is not after `index`, so that decoding on reaches it."""
        key = self._key_before(int(self._order[index]))
        for _ in range(0 if self._counted else RETRIES):
            try:
                self._container.seek(key, stream=self._stream)
            except (av.error.FFmpegError, OSError):
                break
            self._begin(skip=True)
            if self._ahead is not None and self._key(self._ahead) in self._order[: index + 1]:
                return
            key = self._key_before(key - 1)
        self._restart()

    def _restart(self) -> None:
        self._reopen()
        self._begin()

    def _reopen(self) -> None:
        self._container.close()
        self._open()

    def _begin(self, *, skip: bool = False) -> None:
        """Decode from here on, or from the next key frame: jumps may land in the middle."""
        self._decoded = self._decode(skip=skip)
        self._shown, self._ahead = None, next(self._decoded, None)

    def _step(self) -> None:
        self._shown, self._ahead = self._ahead, next(self._decoded, None)

    def _decode(self, *, skip: bool = False) -> Iterator[Any]:
        """Decode from where the container stands; damaged packets are passed over."""
        number = 0
        for packet in self._packets():
            skip = skip and not packet.is_keyframe
            if skip:
                continue
            try:
                frames = packet.decode()
            except (av.error.FFmpegError, OSError):
                continue
            for frame in frames:
                if self._counted:
                    frame.pts = number
                number += 1
                if frame.pts is not None:
                    yield frame

    def _packets(self) -> Iterator[Any]:
        """Read packets up to the end, or to where the file is broken off."""
        try:
            yield from self._container.demux(self._stream)
        except (av.error.FFmpegError, OSError, LookupError):
            return

    @staticmethod
    def _key(frame: Any) -> int:
        return int(frame.pts)

    def _pixels(self, frame: Any) -> Pixels:
        """Convert to upright RGB of the clip's size, even if a stream changes its size midway."""
        width, height = self._layout
        try:
            pixels = frame.to_ndarray(format="rgb24", width=width, height=height)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise MediaError(f"A frame of {self._name} cannot be converted to RGB.") from error
        transpose, flip_y, flip_x = self._turn
        if transpose:
            pixels = pixels.transpose(1, 0, 2)
        pixels = pixels[:: -1 if flip_y else 1, :: -1 if flip_x else 1]
        return np.ascontiguousarray(pixels, np.uint8)


def open_container(file: Path | bytes, name: str) -> Any:
    """Open a file or bytes with FFmpeg, which may read nothing else and ask no network."""
    target = io.BytesIO(file) if isinstance(file, bytes) else str(file.resolve())
    try:
        return av.open(target, metadata_errors="ignore", options={"format_whitelist": FORMATS})
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise MediaError(
            f"{name} is neither a picture nor a clip that can be read, or it is damaged."
        ) from error


def _turn(frame: Any) -> tuple[bool, bool, bool]:
    """Read how to turn a frame upright: transpose, then flip rows, then flip columns.

    The display matrix maps x y to a x + c y, b x + d y; cameras write quarter turns and mirrors.
    """
    data = frame.side_data.get(SideData.DISPLAYMATRIX)
    if data is None:
        return False, False, False
    a, b, _, c, d, *_ = np.frombuffer(bytes(data)[:36], "<i4").tolist()
    if abs(b) > abs(a):
        return True, b < 0, c < 0
    return False, d < 0, a < 0
