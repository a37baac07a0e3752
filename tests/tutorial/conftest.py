"""The modules that build the site, which are scripts and no package."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def site():
    """Imports a module of scripts/site by its name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(ROOT / "scripts" / "site"), *sys.path])
        yield importlib.import_module
