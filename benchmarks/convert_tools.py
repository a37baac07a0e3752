"""Ten models through every tool that converts them: `benchmarks/convert_tools.py all FOLDER TOOL=PYTHON...`, with the
Python of a virtual environment for each tool that has one of its own. Or step by step: `prepare FOLDER`, then `TOOL
FOLDER` in the tool's environment; `table` writes docs/convert.md's table anew.

`prepare` builds the models of `convert_models.py`, keeps what they compute, and writes what the tools start from (ONNX
files as torch.onnx writes them, .keras files, Keras's older .h5). Each tool's outputs are compared with the model's, in
float32, on rows of different lengths. What came of it is noted in docs/convert/tools.json, failures in their own words.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from convert_models import NUMBERS, OF_KERAS, OF_PYTORCH, keep, kept, legacy, legacy_outputs, of_keras, of_pytorch
from convert_other_tools import Arrays, keras_export, listed, nobuco, onnx2tf, onnx2torch, tf2onnx
from convert_table import NOTES, put_tools

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def prepare_pytorch(folder: Path) -> None:
    """Weights, inputs, outputs and ONNX files of the PyTorch models."""
    import torch

    for name, (module, given) in of_pytorch().items():
        with torch.no_grad():
            found = module(*given)
        keep(folder, name, [one.numpy() for one in given], listed(found))
        try:
            torch.onnx.export(module, given, folder / f"{name}.onnx", dynamo=False, opset_version=17)
        except Exception as error:
            (folder / f"{name}.onnx.error").write_text(_words(error), encoding="utf-8")


def prepare_keras(folder: Path) -> None:
    """Files, inputs and outputs of the Keras models."""
    for name, (model, given) in of_keras(folder).items():
        model.save(folder / f"{name}.keras")
        keep(folder, name, given, listed(model(given if len(given) > 1 else given[0])))
    keep(folder, "legacy", [NUMBERS], [legacy_outputs(legacy(folder / "legacy.h5"))])


def _words(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0].strip() if lines else ''}"[:300]


def diptych(folder: Path, name: str, given: Arrays) -> Arrays:
    """To the other framework, by Diptych; run there by the program that it writes."""
    out = folder / f"{name}-diptych"
    path = next(
        one for one in (folder / f"{name}.keras", folder / f"{name}.h5", folder / f"{name}.pt") if one.is_file()
    )
    to = "keras" if name in OF_PYTORCH else "pytorch"
    command = [sys.executable, "-m", "diptych", "convert", str(path), str(out), "--to", to]
    if name in OF_PYTORCH:
        command += ["--module", f"convert_tools:{name.replace('-', '_')}"]
        for one in given:
            command += ["--input", ",".join(map(str, one.shape)) + (":int" if one.dtype.kind == "i" else "")]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    }
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=environment)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    arrays = folder / f"{name}-given.npz"
    np.savez(arrays, *given)
    subprocess.run([sys.executable, "-c", RUN, str(out), str(arrays)], check=True, env=environment)
    with np.load(out / "outputs.npz") as file:
        return [file[key] for key in file]


RUN = """
import sys, numpy as np
sys.path.insert(0, sys.argv[1])
import model
given = [one for one in np.load(sys.argv[2]).values()]
made = model.load()
if hasattr(made, "state_dict"):
    import torch
    found = made(*map(torch.from_numpy, given))
else:
    found = made(given if len(given) > 1 else given[0])
found = found if isinstance(found, (tuple, list)) else [found]
arrays = [one.detach().numpy() if hasattr(one, "detach") else np.asarray(one) for one in found]
np.savez(sys.argv[1] + "/outputs.npz", *arrays)
"""


def __getattr__(name: str) -> Any:
    """A module of PyTorch by its name, as `--module convert_tools:NAME` asks for it."""
    key = name.replace("_", "-")
    if key not in OF_PYTORCH:
        raise AttributeError(name)
    return lambda: of_pytorch()[key][0]


TOOLS: dict[str, tuple[Callable[[Path, str, Arrays], Arrays], tuple[str, ...], str]] = {
    "diptych": (diptych, (*OF_PYTORCH, *OF_KERAS), "diptych"),
    "nobuco": (nobuco, tuple(OF_PYTORCH), "nobuco"),
    "onnx2tf": (onnx2tf, tuple(OF_PYTORCH), "onnx2tf"),
    "keras.export": (keras_export, tuple(OF_KERAS), "keras"),
    "tf2onnx": (tf2onnx, tuple(OF_KERAS), "tf2onnx"),
    "onnx2torch": (onnx2torch, (*OF_PYTORCH, *OF_KERAS), "onnx2torch"),
}  # fmt: skip


def tried(tool: str, folder: Path) -> dict[str, Any]:
    """What came of each model."""
    convert, names, package = TOOLS[tool]
    found: dict[str, Any] = {"version": importlib.metadata.version(package), "beside": _beside(), "models": {}}
    for name in names:
        given, expected = kept(folder, name)
        try:
            outputs = convert(folder, name, given)
            found["models"][name] = {"gap": apart(outputs, expected)}
        except Exception as error:  # whatever a tool fails with is what it says
            found["models"][name] = {"fails": _words(error)}
        print(tool, name, found["models"][name], flush=True)
    return found


def _beside() -> dict[str, str]:
    """The versions of what the tools stand on, as far as it is installed."""
    found = {}
    for package in ("tensorflow", "tensorflow-cpu", "keras", "torch", "onnx", "onnxruntime", "numpy"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def apart(outputs: Arrays, expected: Arrays) -> float | str:
    """The largest difference, relative to the largest number; outputs are matched by their shapes, in any order."""
    gaps = []
    left = list(outputs)
    for one in expected:
        fitting = [other for other in left if other.shape == one.shape]
        if not fitting:
            return f"no output of the shape {one.shape}; there are {[other.shape for other in outputs]}"
        best = min(fitting, key=lambda other: float(np.abs(other - one).max()))
        left = [other for other in left if other is not best]
        gaps.append(float(np.abs(best - one).max() / np.abs(one).max()))
    return max(gaps)


def all_anew(folder: Path, pythons: dict[str, str]) -> None:
    """Everything from the beginning; the notes are replaced once every tool has run.

    Args:
        folder: a new one.
        pythons: of tools, the interpreter; the others run in this one.
    """
    if unknown := sorted(set(pythons) - set(TOOLS)):
        raise SystemExit(f"{unknown[0]} is no tool; these are: {', '.join(TOOLS)}")
    folder.mkdir(parents=True)
    main("prepare", str(folder))
    notes = folder / "notes"
    # keras.export writes the files that onnx2torch starts from.
    for tool in TOOLS:
        python = pythons.get(tool, sys.executable)
        subprocess.run(
            [python, __file__, tool, str(folder)], check=True, env=os.environ | {"CONVERT_NOTES": str(notes)}
        )
    (NOTES / "tools.json").write_text((notes / "tools.json").read_text("utf-8"), encoding="utf-8")
    put_tools(OF_PYTORCH | OF_KERAS)


def main(what: str, folder: str = "", *pythons: str) -> None:
    """Do one of these things."""
    if what == "all":
        all_anew(Path(folder), dict(one.split("=", 1) for one in pythons))
    elif what == "prepare":
        Path(folder).mkdir(parents=True, exist_ok=True)
        for part in ("pytorch", "keras"):  # each in a process of its own
            subprocess.run([sys.executable, __file__, part, folder], check=True)
    elif what == "pytorch":
        import torch

        prepare_pytorch(Path(folder))
        for name, (module, _) in of_pytorch().items():
            torch.save(module.state_dict(), Path(folder, f"{name}.pt"))
    elif what == "keras":
        prepare_keras(Path(folder))
    elif what != "table":
        notes = Path(os.environ.get("CONVERT_NOTES", NOTES))
        path, found = notes / "tools.json", tried(what, Path(folder))
        told = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        told[what] = found
        notes.mkdir(exist_ok=True)
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    if what == "table" or (what in TOOLS and "CONVERT_NOTES" not in os.environ):
        put_tools(OF_PYTORCH | OF_KERAS)


if __name__ == "__main__":
    main(*sys.argv[1:])
