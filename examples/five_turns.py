"""Five turns about one clip: words, a click, a look back, categories, and a description.

Every turn prints how it was understood, which objects it touched, and what was answered.

python examples/five_turns.py [CLIP]
"""

import sys
from collections.abc import Iterable

import x2sam
from x2sam.types import Done, Event, NotFound, Routed, Warning  # noqa: A004 (an event)

clip = sys.argv[1] if len(sys.argv) > 1 else "assets/chase.mp4"


def hear(said: str, events: Iterable[Event]) -> None:
    """Print one turn."""
    print(f"> {said}")
    for event in events:
        match event:
            case Routed(route=route):
                print(f"  [{route.reason}]")
            case NotFound(what=what):
                print(f"  not found: {what}")
            case Warning(text=text):
                print(f"  {text}")
            case Done(text=text, objects=touched):
                for each in session.objects:
                    if each.id in touched:
                        print(f"  {each.id} {each.name}: {len(each.masks.visible())} frames")
                if text.strip():
                    print(f"  “{text.strip()}”")


with x2sam.load("nano").open(clip) as session:
    hear("the mouse", session.ask("the mouse"))

    # It is lost where it leaves the picture; in the last but one frame its ear is still there.
    height, width = session.film.size
    ear, frame = (0.985 * width, 0.68 * height), len(session.film) - 2
    last = session.objects[0].id if session.objects else None
    hear(f"a click on frame {frame}", session.prompt(points=[ear], frame=frame, object=last))

    for words in ("the one to its left", "mouse and tree", "describe this with masks"):
        hear(words, session.ask(words))
    print("in the list:", ", ".join(each.name for each in session.objects))
