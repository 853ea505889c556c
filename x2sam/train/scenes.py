"""Scenes: which things stand where, in what order, and how they move.

A scene is a plain description drawn from a random generator; `compose` turns it into
pictures and exact masks, `facts` into what can truly be said about it. What a text needs
decides the layout: "the second apple from the left" wants three apples, "the red car" wants
cars of several colours beside other red things, "what is this?" one thing seen closely. Things
that would be mostly hidden are left out, so that everything in a picture is there to be seen.

Coordinates are fractions of the picture's side: a pose is x, y of the centre, the length of
the sprite's square, and its angle in radians, clockwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from x2sam.train.sprites import SpriteBank

Layout = Literal["varied", "twins", "kind", "colours", "close"]
Moves = Literal["calm", "lively"]

AWAY = -9.0  # where a thing is while it is not in the picture
GRID = 48  # cells of the plan on which visibility is decided
LEAST_SHOWN = 0.3  # share of a thing that must be visible for it to stay in a picture
LEAST_AREA = 0.004  # share of the picture
BACKDROPS = ("flat", "gradient", "stripes", "checker", "noise", "photo")
_BACKDROP_SHARES = (0.12, 0.16, 0.08, 0.06, 0.18, 0.4)


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """What is behind all things."""

    kind: str  # one of BACKDROPS
    colours: NDArray[np.float32]  # (2, 3) in 0..1
    angle: float
    frequency: float
    rough: float  # 0..1: how much noise is mixed in
    photo: int  # row of the backgrounds, whatever their number
    soft: bool  # whether the photo is blurred beyond recognition
    zoom: float
    shift: NDArray[np.float32]  # (T, 2) how far the camera has moved


@dataclass(frozen=True, slots=True)
class Finish:
    """What a camera, a lens and a file format do to a picture."""

    shadow: float
    shadow_x: float
    shadow_y: float
    blur: float  # standard deviation, as a fraction of the side
    noise: float
    jpeg: float  # 0: none; else the coarseness of the quantisation
    gain: float
    contrast: float


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """N things, back to front, in T frames (a picture has one)."""

    rows: NDArray[np.int64]  # (N,) of the sprite bank
    flips: NDArray[np.bool_]  # (N,)
    hues: NDArray[np.float32]  # (N,) radians by which the colours are turned
    poses: NDArray[np.float32]  # (T, N, 4)
    backdrop: Backdrop
    finish: Finish
    times: tuple[float, ...]  # of the frames, in seconds
    seed: int  # of its noise

    @property
    def frames(self) -> int:
        """How many frames it has."""
        return len(self.poses)

    def keep(self, things: NDArray[np.bool_]) -> Scene:
        """Leave out the other things."""
        return replace(
            self,
            rows=self.rows[things],
            flips=self.flips[things],
            hues=self.hues[things],
            poses=self.poses[:, things],
        )


def draw_scene(
    rng: Generator,
    bank: SpriteBank,
    rows: Mapping[str, Sequence[int]],
    *,
    layout: Layout = "varied",
    frames: int = 1,
    moves: Moves = "lively",
) -> Scene:
    """Draw a scene from the allowed sprites (`SpriteBank.rows`); 2–9 things."""
    chosen, hues = _cast(rng, bank, rows, layout)
    count = len(chosen)
    poses = np.repeat(_places(rng, count, layout)[None], frames, axis=0)
    shift = np.zeros((frames, 2), np.float32)
    if frames > 1:
        poses, shift = _animate(rng, poses, moves)
    step = float(rng.choice([0.2, 0.25, 0.5, 1.0]))
    scene = Scene(
        rows=np.array(chosen, np.int64),
        flips=rng.random(count) < 0.5,  # noqa: PLR2004
        hues=np.array(hues, np.float32),
        poses=poses.astype(np.float32),
        backdrop=_backdrop(rng, shift),
        finish=_finish(rng),
        times=tuple(frame * step for frame in range(frames)),
        seed=int(rng.integers(2**31)),
    )
    plan = solid_cells(scene, bank)
    shown = shown_shares(scene, bank, plan)
    areas = owners(plan).reshape(frames, -1)
    cells = np.stack([(areas == thing).mean(axis=1) for thing in range(count)], axis=1)
    clearly = (shown >= LEAST_SHOWN) & (cells >= LEAST_AREA)
    # In a clip a thing may be covered or leave, but not for most of the time.
    scene = scene.keep(clearly.mean(axis=0) >= (1.0 if frames == 1 else 0.5))
    if len(scene.rows):
        return scene
    return draw_scene(rng, bank, rows, layout=layout, frames=frames, moves=moves)


def _cast(
    rng: Generator, bank: SpriteBank, rows: Mapping[str, Sequence[int]], layout: Layout
) -> tuple[list[int], list[float]]:
    """Choose the sprites and how much their hues are turned."""
    names = list(rows)
    others = [names[i] for i in rng.integers(len(names), size=int(rng.integers(1, 5)))]
    if layout in ("twins", "colours"):
        name = names[rng.integers(len(names))]
        several = 2 if rng.random() < 0.5 else int(rng.integers(3, 6))  # noqa: PLR2004
        if rng.random() < 0.6 or layout == "colours":  # noqa: PLR2004
            chosen = [int(rng.choice(rows[name]))] * several
        else:
            chosen = [int(row) for row in rng.choice(rows[name], size=several)]
    elif layout == "kind":
        row = int(rng.choice(rows[names[rng.integers(len(names))]]))
        kinds = bank.sprites[row].noun.kinds
        topic = bank.sprites[row].noun.topic
        related = [
            name
            for name in names
            if (noun := bank.sprites[rows[name][0]].noun).topic == topic
            and (not kinds or set(kinds) & set(noun.kinds))
        ]
        picked = rng.choice(related, size=min(len(related), int(rng.integers(1, 4))), replace=False)
        chosen = [row, *(int(rng.choice(rows[str(name)])) for name in picked)]
    elif layout == "close":
        chosen, others = [], others[: int(rng.integers(1, 4))]
    else:
        chosen, others = [], [*others, *(names[i] for i in rng.integers(len(names), size=2))]
        if rng.random() < 0.3:  # noqa: PLR2004
            others += [others[0]] * int(rng.integers(1, 3))
    chosen = [*chosen, *(int(rng.choice(rows[name])) for name in others)][:9]
    share = {"colours": 0.9, "twins": 0.3}.get(layout, 0.25)
    hues = [_hue(rng, bank, row) if rng.random() < share else 0.0 for row in chosen]
    if layout == "colours":  # nor may the colour alone tell which is meant
        shades = {bank.colour(row, hue) for row, hue in zip(chosen[:several], hues, strict=False)}
        hues[several:] = [
            _turned(rng, bank, row, shades - {None}, hue)
            for row, hue in zip(chosen[several:], hues[several:], strict=True)
        ]
    order = np.arange(len(chosen)) if layout == "close" else rng.permutation(len(chosen))
    return [chosen[i] for i in order], [hues[i] for i in order]


def _hue(rng: Generator, bank: SpriteBank, row: int) -> float:
    """Turn a sprite's hues, preferably to where its colour has a name."""
    if bank.sprites[row].noun.tinted:
        return 0.0
    angles = [float(angle) for angle in rng.uniform(-np.pi, np.pi, size=3)]
    named = [angle for angle in angles if bank.colour(row, angle) not in (None, "white", "gray")]
    return (named or angles)[0]


def _turned(
    rng: Generator, bank: SpriteBank, row: int, shades: Collection[str | None], hue: float
) -> float:
    """Turn a sprite's hues to where it has one of some colours; half of the time, if it can."""
    if rng.random() < 0.5 or bank.sprites[row].noun.tinted:  # noqa: PLR2004
        return hue
    angles = [0.0, *(float(angle) for angle in rng.uniform(-np.pi, np.pi, size=7))]
    return next((angle for angle in angles if bank.colour(row, angle) in shades), hue)


def _places(rng: Generator, count: int, layout: Layout) -> NDArray[np.float64]:
    """Draw poses (N, 4): mostly apart, sometimes overlapping, sometimes over the edge."""
    largest = float(np.clip(1.25 / np.sqrt(count), 0.3, 0.75))
    sizes = rng.uniform(0.16, largest, size=count)
    if layout != "varied" and rng.random() < 0.5:  # noqa: PLR2004
        sizes = rng.uniform(0.18, largest) * rng.uniform(0.9, 1.1, size=count)
    poses = np.zeros((count, 4))
    for i in range(count):
        tries = 1 if rng.random() < 0.25 else 8  # noqa: PLR2004
        spots = rng.uniform(0.42 * sizes[i], 1 - 0.42 * sizes[i], size=(tries, 2))
        gaps = np.hypot(*(spots[:, None] - poses[None, :i, :2]).transpose(2, 0, 1))
        room = (gaps - 0.5 * (sizes[i] + sizes[:i])).min(axis=1, initial=1.0)
        poses[i, :2], poses[i, 2] = spots[room.argmax()], sizes[i]
    if layout == "close":  # of the others only parts are seen, behind it and at the edge
        outer = poses[:-1]
        outer[:, :2] += np.sign(outer[:, :2] - 0.5) * 0.3
        outer[:, 2] = np.maximum(outer[:, 2], 0.4)
        poses[-1, :3] = *rng.normal(0.5, 0.04, 2), rng.uniform(0.6, 1.05)
    turned = rng.random(count) < 0.15  # noqa: PLR2004
    poses[:, 3] = rng.normal(0, 0.12, count) + turned * rng.uniform(-np.pi, np.pi, count)
    return poses


def _animate(
    rng: Generator, poses: NDArray[np.float64], moves: Moves
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Move things (T, N, 4) in place of standing still; returns the camera's way as well."""
    frames, count, _ = poses.shape
    time = np.linspace(0, 1, frames)
    poses = poses.copy()
    shift = np.zeros((frames, 2), np.float32)
    for thing in range(count):
        _move(rng, poses[:, thing], time, moves)
    if moves == "calm" and rng.random() < 0.4:  # noqa: PLR2004
        shift += (time[:, None] * rng.uniform(-0.25, 0.25, size=2)).astype(np.float32)
        poses[..., :2] -= shift[:, None]
    return poses, shift


def _move(
    rng: Generator, pose: NDArray[np.float64], time: NDArray[np.float64], moves: Moves
) -> None:
    """Give one thing a way to move: pose (T, 4), changed in place."""
    ways = ["stay", "drift", "cross", "enter", "leave", "return", "pop in", "pop out"]
    lively = [0.22, 0.2, 0.2, 0.09, 0.09, 0.06, 0.07, 0.07]
    calm = [0.45, 0.45, 0.05, 0.01, 0.01, 0.01, 0.01, 0.01]
    way = rng.choice(ways, p=lively if moves == "lively" else calm)
    side = rng.integers(4)
    outward = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)][side], np.float64)
    gap = 0.55 * pose[0, 2]
    edge = np.where(outward > 0, 1 + gap, np.where(outward < 0, -gap, pose[0, :2]))
    home = pose[:, :2].copy()
    if way == "drift":
        pose[:, :2] += time[:, None] * rng.uniform(-0.35, 0.35, size=2)
    elif way == "cross":
        start = home[0] * (1 - np.abs(outward)) + np.where(outward > 0, 0.15, 0.85) * np.abs(
            outward
        )
        pose[:, :2] = start + time[:, None] * outward * rng.uniform(0.35, 0.75)
    elif way in ("enter", "leave"):
        along = np.clip(1.6 * time, 0, 1) if way == "enter" else np.clip(1.6 * time - 0.6, 0, 1)
        along = 1 - along if way == "enter" else along
        pose[:, :2] = home + along[:, None] * (edge - home)
    elif way == "return":
        along = np.sin(np.pi * time) ** 2
        pose[:, :2] = home + along[:, None] * (edge + 0.2 * outward - home)
    elif way in ("pop in", "pop out"):
        early = np.arange(len(time)) < rng.integers(1, max(2, len(time) // 2))
        pose[early if way == "pop in" else early[::-1], 0] = AWAY
    if rng.random() < 0.25:  # noqa: PLR2004
        pose[:, 2] *= np.exp(time * rng.uniform(-0.7, 0.7))
    if rng.random() < 0.2:  # noqa: PLR2004
        pose[:, 3] += time * rng.uniform(-2.5, 2.5)


def _backdrop(rng: Generator, shift: NDArray[np.float32]) -> Backdrop:
    colours = rng.uniform(0, 1, size=(2, 3))
    if rng.random() < 0.5:  # noqa: PLR2004 - pale ones, as on paper
        colours = 1 - 0.35 * colours
    kind = BACKDROPS[rng.choice(len(BACKDROPS), p=_BACKDROP_SHARES)]
    return Backdrop(
        kind=kind,
        colours=colours.astype(np.float32),
        angle=float(rng.uniform(0, np.pi)),
        frequency=float(rng.uniform(1.5, 8)),
        rough=float(rng.choice([0.0, rng.uniform(0, 0.5)])),
        photo=int(rng.integers(2**31)),
        soft=bool(rng.random() < 0.5),  # noqa: PLR2004
        zoom=float(rng.uniform(0.5, 1.0)),
        shift=shift,
    )


def _finish(rng: Generator) -> Finish:
    def sometimes(share: float, low: float, high: float) -> float:
        return float(rng.uniform(low, high)) if rng.random() < share else 0.0

    return Finish(
        shadow=sometimes(0.4, 0.15, 0.6),
        shadow_x=float(rng.uniform(-0.03, 0.03)),
        shadow_y=float(rng.uniform(0.0, 0.04)),
        blur=sometimes(0.25, 0.002, 0.008),
        noise=sometimes(0.3, 0.005, 0.03),
        jpeg=sometimes(0.3, 0.2, 1.0),
        gain=float(rng.uniform(0.9, 1.08)),
        contrast=float(rng.uniform(0.88, 1.12)),
    )


def solid_cells(scene: Scene, bank: SpriteBank) -> NDArray[np.bool_]:
    """Plan every thing by itself, (T, N, GRID, GRID): whether it is solid in that cell."""
    centres = (np.arange(GRID, dtype=np.float32) + 0.5) / GRID
    x, y, size, angle = (scene.poses[..., k, None, None] for k in range(4))
    east, south = centres[None, None, None, :] - x, centres[None, None, :, None] - y
    cos, sin = np.cos(angle) / size, np.sin(angle) / size
    u, v = cos * east + sin * south, cos * south - sin * east
    u = np.where(scene.flips[None, :, None, None], -u, u)
    side = bank.outlines.shape[-1]
    column, line = (np.floor((part + 0.5) * side).astype(np.int32) for part in (u, v))
    inside = (column >= 0) & (column < side) & (line >= 0) & (line < side)
    column, line = np.where(inside, column, 0), np.where(inside, line, 0)
    cells: NDArray[np.bool_] = bank.outlines[scene.rows[None, :, None, None], line, column] & inside
    return cells


def owners(plan: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Which thing is in front in every cell: (T, N, G, G) -> (T, G, G), -1 for none."""
    count = plan.shape[1]
    front = count - 1 - plan[:, ::-1].argmax(axis=1)
    return np.where(plan.any(axis=1), front, -1)


def shown_shares(scene: Scene, bank: SpriteBank, plan: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How much of every thing can be seen, (T, N): not covered, and inside the picture."""
    side = bank.outlines.shape[-1]
    whole = bank.outlines[scene.rows].sum(axis=(1, 2)) / side**2 * scene.poses[..., 2] ** 2
    front = owners(plan)
    things = np.arange(len(scene.rows))[None, :, None, None]
    seen: NDArray[np.float64] = (front[:, None] == things).mean(axis=(2, 3))
    shares: NDArray[np.float64] = np.clip(seen / np.maximum(whole, 1e-6), 0, 1)
    return shares
