"""ONNX Runtime: the only place that imports it to use a model, when it is asked for."""

from __future__ import annotations

import importlib.util
from importlib import metadata
from pathlib import Path
from typing import Any

from diptych.errors import BackendError

INSTALL = "pip install 'diptych[onnx]'"
PROVIDERS = {"cpu": ["CPUExecutionProvider"], "cuda": ["CUDAExecutionProvider", "CPUExecutionProvider"]}


def is_installed() -> bool:
    """Whether ONNX Runtime could be imported; it is not."""
    return importlib.util.find_spec("onnxruntime") is not None


def versions() -> dict[str, str]:
    """The version of what computes."""
    return {"onnxruntime": metadata.version("onnxruntime")}


def session(what: Path | bytes, threads: int | None = None, device: str = "auto", optimized: Path | None = None) -> Any:
    """An ONNX file, ready to run.

    Args:
        what: the file, or what would be in one.
        threads: how many it may use; None leaves that to the runtime.
        device: "cpu", "cuda", or "auto" for a GPU where this build of the runtime has one.
        optimized: where to write the graph as the runtime made it quicker; by default nowhere.

    Raises:
        BackendError: the runtime is not installed, cannot run the file, or has not the device.
    """
    if not is_installed():
        raise BackendError(f"backend 'onnxruntime' needs onnxruntime, not installed here: {INSTALL}")
    import onnxruntime

    has_cuda = PROVIDERS["cuda"][0] in onnxruntime.get_available_providers()
    if device == "cuda" and not has_cuda:
        raise BackendError(
            "device 'cuda' was asked for, but this onnxruntime has none: use --device cpu, or pip install "
            "onnxruntime-gpu"
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads or 0
    # A session's threads would go on looking for work after each run, on the processors that the next session needs.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if optimized is not None:
        options.optimized_model_filepath = str(optimized)
    try:
        providers = PROVIDERS["cuda" if has_cuda and device != "cpu" else "cpu"]
        return onnxruntime.InferenceSession(
            what if isinstance(what, bytes) else str(what), options, providers=providers
        )
    except Exception as error:  # its own classes, none of which tells more than its text
        # What is wrong, which opset or operator, stands last, behind names of its source files.
        text = " ".join(str(error).split())[-300:]
        name = "a graph of Diptych's" if isinstance(what, bytes) else what.name
        raise BackendError(
            f"onnxruntime {onnxruntime.__version__} cannot run {name}: .. {text}; a newer one may: pip install "
            f"--upgrade onnxruntime"
        ) from error
