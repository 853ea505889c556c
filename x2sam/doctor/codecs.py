"""Whether clips can be written and read here: each codec is tried on a clip of 16 small frames."""

from __future__ import annotations

import io
from typing import Any, Final

import numpy as np

from x2sam.doctor.report import Row, require

SIDE: Final = 64  # of the clips that the probes make
FRAMES: Final = 16
TOLERANCE: Final = 8.0  # mean error of a decoded value, of 255, that is still the codec's business


def rows() -> list[Row]:
    """All that is tried."""
    return [
        ("video", "FFmpeg", _ffmpeg),
        ("video", "H.264", _h264),
        ("video", "VP9 with alpha", _vp9_alpha),
    ]


def _ffmpeg() -> str:
    import av

    return ", ".join(
        f"{name} {'.'.join(map(str, version))}"
        for name, version in av.library_versions.items()
        if name in {"libavcodec", "libavformat"}
    )


def _h264() -> str:
    import av

    file = _clip("mp4", "libx264", "yuv420p", {"crf": "10"})
    with av.open(file) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    require(len(frames) == FRAMES, f"{len(frames)} of {FRAMES} frames came back")
    error = np.abs(np.stack(frames).astype(float) - _pictures()[..., :3]).mean()
    require(error < TOLERANCE, f"the frames came back wrong by {error:.0f} of 255")
    return "writes and reads"


def _vp9_alpha() -> str:
    import av

    file = _clip("webm", "libvpx-vp9", "yuva420p", {"deadline": "realtime", "cpu-used": "8"})
    decoder = av.CodecContext.create("libvpx-vp9", "r")  # FFmpeg's own VP9 decoder drops alpha
    with av.open(file) as container:
        frames = [frame for packet in container.demux(video=0) for frame in decoder.decode(packet)]
    require(len(frames) == FRAMES, f"{len(frames)} of {FRAMES} frames came back")
    alpha = np.stack([frame.to_ndarray(format="rgba")[..., 3] for frame in frames])
    error = np.abs(alpha.astype(float) - _pictures()[..., 3]).mean()
    require(error < TOLERANCE, f"alpha came back wrong by {error:.0f} of 255")
    return "writes and reads"


def _pictures() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Make a clip with a moving bar on a ramp, opaque on its left half: (FRAMES, SIDE, SIDE, 4)."""
    pictures = np.zeros((FRAMES, SIDE, SIDE, 4), np.uint8)
    pictures[..., :3] = np.linspace(40, 200, SIDE, dtype=np.uint8)[:, None, None]
    for index, picture in enumerate(pictures):
        picture[:, 2 * index : 2 * index + 8, :3] = 255
    pictures[:, :, : SIDE // 2, 3] = 255
    return pictures


def _clip(kind: str, codec: str, pixels: str, options: dict[str, str]) -> io.BytesIO:
    """Encode `_pictures` in memory."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=16, options=options)
        stream.width, stream.height, stream.pix_fmt = SIDE, SIDE, pixels
        for picture in _pictures():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgba")))
        container.mux(stream.encode())
    file.seek(0)
    return file
