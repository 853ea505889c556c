"""Training the small SAM 2: the same sprites and photos as nano's, and nano's eyes.

The image encoder's trunk is nano's, which has learnt to tell things from what is around them, and
stays as it is. The first lesson is what marks mean: fill the box, dot the click, whatever the
picture shows. Without it thousands of steps pass in which every thing is painted wherever the
click is. Pictures come next, as a mask on one frame is what a memory is made of, and then clips,
which become longer. `x2sam.tracker.build.load(folder)` reads what comes out.

A tracker that has been through all that is taken further by `go_on_from`, and its eyes with it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from x2sam.model import pretrained
from x2sam.model.checkpoint_files import read_table, resolve
from x2sam.tracker import transformers_backend
from x2sam.tracker.build import fill
from x2sam.tracker.config import SMALL, TrackerConfig
from x2sam.train.loop import Settings
from x2sam.train.moving import Clips, draw_clips, with_shapes
from x2sam.train.samples import Stream
from x2sam.train.tracking import Mark, Plan, TrackerTrainee, normalised

TRUNK = "vision_encoder.backbone."  # in the tracker's names
NANO_TRUNK = "mask_encoder.backbone."
MARKS: tuple[Mark, ...] = ("click", "box", "mask")
_LOOKS = 48  # of the 64 channels of a memory


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerRecipe:
    """When to show what; `progress` runs from 0 to 1 over the budget of the run."""

    shapes: float = 0.03  # of the run, when marks are learnt on plain shapes
    pictures: int = 2  # of a step without clips
    picture_objects: int = 12
    clips: int = 2  # of a step with clips
    clip_objects: int = 6
    frames: tuple[tuple[float, int], ...] = ((0.1, 2), (0.3, 3), (0.55, 4), (0.85, 6))  # from when
    moving: float = 0.6  # share of the steps with clips, once there are any
    photos: float = 0.5  # share of the steps
    marks: tuple[float, float, float] = (0.25, 0.15, 0.6)  # how an object of a clip is marked
    corrected: float = 0.3  # share of the clips that are corrected on a later frame


FURTHER = TrackerRecipe(
    shapes=0.0, frames=((0.0, 3), (0.3, 4), (0.6, 6), (0.9, 8)), moving=0.65
)  # of a tracker that has been trained


def settings_for(
    *, seconds: float | None = None, steps: int | None = None, rate: float = 1e-3, seed: int = 0
) -> Settings:
    """Choose the settings of a run."""
    return Settings(
        steps=steps,
        seconds=seconds,
        learning_rate=rate,
        slower={f"model.{TRUNK}": 0.3},  # where it learns at all
        warmup=100,
        weight_decay=0.02,
        seed=seed,
    )


class Tracking:
    """The lesson of a tracker."""

    def __init__(
        self,
        stream: Stream,
        recipe: TrackerRecipe | None = None,
        config: TrackerConfig = SMALL,
        *,
        seed: int = 0,
    ) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.trainee = TrackerTrainee(transformers_backend.build(config).train())
        self._stream, self._recipe, self.config = stream, recipe or TrackerRecipe(), config

    def batch(
        self, step: int, progress: float, device: torch.device
    ) -> tuple[tuple[Clips, Plan], int]:
        """See `Lesson`."""
        recipe = self._recipe
        rng = np.random.default_rng([self._stream.seed, 78, step])
        long = [frames for start, frames in recipe.frames if progress >= start]
        photo = self._stream.photos is not None and rng.random() < recipe.photos
        moving = bool(long) and rng.random() < recipe.moving
        frames = long[-1] if moving else 1
        if moving:
            # Longer clips are fewer, so that a step costs about the same.
            count = max(1, round(recipe.clips * 3 / frames))
            objects = recipe.clip_objects
            mark = MARKS[rng.choice(3, p=recipe.marks)]
            later = int(rng.integers(1, frames)) if rng.random() < recipe.corrected else None
            plan = Plan(mark, 0, later)
        else:
            count, objects = recipe.pictures, recipe.picture_objects
            mark = "click" if rng.random() < 0.6 else "box"  # noqa: PLR2004
            first = progress < recipe.shapes
            plan = Plan(mark, 0 if first else int(rng.integers(0, 3)))
        clips = draw_clips(
            self._stream,
            step,
            clips=count,
            frames=frames,
            objects=objects,
            size=self.config.trunk.image_size,
            photo=photo,
        )
        if progress < recipe.shapes:
            clips = with_shapes(clips, step, round_=mark == "click")
        clips = Clips(clips.pictures.to(device), clips.masks.to(device))
        return (clips, plan), count * objects

    def write(self, model: nn.Module, folder: Path) -> None:
        """See `Lesson`; in half precision, which is what is shipped."""
        write(model, self.config, folder)


def write(model: nn.Module, config: TrackerConfig, folder: Path) -> None:
    """Write a tracker's weights by transformers' names, in half precision."""
    folder.mkdir(parents=True, exist_ok=True)
    table = {name: x.detach().half().contiguous().cpu() for name, x in model.state_dict().items()}
    fresh = folder / "model.safetensors.part"
    save_file(table, fresh, {"x2sam_tracker": json.dumps(asdict(config))})
    fresh.replace(folder / "model.safetensors")


def begin_with(model: Any, stream: Stream, source: str | Path = "nano") -> None:
    """Prepare a new network for training, with the eyes of another.

    Four things that a random start gets wrong cost thousands of steps:

    * transformers draws the frequencies of points and of the picture apart, though they are one;
    * a trunk's stages may be so strong that places drown in them: they are brought to one level,
      by scaling all that is written into a stage, which changes nothing else;
    * a mark does not find its place: queries and keys of the mask decoder begin alike;
    * a thing does not find itself in the memory, see `recall_what_is_alike`.
    """
    table = pretrained.load(source, device="cpu").model.state_dict()
    own = dict(model.named_parameters())
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(stream.seed)
        for module in (model.prompt_encoder, model.mask_decoder, model.vision_encoder.neck):
            _reset(module)
        _reset(model.memory_attention)
        _reset(model.memory_encoder)
        for name, weight in table.items():
            if name.startswith(NANO_TRUNK):
                own[TRUNK + name.removeprefix(NANO_TRUNK)].copy_(weight)
        frequencies = model.prompt_encoder.shared_embedding.positional_embedding
        model.shared_image_embedding.positional_embedding.copy_(frequencies)
        for name, module in model.mask_decoder.named_modules():
            if name.endswith(("token_to_image", "image_to_token")):
                width = module.q_proj.weight.shape[1]
                module.q_proj.weight.normal_(0, (2 / width) ** 0.5)
                module.k_proj.weight.copy_(module.q_proj.weight)
        pictures = [
            draw_clips(stream, 0, clips=4, frames=1, objects=1, size=model.image_size, photo=photo)
            for photo in ((False, True) if stream.photos else (False,))
        ]
        shown = normalised(torch.cat([clips.pictures for clips in pictures]).flatten(0, 1))
        even_out(model.vision_encoder.backbone, shown)
        for layer in model.vision_encoder.neck.convs:
            layer.weight.normal_(0, layer.weight.shape[1] ** -0.5)
            layer.bias.zero_()
        recall_what_is_alike(model, shown)
    model.vision_encoder.backbone.requires_grad_(requires_grad=False)


def go_on_from(model: Any, source: str | Path) -> None:
    """Take the weights of a tracker, by transformers' names; all of them learn.

    Raises:
        WeightsError: it is missing, damaged or another network.
    """
    path = resolve(source)
    table = {name: stored.read(dtype=torch.float32) for name, stored in read_table(path).items()}
    fill(model, table, "transformers", path.name)


def even_out(backbone: Any, pictures: Tensor, spread: float = 0.7) -> None:
    """Scale what every stage of a Hiera puts out to one spread; only sizes change."""
    blocks = iter(backbone.blocks)
    stages = backbone(pictures).intermediate_hidden_states
    for index, (count, stage) in enumerate(
        zip(backbone.config.blocks_per_stage, stages, strict=True)
    ):
        written: list[Tensor] = []
        if index == 0:
            written += [backbone.pos_embed, backbone.pos_embed_window]
            written += backbone.patch_embed.projection.parameters()
        for block in (next(blocks) for _ in range(count)):
            written += [*block.attn.proj.parameters(), *block.mlp.proj_out.parameters()]
            if block.dim != block.dim_out:
                written += block.proj.parameters()
        for weight in written:
            weight.mul_(spread / stage.std())


def recall_what_is_alike(model: Any, pictures: Tensor, sharpness: float = 3.0) -> None:
    """Let every cell begin by looking at those cells of the memory that look like it.

    The first `_LOOKS` channels of a memory are what the cell looks like, by the directions in which
    cells of the pictures (N, 3, S, S) differ most, half evened out; the rest is its mask. Keys read
    the former, as queries do of a new frame, and values the latter. So the mask of a
    frame arrives at the next before anything has been learnt.
    """
    coarse = model.get_image_features(pictures, return_dict=True).fpn_hidden_states[-1]
    cells = F.layer_norm(coarse.flatten(0, 1), coarse.shape[-1:])  # (N · h · w, D)
    width, deviation = cells.shape[1], coarse.std(dim=-1).mean()
    mean = cells.mean(dim=0)
    spread, axes = torch.linalg.eigh(cells.T.cov(correction=0))
    looks = (axes * spread.clamp_min(1e-6) ** -0.25)[:, -_LOOKS:].T  # (_LOOKS, D)
    looks *= ((cells - mean) @ looks.T).std().reciprocal()

    encoder = model.memory_encoder
    shown, masked = encoder.feature_projection, encoder.mask_downsampler.final_conv
    for part in (shown, encoder.projection):
        part.weight.zero_()
        part.bias.zero_()
    shown.weight[:_LOOKS] = looks[..., None, None] / deviation
    shown.bias[:_LOOKS] = -looks @ mean
    masked.weight[:_LOOKS] = masked.bias[:_LOOKS] = 0
    encoder.projection.weight[:_LOOKS, :_LOOKS, 0, 0] = torch.eye(_LOOKS)
    rest = encoder.projection.weight[_LOOKS:, _LOOKS:, 0, 0]
    rest.normal_(0, 2 * rest.shape[1] ** -0.5)

    for layer in model.memory_attention.layers:
        attention = layer.cross_attn_image
        # Of every frequency of the position code alike, so that what is near counts more.
        turn = nn.init.orthogonal_(torch.empty(width, width))[:_LOOKS]
        turn *= (sharpness * width / _LOOKS) ** 0.5
        attention.q_proj.weight.copy_((looks.T @ turn).T)
        attention.q_proj.bias.copy_(-(looks @ mean) @ turn)
        attention.k_proj.weight.zero_()
        attention.k_proj.weight[:, :_LOOKS] = turn.T
        attention.k_proj.bias.zero_()
        attention.v_proj.weight[:, _LOOKS:].normal_(0, (width // 8) ** -0.5)


def _reset(module: nn.Module) -> None:
    """Draw all weights by torch's own rules, as SAM 2 did; transformers draws them small."""
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.Embedding):
            part.reset_parameters()
