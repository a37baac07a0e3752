"""The only door through which a framework is imported, and only when it is asked for.

Loading both frameworks into one process is allowed, because small programs and tests need it, but it has been seen to
hang or crash with some builds (both bring their own OpenMP and protobuf), and they would share the processor. So
whatever measures, and whatever a user waits for, loads one framework per process; `diptych compare` does.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import cast

from diptych.errors import BackendError, finds_no_memory
from diptych.panel.memory import keep_freed_memory
from diptych.panel.protocol import Panel

BACKENDS = ("tensorflow", "pytorch")
NAMES = {"tensorflow": "TensorFlow", "pytorch": "PyTorch", "reference": "NumPy", "onnxruntime": "ONNX Runtime"}
"""Each backend's name where people read it; the last one is no panel, it runs exports."""
DEVICES = ("auto", "cpu", "cuda")
MOST_THREADS = 4096

# What each panel imports beside what Diptych itself depends on.
_FRAMEWORKS = {"tensorflow": ("tensorflow", "keras"), "pytorch": ("torch",), "reference": ()}
# Read once, when a framework is imported. `configure` then sets what can be set later.
_THREAD_VARIABLES = {
    "tensorflow": ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"),
    "pytorch": ("OMP_NUM_THREADS", "MKL_NUM_THREADS"),
    "reference": (),  # NumPy is there already
}


def is_installed(name: str) -> bool:
    """Whether a backend's framework is installed; looks for it without importing it.

    Raises:
        BackendError: there is no such backend.
    """
    _check_name(name)
    return all(map(_can_be_found, _FRAMEWORKS[name]))


def load(name: str, threads: int | None = None, device: str = "auto") -> Panel:
    """Import a backend's panel and set it up.

    What is set holds for the whole process, and for whatever else uses the framework there. TensorFlow: the number of
    threads; which GPUs it sees, whose memory it takes as it needs it; no TensorFloat-32. PyTorch: the number of
    threads; the default device; no TensorFloat-32; its threads take numbers below 1e-38 for zero. Both: where the C
    library is glibc, memory that was freed is kept for what comes next; the environment variables that a framework
    reads when it is imported are set, among them KERAS_BACKEND.

    Args:
        name: "tensorflow", "pytorch" or "reference".
        threads: how many processor threads it may use; None leaves that to the framework.
        device: "cpu", "cuda", or "auto" for a GPU where there is one.

    Raises:
        BackendError: the backend is unknown, not installed or broken, or the threads or the device are impossible.
    """
    _check_name(name)
    if threads is not None and not 1 <= threads <= MOST_THREADS:
        raise BackendError(f"threads = {threads}: give 1 to {MOST_THREADS}, or leave it out to let {name} choose")
    if device not in DEVICES:
        raise BackendError(f"unknown device {device!r}; choose among: {', '.join(DEVICES)}")
    if not is_installed(name):
        missing = ", ".join(module for module in _FRAMEWORKS[name] if not _can_be_found(module))
        raise BackendError(f"backend {name!r} needs {missing}, not installed here: pip install 'diptych[{name}]'")
    # TensorFlow writes lines about itself to standard error, some of them whatever its log level is.
    talks = name == "tensorflow" and "tensorflow" not in sys.modules and "TF_CPP_MIN_LOG_LEVEL" not in os.environ
    _prepare_environment(name, threads)
    if _FRAMEWORKS[name]:
        keep_freed_memory()
    try:
        with _standard_error_held_back() if talks else nullcontext():
            panel = cast(Panel, importlib.import_module(f"diptych.{name}"))
    except (ImportError, OSError) as error:  # OSError: a shared library that cannot be loaded
        if finds_no_memory(error):
            raise BackendError(
                f"backend {name!r} does not fit into memory: {error}. End other programs, raise the limit "
                f"(`ulimit -v`), or take --backend reference where that will do"
            ) from error
        if not _has_temporary_folder():
            raise BackendError(
                f"backend {name!r} needs a temporary folder, and none can be written: set TMPDIR to one ({error})"
            ) from error
        raise BackendError(
            f"backend {name!r} is installed but cannot be imported: {error}. "
            f"Install it anew: pip install --force-reinstall 'diptych[{name}]'"
        ) from error
    panel.configure(threads, device)
    return panel


def _check_name(name: str) -> None:
    if name not in _FRAMEWORKS:
        raise BackendError(f"unknown backend {name!r}; choose among: {', '.join(_FRAMEWORKS)}")


def _can_be_found(module: str) -> bool:
    """Whether a top-level module could be imported; a loaded or blocked one answers for itself."""
    if module in sys.modules:
        return sys.modules[module] is not None
    return importlib.util.find_spec(module) is not None


def _prepare_environment(name: str, threads: int | None) -> None:
    """Set what a framework reads from the environment when it is imported; does nothing if it already has been."""
    if name == "tensorflow":
        loaded = sys.modules.get("keras")
        if loaded is not None and loaded.backend.backend() != "tensorflow":
            raise BackendError(
                f"Keras was already imported with its backend {loaded.backend.backend()!r}, but Diptych needs "
                f"'tensorflow': set KERAS_BACKEND=tensorflow before Keras is imported, or use a process of its own"
            )
        os.environ["KERAS_BACKEND"] = "tensorflow"
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if name == "pytorch" and "OMP_WAIT_POLICY" not in os.environ:
        # How often its threads look for each other before they sleep. Never, and a step takes a fifth longer where they
        # have the processors to themselves; by default so often that they hold up whatever else runs there.
        os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    if threads is not None and not any(module in sys.modules for module in _FRAMEWORKS[name]):
        for variable in _THREAD_VARIABLES[name]:
            os.environ[variable] = str(threads)


def _has_temporary_folder() -> bool:
    """Whether there is one that can be written: TensorFlow asks for it when it is imported."""
    try:
        return bool(tempfile.gettempdir())
    except FileNotFoundError:
        return False


@contextmanager
def _standard_error_held_back() -> Iterator[None]:
    """Keep what this process, its libraries in C++ included, writes to standard error; show it only on an exception."""
    try:
        standard_error = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    # In memory where the system can: there may be no folder that can be written.
    with os.fdopen(os.memfd_create("held"), "w+b") if hasattr(os, "memfd_create") else tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(standard_error, held.read())
            raise
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)
