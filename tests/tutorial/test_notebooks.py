"""The notebooks hold the pages' cells, and run in Jupyter, each in a kernel of its own; outputs stay small."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.name[: -len("_pytorch.py")] for path in (ROOT / "docs/tutorial/programs").glob("*_pytorch.py"))
LARGEST = 200_000
"""Bytes of a notebook with its outputs, of which a picture is some 20,000."""


def test_notebooks_are_the_same_cells(site):
    programs, notebooks = site("programs"), site("notebooks")
    for name in programs.names():
        for framework in programs.FRAMEWORKS:
            script = notebooks.script(name, framework, "ko")
            ast.parse(script)
            for code in programs.cells(name, framework).values():
                assert f"{code}\n" in script
            assert f'%pip install -q "diptych[{framework}' in script.split("# %%")[1]
            if f"stock_{framework}" in programs.text(name, framework):
                written = (ROOT / "examples" / f"stock_{framework}.py").read_text(encoding="utf-8")
                assert f"# %%writefile stock_{framework}.py\n{written}" in script


def test_a_notebook_runs_by_itself_what_the_other_framework_has_to_leave(site):
    """In Colab two notebooks are two machines."""
    for framework, other in ("tensorflow", "pytorch"), ("pytorch", "tensorflow"):
        script = site("notebooks").script("checkpoints", framework, "en")
        assert f"diptych[{framework},{other}]" in script
        written, read = script.index("%%writefile other.py"), script.index(f'Path("{other}").glob')
        assert f'Path("{other}") / ' in script[written:read]
        assert '[sys.executable, "other.py"]' in script[written:read]
        assert "other.py" not in site("notebooks").script("encoder", framework, "en")


@pytest.mark.slow
@pytest.mark.usefixtures("both_frameworks")
@pytest.mark.parametrize("framework", ["tensorflow", "pytorch"])
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("setup", "hinge")])
def test_each_notebook_runs(site, name, framework, tmp_path, monkeypatch):
    """The Korean one, all but its first cell, which installs: what prints has an output, none is a warning."""
    jupytext, nbclient = pytest.importorskip("jupytext"), pytest.importorskip("nbclient")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    for variable in site("notebooks").TENSORFLOW:
        monkeypatch.delenv(variable, raising=False)  # the notebook's own quiet is enough
    notebook = jupytext.reads(site("notebooks").script(name, framework, "ko"), fmt="py:percent")
    assert notebook.cells.pop(0).source.splitlines()[-1].startswith("%pip install")
    place = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3", resources=place).execute()
    written = jupytext.writes(notebook, fmt="ipynb")
    (tmp_path / f"{name}-{framework}.ipynb").write_text(written, encoding="utf-8")
    assert len(written) < LARGEST
    outputs = {cell.source: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    for cell in site("programs").cells(name, framework).values():
        if "print(" in cell and not cell.startswith("def "):
            assert any(output.get("name") == "stdout" for output in outputs[cell]), cell
    shown = [output for each in outputs.values() for output in each]
    told = "".join(output["text"] for output in shown if output.get("name") == "stderr").splitlines()
    assert [line for line in told if not line.startswith(f"{framework}: ")] == []  # but for a training's progress
    assert len(told) < 10
    drawn = any("image/png" in output.get("data", {}) for output in shown)
    assert drawn == ("<!-- pictures -->" in site("notebooks").page(name, "ko"))
