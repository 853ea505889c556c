"""What every test lives with."""

import os
import sys

import pytest
from hypothesis import settings


@pytest.fixture(autouse=True)
def one_thread_per_worker():
    """Side by side, test processes get one torch thread each, or they fight for the cores."""
    torch = sys.modules.get("torch")
    if torch is not None and "PYTEST_XDIST_WORKER" in os.environ:
        torch.set_num_threads(1)


settings.register_profile("steady", deadline=None)  # cores are shared: time proves nothing
settings.load_profile("steady")


def pytest_collection_modifyitems(items):
    """Tests that fork come first: a fork of a process with threads may wait for ever."""
    items.sort(key=lambda item: item.get_closest_marker("forks") is None)
