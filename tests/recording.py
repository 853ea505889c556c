"""The committed extract of the recording: its network, and smaller recordings made of it."""

from functools import cache
from pathlib import Path

import torch

from x2sam.eval.golden import Recording

torch.set_num_threads(1)  # of so small a network more threads only make a slower one

GOLDEN = Path(__file__).parent / "golden"


@cache
def network():
    """The recorded network; nobody may change it."""
    return Recording.load(GOLDEN).model.requires_grad_(False)


def linked(folder, *names):
    """Make a recording of some of the extract's files, without copying them."""
    for name in ("tiny_config.json", "tiny_state_dict.safetensors", "tokenizer.json", *names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(GOLDEN / name)
    return folder
