"""Two libraries, one network; and our loop does what SAM 2's own does.

Covered: both back ends give the same logits for marks, corrections and walks both ways; the sam2
back end gives exactly what the package's video predictor gives; the transformers back end what its
model gives for what it can do. Nothing is faked; the predictor is handed the clip in place of its
loader.
"""

import copy

import numpy as np
import pytest
import torch
from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

from tests.tracker.moving import SIZE, Moving, Spy, walked
from x2sam.tracker.network import pixels_of
from x2sam.tracker.tracker import Tracker

FRAMES = 9
CLICK, CLICKS = [(30, 20)], [(30, 20), (70, 50)]


def use(tracker):
    """A little of everything, as a list of what the mask decoder gave."""
    spy = Spy(tracker.network)
    mask = np.zeros(SIZE, bool)
    mask[10:30, 40:60] = True
    with Tracker(spy).open(Moving(FRAMES)) as tracking:
        tracking.add(1, 3, points=CLICK)
        tracking.add(1, 3, points=CLICKS, labels=[1, 0])
        walked(tracking, direction="both")
        tracking.add(1, 6, points=[(60, 40)])
        tracking.add(2, 5, mask=mask)
        tracking.add(3, 8, box=(10, 10, 50, 50))
        walked(tracking, direction="both")
        tracking.add(1, 3, points=[*CLICKS, (40, 25)], labels=[1, 0, 1])
        walked(tracking, direction="backward")
    return spy.decoded


def test_both_back_ends_compute_the_same(trackers):
    ours, theirs = use(trackers["sam2"]), use(trackers["transformers"])
    assert len(ours) == len(theirs) > 50
    for one, other in zip(ours, theirs, strict=True):
        limit = 1e-4 * max(1.0, float(one.logits.abs().max()) / 10)
        assert float((one.logits - other.logits).abs().max()) < limit
        assert float((one.pointer - other.pointer).abs().max()) < 1e-4
        assert float((one.quality - other.quality).abs()) < 1e-4
        assert float((one.visible - other.visible).abs()) < 1e-4


class LazyFrames:
    """What the video predictor loads as one large tensor."""

    def __init__(self, clip, side):
        self.clip, self.side = clip, side

    def __len__(self):
        return len(self.clip)

    def __getitem__(self, index):
        return pixels_of(self.clip.frame(index), self.side, torch.device("cpu"))[0]


@pytest.fixture
def predictor(trackers, monkeypatch):
    """SAM 2's own video predictor with the weights of ours, and its state for a clip."""
    from sam2 import sam2_video_predictor

    model = copy.deepcopy(trackers["sam2"].network.model)
    model.__class__ = sam2_video_predictor.SAM2VideoPredictor
    model.fill_hole_area = 0
    model.non_overlap_masks = model.clear_non_cond_mem_around_input = False
    model.add_all_frames_to_correct_as_cond = True
    monkeypatch.setattr(
        sam2_video_predictor,
        "load_video_frames",
        lambda video_path, image_size, **_: (LazyFrames(video_path, image_size), *SIZE),
    )
    monkeypatch.setattr(sam2_video_predictor, "tqdm", lambda frames, **_: frames)
    return model


def test_the_loop_is_that_of_sam2s_own_predictor(trackers, predictor):
    state = predictor.init_state(Moving(FRAMES))
    theirs, ours = [], []

    def click(number, frame, points, labels):
        at, kinds = np.array(points, np.float32), np.array(labels, np.int32)
        _, ids, logits = predictor.add_new_points_or_box(state, frame, number, at, kinds)
        theirs.append(logits[ids.index(number), 0] > 0)
        ours.append(tracking.add(number, frame, points=points, labels=labels).mask)

    def walk(start, direction):
        shapes = walked(tracking, start, direction)
        for reverse in {"forward": [False], "backward": [True], "both": [False, True]}[direction]:
            for frame, ids, logits in predictor.propagate_in_video(state, start, reverse=reverse):
                for number, mask in zip(ids, logits[:, 0] > 0, strict=True):
                    theirs.append(mask)
                    ours.append(shapes[frame][number].mask)

    with trackers["sam2"].open(Moving(FRAMES)) as tracking:
        click(1, 3, CLICK, [1])
        click(1, 3, CLICKS, [1, 0])
        walk(3, "both")
        click(1, 6, [(60, 40)], [1])
        click(1, 6, [(60, 40), (20, 40)], [1, 0])
        click(2, 5, [(15, 15)], [1])
        walk(0, "forward")  # object 2 before its first mark
        click(1, 3, [*CLICKS, (40, 25)], [1, 0, 1])
        walk(8, "backward")
    assert len(ours) == len(theirs) > 40
    for mine, other in zip(ours, theirs, strict=True):
        assert np.array_equal(mine, other.numpy())


def test_a_walk_backward_knows_only_the_marks(trackers, predictor):
    """As the predictor's does in a state that has not been forward; one both ways knows more."""
    state = predictor.init_state(Moving(FRAMES))
    at, kinds = np.array(CLICK, np.float32), np.ones(1, np.int32)
    predictor.add_new_points_or_box(state, 3, 1, at, kinds)
    theirs = {f: m[0, 0] > 0 for f, _, m in predictor.propagate_in_video(state, 3, reverse=True)}
    with trackers["sam2"].open(Moving(FRAMES)) as tracking:
        tracking.add(1, 3, points=CLICK)
        both = walked(tracking, 3, "both")
        ours = walked(tracking, 3, "backward")
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[frame][1].mask, theirs[frame].numpy()) for frame in theirs)
    assert any((ours[frame][1].mask != both[frame][1].mask).any() for frame in theirs)


def test_the_transformers_back_end_is_its_own_model(trackers):
    """For one click and a walk; the rest it does differently, which is why the loop is ours."""
    network = trackers["transformers"].network
    clip, side = Moving(FRAMES), network.config.trunk.image_size
    video = torch.cat([pixels_of(clip.frame(i), side, network.device) for i in range(FRAMES)])
    session = Sam2VideoInferenceSession(video, *SIZE, dtype=torch.float32)
    session.obj_id_to_idx(1)
    at = torch.tensor(CLICK) * torch.tensor([side / SIZE[1], side / SIZE[0]])
    labels = torch.ones(1, 1, 1, dtype=torch.int32)
    session.add_point_inputs(0, 2, {"point_coords": at[None, None], "point_labels": labels})
    session.obj_with_new_inputs = [1]
    spy = Spy(network)
    with Tracker(spy).open(clip) as tracking:
        tracking.add(1, 2, points=CLICK)
        walked(tracking)
    for one, frame in zip(spy.decoded, range(2, FRAMES), strict=True):
        other = network.model(session, frame_idx=frame)
        assert float((one.logits - other.pred_masks).abs().max()) < 1e-4
