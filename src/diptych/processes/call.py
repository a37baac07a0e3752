"""One function in a framework's process: `call` runs it there and brings back what it returns."""

from __future__ import annotations

import importlib
from typing import Any

from diptych import panel as panels
from diptych.processes.process import Process


class Functions:
    """What `call` asks, in the process: functions of one panel."""

    def __init__(self, backend: str, threads: int | None, device: str) -> None:
        """Load the panel, see `diptych.panel.load`."""
        self.panel = panels.load(backend, threads, device)

    def call(self, function: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call "module:function" with the panel and the arguments."""
        module, _, name = function.partition(":")
        answer: dict[str, Any] = getattr(importlib.import_module(module), name)(self.panel, **arguments)
        return answer


def call(
    backend: str, function: str, arguments: dict[str, Any], threads: int | None = None, device: str = "auto"
) -> dict[str, Any]:
    """Load a backend in a fresh process and call a function there; its standard error and output go to ours.

    Args:
        backend: "tensorflow", "pytorch" or "reference".
        function: "module:function"; it is called with the backend's panel and the arguments, and returns a dict of
            JSON values and NumPy arrays, nested in dicts and lists.
        arguments: JSON values and NumPy arrays by name.
        threads: how many processor threads the backend may use; None leaves that to it.
        device: "auto", "cpu" or "cuda".

    Raises:
        DiptychError: the one that was raised there.
        BackendError: the process failed or died; the message says how.
        KeyboardInterrupt: on Ctrl-C; the process has ended then.
    """
    setup = {"backend": backend, "threads": threads, "device": device}
    with Process(f"the {backend} process (in {function})", f"{__name__}:{Functions.__name__}", setup) as process:
        answer: dict[str, Any] = process.ask("call", function=function, arguments=arguments)
        return answer
