"""One page that is served for all tests of a process, and the actor that answers on it."""

import pytest

from demo.settings import Settings
from tests.demo.visiting import LIMITS, served
from tests.engine.acting import stage


@pytest.fixture(scope="session")
def acting():
    return stage()


@pytest.fixture(scope="session")
def address(acting):
    engine, _ = acting
    with served(Settings(limits=LIMITS), engine) as address:
        yield address
