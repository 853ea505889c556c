"""Point at a thing, then say that a part does not belong to it.

python examples/click.py [PICTURE]
"""

import sys

import x2sam

picture = sys.argv[1] if len(sys.argv) > 1 else "assets/street.png"

with x2sam.load("nano").open(picture) as session:
    height, width = session.film.size
    here, not_here = (width // 4, 3 * height // 4), (width // 8, 3 * height // 4)
    for event in session.prompt(points=[here]):
        print(type(event).__name__)
    thing = session.objects[0]
    print(f"{thing.name}: {thing.masks.area(0)} pixels")

    for event in session.prompt(points=[here, not_here], labels=[1, 0], object=thing.id):
        print(type(event).__name__)
    mask = session.objects[0].masks[0]
    print(f"{mask.sum()} pixels; here: {mask[here[::-1]]}, not here: {mask[not_here[::-1]]}")
    session.undo()
    print(f"undone: {session.objects[0].masks.area(0)} pixels")
