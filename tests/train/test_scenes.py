"""Scenes: reproducible, with every thing truly visible where the plan says. Nothing is faked."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from x2sam.train.colours import dominant
from x2sam.train.compose import compose, hash_noise
from x2sam.train.scenes import AWAY, LEAST_SHOWN, draw_scene, owners, shown_shares, solid_cells

LAYOUTS = ("varied", "twins", "kind", "colours")


def same(a, b) -> bool:
    """Whether two descriptions are equal, arrays included."""
    if dataclasses.is_dataclass(a):
        names = [field.name for field in dataclasses.fields(a)]
        return type(a) is type(b) and all(same(getattr(a, n), getattr(b, n)) for n in names)
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b)
    return a == b


@pytest.fixture(scope="module")
def scenes(bank):
    rng, rows = np.random.default_rng(1), bank.rows("seen")
    return [draw_scene(rng, bank, rows, layout=LAYOUTS[i % 4]) for i in range(120)]


@pytest.fixture(scope="module")
def shown(bank, scenes):
    pictures, masks = compose(scenes, bank, 96)
    return [
        (scene, pictures[k : k + 1], masks[k : k + 1, :, : len(scene.rows)])
        for k, scene in enumerate(scenes)
    ]


def without_finish(scene):
    plain = dataclasses.replace(
        scene.finish, shadow=0.0, blur=0.0, noise=0.0, jpeg=0.0, gain=1.0, contrast=1.0
    )
    return dataclasses.replace(scene, finish=plain)


def test_the_same_seed_draws_the_same_scene(bank):
    rows = bank.rows("seen")
    first, second = (draw_scene(np.random.default_rng(7), bank, rows, frames=4) for _ in "ab")
    assert same(first, second)
    for a, b in zip(compose([first], bank, 64), compose([second], bank, 64), strict=True):
        assert torch.equal(a, b)


def test_a_scene_looks_the_same_alone_and_in_a_batch(bank, scenes):
    pictures, masks = compose(scenes[:6], bank, 64)
    for number, scene in enumerate(scenes[:6]):
        picture, mask = compose([scene], bank, 64)
        torch.testing.assert_close(picture[0], pictures[number], atol=2e-5, rtol=0)
        assert (mask[0] != masks[number][:, : mask.shape[2]]).float().mean() < 1e-4
        assert not masks[number][:, mask.shape[2] :].any()


def test_pictures_are_pictures_and_masks_do_not_overlap(shown):
    for scene, pictures, masks in shown:
        assert pictures.shape == (1, 1, 3, 96, 96)
        assert pictures.min() >= 0
        assert pictures.max() <= 1
        assert masks.shape == (1, 1, len(scene.rows), 96, 96)
        assert masks.sum(dim=2).max() <= 1


def test_everything_in_a_picture_is_there_to_be_seen(bank, shown):
    for scene, _, masks in shown:
        assert 1 <= len(scene.rows) <= 9
        assert masks[0, 0].flatten(1).any(dim=1).all()
        shares = shown_shares(scene, bank, solid_cells(scene, bank))
        # Leaving a thing out can only uncover others.
        assert shares.min() >= LEAST_SHOWN - 0.02


def test_the_plan_agrees_with_the_picture(bank, shown):
    for scene, _, masks in shown:
        front = owners(solid_cells(scene, bank))[0]
        for thing, mask in enumerate(masks[0, 0]):
            planned = float((front == thing).mean())
            assert abs(planned - float(mask.float().mean())) < 0.02 + 0.1 * planned


def test_what_is_almost_hidden_is_not_there(bank):
    rng, rows = np.random.default_rng(0), bank.rows("seen")
    scene = without_finish(draw_scene(rng, bank, rows))
    row = bank.rows("seen")["bus"][0]
    poses = np.array([[[0.5, 0.5, 0.4, 0.0], [0.505, 0.5, 0.41, 0.0]]], np.float32)
    scene = dataclasses.replace(
        scene,
        rows=np.array([row, row]),
        flips=np.zeros(2, bool),
        hues=np.zeros(2, np.float32),
        poses=poses,
    )
    masks = compose([scene], bank, 96)[1][0, 0]
    assert not masks[0].any()
    assert masks[1].any()


def test_turned_hues_look_like_their_name(bank, scenes):
    seen = 0
    pictures, masks = compose([without_finish(scene) for scene in scenes], bank, 96)
    for number, scene in enumerate(scenes):
        for thing, row in enumerate(scene.rows):
            name = bank.colour(int(row), float(scene.hues[thing]))
            mask = masks[number, 0, thing]
            pixels = 255 * pictures[number, 0][:, mask].median(dim=1).values.numpy()
            if name and mask.sum() > 40:
                assert dominant(pixels[None], np.ones(1, np.float32)) in (name, None)
                seen += 1
    assert seen > 200


def test_clips_move_and_keep_their_things(bank):
    rng, rows = np.random.default_rng(3), bank.rows("seen")
    moved = gone = 0
    clips = [draw_scene(rng, bank, rows, layout=LAYOUTS[k % 4], frames=6) for k in range(40)]
    pictures, masks = compose(clips, bank, 64)
    assert pictures.shape[:2] == (40, 6)
    for number, scene in enumerate(clips):
        seen = masks[number, :, : len(scene.rows)].flatten(2).any(dim=2)  # (T, N)
        assert (seen.float().mean(dim=0) >= 0.5).all()
        gone += int((~seen).any())
        moved += int(np.ptp(scene.poses[..., 0], axis=0).max() > 0.1)
        away = torch.from_numpy(scene.poses[..., 0] == AWAY)
        assert not seen[away].any()
    assert moved > 20
    assert gone > 5


def test_noise_depends_on_the_seed_alone():
    device = torch.device("cpu")
    both = hash_noise([3, 4], (2, 64, 64), device)
    assert torch.equal(both[1:], hash_noise([4], (2, 64, 64), device))
    assert abs(float(both.mean()) - 0.5) < 0.02
    assert abs(float(both.std()) - 12**-0.5) < 0.01
    pair = torch.corrcoef(both.flatten(1))
    assert abs(float(pair[0, 1])) < 0.05


def test_neither_noun_nor_colour_alone_tells_which_is_meant(bank):
    """Beside several of one noun stand, half of the time, others of a colour of theirs."""
    rng, rows = np.random.default_rng(4), bank.rows("seen")
    shared = []
    for _ in range(150):
        scene = draw_scene(rng, bank, rows, layout="colours")
        twins = np.bincount(scene.rows).argmax()
        shades: dict[bool, list[str | None]] = {True: [], False: []}
        for row, hue in zip(scene.rows.tolist(), scene.hues.tolist(), strict=True):
            shades[row == twins].append(bank.colour(row, hue))
        if len(shades[True]) > 1:
            known = set(shades[True]) - {None}
            shared += [shade in known for shade in shades[False]]
    assert np.mean(shared) > 0.45
