"""Make the pictures and clips of assets/ with the scene generator.

    .venv/bin/python scripts/make_assets.py SPRITES [--out assets] [--suite DIR]

SPRITES is a folder of sprites, a colour-emoji font, or a file that
`x2sam.train.sprites.pack` made of one. The scenes are arranged by hand so that every task
has a natural question; poses are x, y, size and angle (radians) as fractions of the side,
and clips go from the first pose to the second. Held-out nouns do not occur.

With `--suite` the pictures are written to DIR as well, with their masks and with what to ask:
everything that is alone of its kind by its noun, and some things that are not there.
`x2sam eval folder DIR` then says how much of them a model finds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch
from PIL import Image

from x2sam.train.compose import compose
from x2sam.train.scenes import Backdrop, Finish, Scene
from x2sam.train.sprites import SpriteBank, pack

SIDE, RATE, FRAMES = 512, 12, 48
CHUNK = 8  # frames composed at a time

Pose = tuple[float, float, float, float]


@dataclass(frozen=True)
class Thing:
    """A sprite and where it stands, or where it goes."""

    noun: str
    start: Pose
    end: Pose | None = None
    hue: float = 0.0
    flip: bool = False


@dataclass(frozen=True)
class Arrangement:
    """One picture or clip."""

    name: str
    colours: tuple[tuple[float, float, float], tuple[float, float, float]]
    things: tuple[Thing, ...]
    style: str = "fluent"


SKY, GRASS, SAND = (0.62, 0.82, 0.96), (0.55, 0.78, 0.45), (0.95, 0.87, 0.70)
WOOD, ROAD, SEA = (0.78, 0.62, 0.45), (0.62, 0.64, 0.68), (0.25, 0.55, 0.80)
NIGHT, ROSE = (0.20, 0.22, 0.38), (0.96, 0.80, 0.82)

PICTURES = (
    Arrangement(
        "fruit",
        (WOOD, SAND),
        (
            Thing("apple", (0.22, 0.30, 0.26, 0.0)),
            Thing("apple", (0.52, 0.26, 0.26, 0.0), hue=-1.9),
            Thing("banana", (0.80, 0.32, 0.30, 0.0)),
            Thing("strawberry", (0.20, 0.72, 0.22, 0.0)),
            Thing("grapes", (0.50, 0.70, 0.30, 0.0)),
            Thing("lemon", (0.80, 0.72, 0.22, 0.0)),
        ),
    ),
    Arrangement(
        "zoo",
        (SKY, GRASS),
        (
            Thing("giraffe", (0.20, 0.38, 0.46, 0.0)),
            Thing("zebra", (0.50, 0.32, 0.30, 0.0)),
            Thing("lion", (0.80, 0.34, 0.28, 0.0)),
            Thing("elephant", (0.34, 0.76, 0.34, 0.0)),
            Thing("elephant", (0.74, 0.78, 0.24, 0.0), flip=True),
        ),
        style="noto",
    ),
    Arrangement(
        "street",
        (SKY, ROAD),
        (
            Thing("house", (0.18, 0.26, 0.34, 0.0)),
            Thing("tree", (0.46, 0.26, 0.32, 0.0)),
            Thing("traffic light", (0.72, 0.24, 0.22, 0.0)),
            Thing("car", (0.24, 0.70, 0.32, 0.0)),
            Thing("car", (0.60, 0.78, 0.28, 0.0), hue=2.2),
            Thing("bicycle", (0.86, 0.62, 0.22, 0.0)),
        ),
    ),
    Arrangement(
        "pets",
        (ROSE, SAND),
        (
            Thing("sofa", (0.32, 0.34, 0.46, 0.0)),
            Thing("cat", (0.34, 0.27, 0.26, 0.0)),
            Thing("dog", (0.74, 0.38, 0.36, 0.0)),
            Thing("cat", (0.28, 0.78, 0.28, 0.0), hue=-0.6),
            Thing("basketball", (0.66, 0.78, 0.18, 0.0)),
        ),
    ),
    Arrangement(
        "music",
        (NIGHT, ROSE),
        (
            Thing("guitar", (0.22, 0.34, 0.38, 0.0)),
            Thing("trumpet", (0.58, 0.26, 0.30, 0.0)),
            Thing("drum", (0.82, 0.40, 0.26, 0.0)),
            Thing("microphone", (0.30, 0.78, 0.24, 0.0)),
            Thing("piano", (0.66, 0.76, 0.32, 0.0)),
        ),
    ),
    Arrangement(
        "sea",
        (SKY, SEA),
        (
            Thing("sailboat", (0.26, 0.22, 0.30, 0.0)),
            Thing("whale", (0.70, 0.36, 0.38, 0.0)),
            Thing("fish", (0.22, 0.62, 0.20, 0.0)),
            Thing("fish", (0.46, 0.78, 0.20, 0.0), hue=2.4),
            Thing("octopus", (0.78, 0.76, 0.28, 0.0)),
        ),
        style="noto",
    ),
    Arrangement(
        "picnic",
        (GRASS, SAND),
        (
            Thing("hamburger", (0.22, 0.28, 0.26, 0.0)),
            Thing("hot dog", (0.52, 0.24, 0.26, 0.0)),
            Thing("cake", (0.80, 0.28, 0.26, 0.0)),
            Thing("cup of coffee", (0.20, 0.72, 0.22, 0.0)),
            Thing("chair", (0.50, 0.72, 0.32, 0.0)),
            Thing("bee", (0.80, 0.70, 0.16, 0.0)),
        ),
    ),
)

CLIPS = (
    Arrangement(
        "chase",
        (SKY, GRASS),
        (
            Thing("tree", (0.50, 0.34, 0.36, 0.0)),
            Thing("mouse", (0.30, 0.74, 0.18, 0.0), (1.05, 0.68, 0.18, 0.0), flip=True),
            Thing("cat", (0.02, 0.72, 0.30, 0.0), (0.78, 0.66, 0.30, 0.0), flip=True),
        ),
    ),
    Arrangement(
        "race",
        (SKY, ROAD),
        (
            Thing("house", (0.50, 0.20, 0.26, 0.0)),
            Thing("car", (0.12, 0.46, 0.26, 0.0), (0.84, 0.46, 0.26, 0.0)),
            Thing("car", (0.84, 0.78, 0.26, 0.0), (0.14, 0.78, 0.26, 0.0), hue=2.2),
            Thing("bicycle", (0.70, 0.60, 0.16, 0.0), (0.70, 0.60, 0.16, 0.0)),
        ),
    ),
    Arrangement(
        "flight",
        (SKY, SEA),
        (
            Thing("sailboat", (0.30, 0.74, 0.28, 0.0), (0.46, 0.74, 0.28, 0.0)),
            Thing("helicopter", (0.92, 0.22, 0.24, 0.0), (0.10, 0.30, 0.24, 0.0)),
            Thing("butterfly", (0.18, 0.56, 0.14, 0.0), (0.86, 0.12, 0.14, 0.5)),
            Thing("fish", (0.80, 0.88, 0.16, 0.0), (0.60, 0.90, 0.16, 0.0)),
        ),
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sprites", type=Path)
    parser.add_argument("--out", type=Path, default=Path("assets"))
    parser.add_argument("--suite", type=Path, metavar="DIR")
    args = parser.parse_args()
    bank = load(args.sprites)
    args.out.mkdir(exist_ok=True)
    for arrangement in PICTURES:
        picture = next(draw(arrangement, bank, frames=1))[0][0]
        Image.fromarray(picture).save(args.out / f"{arrangement.name}.png", optimize=True)
    if args.suite:
        write_suite(bank, args.suite)
    for arrangement in CLIPS:
        frames = np.concatenate([part for part, _ in draw(arrangement, bank, frames=FRAMES)])
        write_clip(frames, args.out / f"{arrangement.name}.mp4")


def load(source: Path) -> SpriteBank:
    if source.suffix == ".npz":
        return SpriteBank.load([source])
    with tempfile.TemporaryDirectory() as folder:
        packed = Path(folder) / "sprites.npz"
        pack(source, packed)
        return SpriteBank.load([packed])


def draw(
    arrangement: Arrangement, bank: SpriteBank, frames: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Compose frames, some at a time: pictures (T, S, S, 3) uint8 and masks (T, N, S, S) bool."""
    time = np.linspace(0, 1, frames)[:, None]
    poses = np.stack(
        [
            np.array(thing.start) * (1 - time) + np.array(thing.end or thing.start) * time
            for thing in arrangement.things
        ],
        axis=1,
    ).astype(np.float32)  # (T, N, 4)
    for start in range(0, frames, CHUNK):
        scene = describe(arrangement, bank, poses[start : start + CHUNK])
        pictures, masks = compose([scene], bank, SIDE)
        shown = (pictures[0] * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        yield shown, masks[0, :, : len(arrangement.things)].numpy()


def write_suite(bank: SpriteBank, folder: Path) -> None:
    """Write the pictures, their masks and what to ask, see `x2sam.media.suite`."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for number, arrangement in enumerate(PICTURES):
        pictures, masks = next(draw(arrangement, bank, frames=1))
        ids = (masks[0] * np.arange(1, 1 + len(masks[0]))[:, None, None]).max(axis=0)
        name, nouns = arrangement.name, [thing.noun for thing in arrangement.things]
        Image.fromarray(pictures[0]).save(folder / f"{name}.png", optimize=True)
        Image.fromarray(ids.astype(np.uint8)).save(folder / f"{name}-ids.png", optimize=True)
        elsewhere = PICTURES[(number + 1) % len(PICTURES)].things
        missing = sorted({thing.noun for thing in elsewhere} - set(nouns))
        asked = [(n, "referring", [at]) for at, n in enumerate(nouns, 1) if nouns.count(n) == 1]
        asked += [(noun, "absent", []) for noun in missing]
        entries.append(
            {
                "id": name,
                "type": "photo",
                "file": f"{name}.png",
                "mask": f"{name}-ids.png",
                "labels": {str(at): noun for at, noun in enumerate(nouns, 1)},
                "expressions": [
                    {"kind": kind, "text": f"the {noun}", "target": target}
                    for noun, kind, target in asked
                ],
            }
        )
    (folder / "suite.json").write_text(json.dumps(entries, indent=1), encoding="utf-8")


def describe(arrangement: Arrangement, bank: SpriteBank, poses: np.ndarray) -> Scene:
    frames = len(poses)
    return Scene(
        rows=np.array([row(bank, thing.noun, arrangement.style) for thing in arrangement.things]),
        flips=np.array([thing.flip for thing in arrangement.things]),
        hues=np.array([thing.hue for thing in arrangement.things], np.float32),
        poses=poses,
        backdrop=Backdrop(
            kind="gradient",
            colours=np.array(arrangement.colours, np.float32),
            angle=np.pi / 2,
            frequency=1.0,
            rough=0.0,
            photo=0,
            soft=False,
            zoom=1.0,
            shift=np.zeros((frames, 2), np.float32),
        ),
        finish=Finish(0.35, 0.01, 0.02, 0.0, 0.0, 0.0, 1.0, 1.0),
        times=tuple(frame / RATE for frame in range(frames)),
        seed=0,
    )


def row(bank: SpriteBank, noun: str, style: str) -> int:
    found = [
        (sprite.style != style, index)
        for index, sprite in enumerate(bank.sprites)
        if sprite.noun.name == noun and sprite.style in ("noto", "fluent")
    ]
    if not found:
        raise SystemExit(f"There is no sprite of {noun!r} in this source.")
    return min(found)[1]


def write_clip(frames: np.ndarray, file: Path) -> None:
    with av.open(str(file), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "20"})
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


if __name__ == "__main__":
    main()
