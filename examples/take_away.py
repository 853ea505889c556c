"""Take away what was found, and come back to it later.

python examples/take_away.py [PICTURE] [FOLDER]
"""

import sys
from pathlib import Path

import x2sam

picture = sys.argv[1] if len(sys.argv) > 1 else "assets/fruit.png"
folder = Path(sys.argv[2] if len(sys.argv) > 2 else "out")  # noqa: PLR2004

engine = x2sam.load("nano")
with engine.open(picture) as session:
    for _ in session.ask("the red apple"):
        pass
    for file in session.export(folder, ["overlay", "masks", "coco", "chat"]):
        print(file)
    saved = session.save(folder / "session.json")

with x2sam.replay(engine, saved, picture) as session:
    print(f"{len(session.turns)} turn, objects: {[each.name for each in session.objects]}")
