"""The tutorial's programs: read into cells, run in both frameworks cell by cell, what they print kept by a hash."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROGRAMS, EXAMPLES, CACHE = ROOT / "docs" / "tutorial" / "programs", ROOT / "examples", ROOT / ".cache" / "tutorial"
FRAMEWORKS = ("tensorflow", "pytorch")
PACKAGES = {"tensorflow": ("tensorflow", "tensorflow-cpu", "keras"), "pytorch": ("torch",)}
QUIET = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
KEPT = (".png", ".json")


@dataclass(frozen=True)
class Result:
    """What a program did in one framework.

    Attributes:
        outputs: what each cell printed, by the cell's name.
        files: the pictures and JSON files it left, by name.
    """

    outputs: dict[str, str]
    files: dict[str, bytes]


def names() -> list[str]:
    """Every program of the tutorial, without the framework in its name."""
    found = sorted(path.name.removesuffix("_pytorch.py") for path in PROGRAMS.glob("*_pytorch.py"))
    return [name for name in found if name not in ("setup", "hinge")]


def text(name: str, framework: str) -> str:
    """A program's text."""
    return (PROGRAMS / f"{name}_{framework}.py").read_text(encoding="utf-8")


def cells(name: str, framework: str) -> dict[str, str]:
    """A program's cells in their order, by name: what stands below each `# %% NAME`."""
    parts = re.split(r"^# %% (\w+)\n", text(name, framework), flags=re.MULTILINE)[1:]
    return {cell: code.strip("\n") for cell, code in zip(parts[::2], parts[1::2], strict=True)}


@cache
def results(name: str) -> dict[str, Result]:
    """What a program prints in each framework: from the cache where nothing has changed, else it is run.

    With DIPTYCH_DOCS=draft nothing is run: what it printed last, before whatever has changed since, or nothing.

    Raises:
        RuntimeError: a framework is not installed, or a cell failed.
    """
    path = CACHE / f"{name}-{_key(name)}.json"
    if os.environ.get("DIPTYCH_DOCS") == "draft":
        kept = sorted(CACHE.glob(f"{name}-*.json"), key=lambda each: each.stat().st_mtime)
        if not kept:
            return {each: Result(dict.fromkeys(cells(name, each), "(not run)\n"), {}) for each in FRAMEWORKS}
        path = kept[-1]
    elif not path.is_file():
        ran = run(name)
        CACHE.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({each: _to_json(result) for each, result in ran.items()}), encoding="utf-8")
    found = json.loads(path.read_text(encoding="utf-8"))
    return {each: Result(value["outputs"], _decoded(value["files"])) for each, value in found.items()}


def run(name: str, threads: int = 1, last: str = "") -> dict[str, Result]:
    """Run a program in both frameworks: a cell in the one, the same cell in the other, in one folder.

    Args:
        name: the program's.
        threads: of each framework.
        last: the cell after which to stop; "" for all.

    Raises:
        RuntimeError: a framework is not installed, or a cell failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        children = {framework: _start(folder, threads) for framework in FRAMEWORKS}
        outputs: dict[str, dict[str, str]] = {framework: {} for framework in FRAMEWORKS}
        try:
            for part in ("setup", name):
                for cell in cells(part, FRAMEWORKS[0]):
                    for framework, child in children.items():
                        code = cells(part, framework)[cell]
                        outputs[framework][cell] = _ask(child, f"{part}_{framework}.{cell}", code)
                    if cell == last:
                        break
        finally:
            for child in children.values():
                child.kill()
                child.wait()
        left = [path for path in sorted(Path(folder).iterdir()) if path.suffix in KEPT]
        files = {path.name: path.read_bytes() for path in left}
    return {
        framework: Result(outputs[framework], {key: data for key, data in files.items() if key.startswith(framework)})
        for framework in FRAMEWORKS
    }


def _start(folder: str, threads: int) -> subprocess.Popen[str]:
    """A child that waits for cells, with the stock examples and the hinge where it can import them."""
    places = os.pathsep.join([str(ROOT / "src"), str(EXAMPLES), str(PROGRAMS)])
    counts = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), str(threads))
    environment = os.environ | QUIET | counts | {"PYTHONPATH": places, "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, str(Path(__file__).with_name("child.py"))]
    return subprocess.Popen(
        command, cwd=folder, env=environment, encoding="utf-8", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _ask(child: subprocess.Popen[str], name: str, code: str) -> str:
    assert child.stdin and child.stdout
    child.stdin.write(json.dumps({"name": name, "code": code}) + "\n")
    child.stdin.flush()
    line = child.stdout.readline()
    if not line:
        raise RuntimeError(f"{name}: its process ended; does `python -c 'import tensorflow, torch'` work here?")
    answer: dict[str, str] = json.loads(line)
    if answer["error"]:
        raise RuntimeError(f"{name} failed; the tutorial needs both frameworks installed.\n{answer['error']}")
    return answer["output"]


def _key(name: str) -> str:
    """Twelve digits that change with whatever a program's output depends on."""
    parts = [text(part, framework) for part in ("setup", "hinge", name) for framework in FRAMEWORKS]
    parts += [path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("stock_*.py"))]
    parts += [path.read_text(encoding="utf-8") for path in sorted((ROOT / "src" / "diptych").rglob("*.py"))]
    parts += [f"{package} {_version(package)}" for packages in PACKAGES.values() for package in packages]
    parts.append(Path(__file__).with_name("child.py").read_text(encoding="utf-8"))
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _to_json(result: Result) -> dict[str, Any]:
    files = {name: base64.b64encode(data).decode() for name, data in result.files.items()}
    return {"outputs": result.outputs, "files": files}


def _decoded(files: dict[str, str]) -> dict[str, bytes]:
    return {name: base64.b64decode(data) for name, data in files.items()}
