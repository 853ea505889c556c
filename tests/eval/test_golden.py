"""`x2sam verify` on the committed extract of the recording, whole, damaged and in part.

The extract is real: a small network of the published structure and what the official code
made of it, unit by unit and from prompt to masks, pictures and clips of eight frames, answers
given and generated. Nothing is faked. So this is also the proof that pixels, prompts, both
encoders, memory, decoder and readings are the official ones.
"""

import json

import pytest
import torch
from recording import GOLDEN, WEIGHTS, linked, weights
from safetensors.torch import load_file, save_file

from x2sam.errors import WeightsError
from x2sam.eval.golden import verify


def test_everything_recorded_is_reproduced(capsys):
    threads = torch.get_num_threads()
    assert verify(GOLDEN) == 0
    table = capsys.readouterr().out
    assert "FAIL" not in table
    assert table.splitlines()[-1].endswith("all pass")
    files = [*GOLDEN.glob("units/*.safetensors"), *GOLDEN.glob("tasks/*.safetensors")]
    assert len(files) == 19
    assert all(f"{file.parent.name}/{file.stem} " in table for file in files)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(
    ("weight", "file"),
    [
        ("segmentor.memory_encoder.projection.bias", "tasks/vid_refseg.tensor"),
        ("segmentor.encoder.neck.convs.1.weight", "tasks/img_shared"),
        ("segmentor.class_predictor.logit_scale", "units/mask_decoder"),
        ("bg_embeds.weight", "tasks/img_intseg.predict"),
        ("vlm.base_model.model.model.language_model.norm.weight", "tasks/img_chat.predict"),
    ],
)
def test_one_wrong_weight_fails_where_it_is_used(weight, file, tmp_path, capsys):
    folder = linked(tmp_path, "tasks/tasks.json", f"{file}.safetensors", "inputs")
    media = "img" if "img" in file else "vid"
    if "tasks" in file:
        neighbour = "tasks/img_chat.predict" if file.endswith("shared") else f"tasks/{media}_shared"
        (folder / f"{neighbour}.safetensors").symlink_to(GOLDEN / f"{neighbour}.safetensors")
    assert verify(folder) == 0
    changed = weights()
    changed[weight] = changed[weight] * 1.01 + 0.01
    (folder / WEIGHTS.name).unlink()
    save_file(changed, folder / "tiny_state_dict.safetensors")
    assert verify(folder) == 1
    failed = [line for line in capsys.readouterr().out.splitlines() if "FAIL" in line]
    assert failed
    assert failed[0].startswith(file)


def test_a_part_is_enough_and_what_is_missing_is_said(tmp_path, capsys):
    folder = linked(tmp_path, "units/positional.safetensors", "units/preprocess.safetensors")
    assert verify(folder) == 0
    assert "pictures are not part of this recording" in capsys.readouterr().out


def test_tasks_need_the_pixels_they_share(tmp_path, capsys):
    folder = linked(tmp_path, "tasks/tasks.json", "tasks/img_chat.predict.safetensors", "inputs")
    assert verify(folder) == 1
    table = capsys.readouterr().out
    assert "tasks/img_shared or the pictures are missing" in table
    assert table.splitlines()[-1].endswith("nothing here")


def test_a_recorded_tensor_that_nobody_knows_fails(tmp_path, capsys):
    folder = linked(tmp_path)
    (folder / "units").mkdir()
    recorded = load_file(GOLDEN / "units" / "process_embeds.safetensors")
    recorded["base.img_other.cond_embeds"] = torch.zeros(3)
    save_file(recorded, folder / "units" / "process_embeds.safetensors")
    assert verify(folder) == 1
    assert "FAIL base.img_other.cond_embeds" in capsys.readouterr().out


def test_a_folder_of_something_else_is_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"holds no recorded numbers: there is no tokenizer"):
        verify(tmp_path)
    (tmp_path / "tokenizer.json").symlink_to(GOLDEN / "tokenizer.json")
    with pytest.raises(WeightsError, match=r"tiny_config\.json and tiny_state_dict\.safetensors"):
        verify(tmp_path)
    with pytest.raises(WeightsError, match="holds no recorded numbers"):
        verify(tmp_path / "missing")


def test_damaged_files_are_refused(tmp_path, capsys):
    folder = linked(tmp_path)
    (folder / "tasks").mkdir()
    (folder / "tasks" / "tasks.json").write_text("{")
    with pytest.raises(WeightsError, match=r"tasks\.json is damaged"):
        verify(folder)
    (folder / "tasks" / "tasks.json").write_text("{}")
    (folder / "tasks" / "img_x.tensor.safetensors").write_bytes(b"")
    assert verify(folder) == 1
    assert "img_x.tensor         not compared, 1 tensors: tasks.json does not describe it" in (
        capsys.readouterr().out
    )
    (folder / "units").mkdir()
    (folder / "units" / "sampler.safetensors").write_bytes(b"nothing")
    with pytest.raises(WeightsError, match=r"sampler\.safetensors is damaged"):
        verify(folder)
    official = json.loads((GOLDEN / "tiny_config.json").read_text())
    del official["m2f"]["num_queries"]
    (folder / "tiny_config.json").unlink()
    (folder / "tiny_config.json").write_text(json.dumps(official))
    with pytest.raises(WeightsError, match=r"tiny_config\.json is damaged: KeyError"):
        verify(folder)
