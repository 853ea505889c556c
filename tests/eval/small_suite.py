"""A suite of one photo and one clip, made on the spot."""

import json

import numpy as np
from PIL import Image

PHOTO = {
    "id": "street",
    "type": "photo",
    "file": "street.png",
    "mask": "street-ids.png",
    "labels": {"1": "bus", "2": "bus", "3": "dog"},
    "expressions": [
        {"kind": "referring", "text": "the bus on the left", "target": [1]},
        {"kind": "referring", "text": "both buses", "target": [1, 2]},
        {"kind": "reasoning", "text": "What could fly here?", "target": []},
    ],
    "class_queries": [
        {"text": "bus", "target": [1, 2]},
        {"text": "dog", "target": [3]},
        {"text": "zebra", "target": []},
    ],
}
CLIP = {
    "id": "pond",
    "type": "video",
    "file": "pond.mp4",
    "frames_dir": "pond/frames",
    "mask_dir": "pond/masks",
    "stride": 1,
    "category": "swan",
    "expressions": [{"kind": "referring", "text": "the swan", "target": [1]}],
    "class_queries": [{"text": "swan", "target": [1, 2]}],
}
FRAMES = 4


def photo_ids():
    ids = np.zeros((48, 64), np.uint8)
    ids[6:20, 4:24], ids[6:20, 36:60], ids[28:44, 10:30], ids[46:] = 1, 2, 3, 255
    return ids


def clip_ids():
    """Two swans; the second comes in at the third frame."""
    ids = np.zeros((FRAMES, 48, 64), np.uint8)
    for t in range(FRAMES):
        ids[t, 10:24, 4 + 6 * t : 22 + 6 * t] = 1
    ids[2:, 30:44, 40:60] = 2
    return ids


def make_suite(folder, *entries):
    """Write pictures, masks and `suite.json`; both entries by default."""
    random = np.random.default_rng(0)
    for part in ("frames", "masks"):
        (folder / "pond" / part).mkdir(parents=True, exist_ok=True)
    noise = random.integers(0, 256, (FRAMES + 1, 48, 64, 3), np.uint8)
    Image.fromarray(noise[-1]).save(folder / "street.png")
    Image.fromarray(photo_ids()).save(folder / "street-ids.png")
    for t, ids in enumerate(clip_ids()):
        Image.fromarray(noise[t]).save(folder / "pond" / "frames" / f"{t}.png")
        Image.fromarray(ids).save(folder / "pond" / "masks" / f"{t}.png")
    (folder / "suite.json").write_text(json.dumps(entries or [PHOTO, CLIP]))
    return folder
