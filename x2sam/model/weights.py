"""Checkpoints in and out: whatever their form, nothing may be missing or left over.

A network is first made without weights, then filled tensor by tensor, each read from its
file, moved, converted and LoRA added: there is never a second copy of all of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from x2sam.config import X2SAMConfig
from x2sam.errors import WeightsError
from x2sam.model import hub
from x2sam.model.build import build
from x2sam.model.checkpoint_files import Stored, read_table, resolve
from x2sam.model.checkpoint_names import (
    HEAD,
    PREFIXES,
    QWEN_PREFIXES,
    TABLE,
    UNUSED,
    Form,
    adapters,
    in_layer,
    is_adapted,
    is_frozen,
    likely,
    official,
    ours,
    translate,
)
from x2sam.model.placement import DISK, HOST, Placed, Scratch
from x2sam.model.quantisation import Bits, quantised

if TYPE_CHECKING:
    from x2sam.model.x2sam import X2SAM

    Shapes = dict[str, tuple[int, ...]]

QWEN: Final = "Qwen/Qwen3-VL-4B-Instruct"  # what the published models are fine-tuned from


def load(
    source: str | Path,
    *,
    config: X2SAMConfig | None = None,
    base: str | Path | None = None,
    device: str | torch.device = "cpu",
    dtype: torch.dtype | None = None,
    lora: Literal["merged", "unmerged"] = "merged",
    bits: Bits | None = None,
    places: Sequence[str] = (),
    scratch: Scratch | None = None,
) -> X2SAM:
    """Make a network from a checkpoint, in evaluation mode.

    Args:
        source: a file, a folder, a packaged model ("nano") or a repository on the Hub.
        config: what the network is made of; else the `config.json` that `save` wrote next to
            the weights says so, else it is the published 4B.
        base: Qwen3-VL's weights, likewise, else `usual_base`; only read if the checkpoint
            lacks them.
        device: where the weights go.
        dtype: of all weights; None is that of the checkpoint.
        lora: "unmerged" keeps the adapters apart and in float32, as the reference does.
        bits: 8 or 4 to store the language model's layers in fewer; see `quantisation`.
        places: of each of these layers, if not all are to be on the device; see `placement`.
        scratch: where layers on the disk are kept; a temporary folder if None.

    Raises:
        WeightsError: the checkpoint is missing, damaged, unsafe, or does not fit.
    """
    path = resolve(source)
    found = _named(read_table(path), PREFIXES, source)
    model = build(config or config_of(path), empty=True)
    adapted = any(".lora_" in name for name in found)
    expected = shapes(model, lora=adapted)
    frozen = {name for name in expected if is_frozen(name)}
    if lacking := adapted and not found.keys() & frozen:
        expected = {name: shape for name, shape in expected.items() if name not in frozen}
    _check(found, expected, source)
    if lacking:
        base = base or usual_base(source)
        if base is None:
            raise WeightsError(
                f"{source} holds only what training changed. The rest is in Qwen3-VL-4B-Instruct: "
                "name its folder, or its repository on the Hub, as the base."
            )
        qwen = _base(base, model)
        found |= {name: qwen[name] for name in frozen}
    if lora == "unmerged":
        if not adapted:
            raise WeightsError(f"{source} has its LoRA merged already; it cannot be kept apart.")
        _add_lora(model)
    dtype = dtype or found["condition_projector.0.weight"].read().dtype
    assert not (places and (bits or lora == "unmerged")), "one or the other"
    store = Store(torch.device(device), dtype, bits, places, scratch or Scratch())
    _fill(model, found, store)
    if places:
        text = model.language.model.language_model
        text.layers = Placed(list(text.layers), places, store.device, store.scratch)
    else:
        assert not any(weight.is_meta for weight in model.parameters())
    return model.eval()


def usual_base(source: str | Path) -> str | Path | None:
    """Name Qwen3-VL for a checkpoint without one: fetched for the published model alone.

    For any other it is what lies in the Hub's cache; None if it does not.
    """
    return QWEN if hub.is_published(str(source)) else hub.cached(QWEN)


def load_language(model: X2SAM, base: str | Path) -> None:
    """Fill the language model alone, from Qwen3-VL: where a training begins.

    The vocabulary's table is cut or grown to the model's; new rows are the mean of the old.

    Args:
        model: the network; its device and dtype stay as they are.
        base: a folder, a file or a repository on the Hub.

    Raises:
        WeightsError: as for `load`.
    """
    weight = model.background.weight
    _fill(model, _base(base, model), Store(weight.device, weight.dtype))


def save(model: X2SAM, folder: str | Path, dtype: torch.dtype | None = None) -> None:
    """Write `model.safetensors` and `config.json`, under our names.

    Args:
        model: the network; adapters that are apart stay so.
        folder: made if need be; its files change only when the new ones are complete.
        dtype: to store the weights in; None keeps theirs.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        ours(name): weight.detach().to("cpu", dtype).contiguous()
        for name, weight in model.named_parameters()  # a shared one comes once
    }
    config = json.dumps({"x2sam_config": json.loads(model.config.to_json())}, indent=2)
    weights, about = folder / "model.safetensors.part", folder / "config.json.part"
    save_file(tensors, weights, metadata={"format": "pt"})
    about.write_text(config + "\n", "utf-8")
    for part in (weights, about):
        part.replace(part.with_suffix(""))


def official_shapes(config: X2SAMConfig, form: Form) -> Shapes:
    """List what the official checkpoint of a model holds, in the form `form`."""
    held = shapes(build(config, empty=True), lora=form != "merged")
    held |= {HEAD: held[TABLE], UNUSED: (2, config.width // 2)}
    return {
        official(name, form): shape
        for name, shape in held.items()
        if not (form == "export" and is_frozen(name))
    }


def shapes(model: X2SAM, *, lora: bool) -> Shapes:
    """List what a checkpoint of the model must hold, once, under our names."""
    held = {name: tuple(weight.shape) for name, weight in model.named_parameters()}
    rank = model.config.lora.rank
    for name in [name for name in held if lora and is_adapted(name)]:
        a, b = adapters(name)
        held[a], held[b] = (rank, held[name][1]), (held[name][0], rank)
    return held


def config_of(path: Path) -> X2SAMConfig:
    """Read what a network is made of: from `config.json` next to its weights, else it is the 4B."""
    file = (path if path.is_dir() else path.parent) / "config.json"
    if not file.exists():
        return X2SAMConfig()
    try:
        values = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise WeightsError(f"The model's config.json is not JSON: {error}.") from error
    # Other models have a config.json too, with other things in it.
    if not isinstance(values, dict) or "x2sam_config" not in values:
        return X2SAMConfig()
    return X2SAMConfig.from_json(json.dumps(values["x2sam_config"]))


def _named(
    table: dict[str, Stored], prefixes: Sequence[tuple[str, str]], source: str | Path
) -> dict[str, Stored]:
    """Give a checkpoint's tensors our names, each once."""
    found = {translate(name, prefixes): x for name, x in table.items()}
    if len(found) < len(table):
        raise WeightsError(f"{source} holds some weights twice, under two names.")
    found.pop(UNUSED, None)
    head = found.pop(HEAD, None)
    if head is not None and found.setdefault(TABLE, head) is not head:
        _check_tied(found[TABLE], head, source)
    return found


def _check_tied(table: Stored, head: Stored, source: str | Path) -> None:
    if not torch.equal(table.file.read(table.name), head.file.read(head.name)):
        raise WeightsError(
            f"{source} has one table for reading words and another for writing them; "
            "in this model they are one."
        )


def _base(base: str | Path, model: X2SAM) -> dict[str, Stored]:
    """List Qwen3-VL's weights under our names; the vocabulary may have any size."""
    found = _named(read_table(resolve(base)), QWEN_PREFIXES, base)
    held = shapes(model, lora=False)
    expected = {name: shape for name, shape in held.items() if name.startswith("language.")}
    if TABLE in found and found[TABLE].shape[1:] == expected[TABLE][1:]:
        expected[TABLE] = found[TABLE].shape
    _check(found, expected, base)
    return found


def _check(found: Mapping[str, Stored], expected: Shapes, source: str | Path) -> None:
    """Raise what is missing, left over or of another shape, and what may be the cause."""
    missing = sorted(expected.keys() - found.keys())
    surplus = [found[name].name for name in sorted(found.keys() - expected.keys())]
    misshaped = [
        f"{found[name].name} is {found[name].shape} and should be {expected[name]}"
        for name in sorted(found.keys() & expected.keys())
        if found[name].shape != expected[name]
    ]
    problems = {
        "missing": missing,
        "not part of it": surplus,
        "of another shape": misshaped,
    }
    said = [f"{len(names)} {what} ({_some(names)})" for what, names in problems.items() if names]
    if said:
        guess = "a model of another size or kind" if surplus or misshaped else "a part of one"
        raise WeightsError(
            f"{source} does not fit the model. Weights: {'; '.join(said)}. "
            f"This looks like {likely(found) or guess}."
        )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")  # noqa: PLR2004


def _add_lora(model: X2SAM) -> None:
    """Put adapters at the text model's linears, without weights, named as the reference's."""
    try:
        import peft  # noqa: PLC0415 (only parity needs it)
    except ImportError as error:
        raise WeightsError("To keep LoRA apart, the package peft must be installed.") from error
    targets = {name.split(".")[-2] for name, _ in model.named_parameters() if is_adapted(name)}
    lora = model.config.lora
    config = peft.LoraConfig(r=lora.rank, lora_alpha=lora.alpha, target_modules=targets)
    text = model.language.model.language_model
    peft.inject_adapter_in_model(config, text, low_cpu_mem_usage=True)


@dataclass(frozen=True, slots=True)
class Store:
    """How and where weights are kept."""

    device: torch.device
    dtype: torch.dtype
    bits: Bits | None = None
    places: Sequence[str] = ()  # of the language model's layers
    scratch: Scratch = field(default_factory=Scratch)


def _fill(model: X2SAM, found: Mapping[str, Stored], store: Store) -> None:
    """Replace, one by one, every weight of the network that is found."""
    scale = model.config.lora.scale
    for name, old in list(model.named_parameters()):
        if ours(name) not in found:
            continue
        layer = in_layer(name) if store.places else None
        place = store.places[layer[0]] if layer else str(store.device)
        value = _read(name, found, HOST if place == DISK else place, store.dtype, scale)
        if name == TABLE:
            value = _with_rows(value, len(old))
        assert value.shape == old.shape, (name, value.shape, old.shape)
        owner, _, leaf = name.rpartition(".")
        if store.bits and is_adapted(name):
            model.set_submodule(owner, quantised(value, store.bits, store.device, store.dtype))
        elif layer and place == DISK:
            store.scratch.put(*layer, value)
        else:
            setattr(model.get_submodule(owner), leaf, nn.Parameter(value))
    model.language.tie()
    for module in model.modules():
        for name, buffer in module.named_buffers(recurse=False):
            setattr(module, name, buffer.to(store.device))  # always float32: rotary tables


def _read(
    name: str,
    found: Mapping[str, Stored],
    device: str | torch.device,
    dtype: torch.dtype,
    scale: float,
) -> Tensor:
    """Read a weight of the network; LoRA is added unless the network keeps it apart."""
    if ".lora_" in name:
        return found[name].read(device, torch.float32)
    a, b = (found.get(adapter) for adapter in adapters(name))
    if a is None or b is None:
        return found[ours(name)].read(device, dtype)
    update = b.read(device, torch.float32) @ a.read(device, torch.float32)
    return found[name].read(device, torch.float32).add_(update, alpha=scale).to(dtype)


def _with_rows(table: Tensor, rows: int) -> Tensor:
    """Cut a table, or grow it by rows that are the mean of the others."""
    if len(table) == rows:
        return table
    if len(table) > rows:
        return table[:rows].clone()
    mean = table.float().mean(dim=0).to(table.dtype)
    return torch.cat([table, mean.expand(rows - len(table), -1)])
