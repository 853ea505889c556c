"""Fine-tuning: what of a trained network goes on learning, and how fast.

With adapters (LoRA, arXiv:2106.09685) the language model itself stays as it is and the parts
around it learn, as in the joint training of X2SAM: adapters at the text model's linears, the
table of words, the mergers of the vision tower, and all that draws masks. Without, everything
learns, which is meant for small networks. The mask encoder always learns ten times slower.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch

from x2sam.errors import WeightsError
from x2sam.language.tokens import Vocabulary
from x2sam.model.checkpoint_names import is_adapted, is_frozen, ours
from x2sam.model.x2sam import X2SAM
from x2sam.train.folder import FolderSource
from x2sam.train.lesson import Conversations
from x2sam.train.loop import Run, Settings
from x2sam.train.objective import Objective

SLOWER = {"model.mask_encoder.": 0.1}


def choose(model: X2SAM, *, lora: bool) -> None:
    """Add adapters if they are wanted, and mark what is trained.

    What is trained becomes float32, whatever the rest is stored in: small steps would be
    rounded away in bfloat16.

    Raises:
        WeightsError: adapters are wanted and peft is not installed.
    """
    if lora:
        _add_adapters(model)
    for name, weight in model.named_parameters():
        weight.requires_grad_(not (lora and is_frozen(ours(name))))
        if weight.requires_grad:
            weight.data = weight.data.float()


def _add_adapters(model: X2SAM) -> None:
    """Put adapters that change nothing yet at the text model's linears."""
    try:
        import peft  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise WeightsError(
            "Adapters need the package peft: pip install peft, or train without --lora."
        ) from error
    targets = {name.split(".")[-2] for name, _ in model.named_parameters() if is_adapted(name)}
    lora = model.config.lora
    config = peft.LoraConfig(r=lora.rank, lora_alpha=lora.alpha, target_modules=targets)
    with torch.random.fork_rng():
        torch.manual_seed(0)  # a run that goes on finds the same network
        peft.inject_adapter_in_model(config, model.language.model.language_model)


def settings_for(steps: int, rate: float, *, lora: bool) -> Settings:
    """Choose the settings of a fine-tuning; the rates are those of X2SAM's joint training."""
    return Settings(
        steps=steps,
        learning_rate=rate,
        slower=SLOWER,
        warmup=math.ceil(0.03 * steps),
        average=0.0 if lora else 0.99,  # a second copy of a large network would not fit
        report_every=10,
        save_every=300.0,
        evaluate_every=math.inf,
    )


def finetune(
    model: X2SAM,
    vocabulary: Vocabulary,
    source: FolderSource,
    settings: Settings,
    out: Path,
    *,
    lora: bool = False,
    objective: Objective | None = None,
    slice_seconds: float = math.inf,
    evaluate: Callable[[X2SAM], dict[str, float]] | None = None,
) -> X2SAM:
    """Go on training a network; the folder `out` then loads like any other model.

    Stopped runs go on where they were, given the same network and settings.
    """
    choose(model, lora=lora)
    lesson = Conversations(model, vocabulary, source, objective)
    run = Run(lesson, settings, out, evaluate=evaluate)
    vocabulary.save(out / "tokenizer.json")
    trained: X2SAM = run.train(slice_seconds)
    return trained
