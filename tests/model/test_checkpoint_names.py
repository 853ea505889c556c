"""Names: the official checkpoint's at full size, as recorded, and the way there and back.

`tests/golden/keys.json.gz` lists name and shape of every tensor of the official model.
"""

import gzip
import json
from pathlib import Path

import pytest
from tiny import tiny_config

from x2sam.config import X2SAMConfig
from x2sam.model.build import build
from x2sam.model.checkpoint_names import QWEN_PREFIXES, likely, official, ours, translate
from x2sam.model.weights import official_shapes

KEYS = Path(__file__).parent.parent / "golden" / "keys.json.gz"


@pytest.mark.parametrize("form", ["full", "export", "merged"])
def test_full_size_names_and_shapes_are_the_official_ones(form):
    recorded = json.loads(gzip.decompress(KEYS.read_bytes()))[form]
    shapes = official_shapes(X2SAMConfig(), form)
    assert shapes == {name: tuple(shape) for name, shape in recorded.items()}
    assert len(shapes) == {"full": 2358, "export": 1670, "merged": 1854}[form]


def test_names_are_translated_back_and_forth():
    for name in dict(build(tiny_config(), empty=True).named_parameters()):
        assert ours(name) == name
        assert all(ours(official(name, form)) == name for form in ("full", "export", "merged"))


@pytest.mark.parametrize(
    "name",
    [
        *("model.visual.pos_embed.weight", "visual.pos_embed.weight"),
        *("model.language_model.norm.weight", "model.norm.weight", "lm_head.weight"),
    ],
)
def test_names_of_qwen_old_and_new(name):
    known = dict(build(tiny_config(), empty=True).named_parameters(remove_duplicate=False))
    assert translate(name, QWEN_PREFIXES) in known


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["language.model.norm.weight", "prompt_encoder.x"], None),
        (["mask_decoder.x", "prompt_encoder.x"], "SAM 2 alone"),
        (["mask_decoder.x", "mask_encoder.x"], "stage-1"),
        (["model.visual.x"], "Qwen3-VL alone"),
        (["something.else"], None),
        ([], None),
    ],
)
def test_what_a_checkpoint_looks_like(names, words):
    said = likely(names)
    assert said is None if words is None else words in said
