"""Both back ends with the same random weights."""

import pytest

from tests.tracker.moving import BACKENDS, MICRO
from x2sam.tracker.build import random

SEED = 1  # whose masks are neither empty nor full


@pytest.fixture(scope="session")
def trackers():
    return {backend: random(MICRO, SEED, backend) for backend in BACKENDS}


@pytest.fixture(params=BACKENDS)
def tracker(request, trackers):
    return trackers[request.param]
