"""Draw a clip with what a model finds in it, as an animated picture for the README.

.venv/bin/python scripts/make_animation.py assets/race.mp4 "the blue car" --out docs/clip.webp
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

import x2sam
from x2sam.media.drawing import overlay

LARGEST = 3_000_000  # bytes
QUALITY = 70


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip")
    parser.add_argument("requests", nargs="+", metavar="REQUEST")
    parser.add_argument("--model", default="nano")
    parser.add_argument("--tracker", help="carry the masks by SAM 2")
    parser.add_argument("--width", type=int, default=480)
    parser.add_argument("--out", type=Path, default=Path("docs/clip.webp"))
    args = parser.parse_args()
    engine = x2sam.load(args.model, tracker=args.tracker)
    with engine.open(args.clip) as session:
        for request in args.requests:
            for _ in session.ask(request):
                pass
        film = session.film
        frames = []
        for index in range(len(film)):
            marks = [each.item().mark(index) for each in session.objects]
            picture = Image.fromarray(overlay(film.picture(index), filter(None, marks)))
            height = round(picture.height * args.width / picture.width)
            frames.append(picture.resize((args.width, height)))
        pause = round(1000 * (film.seconds(1) - film.seconds(0)))
    frames[0].save(
        args.out,
        save_all=True,
        append_images=frames[1:],
        duration=pause,
        loop=0,
        quality=QUALITY,
        method=4,
    )
    size = args.out.stat().st_size
    print(f"{args.out}: {len(frames)} frames, {size / 1e6:.2f} MB")
    assert size <= LARGEST


if __name__ == "__main__":
    main()
