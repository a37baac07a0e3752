"""One framework in a process of its own: `call` runs a function there and brings back what it returns.

What goes in is JSON. What comes back may hold NumPy arrays too; they travel in a safetensors file, never as pickle.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from diptych import errors
from diptych import panel as panels
from diptych.errors import BackendError, error_named, process_end

REQUEST, ANSWER, ARRAYS = "request.json", "answer.json", "arrays.safetensors"
ARRAY = "array in arrays.safetensors"
SECONDS_TO_END = 3.0


def call(
    backend: str, function: str, arguments: dict[str, Any], threads: int | None = None, device: str = "auto"
) -> dict[str, Any]:
    """Load a backend in a fresh process and call a function there; its standard error and output go to ours.

    Args:
        backend: "tensorflow", "pytorch" or "reference".
        function: "module:function"; it is called with the backend's panel and the arguments, and returns a dict of
            JSON values and NumPy arrays, nested in dicts and lists.
        arguments: JSON values by name.
        threads: how many processor threads the backend may use; None leaves that to it.
        device: "auto", "cpu" or "cuda".

    Raises:
        DiptychError: the one that was raised there.
        BackendError: the process failed or died; the message says how.
        KeyboardInterrupt: on Ctrl-C; the process has ended then.
    """
    request = {
        "backend": backend,
        "threads": threads,
        "device": device,
        "function": function,
        "arguments": arguments,
    }
    with tempfile.TemporaryDirectory(prefix="diptych-") as name:
        folder = Path(name)
        (folder / REQUEST).write_text(json.dumps(request), encoding="utf-8")
        # What a framework leaves in its temporary folder goes with ours.
        # -P: a torch.py in the current folder is not the framework. What the process prints is no result: it goes to
        # standard error. It ends when its standard input does, so it cannot outlive this process.
        command = [sys.executable, "-P", "-m", "diptych.processes.call", name]
        environment = os.environ | {"TMPDIR": name}
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=2, env=environment) as process:
            try:
                status = process.wait()
            except BaseException as error:
                _end(process, patiently=isinstance(error, KeyboardInterrupt))
                raise
        return _read_answer(folder, status, f"the {backend} process (in {function})")


def _end(process: subprocess.Popen[bytes], patiently: bool) -> None:
    """End the process; one that heard Ctrl-C too may end by itself first."""
    try:
        if patiently:
            process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        pass
    finally:
        process.kill()
        process.wait()


def _read_answer(folder: Path, status: int, who: str) -> dict[str, Any]:
    """What the process returned, or the error that it raised.

    An answer that is there is whole, and counts even where a framework failed while its process was ending.
    """
    if not (folder / ANSWER).is_file():
        if status == -signal.SIGINT or status == 128 + signal.SIGINT:
            raise KeyboardInterrupt
        raise BackendError(f"{who} {_describe_death(status)}")
    answer: dict[str, Any] = json.loads((folder / ANSWER).read_text(encoding="utf-8"))
    if "result" in answer:
        found: dict[str, Any] = _unpack(answer["result"], load_file(folder / ARRAYS))
        return found
    if own := error_named(answer["kind"], answer["message"]):
        raise own
    error = BackendError(f"{who} failed: {answer['message']}")
    error.add_note(f"there:\n{answer['traceback']}")
    raise error


def _describe_death(status: int) -> str:
    end = process_end(status)
    if status >= 0:
        return f"{end} and without an answer; what it said is above"
    if -status == signal.SIGKILL:
        return f"{end}, as the system does when memory runs out: try a smaller batch_size or model"
    return f"{end}; its installation may be broken, or this processor unknown to it"


def _pack(value: Any, arrays: dict[str, npt.NDArray[Any]]) -> Any:
    """A value as JSON, its arrays put aside."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biuf":
            raise TypeError(f"a worker returns arrays of numbers, got one of {value.dtype}")
        name = str(len(arrays))
        arrays[name] = np.array(value, value.dtype.newbyteorder("="), order="C")
        return {ARRAY: name}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError(f"a worker returns dicts with strings as keys, got {list(value)[:5]}")
        return {key: _pack(part, arrays) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_pack(part, arrays) for part in value]
    return value


def _unpack(value: Any, arrays: dict[str, npt.NDArray[Any]]) -> Any:
    """What `_pack` was given."""
    if isinstance(value, dict):
        if value.keys() == {ARRAY}:
            return arrays[value[ARRAY]]
        return {key: _unpack(part, arrays) for key, part in value.items()}
    return [_unpack(part, arrays) for part in value] if isinstance(value, list) else value


def _answer(folder: Path) -> dict[str, Any]:
    """Do what is asked for, and say what came of it."""
    request = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    try:
        panel = panels.load(request["backend"], request["threads"], request["device"])
        module, _, name = request["function"].partition(":")
        result = getattr(importlib.import_module(module), name)(panel, **request["arguments"])
        arrays: dict[str, npt.NDArray[Any]] = {}
        packed = _pack(result, arrays)
        save_file(arrays, folder / ARRAYS)
        json.dumps(packed)  # whether it can be
        return {"result": packed}
    except Exception as error:
        kinds = [kind.__name__ for kind in type(error).__mro__ if getattr(errors, kind.__name__, None) is kind]
        message = str(error) if kinds else f"{type(error).__name__}: {error}"
        return {"kind": kinds[0] if kinds else "", "message": message, "traceback": traceback.format_exc()}


def _end_with_parent() -> None:
    """Wait until standard input ends, as it does when the process that started this one has gone; then go, too."""
    os.read(0, 1)
    os._exit(1)


def main(folder: Path) -> int:
    """Answer the request in a folder."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        answer = json.dumps(_answer(folder))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    building = folder / f"{ANSWER}.new"
    building.write_text(answer, encoding="utf-8")
    building.replace(folder / ANSWER)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
