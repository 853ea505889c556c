"""Find a thing in a picture by words.

python examples/picture.py [PICTURE]
"""

import sys

import x2sam

picture = sys.argv[1] if len(sys.argv) > 1 else "assets/fruit.png"

with x2sam.load("nano").open(picture) as session:
    for event in session.ask("the red apple"):
        print(type(event).__name__)
    for found in session.objects:
        print(f"{found.name}: {found.masks.area(0)} pixels, box {found.masks.box(0)}")
