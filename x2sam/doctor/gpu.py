"""What most likely breaks on an NVIDIA GPU, each thing tried by itself; elsewhere nothing is.

Libraries bring code of their own for each generation of cards, and fail in ways of their own.
"""

from __future__ import annotations

from typing import Final

from x2sam.doctor.report import Row, require

SECTION: Final = "self-test"
WORKS: Final = "works"


def rows() -> list[Row]:
    """All that is tried."""
    import torch

    if not torch.cuda.is_available():
        return []
    return [
        (SECTION, "4 bits", _four_bits),
        (SECTION, "Triton kernel", _kernel),
        (SECTION, "CUDA graph", _graph),
    ]


def _four_bits() -> str:
    from x2sam.model import quantisation
    from x2sam.model.pretrained import find_device

    quantisation.check(4, find_device(None))
    return WORKS


def _kernel() -> str:
    """Sample ones, whose weighted mean is one, in the middle of a map of 4 x 4 tokens."""
    import torch

    from x2sam.model import fused_sampling
    from x2sam.model.pretrained import find_device

    if not fused_sampling.AVAILABLE:
        return "Triton is not installed; features are sampled without it"
    device = find_device(None)
    values = torch.ones(1, 16, 1, 8, device=device)
    places = torch.full((1, 16, 1, 1, 1, 2), 0.5, device=device)
    weights = torch.ones(1, 16, 1, 1, device=device)
    levels = torch.tensor([[4, 4, 0]], dtype=torch.int32, device=device)
    sampled = fused_sampling.launch(fused_sampling.kernel, values, places, weights, levels)
    require(bool((sampled == 1).all()), "it sums up wrongly")
    return WORKS


def _graph() -> str:
    """Record a product of two matrices, and play it back."""
    import torch

    from x2sam.model.pretrained import find_device

    matrix = 2 * torch.eye(16, device=find_device(None))
    matrix @ matrix  # libraries choose and allocate in the first run
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        product = matrix @ matrix
    graph.replay()
    require(bool(torch.equal(product, 2 * matrix)), "it plays back something else")
    return WORKS
