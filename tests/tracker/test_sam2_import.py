"""What importing sam2 does to the process, and what follows where it cannot be imported.

Each runs in a process of its own, as a package is imported once. Nothing is faked but a sam2 that
is broken.
"""

import subprocess
import sys

import pytest

USED_BEFORE = """
import hydra
from hydra.core.global_hydra import GlobalHydra
with hydra.initialize_config_dir({folder!r}, version_base=None):
    from x2sam.tracker import sam2_backend
    assert hydra.compose("mine").number == 3
    assert sam2_backend.SHIPPED.is_file()
"""
USED_AFTER = """
import hydra
from hydra.core.global_hydra import GlobalHydra
from x2sam.tracker import sam2_backend
assert not GlobalHydra.instance().is_initialized()
with hydra.initialize_config_dir({folder!r}, version_base=None):
    assert hydra.compose("mine").number == 3
"""


def run(script):
    command = [sys.executable, "-W", "ignore", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("script", [USED_BEFORE, USED_AFTER])
def test_hydra_is_left_as_it_was_found(tmp_path, script):
    """An application's own initialisation once failed after ours."""
    (tmp_path / "mine.yaml").write_text("number: 3")
    done = run(script.format(folder=str(tmp_path)))
    assert done.returncode == 0, done.stderr
