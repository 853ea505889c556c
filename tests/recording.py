"""The committed extract of the recording: its network, and smaller recordings made of it."""

from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load_file

from x2sam.eval.golden import Recording

torch.set_num_threads(1)  # of so small a network more threads only make a slower one

GOLDEN = Path(__file__).parent / "golden"
WEIGHTS = GOLDEN / "tiny_state_dict.safetensors.index.json"


@cache
def network():
    """The recorded network; nobody may change it."""
    return Recording.load(GOLDEN).model.requires_grad_(False)


def weights():
    """Read the recorded weights, under their official names."""
    return {
        name: value
        for piece in GOLDEN.glob("tiny_state_dict-*.safetensors")
        for name, value in load_file(piece).items()
    }


def linked(folder, *names):
    """Make a recording of some of the extract's files, without copying them."""
    pieces = [file.name for file in GOLDEN.glob("tiny_state_dict*")]
    for name in ("tiny_config.json", "tokenizer.json", *pieces, *names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(GOLDEN / name)
    return folder
