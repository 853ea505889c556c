"""Every stage alone, fed with the recorded input: recorded names → our values.

A part takes the network and what was recorded of its unit, and returns our outputs under
the recorded names. It may ask for inputs that a smaller recording lacks: then it has no
outputs. Official layers take sequences first, (N, B, D); ours take the batch first.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import MappingProxyType

import torch
from torch import Tensor

from x2sam.eval.golden_network import watch
from x2sam.model.conditions import Conditions, gather_conditions
from x2sam.model.mask_memory import MaskMemory, age_code
from x2sam.model.memory_encoder import soft_union
from x2sam.model.pixel_decoder import sample
from x2sam.model.positions import rotation, sine_positions
from x2sam.model.regions import read_points, unshuffle
from x2sam.model.x2sam import X2SAM

Tensors = dict[str, Tensor]


def positional(model: X2SAM, recorded: Tensors) -> Tensors:
    """Sine codes, ages, rotary tables, and the mask encoder's learned positions."""
    ours = {}
    for name, value in recorded.items():
        if "sine" in name:
            ours[name] = sine_positions(value)
        elif name.startswith("temporal"):
            ours[name] = age_code(int(name.rsplit("gap", 1)[1]), value.shape[-1])
    for scale, side in enumerate((8, 16)):
        theta = model.config.memory.rope_theta
        tables = rotation(side, side, model.config.width, theta, model.no_memory_embedding)
        ours[f"mem_rope.scale{scale}.cos"], ours[f"mem_rope.scale{scale}.sin"] = tables
    hiera = model.mask_encoder.backbone
    ours["hiera_pos_embed.32x32"] = hiera._get_pos_embed((32, 32))  # noqa: SLF001
    return ours


def sampler(variant: str, _: X2SAM, recorded: Tensors) -> Tensors:
    """Region tokens from recorded points: of two pictures, or of a clip's first frames."""
    feats = recorded[f"{variant}.feats"]  # (B, N, C); a clip's with its frames in front
    feats = feats[0] if variant == "video" else feats
    side = round(feats.shape[1] ** 0.5)
    points = [recorded[f"{variant}.points.{k}"] for k in range(3)]
    ours = {}
    for picture, its in enumerate((points[:2], points[2:])):
        region_map = feats[picture].mT.unflatten(1, (side, side)).expand(len(its), -1, -1, -1)
        for name, pooling in ((".mean_k4", 4), (".mean_k256", 256), ("", 4)):
            tokens = read_points(region_map, torch.stack(its), pooling)
            ours[f"{variant}{name}.out.{picture}"] = tokens
    return ours


def projector_connector(model: X2SAM, recorded: Tensors) -> Tensors:
    """Run the two projectors, and the unshuffling before one of them."""
    factor = model.config.regions.unshuffle
    return {
        "extra_projector.out": model.region_projector(
            unshuffle(recorded["extra_projector.in"], factor)
        ),
        "mlm_projector.out": model.condition_projector(recorded["mlm_projector.in"]),
        "pixel_shuffle.r0.5": unshuffle(recorded["pixel_shuffle.in"], 2),
    }


def sam2_encoder(model: X2SAM, recorded: Tensors) -> Tensors:
    """Every block of the mask encoder, and the feature pyramid."""
    blocks = {f"block{i}": block for i, block in enumerate(model.mask_encoder.backbone.blocks)}
    with watch(**blocks) as calls:
        features = model.mask_encoder(recorded["pixel_values"])
    ours = {name: call.outputs[0] for name, call in calls.items()}
    for index, level in enumerate(features.maps):
        ours[f"fpn.{index}"], ours[f"fpn_pos.{index}"] = level, sine_positions(level)
    return ours


def pixel_decoder(model: X2SAM, recorded: Tensors) -> Tensors:
    """Multi-scale features, and what the first layer makes of them."""
    with watch(layer=model.pixel_decoder.encoder.layers[0]) as calls:
        maps, mask_features = model.pixel_decoder([recorded[f"fpn.{i}"] for i in range(3)])
    ours = {"layer0.out": calls["layer"].outputs[0][0], "out.mask_features": mask_features}
    return ours | {f"out.multi_scale.{i}": level for i, level in enumerate(maps)}


def deformable_attention(model: X2SAM, recorded: Tensors) -> Tensors:
    """Look into the first layer's attention: what it samples, and what comes of it."""
    own = model.pixel_decoder.encoder.layers[0].self_attn
    names = ("hidden_states", "position_embeddings", "reference_points")
    x, positions, points = (recorded[f"layer0.self_attn.{name}"] for name in names)
    shapes = tuple((side, side) for side in (8, 16, 32))
    values = own.value_proj(x).unflatten(-1, (own.n_heads, -1))
    weights = own.attention_weights(x + positions).unflatten(-1, (own.n_heads, -1)).softmax(-1)
    return {
        "core.out": sample(values, shapes, recorded["core.sampling_locations"], weights),
        "layer0.self_attn.out": own(x, positions, points, shapes),
    }


def mask_decoder(model: X2SAM, recorded: Tensors) -> Tensors:
    """Decode a batch of two whose words differ in number."""
    conditions = _conditions(
        seg=recorded["module.seg_embeds"],
        tokens=recorded["module.token_embeds"],
        token_mask=recorded["module.token_masks"].bool(),
    )
    maps = [recorded[f"module.msf.{i}"] for i in range(3)]
    with watch(last=model.mask_decoder.decoder.layers[-1]) as calls:
        outputs = model.mask_decoder(maps, recorded["mask_predictor.pixel"], conditions)
    queries = torch.stack([queries for queries, _ in outputs])  # (layers, B, Q, D)
    return {
        "module.out.intermediate": queries.transpose(1, 2),
        "module.out.last_hidden": calls["last"].outputs[0],  # before the norm
        "module.out.mask_logits_first": outputs[0][1],
        "module.out.mask_logits_last": outputs[-1][1],
    }


def mask_predictor(model: X2SAM, recorded: Tensors) -> Tensors:
    """Turn queries into masks."""
    queries = recorded["mask_predictor.in"].transpose(0, 1)
    masks = model.mask_decoder.decoder.mask_predictor.mask_embedder(queries)
    pixels = recorded["mask_predictor.pixel"]
    return {"mask_predictor.mask": torch.einsum("bqc,bchw->bqhw", masks, pixels)}


def class_predictor(model: X2SAM, recorded: Tensors) -> Tensors:
    """Tell what queries are, with and without padded classes."""
    asked, classes = recorded["class_predictor.q"], recorded["class_predictor.cond"]
    present = recorded["class_predictor.embed_masks"].bool()
    masks = {"out": torch.ones_like(present), "out_masked": present}
    return {
        f"class_predictor.{name}": model.class_head(
            asked, _conditions(classes=classes, class_mask=mask)
        )
        for name, mask in masks.items()
    }


def decoder_layer(model: X2SAM, recorded: Tensors) -> Tensors:
    """Take the first layer's steps."""
    layer = model.mask_decoder.decoder.layers[0]
    given = {n: recorded[f"layer0.{n}"].transpose(0, 1) for n in ("hidden", "qpos", "enc")}
    given["places"] = recorded["layer0.enc_pos"].transpose(0, 1)
    blocked = recorded["layer0.attn_mask_used"].unflatten(0, (len(given["enc"]), -1))[:, :1]
    conditions = _conditions(
        tokens=recorded["layer0.token"].transpose(0, 1),
        token_mask=~recorded["layer0.token_padding"].bool(),
    )
    with watch(
        after_cross=layer.cross_attn_layer_norm,
        after_text=layer.text_cross_attn_layer_norm,
        after_self=layer.self_attn_layer_norm,
        out=layer,
    ) as calls:
        layer(given["hidden"], given["qpos"], given["enc"], given["places"], blocked, conditions)
    return {f"layer0.{name}": call.outputs[0].transpose(0, 1) for name, call in calls.items()}


def _conditions(**given: Tensor) -> Conditions:
    nothing = torch.empty(0)
    names = ("classes", "class_mask", "tokens", "token_mask", "seg")
    return Conditions(**{name: given.get(name, nothing) for name in names})


def memory_encoder(model: X2SAM, recorded: Tensors) -> Tensors:
    """Three scales of a batch of two, the union of masks, and the down-samplers."""
    encoder = model.memory_encoder
    maps = [recorded[f"scale{i}.in"] for i in range(3)]
    logits = recorded["mask_logits"]
    side = maps[0].shape[-2:]
    with watch(mask=encoder.mask_downsampler) as calls:
        entries, position = encoder(maps, recorded["class_logits"], logits)
        masked, _ = encoder(maps, recorded["masked_class_logits"], logits)
    ours = {
        "agg_mask": soft_union(recorded["class_logits"], logits),
        "mask_downsampled": calls["mask"].outputs[0],
        "masked_class.scale1.out": masked[1].mT.unflatten(2, side),
    }
    for scale, (features, entry) in enumerate(zip(maps, entries, strict=True)):
        ours[f"scale{scale}.out"] = entry.mT.unflatten(2, side)
        ours[f"scale{scale}.pos"] = position.mT.unflatten(2, side).expand(len(features), -1, -1, -1)
        ours[f"scale{scale}.vision_downsampled"] = encoder.vision_downsampler[scale](features)
    return ours


def memory_attention(scale: int, model: X2SAM, recorded: Tensors) -> Tensors:
    """Condition one scale on a memory, and look into the first layer."""
    names = ("feat", "memory", "mem_pos")
    feat, memory, position = (recorded[f"scale{scale}.{n}"].transpose(0, 1) for n in names)
    side = round(feat.shape[1] ** 0.5)
    first, second = model.memory_attention.layers[:2]
    attentions = {
        f"layer0.{name}_out": first.get_submodule(name) for name in ("self_attn", "cross_attn")
    }
    with watch(layer0=first, layer1=second, **attentions) as calls:
        out = model.memory_attention(feat.mT.unflatten(2, (side, side)), memory, position)
    inside = {f"scale{scale}.{name}": call.outputs[0] for name, call in calls.items()}
    return inside | {f"scale{scale}.out": out.flatten(2).mT}


def mask_memory(_: X2SAM, recorded: Tensors) -> Tensors:
    """Read a memory of frames 2, 3 and 5 at frame 6."""
    memory = MaskMemory(5)
    for frame in (2, 3, 5):
        names = ("embed0", "pos0")
        entry, position = (recorded[f"retrieve.t{frame}.{n}"].transpose(0, 1) for n in names)
        memory.write(frame, [entry], position)
    content, position = memory.read(now=6, scale=0)
    return {"retrieve.out.embed0": content, "retrieve.out.pos0": position}


def process_embeds(_: X2SAM, recorded: Tensors) -> Tensors:
    """Conditions of a batch whose samples have three phrases and one."""
    ours: Tensors = {}
    for task in ("img_genseg", "img_refseg"):
        gathered = gather_conditions(
            recorded["emb"],
            recorded["cond_ids_in"],
            recorded["seg_ids_in"],
            recorded["bg_embeds"],
            shared=task == "img_refseg",
        )
        ours |= {f"base.{task}.{name}": value for name, value in embeds(gathered).items()}
        if task == "img_refseg":  # one list of classes for all samples
            ours[f"base.{task}.embed_masks"] = gathered.class_mask[0]
    return ours


def embeds(conditions: Conditions) -> Tensors:
    """Conditions by their recorded names."""
    return {
        "cond_embeds": conditions.classes,
        "embed_masks": conditions.class_mask,
        "token_embeds": conditions.tokens,
        "token_masks": conditions.token_mask,
        "seg_embeds": conditions.seg,
    }


Part = Callable[[X2SAM, Tensors], Tensors]

UNITS: MappingProxyType[str, tuple[Part, ...]] = MappingProxyType(
    {
        "positional": (positional,),
        "sampler": (partial(sampler, "a"), partial(sampler, "video")),
        "projector_connector": (projector_connector,),
        "sam2_encoder": (sam2_encoder,),
        "pixel_decoder": (pixel_decoder, deformable_attention),
        "mask_decoder": (mask_decoder, mask_predictor, class_predictor, decoder_layer),
        "memory_encoder": (memory_encoder,),
        "memory_attention": (*(partial(memory_attention, s) for s in range(3)), mask_memory),
        "process_embeds": (process_embeds,),
    }
)


def run_unit(model: X2SAM, unit: str, recorded: Tensors) -> Tensors:
    """Our values for what was recorded of a unit."""
    ours: Tensors = {}
    for part in UNITS[unit]:
        with suppress(KeyError):  # an input is not part of this recording; its output would fail
            ours |= part(model, recorded)
    return ours
