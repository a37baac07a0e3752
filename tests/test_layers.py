"""The import rule: each layer imports only what is below it, and no framework comes before it is asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "diptych"
PANELS = ("reference", "tensorflow", "pytorch")
FRAMEWORKS = ("tensorflow", "keras", "torch")
# What runs users' own models in a framework's process, or in the caller's, and what writes exports there; the rest of
# `convert` and `export` needs none.
RUN_USERS_MODELS = {
    "keras": ("lending", "live", "running"), "torch": ("functions", "modules", "running", "tracing", "users", "module"),
    "tensorflow": ("graphs",),
}  # fmt: skip

# Imports every module but the panels of the frameworks, then says which frameworks came along.
IMPORT_ALL = """
import importlib, sys
for name in sys.argv[2:]:
    importlib.import_module(name)
print(*sorted({name.partition(".")[0] for name in sys.modules} & set(sys.argv[1].split(","))))
"""
# The same on a machine that has no framework: whoever imports one gets the error of a missing package.
WITHOUT_FRAMEWORKS = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1].split(","):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
"""


def modules_outside_the_frameworks() -> list[str]:
    """Every importable module but those of the two framework panels and the programs that are only ever run."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        is_program = path.name.startswith("in_") and ("differences" in parts or "stock" in parts)
        if parts[1] in ("convert", "export") and parts[-1] in RUN_USERS_MODELS.get(parts[2], ()):
            continue
        if parts[1] not in ("tensorflow", "pytorch") and path.stem != "__main__" and not is_program:
            found.append(".".join(parts).removesuffix(".__init__"))
    return found


def run_python(program: str, *arguments: str) -> str:
    """What a fresh Python prints."""
    finished = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of pyproject.toml on the package in `folder`/src."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-logo", "--no-cache", "--config", str(ROOT / "pyproject.toml")],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src")},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_no_module_outside_the_panels_imports_a_framework():
    modules = modules_outside_the_frameworks()
    assert "diptych" in modules
    assert "diptych.reference.model" in modules
    assert run_python(IMPORT_ALL, ",".join(FRAMEWORKS), *modules) == ""


def test_every_module_outside_the_panels_imports_without_any_framework():
    program = WITHOUT_FRAMEWORKS + IMPORT_ALL
    assert run_python(program, ",".join(FRAMEWORKS), *modules_outside_the_frameworks()) == ""


@pytest.mark.parametrize(("panel", "own"), [("tensorflow", "keras tensorflow"), ("pytorch", "torch")])
def test_a_panel_imports_its_own_framework_only(panel, own):
    assert run_python(IMPORT_ALL, ",".join(FRAMEWORKS), f"diptych.{panel}") == own


def test_plots_import_without_matplotlib():
    assert run_python(IMPORT_ALL, "matplotlib", "diptych.plots") == ""


def test_the_contracts_hold():
    finished = lint_imports(ROOT)
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.parametrize(
    ("path", "line", "contract"),
    [
        ("errors.py", "from diptych.config import Cell", "Each layer"),
        ("pytorch/planted.py", "import diptych.tensorflow", "Each layer"),
        ("planted.py", "", "Each layer"),  # a module that no layer names
        ("plots/sheet.py", "def f():\n    import torch", "Only the PyTorch panel"),
        ("pytorch/planted.py", "import keras", "Only the TensorFlow panel"),
    ],
)
def test_a_planted_import_is_caught(tmp_path, path, line, contract):
    shutil.copytree(PACKAGE, tmp_path / "src" / "diptych", ignore=shutil.ignore_patterns("__pycache__", "fonts"))
    with (tmp_path / "src" / "diptych" / path).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    finished = lint_imports(tmp_path)
    assert finished.returncode == 1, finished.stderr
    broken = [row for row in finished.stdout.splitlines() if " BROKEN" in row]
    assert len(broken) == 1, finished.stdout
    assert broken[0].startswith(contract)
