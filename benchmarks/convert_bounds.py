"""What a model of 100 MB and what hostile files cost: `benchmarks/convert_bounds.py [inspect] [convert] [hostile]`.

Each command runs in processes of its own. Time is from start to end, and that of the processors; memory is the most
that all of the processes have together, without views of files, less what the same command takes for a model of a few
numbers. Noted in docs/convert/bounds.json; then the table in docs/convert.md is written anew.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from convert_hostile import HOSTILE
from convert_table import NOTES, put_bounds
from safetensors.numpy import save_file

from diptych.processes.environment import environment

SECONDS = 0.01
"""How often memory is looked at."""
LARGE, SMALL = (40_000, 256, 1024), (40, 4, 4)


def measured(command: list[str], seconds: float = 600) -> dict[str, Any]:
    """How a command ended, how long it took, and the most memory that its processes had together."""
    began, peak, before = time.monotonic(), 0, resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        while process.poll() is None:
            peak = max(peak, sum(map(_anonymous, _family(process.pid))))
            if time.monotonic() - began > seconds:
                process.kill()
            time.sleep(SECONDS)
        took = time.monotonic() - began
        said.seek(0)
        last = said.read().decode("utf-8", "replace").strip().splitlines()[-1:]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "exit": process.returncode,
        "seconds": round(took, 2),
        "worked": round(worked, 2),
        "bytes": peak,
        "said": " ".join(last)[:200],
    }


def _family(number: int) -> list[int]:
    """A process and all that it has started."""
    found = [number]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            try:
                found += map(int, task.read_text(encoding="utf-8").split())
            except OSError:
                continue
    return found


def _anonymous(number: int) -> int:
    """The bytes of a process that are no view of a file."""
    try:
        lines = Path(f"/proc/{number}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon")), 0)


def diptych(*words: str | Path) -> list[str]:
    """A command of Diptych."""
    return [sys.executable, "-m", "diptych", *map(str, words)]


def model_of_keras(path: Path, words: int, width: int, hidden: int) -> None:
    """An embedding, two LSTMs and a classifier, as tf.keras 2.9 wrote them; and the weights alone, for inspection."""
    import h5py

    draw = np.random.default_rng(0)
    lstm = {"units": hidden, "recurrent_activation": "sigmoid", "return_sequences": True}
    embedding = {"input_dim": words, "output_dim": width, "mask_zero": True, "batch_input_shape": [None, None]}
    layers: list[tuple[str, str, dict[str, Any], dict[str, tuple[int, ...]]]] = [
        ("Embedding", "embedding", embedding, {"embeddings:0": (words, width)})
    ]
    for number, size in enumerate((width, hidden)):
        shapes = {"kernel:0": (size, 4 * hidden), "recurrent_kernel:0": (hidden, 4 * hidden), "bias:0": (4 * hidden,)}
        layers.append(("LSTM", f"lstm_{number}", lstm, shapes))
    layers.append(("Dense", "dense", {"units": 10}, {"kernel:0": (hidden, 10), "bias:0": (10,)}))
    arrays = {}
    with h5py.File(path, "w") as file:
        config = [{"class_name": kind, "config": {"name": name, **config}} for kind, name, config, _ in layers]
        file.attrs["keras_version"], file.attrs["backend"] = "2.9.0", "tensorflow"
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"name": "s", "layers": config}})
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([name.encode() for _, name, _, _ in layers])
        for _, name, _, shapes in layers:
            own = group.create_group(name)
            own.attrs["weight_names"] = np.array([f"{name}/{weight}".encode() for weight in shapes])
            for weight, shape in shapes.items():
                arrays[f"{name}/{weight}"] = draw.standard_normal(shape, np.float32) * np.float32(0.05)
                own.create_dataset(f"{name}/{weight}", data=arrays[f"{name}/{weight}"])
    save_file(arrays, path.with_suffix(".safetensors"))
    np.savez(path.with_suffix(".npz"), **{name.replace("/", "."): array for name, array in arrays.items()})


def bounds_of_models(parts: list[str]) -> list[dict[str, Any]]:
    """Inspecting and converting 100 MB."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size, numbers in (("large", LARGE), ("small", SMALL)):
            model_of_keras(folder / f"{size}.h5", *numbers)
        tasks = [("inspect", suffix, "") for suffix in ("h5", "safetensors", "npz")] if "inspect" in parts else []
        tasks += [("convert", "h5", to) for to in ("pytorch", "keras", "onnx")] if "convert" in parts else []
        for task, suffix, to in tasks:
            costs = []
            for size in ("large", "small"):
                words: list[str | Path] = [task, folder / f"{size}.{suffix}"]
                words += [folder / f"{size}-{to}", "--to", to] if to else []
                costs.append(measured(diptych(*words)))
            large, small = costs
            told = {"what": f"{task} .{suffix}{f' --to {to}' if to else ''}", "small": small, **large,
                    "file": (folder / f"large.{suffix}").stat().st_size,
                    "beyond": large["bytes"] - small["bytes"]}  # fmt: skip
            print(told, flush=True)
            found.append(told)
    return found


def bounds_of_hostile_files() -> list[dict[str, Any]]:
    """Inspecting what is made to hurt; and converting it."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model_of_keras(folder / "small.h5", *SMALL)
        base = measured(diptych("inspect", folder / "small.h5"))
        for label, write in HOSTILE.items():
            path = folder / f"x{Path(label).suffix}"
            with path.open("wb+") as file:
                write(file)
            for words in (["inspect", path], ["convert", path, folder / "out", "--to", "pytorch"]):
                cost = measured(diptych(*words))
                told = {"what": f"{words[0]} {label}", "file": path.stat().st_size, **cost,
                        "beyond": cost["bytes"] - base["bytes"]}  # fmt: skip
                print(told, flush=True)
                found.append(told)
    return found


def main(parts: list[str]) -> None:
    """Measure these parts, or all."""
    parts = parts or ["inspect", "convert", "hostile"]
    path = NOTES / "bounds.json"
    told = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    told["environment"] = environment()
    if models_too := [part for part in parts if part != "hostile"]:
        told["models"] = bounds_of_models(models_too)
    if "hostile" in parts:
        told["hostile"] = bounds_of_hostile_files()
    NOTES.mkdir(exist_ok=True)
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    put_bounds()


if __name__ == "__main__":
    main(sys.argv[1:])
