"""How much device memory the 4B takes: `python benchmarks/bench_memory.py`.

Nothing is loaded: the network stands on the meta device at its full size, where every operation
gives tensors with a shape and no content. Whatever is alive is counted, operation by operation,
so that the peak is that of a device without other needs. It is computed and not measured:
allocators round up, libraries have workspaces, and attention is taken for one of the kernels
that keep no scores. `WORK` in `x2sam/model/memory_needs.py` comes from here.
"""

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
from record import record
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from x2sam.config import X2SAMConfig
from x2sam.model import fused_sampling
from x2sam.model.build import build
from x2sam.model.memory_needs import WORK, precisions
from x2sam.model.x2sam import X2SAM

GB = 1e9
WORDS = 128  # of a prompt, beside the picture
FUSED = "pixel decoder, one kernel"
FRAMES = 7  # of a clip: the memory is full, and more do not change the peak


class Alive(TorchDispatchMode):
    """Counts the bytes of tensors that are alive, and the most there were."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, Tensor) and tensor.is_meta:
                self._count(tensor.untyped_storage())
        return out

    def _count(self, storage: Any) -> None:
        key, size = storage._cdata, storage.nbytes()  # noqa: SLF001 (equal where memory is shared)
        if key in self._known:
            return
        self._known.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


class WithoutScores(TorchFunctionMode):
    """Takes attention for a kernel that never has all scores in memory."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is F.scaled_dot_product_attention:
            query, _, value = args[:3]
            return query.new_empty(*query.shape[:-1], value.shape[-1])
        return func(*args, **(kwargs or {}))


@contextmanager
def counted(peaks: dict[str, float], part: str) -> Iterator[None]:
    """Put the peak of a part of the work into a table, in GB."""
    with torch.inference_mode(), WithoutScores(), Alive() as alive:
        yield
    peaks[part] = alive.peak / GB


def _sampled(values: Tensor, _: Tensor, weights: Tensor, *__: Any) -> Tensor:
    """Stand for the kernel that samples without a copy of what it reads."""
    return values.new_empty(*weights.shape[:2], values.shape[2] * values.shape[3])


def empty(*shape: int) -> Tensor:
    return torch.empty(*shape, device="meta", dtype=torch.bfloat16)


def work(model: X2SAM) -> dict[str, float]:
    """Run each part of a turn about one picture, and then a clip, one after the other."""
    config, peaks = model.config, dict[str, float]()
    side, size = config.mask_encoder.image_size, config.vision.patch
    rows = side // size
    pixels = 3 * config.vision.temporal_patch * size**2
    length = (rows // config.vision.merge) ** 2 + WORDS
    with counted(peaks, "vision tower"):
        model.language.see(empty(rows**2, pixels), torch.tensor([[1, rows, rows]]))
    with counted(peaks, "prompt"):
        hidden = config.language.hidden_size
        levels = [empty(1, length, hidden) for _ in config.vision.deepstack_layers]
        states = model.language.run(empty(1, length, hidden), levels, model.language.new_cache())
        model.language.logits(states[:, -1:])
    with counted(peaks, "mask encoder"):
        features = model.mask_encoder(empty(1, 3, side, side))
    with counted(peaks, "pixel decoder"):
        decoded = model.decode(features, first=True)
    with counted(peaks, FUSED), patch.object(fused_sampling, "sample", _sampled):
        model.decode(features, first=True)
    places = torch.full((1, length), -1)
    phrases, segs = places.clone(), places.clone()
    phrases[0, 3:7] = segs[0, -1] = 0
    with counted(peaks, "mask decoder"):
        conditions = model.conditions(states, phrases, segs)
        model.segment(decoded, conditions)
    with (
        counted(peaks, f"clip, {FRAMES} frames, one kernel"),
        patch.object(fused_sampling, "sample", _sampled),
    ):
        stream = model.stream(conditions)
        for _ in range(FRAMES):
            stream.step(model.mask_encoder(empty(1, 3, side, side)))
    return peaks


def main() -> None:
    """Print and record the peak of each part, and of the whole in each precision."""
    config = X2SAMConfig()
    model = build(config, empty=True).to("meta")  # the buffers too
    for weight in model.parameters():
        weight.data = weight.data.to(torch.bfloat16)
    peaks = work(model)
    for part, peak in peaks.items():
        print(f"{part:28} {peak:6.2f} GB beside the weights")
    most = max(peaks.values())
    least = max(peak for part, peak in peaks.items() if part != "pixel decoder")
    taken = WORK * config.mask_encoder.image_size**2 * config.width / GB
    print(f"{'the most':28} {most:6.2f} GB; taken for it, by WORK: {taken:.2f} GB")
    rows = {}
    for name, weight in precisions(config).items():
        rows |= {name: weight.all / GB + most, f"{name}, one kernel": weight.all / GB + least}
    for name, peak in rows.items():
        print(f"{name:28} {peak:6.2f} GB with the weights")
    record("bench_memory", "x2sam-4b, computed on the meta device", peaks | rows)


if __name__ == "__main__":
    main()
