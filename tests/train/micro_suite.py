"""A suite of two pictures and a clip, drawn into a folder: coloured boxes on grey."""

import json

import numpy as np
from PIL import Image

RED, BLUE = (230, 20, 20), (20, 30, 230)
SIZE = (60, 90)  # height and width


def write_suite(folder):
    """Box 1 is red and on the left, box 2 is blue and enters the clip in its third frame."""
    entries = []
    for number in range(2):
        picture, ids = scene(4 * number, blue=True)
        Image.fromarray(picture).save(folder / f"{number}.png")
        Image.fromarray(ids).save(folder / f"{number}-ids.png")
        entry = {"id": f"p{number}", "type": "photo", "file": f"{number}.png"}
        entries.append(entry | {"mask": f"{number}-ids.png"} | requests())
    for name in ("frames", "masks"):
        (folder / name).mkdir()
    for number in range(6):
        picture, ids = scene(2 * number, blue=number >= 2)
        Image.fromarray(picture).save(folder / "frames" / f"{number}.png")
        Image.fromarray(ids).save(folder / "masks" / f"{number}.png")
    clip = {"id": "c", "type": "video", "file": "c.mp4", "frames_dir": "frames"}
    entries.append(clip | {"mask_dir": "masks"} | requests())
    (folder / "suite.json").write_text(json.dumps(entries))
    return folder


def scene(shift, *, blue):
    picture, ids = np.full((*SIZE, 3), 120, np.uint8), np.zeros(SIZE, np.uint8)
    picture[10:40, 5 + shift : 35 + shift], ids[10:40, 5 + shift : 35 + shift] = RED, 1
    if blue:
        picture[20:55, 60:85], ids[20:55, 60:85] = BLUE, 2
    return picture, ids


def requests():
    return {
        "expressions": [
            {"kind": "referring", "text": "The red box", "target": [1]},
            {"kind": "reasoning", "text": "What has the colour of the sky?", "target": [2]},
            {"kind": "referring", "text": "the dog", "target": []},
        ],
        "class_queries": [
            {"text": "box", "target": [1, 2]},
            {"text": "cat", "target": []},
        ],
    }
