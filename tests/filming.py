"""Small clips and pictures for tests, made by PyAV and Pillow.

Every frame can be told from every other: a square walks, and the background grows lighter.
"""

import io
from fractions import Fraction

import av
import numpy as np
from PIL import Image

MILLISECONDS = Fraction(1, 1000)


def scene(index, width=64, height=48):
    """Draw frame `index`: (H, W, 3)."""
    frame = np.full((height, width, 3), 20 + index * 5 % 200, np.uint8)
    x, y = index * 3 % (width - 16), index * 2 % (height - 16)
    frame[y : y + 16, x : x + 16] = (230, 40, 60)
    return frame


def film(
    path,
    codec="libx264",
    *,
    frames=30,
    size=(48, 64),
    rate=25,
    pixels="yuv420p",
    stamps=None,
    sound=None,
    turned=0,
    container=None,
    **options,
):
    """Write a clip of `scene`s; `stamps` are milliseconds, `sound` is a codec."""
    height, width = size
    unit = MILLISECONDS if stamps else Fraction(1, rate)
    stamps = stamps or range(frames)
    with av.open(str(path), "w", format=container) as output:
        video = output.add_stream(codec, rate=rate, options=options)
        video.width, video.height, video.pix_fmt = width, height, pixels
        video.codec_context.time_base = unit
        if turned:
            video.set_display_rotation(turned)
        tone = output.add_stream(sound, rate=48_000) if sound else None
        for index, stamp in enumerate(stamps):
            frame = av.VideoFrame.from_ndarray(scene(index, width, height), format="rgb24")
            frame.pts, frame.time_base = stamp, unit
            output.mux(video.encode(frame))
        output.mux(video.encode())
        if tone is not None:
            for packet in hum(tone, float(stamps[-1] * unit)):
                output.mux(packet)
    return path


def hum(stream, seconds):
    """Encode a tone."""
    rate = stream.codec_context.sample_rate
    size = stream.codec_context.frame_size or 1024
    stream_format = stream.codec_context.format.name
    resampler = av.AudioResampler(stream_format, "stereo", rate)
    for start in range(0, int(seconds * rate), size):
        wave = np.sin(np.arange(start, start + size) * 0.05).astype(np.float32) * 0.3
        frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        for part in resampler.resample(frame):
            yield from stream.encode(part)
    yield from stream.encode()


def decoded(path):
    """Decode all frames one after the other, as FFmpeg gives them."""
    with av.open(str(path)) as clip:
        return [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]


def encoded(image, kind, **options):
    """Write a Pillow image to bytes."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def animation(kind, frames=5, **options):
    """Write `scene`s as an animated picture, 50 and 120 milliseconds a frame in turn."""
    images = [Image.fromarray(scene(index)) for index in range(frames)]
    times = [50 + index % 2 * 70 for index in range(frames)]
    return encoded(
        images[0], kind, save_all=True, append_images=images[1:], duration=times, **options
    )


def photo(width=64, height=48):
    """Make a picture with an unlike corner everywhere, so that turns and flips show."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width)
    pixels[..., 1] = np.linspace(0, 255, height)[:, None]
    pixels[..., 2] = 90
    return Image.fromarray(pixels)
