"""One function of a conversion in a framework's process, with as much memory as it needs and no more."""

from __future__ import annotations

import ctypes
import gc
import importlib
from contextlib import suppress
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
        return answer


def call(
    framework: str, function: str, arguments: dict[str, Any], threads: int | None = None, module: str = ""
) -> dict[str, Any]:
    """Call a function in a fresh process of a framework, on the processor.

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
    with Process(f"the {framework} process (in {function})", f"{__name__}:{Functions.__name__}", setup) as process:
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
