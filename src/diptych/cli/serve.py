"""`diptych serve`: a page and a JSON API that translate with both frameworks."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated, Literal

import typer

from diptych.cli.options import Device, Run, Threads


def serve(
    run_folder: Run,
    backend: Annotated[
        Literal["tensorflow", "pytorch", "reference", "onnxruntime"] | None,
        typer.Option("--backend", help="Serve only this one; by default every framework that is installed."),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="The address to listen on; 0.0.0.0: all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")] = 8000,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="NAME", help="Answer to this host name, too; may be given repeatedly."),
    ] = None,
    threads: Threads = None,
    device: Device = "auto",
) -> None:
    """Show a page where both frameworks translate side by side, and answer to a JSON API.

    Each framework runs in a process of its own. /openapi.json describes the API; docs/serve.md has examples. Ctrl-C,
    or SIGTERM, ends it after what is being answered.
    """
    from diptych.errors import BackendError, RunError, UsageError
    from diptych.exported.folder import ONNX_RUNTIME, default_backend, is_export
    from diptych.panel import BACKENDS, is_installed
    from diptych.runs.run import Run

    missing = [name for name in ("fastapi", "uvicorn") if not find_spec(name)]
    if missing:
        raise UsageError(f"serve needs {' and '.join(missing)}, not installed here: pip install 'diptych[serve]'")
    from diptych.web.server import serve as run_server

    run = Run.open(run_folder)
    backends = [backend] if backend else [name for name in BACKENDS if is_installed(name)]
    if not backend and default_backend(run.folder) == ONNX_RUNTIME:
        backends = [ONNX_RUNTIME]
    if not backends:
        raise BackendError(f"no framework is installed: pip install 'diptych[{BACKENDS[-1]}]', or --backend reference")
    if not is_export(run.folder) and not run.trained_backends():
        raise RunError(f"{run.folder} has no checkpoint yet: train it with `diptych train {run.folder}`")
    run_server(run, backends, host=host, port=port, allowed_hosts=allow_host or (), threads=threads, device=device)
