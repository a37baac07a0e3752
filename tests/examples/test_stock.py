"""The stock examples: the same program in both frameworks. tests/tutorial holds them to Diptych's numbers."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from diptych.panel import BACKENDS

EXAMPLES = Path(__file__).parents[2] / "examples"
SENTENCE = "tensorflow is very hungry"


def outline(backend):
    """The constants, classes and functions of an example, with arguments and docstrings."""
    tree = ast.parse((EXAMPLES / f"stock_{backend}.py").read_text(encoding="utf-8"))
    found = [ast.unparse(node) for node in tree.body if isinstance(node, ast.Assign)]
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            found.append(f"class {node.name}: {ast.get_docstring(node)}")
        elif isinstance(node, ast.FunctionDef):
            name = {"call": "forward"}.get(node.name, node.name)
            found.append(f"{name}({ast.unparse(node.args)}): {ast.get_docstring(node)}")
    return [line for line in found if "environ" not in line]


def test_the_two_stand_side_by_side():
    first, second = (outline(backend) for backend in BACKENDS)
    assert first == second and len(first) > 15


@pytest.mark.slow
@pytest.mark.usefixtures("both_frameworks")
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("attention", ["none", "additive", "general"])
def test_each_learns_the_four_pairs_and_takes_a_sentence(backend, attention):
    command = [sys.executable, str(EXAMPLES / f"stock_{backend}.py"), SENTENCE, "a pizza", "--attention", attention]
    finished = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=300, check=False)
    assert finished.returncode == 0, finished.stderr
    lines = finished.stdout.splitlines()
    assert lines[:2] == ["source (4, 7) -> memory (4, 7, 64), state (4, 64)", "one word (4,) -> logits (4, 15)"]
    pairs = (line.split("\t") for line in (EXAMPLES.parent / "configs/four-pairs.tsv").read_text("utf-8").splitlines())
    assert lines[-6:-2] == [f"{english} -> {korean}" for english, korean in pairs]
    assert lines[-2].startswith(f"{SENTENCE} -> ") and lines[-1].endswith("(never seen: pizza)")
