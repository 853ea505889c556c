"""Cut the recording in this folder out of a full one.

    python tests/golden/extract.py SOURCE

SOURCE is a folder of numbers recorded from the official implementation, in the layout that
`x2sam verify` reads: a small network (`tiny_config.json`, `tiny_state_dict.safetensors`, a
tokenizer), its pictures (`inputs/`), stages (`units/`) and tasks (`tasks/`). The extract has
the same layout with fewer files and fewer tensors in them; `KEEP` says which. Its weights
are cut into two files. Pixels are not
in it, as they are made from `inputs/`. The folders `language`, `losses`, `readout` and `train`
and `keys.json.gz` come from the same recording and belong to the tests of their subjects.
"""

import json
import re
import shutil
import sys
from pathlib import Path

from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent
WHOLE = ("tiny_config.json", "inputs")
WEIGHTS = "tiny_state_dict"

TEXT = r"(in\.\w*ids|prepare\.\w*ids|in\.\w*grid|gen\.seq)"
PREDICT = rf"{TEXT}|gen\.logits|mlm_projector\.call1|sampler|process_embeds|memory_bank|.*n_mem"

KEEP = {  # file -> the start of its tensors' names
    "units/positional": r"(?!mem_rope\.scale1)",
    "units/sampler": r"a\.(feats|points|mean_k)",
    "units/projector_connector": r"(extra|mlm)_projector|pixel_shuffle\.(in|r0)",
    "units/process_embeds": r"base|emb|cond_ids_in|seg_ids_in|bg_embeds",
    "units/mask_decoder": r"class_predictor\.|layer0\.",
    "units/memory_attention": r"scale0|retrieve",
    "units/preprocess": r"qwen_image.*hub|qwen_video.(7f.tiny|8f.hub)|sam2.*hw1024.*(pix|vpr)",
    "tasks/img_shared": r"vlm|extra|encoder.*(hidden\.2|fpn\.[12])|pixel_dec.*(multi.*[01]|mask_f)",
    "tasks/vid_shared": r"vlm|extra|encoder.*(hidden\.2|fpn\.2)|pixel_dec.*frame7.*(multi.*0|mask_f)",
    "tasks/img_chat.predict": PREDICT,
    "tasks/vid_chat.predict": PREDICT,
    "tasks/img_genseg.tensor": rf"{TEXT}|mlm_projector|process_embeds|segmentor\.c|.*intermediate",
    "tasks/img_gcgseg.tensor": rf"{TEXT}|mlm_projector|gen|process_embeds|segmentor\.c",
    "tasks/img_refseg.predict": rf"{PREDICT}|decoder\.f|segmentor\.c",
    "tasks/img_intseg.predict": rf"{PREDICT}|segmentor\.c",
    "tasks/vid_gcgseg.predict": rf"{PREDICT}|decoder\.in",
    "tasks/vid_objseg.tensor": rf"{TEXT}|mlm_projector.*out|sampler|segmentor\.c|memory_bank",
    "tasks/vid_refseg.tensor": (
        rf"{TEXT}|prepare|gen|mlm_projector|process_embeds|decoder\.in|segmentor\.c|memory_bank"
        r"|.*n_mem|.*class_logits|(decoder|memory|memory_attention)\.frame7.*(mask_logits$|scale)"
        r"|decoder\.frame7\.intermediate|decoder\.frame5\.mask_logits$"
    ),
    "tasks/vid_vgdseg.predict": rf"{PREDICT}|decoder\.frame7.*logits$|segmentor\.c",
}
ABOUT = ("task", "mode", "conversation", "classes", "post", "forced_generation")
SIZES = ("scaled_sizes", "image_sizes")


def extract(source: Path) -> None:
    """Write the extract into this script's folder."""
    for name in WHOLE:
        copy = shutil.copytree if (source / name).is_dir() else shutil.copy
        copy(source / name, HERE / name, **({"dirs_exist_ok": True} if copy is shutil.copytree else {}))
    in_pieces(load_file(source / f"{WEIGHTS}.safetensors"))
    shutil.copy(source / "tokenizer_with_x2sam_tokens" / "tokenizer.json", HERE)
    for name, pattern in KEEP.items():
        tensors = load_file(source / f"{name}.safetensors")
        kept = {key: value for key, value in tensors.items() if re.match(pattern, key)}
        assert kept, name
        (HERE / name).parent.mkdir(exist_ok=True)
        save_file(kept, HERE / f"{name}.safetensors")
        readings = source / f"{name}.post.npz"
        if readings.is_file():
            shutil.copy(readings, HERE / f"{name}.post.npz")
    tasks = json.loads((source / "tasks" / "tasks.json").read_text())
    about = {name: shortened(task) for name, task in tasks.items() if f"tasks/{name}" in KEEP}
    (HERE / "tasks" / "tasks.json").write_text(json.dumps(about) + "\n")


def in_pieces(tensors: dict) -> None:
    """Write the weights as two files, so that none is large."""
    sizes = {f"{WEIGHTS}-{number}.safetensors": 0 for number in (1, 2)}
    where = {}
    for name in sorted(tensors, key=lambda name: (-tensors[name].numel(), name)):
        where[name] = min(sizes, key=sizes.__getitem__)
        sizes[where[name]] += tensors[name].numel()
    for piece in sizes:
        held = {name: tensors[name] for name in where if where[name] == piece}
        save_file(held, HERE / piece)
    index = json.dumps({"weight_map": where}, indent=0)
    (HERE / f"{WEIGHTS}.safetensors.index.json").write_text(index + "\n")


def shortened(task: dict) -> dict:
    """What is read of a task's description."""
    sizes = {key: task["data_samples_metainfo"][key] for key in SIZES}
    return {key: task[key] for key in ABOUT if key in task} | {"data_samples_metainfo": sizes}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tests/golden/extract.py SOURCE")
    extract(Path(sys.argv[1]))
