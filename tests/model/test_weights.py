"""Checkpoints in and out: all forms give one network, and none that is wrong gives any.

They are written here by `tiny_checkpoint`, under the official names. Faked: the Hub.
"""

import huggingface_hub
import pytest
import torch
from recording import WEIGHTS, weights
from safetensors.torch import load_file, save_file
from tiny_checkpoint import (
    CONFIG,
    HEAD,
    PROJECTOR,
    merged,
    qwen_tensors,
    random_tensors,
    write_pieces,
)

from x2sam.errors import WeightsError
from x2sam.model.build import build
from x2sam.model.hub import PUBLISHED
from x2sam.model.weights import load, load_language, save

TABLE = "language.model.language_model.embed_tokens.weight"


def assert_same(model, other):
    weights = dict(other.named_parameters())
    assert weights.keys() == dict(model.named_parameters()).keys()
    for name, weight in model.named_parameters():
        assert weight.dtype == weights[name].dtype, name
        assert torch.equal(weight, weights[name]), name


@torch.inference_mode()
def outputs(model):
    """Run the two halves on something."""
    embeds, _ = model.language.embed(torch.arange(12)[None])
    dtype = model.background.weight.dtype
    picture = torch.linspace(-1, 1, 3 * 128 * 128, dtype=dtype).reshape(1, 3, 128, 128)
    return [model.language.run(embeds), *model.mask_encoder(picture).maps]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write all three forms, and the base in two pieces."""
    folder = tmp_path_factory.mktemp("weights")
    for form in ("full", "export", "merged"):
        save_file(random_tensors(form), folder / f"{form}.safetensors")
    write_pieces(qwen_tensors(), folder / "qwen")
    return folder


@pytest.fixture(scope="module")
def expected(folder):
    return load(folder / "merged.safetensors", config=CONFIG)


def sentence(*args, **kwargs):
    """Load, and give what the person reads."""
    with pytest.raises(WeightsError) as caught:
        load(*args, config=CONFIG, **kwargs)
    return str(caught.value)


# All forms give one network


def test_full_and_merged_give_the_same_network(folder, expected):
    model = load(folder / "full.safetensors", config=CONFIG)
    assert_same(model, expected)
    for one, other in zip(outputs(model), outputs(expected), strict=True):
        assert torch.equal(one, other)
    assert not model.training
    assert model.language.lm_head.weight is model.get_parameter(TABLE)


def test_what_export_lacks_comes_from_the_base(folder, expected):
    model = load(folder / "export.safetensors", config=CONFIG, base=folder / "qwen")
    assert_same(model, expected)


def test_lora_is_added_in_float32(folder, tmp_path):
    """In bfloat16 the sum must be rounded once, not its terms."""
    tensors = {name: x.bfloat16() for name, x in random_tensors("full").items()}
    save_file(tensors, tmp_path / "half.safetensors")
    model = load(tmp_path / "half.safetensors", config=CONFIG)
    stem = "vlm.base_model.model.model.language_model.layers.1.mlp.up_proj."
    wanted = merged({name: x.float() for name, x in tensors.items()}, stem + "weight").bfloat16()
    got = model.language.model.language_model.layers[1].mlp.up_proj.weight
    assert torch.equal(got, wanted)


def test_lora_can_be_kept_apart(folder, expected, tmp_path):
    pytest.importorskip("peft")
    full = random_tensors("full")
    apart = load(folder / "full.safetensors", config=CONFIG, lora="unmerged", dtype=torch.bfloat16)
    for name, weight in apart.language.named_parameters():
        stored = full["vlm.base_model.model." + name]
        assert torch.equal(weight, stored if "lora_" in name else stored.bfloat16())
    apart = load(folder / "full.safetensors", config=CONFIG, lora="unmerged")
    together, alone = outputs(expected)[0], outputs(apart)[0]
    torch.testing.assert_close(alone, together, rtol=1e-4, atol=1e-4)
    save(apart, tmp_path)
    assert_same(load(tmp_path, lora="unmerged"), apart)
    assert_same(load(tmp_path), expected)


def test_the_recorded_thumbnail_loads():
    stored, model = weights(), load(WEIGHTS, config=CONFIG)
    name = "model.language_model.layers.3.self_attn.o_proj."
    wanted = merged(stored, f"vlm.base_model.model.{name}weight")
    assert torch.equal(model.get_parameter(f"language.{name}weight"), wanted)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_dtype_is_of_weights_and_not_of_rotary_tables(dtype, folder):
    model = load(folder / "full.safetensors", config=CONFIG, dtype=dtype)
    assert {weight.dtype for weight in model.parameters()} == {dtype}
    made = dict(build(CONFIG).named_buffers())
    for name, table in model.named_buffers():
        assert torch.equal(table, made[name]), name
    assert all(torch.isfinite(out).all() for out in outputs(model))


# In and out


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_saving_and_loading_change_nothing(dtype, tmp_path):
    model = build(CONFIG, seed=3)
    for weight in model.parameters():
        weight.data = weight.data.to(dtype)
    save(model, tmp_path / "new" / "folder")
    again = load(tmp_path / "new" / "folder")
    assert again.config == CONFIG
    assert_same(again, model)
    for one, other in zip(outputs(again), outputs(model), strict=True):
        assert torch.equal(one, other)


def test_saved_files_are_small_and_complete(tmp_path):
    model = build(CONFIG)
    save(model, tmp_path, torch.float16)
    save(model, tmp_path, torch.float16)  # over what is there
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    stored = load_file(tmp_path / "model.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    assert TABLE in stored
    assert not any("lm_head" in name for name in stored)
    assert next(model.parameters()).dtype == torch.float32
    assert_same(load(tmp_path / "model.safetensors", dtype=torch.float32), model.half().float())


# Qwen3-VL alone


@pytest.mark.parametrize("rows", [300, 349, 400])
def test_the_table_is_cut_or_grown_to_the_vocabulary(rows, tmp_path):
    tensors = qwen_tensors(rows)
    write_pieces(tensors, tmp_path / "qwen")
    model = build(CONFIG)
    background = model.background.weight.clone()
    load_language(model, tmp_path / "qwen")
    table, stored = model.get_parameter(TABLE), tensors["model.language_model.embed_tokens.weight"]
    assert table.shape == (349, 64)
    assert torch.equal(table[:rows], stored[:349])
    if rows < 349:
        torch.testing.assert_close(table[rows:], stored.mean(dim=0).expand(49, 64))
    assert model.language.lm_head.weight is table
    assert torch.equal(model.background.weight, background)


def test_older_names_of_qwen_are_known(folder, tmp_path):
    old = {
        name.replace("model.visual.", "visual.").replace("model.language_model.", "model."): x
        for name, x in qwen_tensors().items()
    }
    old["lm_head.weight"] = old["model.embed_tokens.weight"].clone()
    save_file(old, tmp_path / "old.safetensors")
    model, other = build(CONFIG), build(CONFIG)
    load_language(model, tmp_path / "old.safetensors")
    load_language(other, folder / "qwen")
    assert_same(model, other)


# What does not fit


def without(start):
    return lambda tensors: {name: x for name, x in tensors.items() if not name.startswith(start)}


def stage_1(tensors):
    return {
        name: x
        for name, x in without("segmentor.memory")(tensors).items()
        if name.startswith("segmentor.") and "text_cross_attn" not in name
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without(PROJECTOR), ["1 missing (condition_projector.0.weight)", "a part of one"]),
        (without("vlm.base_model.model.model.vis"), ["missing", "..."]),
        (lambda x: x | {"more": torch.ones(1)}, ["1 not part of it (more)", "another size"]),
        (
            lambda x: x | {PROJECTOR: torch.ones(2, 3)},
            ["1 of another shape", f"{PROJECTOR} is (2, 3) and should be (32, 64)"],
        ),
        (stage_1, ["This looks like the stage-1 checkpoint"]),
        (lambda x: {name[4:]: t for name, t in x.items() if "lora_" in name}, ["LoRA adapters"]),
        (lambda _: {"prompt_encoder.a": torch.ones(1)}, ["SAM 2 alone"]),
        (lambda _: {"vision_encoder.a": torch.ones(1), "mask_decoder.b": torch.ones(1)}, ["SAM 2"]),
        (lambda _: qwen_tensors(), ["Qwen3-VL alone, which is the base"]),
        (lambda _: {}, ["missing"]),
        (lambda x: x | {HEAD: x[HEAD] + 1}, ["another for writing"]),
        (lambda x: x | {"background.weight": torch.ones(1, 32)}, ["twice, under two names"]),
    ],
)
def test_nothing_may_be_missing_or_left_over(change, words, tmp_path):
    save_file(change(random_tensors("full")), tmp_path / "x.safetensors")
    said = sentence(tmp_path / "x.safetensors")
    assert all(word in said for word in words), said


def test_a_weight_that_training_changed_is_not_taken_from_the_base(folder, tmp_path):
    """Both have it, so a careless join would fill the hole with the untrained weight."""
    merger = "vlm.base_model.model.model.visual.merger.norm.weight"
    save_file(without(merger)(random_tensors("export")), tmp_path / "x.safetensors")
    said = sentence(tmp_path / "x.safetensors", base=folder / "qwen")
    assert "1 missing (language.model.visual.merger.norm.weight)" in said


def test_export_says_that_it_needs_a_base(folder):
    assert "as the base" in sentence(folder / "export.safetensors")


def test_a_base_must_be_whole_and_of_the_right_size(folder, tmp_path):
    base = qwen_tensors()
    del base["model.language_model.norm.weight"]
    save_file(base, tmp_path / "base.safetensors")
    said = sentence(folder / "export.safetensors", base=tmp_path / "base.safetensors")
    assert "1 missing (language.model.language_model.norm.weight)" in said
    assert "not part of it" in sentence(
        folder / "export.safetensors", base=folder / "full.safetensors"
    )


def test_merged_adapters_cannot_be_kept_apart(folder):
    assert "merged already" in sentence(folder / "merged.safetensors", lora="unmerged")


# Around the weights


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{oh", "config.json is not JSON"),
        ('{"x2sam_config": {"width": "wide"}}', "config.width is 'wide'"),
        ('{"x2sam_config": 3}', "damaged"),
    ],
)
def test_damaged_configs(text, words, tmp_path):
    save(build(CONFIG), tmp_path)
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(WeightsError, match=words):
        load(tmp_path)


def test_the_published_model_comes_with_its_base(expected, tmp_path, monkeypatch):
    repository, inside = next(iter(PUBLISHED.items()))
    (tmp_path / repository / inside).mkdir(parents=True)
    torch.save(random_tensors("export"), tmp_path / repository / inside / "pytorch_model.bin")
    (tmp_path / "Qwen").mkdir()
    write_pieces(qwen_tensors(), tmp_path / "Qwen" / "Qwen3-VL-4B-Instruct")
    asked = {}

    def snapshot_download(name, *, revision, allow_patterns, dry_run=False):
        asked[name] = allow_patterns
        return [] if dry_run else tmp_path / name

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    assert_same(load(repository, config=CONFIG), expected)
    assert asked[repository] == [f"{inside}/*"]
    assert asked["Qwen/Qwen3-VL-4B-Instruct"][:2] == ["*.json", "*.safetensors"]
