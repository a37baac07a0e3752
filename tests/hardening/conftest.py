"""Lets the tests import `trials`, which `make harden` runs as a whole."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from trials.small_run import made_up_panel, make_run


@pytest.fixture
def panel():
    """A panel without a framework, by which every run of a test is trained."""
    with made_up_panel() as panel:
        yield panel


@pytest.fixture
def run(tmp_path):
    """A small run, not trained."""
    return make_run(tmp_path / "run", precision="float64")


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A small run, trained by the made-up panel; to be read only."""
    from trials.small_run import train_quietly

    run = make_run(tmp_path_factory.mktemp("trained") / "run", precision="float64")
    with made_up_panel():
        train_quietly(run)
    return run
