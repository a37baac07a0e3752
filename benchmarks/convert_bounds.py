"""What 100 MB and hostile files cost: `benchmarks/convert_bounds.py [inspect] [.h5] [.pt] .. [hostile]`.

"inspect" lists every kind of file; the name of a kind converts it; without a word everything is measured. A SavedModel
is written by tf.keras 2.15 or older, whose Python `TF_KERAS_PYTHON` names; without it that kind is left out.
Each command runs in processes of its own. Time is from start to end, and that of the processors; memory is the most
that all of the processes have together, without views of files, less what the same command takes for a model of a few
numbers. Noted in docs/convert/bounds.json, where what was not measured now stays; then the table in docs/convert.md is
written anew.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert_hostile import HOSTILE
from convert_large import SIZES, of_tf_keras
from convert_table import NOTES, put_bounds

from diptych.processes.environment import environment

SECONDS = 0.01
"""How often memory is looked at."""


def measured(command: list[str], seconds: float = 600) -> dict[str, Any]:
    """How a command ended, how long it took, and the most memory that its processes had together."""
    began, peak, before = time.monotonic(), 0, resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryFile() as said:
        here = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
        process = subprocess.Popen(
            command, stdout=said, stderr=said, stdin=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": here}
        )
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
        with suppress(OSError):  # it has ended meanwhile
            for task in list(Path(f"/proc/{each}/task").glob("*/children")):
                with suppress(OSError):
                    found += map(int, task.read_text(encoding="utf-8").split())
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


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        writer: of `convert_large.py`.
        ending: of the file's name.
        to: what it is converted to.
        more: what is said beside its name; {size} is "large" or "small".
    """

    writer: str
    ending: str
    to: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


CLASS = ("--module", "convert_large:{size}", "--input", "2,5:int")
KINDS = {
    ".h5": Kind("tf-keras", ".h5", ("pytorch", "keras", "onnx")),
    ".npz": Kind("tf-keras", ".npz"),
    ".keras": Kind("keras", ".keras", ("pytorch", "keras", "onnx")),
    ".pt": Kind("pytorch", ".pt", ("keras", "onnx"), CLASS),
    ".safetensors": Kind("pytorch", ".safetensors", ("keras",), CLASS),
    ".onnx": Kind("pytorch", ".onnx", ("pytorch", "keras")),
    "frozen .pb": Kind("frozen", ".pb", ("pytorch", "keras")),
    "SavedModel": Kind("saved-model", "", ("pytorch", "keras")),
}


def bounds_of_models(parts: list[str], folder: Path) -> Iterator[dict[str, Any]]:
    """Inspecting and converting 100 MB."""
    older = os.environ.get("TF_KERAS_PYTHON", "")
    wanted = {name: kind for name, kind in KINDS.items() if "inspect" in parts or name in parts}
    if not older:
        wanted.pop("SavedModel", None)
    for writer in {kind.writer for kind in wanted.values()}:
        for size in ("large", "small"):
            python = older if writer == "saved-model" else sys.executable
            program = Path(__file__).with_name("convert_large.py")
            made = subprocess.run([python, program, writer, size, folder], capture_output=True, encoding="utf-8")
            if made.returncode:
                raise SystemExit(f"{program.name} {writer} {size}: {made.stderr.strip()[-500:]}")
    for name, kind in wanted.items():
        tasks = [("inspect", "")] if "inspect" in parts else []
        tasks += [("convert", to) for to in kind.to] if name in parts else []
        for task, to in tasks:
            costs = []
            for size in ("large", "small"):
                words: list[str | Path] = [task, folder / f"{size}{kind.ending}"]
                if to:
                    out = folder / f"{size}-{name.strip('.')}-{to}"
                    words += [out, "--to", to, *(word.format(size=size) for word in kind.more)]
                costs.append(measured(diptych(*words)))
                if costs[-1]["exit"]:
                    raise SystemExit(f"{' '.join(map(str, words))}: {costs[-1]['said']}")
            large, small = costs
            told = {"what": f"{task} {name}{f' --to {to}' if to else ''}", "small": small, **large,
                    "file": bytes_of(folder / f"large{kind.ending}"),
                    "beyond": large["bytes"] - small["bytes"]}  # fmt: skip
            print(told, flush=True)
            yield told


def bytes_of(path: Path) -> int:
    """How large a file is, or all the files of a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def bounds_of_hostile_files() -> list[dict[str, Any]]:
    """Inspecting what is made to hurt; and converting it."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        of_tf_keras(folder / "small", SIZES["small"])
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
    parts = parts or ["inspect", *KINDS, "hostile"]
    if unknown := sorted(set(parts) - {"inspect", "hostile", *KINDS}):
        raise SystemExit(f"{unknown[0]} is no part; these are: inspect, hostile, {', '.join(KINDS)}")
    path = NOTES / "bounds.json"
    told = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    told["environment"] = environment()
    models = {each["what"]: each for each in told.get("models", [])}
    with tempfile.TemporaryDirectory() as name:
        for each in bounds_of_models(parts, Path(name)):
            models[each["what"]] = each
            told["models"] = sorted(models.values(), key=_place)
            _note(path, told)  # what is interrupted was not for nothing
    if "hostile" in parts:
        told["hostile"] = bounds_of_hostile_files()
        _note(path, told)
    put_bounds()


def _note(path: Path, told: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _place(told: dict[str, Any]) -> tuple[bool, int]:
    """Inspecting first; then in the order of the kinds."""
    task, _, rest = told["what"].partition(" ")
    return task != "inspect", list(KINDS).index(rest.partition(" --to ")[0])


if __name__ == "__main__":
    main(sys.argv[1:])
