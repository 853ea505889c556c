"""Frames of a clip file, by number, decoded one after the other.

A clip is read once from its beginning and nothing is kept, so an hour of it costs no more
memory than a second.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from x2sam.errors import MediaError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


def frames_at(file: Path, indices: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
    """Yield some frames of a clip, (H, W, 3) each; `indices` ascend.

    Frames beyond the end are missing from what is yielded.

    Raises:
        MediaError: the file cannot be read, or is damaged before the last of the frames.
    """
    import av  # noqa: PLC0415 (FFmpeg's libraries take a while to load)

    assert all(a < b for a, b in pairwise(indices)), indices
    wanted = iter(indices)
    following = next(wanted, None)
    try:
        with av.open(str(file)) as container:
            if not container.streams.video:
                raise MediaError(f"{file} has no picture in it.")
            for number, frame in enumerate(container.decode(video=0)):
                if number == following:
                    yield np.asarray(frame.to_ndarray(format="rgb24"))
                    following = next(wanted, None)
                if following is None:
                    return
    except (av.error.FFmpegError, OSError) as error:
        raise MediaError(f"{file} cannot be read as a clip: {error}.") from error
