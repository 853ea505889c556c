"""Draw the thumbnails of the examples: what a model answers to each of them.

    .venv/bin/python scripts/make_thumbnails.py [ID ...] [--model nano] [--out demo/static/examples]

A clip is shown by the frame in its middle, an answer without masks by its words. Marks that
belong to the question are drawn as well. To be run again when the weights of nano change.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image, ImageDraw

import x2sam
from demo.examples import CARDS, THUMBNAILS, Card
from x2sam.language.tasks import TASKS, Answer
from x2sam.media.drawing import font_for, overlay
from x2sam.types import Done, Drawing, Routed

SIDE = 320  # pixels; cards are about half as wide
LARGEST = 40_000  # bytes
QUALITY = 82


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ids", nargs="*", metavar="ID", help="all by default")
    parser.add_argument("--model", default="nano")
    parser.add_argument("--out", type=Path, default=THUMBNAILS)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    engine = x2sam.load(args.model)
    for card in CARDS:
        if not args.ids or card.id in args.ids:
            file = args.out / card.thumbnail.name
            thumbnail(engine, card).save(file, quality=QUALITY, method=6)
            size = file.stat().st_size
            print(f"{card.id:<14} {size / 1000:5.1f} kB")
            assert size < LARGEST, card.id


def thumbnail(engine: x2sam.Engine, card: Card) -> Image.Image:
    with engine.open(card.medium) as session:
        events = list(session.ask(card.question.en, card.drawings, task=card.task))
        task = next(event.route.task for event in events if isinstance(event, Routed))
        assert task == card.shows, (card.id, task)
        frame = len(session.film) // 2
        marks = [each.item().mark(frame, label=False) for each in session.objects]
        drawn = overlay(session.film.picture(frame), filter(None, marks), opacity=0.6)
        said = next(event.text for event in events if isinstance(event, Done))
    scale = SIDE / max(drawn.shape[:2])
    picture = Image.fromarray(drawn)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    pen = ImageDraw.Draw(picture)
    for drawing in card.drawings:
        outline(pen, drawing, scale)
    if TASKS[task].answer is Answer.TEXT:
        speak(pen, picture.size, said)
    return picture


def outline(pen: ImageDraw.ImageDraw, drawing: Drawing, scale: float) -> None:
    """Draw a point as a ring and a box as a frame, white on black to be seen on anything."""
    if drawing.box:
        box = [side * scale for side in drawing.box]
        pen.rectangle(box, outline="black", width=4)
        pen.rectangle([box[0] + 1, box[1] + 1, box[2] - 1, box[3] - 1], outline="white", width=2)
    for x, y in drawing.points:
        for radius, colour in ((9, "black"), (7, "white"), (4, "black")):
            pen.circle((x * scale, y * scale), radius, fill=colour)


def speak(pen: ImageDraw.ImageDraw, size: tuple[int, int], text: str) -> None:
    """Write an answer on a plate at the lower edge."""
    width, height = size
    font = font_for(text, 17)
    assert font, text
    pen.rounded_rectangle((12, height - 52, width - 12, height - 12), 8, fill="white")
    pen.text((width // 2, height - 32), text, "black", font, anchor="mm")


if __name__ == "__main__":
    main()
