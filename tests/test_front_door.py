"""`import diptych`: what it offers, that it is quick, and that it needs no framework."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import diptych
from diptych import errors

HEAVY = ("numpy", "pydantic", "torch", "tensorflow", "keras", "sacrebleu", "matplotlib")


def test_dir_shows_exactly_what_is_there():
    assert sorted(dir(diptych)) == sorted([*diptych.__all__, "__version__"])
    for name in diptych.__all__:
        value = getattr(diptych, name)
        assert value.__doc__ and callable(value)
    with pytest.raises(AttributeError, match="has no attribute 'fit'; it has: .*train"):
        diptych.fit  # noqa: B018


def test_every_kind_of_error_is_there():
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert kinds <= set(diptych.__all__)


def test_editors_know_the_same_names_from_the_same_modules():
    tree = ast.parse(Path(diptych.__file__).read_text(encoding="utf-8"))
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    known = {alias.name: node.module for node in block.body for alias in node.names}
    assert known.keys() == set(diptych.__all__)
    for name, module in known.items():
        value = getattr(diptych, name)
        assert getattr(sys.modules[module], name) is value


def test_importing_it_loads_nothing():
    program = "import sys, diptych; print(*(set(sys.modules) & set(sys.argv[1:])))"
    finished = subprocess.run(
        [sys.executable, "-c", program, *HEAVY], capture_output=True, encoding="utf-8", timeout=60, check=True
    )
    assert finished.stdout.strip() == ""
