"""Our numbers of the official networks are those that the sam2 package ships. Nothing is faked."""

import pytest
from omegaconf import OmegaConf

from x2sam.tracker import sam2_backend
from x2sam.tracker.config import CONFIGS

FILES = {"tiny": "t", "small": "s", "base-plus": "b+", "large": "l"}
OFFICIAL = {config.name.removeprefix("facebook/sam2.1-hiera-"): config for config in CONFIGS[1:]}
BY_DEFAULT = {  # what a file leaves out, from the code of the trunk
    "stages": [2, 3, 16, 3],
    "global_att_blocks": [12, 16, 20],
    "window_spec": [8, 4, 14, 7],
    "window_pos_embed_bkg_spatial_size": [14, 14],
}


def plain(values, path=""):
    """Nested settings as one table."""
    if not isinstance(values, dict):
        return {path: values}
    return {k: v for name in values for k, v in plain(values[name], f"{path}.{name}").items()}


@pytest.mark.parametrize("size", FILES)
def test_a_config_merges_to_what_the_package_ships(size, monkeypatch):
    monkeypatch.setattr(sam2_backend, "instantiate", Settings)
    ours = plain(OmegaConf.to_container(sam2_backend.build(OFFICIAL[size]).settings))
    file = sam2_backend.SHIPPED.with_name(f"sam2.1_hiera_{FILES[size]}.yaml")
    shipped = plain(OmegaConf.to_container(OmegaConf.load(file).model))
    trunk = ".image_encoder.trunk."
    shipped = {trunk + name: value for name, value in BY_DEFAULT.items()} | shipped
    assert {name: ours[name] for name in shipped} == shipped
    added = ours.keys() - shipped.keys()
    assert {name.split(".")[1] for name in added} == {
        "binarize_mask_from_pts_for_mem_enc",
        "sam_mask_decoder_extra_args",
        "max_obj_ptrs_in_encoder",
        "memory_encoder",  # its `in_dim` and its embedding, which are the defaults
    }


class Settings:
    def __init__(self, settings):
        self.settings = settings

    def eval(self):
        return self
