"""How much host memory loading takes: `python benchmarks/bench_load.py`.

A checkpoint of about 1.4 GB is made of random bfloat16 numbers, in the form that holds LoRA
apart; then fresh processes load it, each in its own way. `peak` is what a process's resident
memory rose by at most while it loaded, file pages included; `ratio` is that over the size of
the weights it ends up with. Near 1 means that there never was a second copy.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file

from x2sam.config import LanguageConfig, LoraConfig, VisionConfig, X2SAMConfig
from x2sam.model.build import build
from x2sam.model.weights import load, official_shapes

CONFIG = replace(  # the mask side as published, a smaller language model
    X2SAMConfig(),
    language=LanguageConfig(hidden_size=1024, intermediate_size=3072, layers=12, heads=16),
    vision=VisionConfig(hidden_size=768, intermediate_size=3072, layers=12, heads=12),
    lora=LoraConfig(rank=64, alpha=128),
)
CASES = [(file, dtype) for file in ("safetensors", "bin") for dtype in ("bfloat16", "float32")]


def write(folder: Path) -> None:
    """Write one checkpoint as two kinds of file; `lm_head` is the table once more."""
    tensors = {
        name: torch.randn(shape, dtype=torch.bfloat16) * 0.02
        for name, shape in official_shapes(CONFIG, "full").items()
    }
    table = tensors["vlm.base_model.model.model.language_model.embed_tokens.weight"]
    tensors["vlm.base_model.model.lm_head.weight"] = table.clone()
    save_file(tensors, folder / "model.safetensors")
    torch.save(tensors, folder / "model.bin")


def measure(path: Path, dtype: torch.dtype) -> dict[str, float]:
    """Load in this process: megabytes of the file, of the weights and of the peak; seconds."""
    build(CONFIG, empty=True)  # what the libraries need is there before
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    before = pages * resource.getpagesize()
    start = time.perf_counter()
    model = load(path, config=CONFIG, dtype=dtype)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    weights = sum(weight.nbytes for weight in model.parameters())
    sizes = {"file": path.stat().st_size, "weights": weights, "peak": peak}
    ratio = {"ratio": peak / weights, "seconds": seconds}
    return {name: size / 1e6 for name, size in sizes.items()} | ratio


def main() -> None:
    """Print a row per way of loading."""
    print(
        f"{'file':12} {'dtype':9} {'file MB':>8} {'weights':>8} {'peak':>8} {'ratio':>6} {'s':>5}"
    )
    with tempfile.TemporaryDirectory() as name:
        # In a process of its own too, or its children would start out with its peak.
        subprocess.run([sys.executable, __file__, "write", name], check=True)
        for file, dtype in CASES:
            command = [sys.executable, __file__, "load", f"{name}/model.{file}", dtype]
            row = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            print(
                f"{file:12} {dtype:9} {row['file']:8.0f} {row['weights']:8.0f} "
                f"{row['peak']:8.0f} {row['ratio']:6.2f} {row['seconds']:5.1f}"
            )


if __name__ == "__main__":
    torch.set_num_threads(1)
    match sys.argv[1:]:
        case ["write", folder]:
            write(Path(folder))
        case ["load", path, dtype]:
            print(json.dumps(measure(Path(path), getattr(torch, dtype))))
        case _:
            main()
