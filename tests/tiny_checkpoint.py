"""The thumbnail network's checkpoint, as the official code would have written it."""

import json
from functools import cache

import torch
from safetensors.torch import save_file
from tiny import tiny_config

from x2sam.model.weights import official_shapes

CONFIG = tiny_config()
SCALE = 2.0  # of the adapters: alpha 8 / rank 4
HEAD = "vlm.base_model.model.lm_head.weight"
PROJECTOR = "mlm_projector.model.0.weight"


@cache
def full_tensors():
    generator = torch.Generator().manual_seed(1)
    full = {
        name: torch.randn(shape, generator=generator) * 0.1
        for name, shape in official_shapes(CONFIG, "full").items()
    }
    table = full["vlm.base_model.model.model.language_model.embed_tokens.weight"]
    return full | {HEAD: table.clone()}


def random_tensors(form):
    """Make an official checkpoint of the thumbnail in one of its forms; `full` includes all."""
    full = full_tensors()
    if form == "merged":
        return {
            name: merged(full, "vlm.base_model.model." + name[4:] if name[:4] == "vlm." else name)
            for name in official_shapes(CONFIG, "merged")
        }
    return {name: full[name] for name in official_shapes(CONFIG, form)}


def merged(full, name):
    """Compute a weight of the `merged` form from the `full` one."""
    if name in full:
        return full[name]
    stem = name.removesuffix("weight")
    update = full[f"{stem}lora_B.default.weight"] @ full[f"{stem}lora_A.default.weight"]
    return full[f"{stem}base_layer.weight"] + SCALE * update


def qwen_tensors(rows=400):
    """Make the base of `random_tensors`: Qwen3-VL's names, and a table of another size."""
    start = "vlm.base_model.model."
    full = random_tensors("full")
    base = {
        name.removeprefix(start).replace(".base_layer", ""): tensor
        for name, tensor in full.items()
        if name.startswith(start) and "lora_" not in name and "lm_head" not in name
    }
    table = "model.language_model.embed_tokens.weight"
    return base | {table: torch.arange(rows * 64.0).reshape(rows, 64)}


def write_pieces(tensors, folder):
    """Write two files and their index, as Hugging Face does."""
    folder.mkdir()
    names = sorted(tensors)
    pieces = {"model-1-of-2.safetensors": names[::2], "model-2-of-2.safetensors": names[1::2]}
    for piece, held in pieces.items():
        save_file({name: tensors[name] for name in held}, folder / piece)
    index = {"weight_map": {name: piece for piece, held in pieces.items() for name in held}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "config.json").write_text('{"model_type": "qwen3_vl"}')  # not ours, so not read
