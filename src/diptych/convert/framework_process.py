"""One function of a conversion in a framework's process, with as much memory as it needs and no more."""

from __future__ import annotations

import ctypes
import gc
import importlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from diptych import panel
from diptych.errors import BackendError, RefusalError
from diptych.processes.process import Process

TRIM, MAPPINGS = 1 << 17, 1 << 16


class Functions:
    """What `call` asks, in the process."""

    def __init__(self, framework: str, threads: int | None) -> None:
        """Set a framework up, see `diptych.panel.load`; what it frees is given back, as a training does not want it."""
        panel.load(framework, threads, "cpu")
        with suppress(AttributeError, OSError, TypeError):  # where the C library is glibc
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(-1, TRIM)  # M_TRIM_THRESHOLD
            mallopt(-4, MAPPINGS)  # M_MMAP_MAX

    def call(self, function: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call "module:function" with the arguments."""
        module, _, name = function.partition(":")
        answer: dict[str, Any] = getattr(importlib.import_module(module), name)(**arguments)
        gc.collect()  # a Keras model holds itself, and this process may be asked again
        return answer


_kept: ContextVar[dict[str, Process] | None] = ContextVar("kept", default=None)
"""The one process that goes on, by what it was set up with; None outside of `keeping_the_last`."""


@contextmanager
def keeping_the_last() -> Iterator[None]:
    """Within it a framework's process goes on until another framework is asked: it need not be started again."""
    processes: dict[str, Process] = {}
    before = _kept.set(processes)
    try:
        yield
    finally:
        _kept.reset(before)
        _close(processes)


def _close(processes: dict[str, Process]) -> None:
    while processes:
        processes.popitem()[1].close()


@contextmanager
def _process(setup: dict[str, Any], who: str, module: str) -> Iterator[Process]:
    """A process that is set up so: the one that was kept, or a fresh one; a user's class has one of its own."""
    kept, key = _kept.get(), f"{setup} {module}"
    if kept is None or key not in kept:
        _close(kept or {})  # two of them would hold two frameworks in memory
        process = Process(who, f"{__name__}:{Functions.__name__}", setup)
    else:
        process = kept.pop(key)
        process.who = who
    try:
        yield process
    except BaseException:
        process.close()
        raise
    if kept is None:
        process.close()
    else:
        kept[key] = process


def call(
    framework: str, function: str, arguments: dict[str, Any], threads: int | None = None, module: str = ""
) -> dict[str, Any]:
    """Call a function in a process of a framework, a fresh one or the one that was kept, on the processor.

    Args:
        framework: "tensorflow", "pytorch" or "reference".
        function: "module:function"; it returns a dict of JSON values and NumPy arrays, nested in dicts and lists.
        arguments: JSON values and NumPy arrays by name. Large arrays go by a file, see `diptych.convert.scratch`.
        threads: how many processor threads the framework may use; None leaves that to it.
        module: the user's own class that runs there, "package.module:Class".

    Raises:
        DiptychError: the one that was raised there.
        RefusalError: the user's class has ended the process.
        BackendError: the process failed or died; the message says how.
        KeyboardInterrupt: on Ctrl-C; the process has ended then.
    """
    gc.collect()
    with suppress(AttributeError, OSError, TypeError):  # where the C library is glibc
        ctypes.CDLL(None).malloc_trim(0)  # what is free here and not given back would count beside the other process
    setup = {"framework": framework, "threads": threads}
    with _process(setup, f"the {framework} process (in {function})", module) as process:
        try:
            answer: dict[str, Any] = process.ask("call", function=function, arguments=arguments)
        except BackendError as error:
            if not module or process.status is None or process.status < 0:  # it failed, or a signal has ended it
                raise
            raise RefusalError(
                f"--module {module} ended its process, with exit status {process.status} (sys.exit, exit, os._exit): a "
                f"class that is to be converted must let it go on; what a file does as a program goes under "
                f'if __name__ == "__main__"'
            ) from error
        return answer
