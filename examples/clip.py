"""Find a thing in every frame of a clip.

python examples/clip.py [CLIP]
"""

import sys

import x2sam
from x2sam.types import MaskReady, Progress

clip = sys.argv[1] if len(sys.argv) > 1 else "assets/race.mp4"

with x2sam.load("nano").open(clip) as session:
    print(f"{len(session.film)} frames, of which the language model sees {session.shown}")
    for event in session.ask("the red car"):
        match event:
            case MaskReady(frame=frame, mask=mask):
                print(f"frame {frame}: {mask.sum()} pixels")
            case Progress():
                pass
            case _:
                print(event)
    for found in session.objects:
        print(f"{found.name} is to be seen in frames {found.masks.spans()}")
