"""Listen, start the frameworks, answer, and end in good order."""

from __future__ import annotations

import asyncio
import functools
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import cast

import uvicorn

from diptych.errors import DiptychError, UsageError
from diptych.runs.run import Run
from diptych.visible import visible
from diptych.web.application import make_application
from diptych.web.connection import ClientConnection
from diptych.web.gate import LOCAL_HOSTS
from diptych.web.limits import Limits
from diptych.web.service import Service
from diptych.web.watched import WatchedProcess


def serve(
    run: Run,
    backends: Sequence[str],
    host: str = "127.0.0.1",
    port: int = 8000,
    allowed_hosts: Collection[str] = (),
    threads: int | None = None,
    device: str = "auto",
    limits: Limits | None = None,
) -> None:
    """Serve a run until SIGTERM, or Ctrl-C; what is being answered then is finished first.

    Args:
        run: what was trained.
        backends: which frameworks answer, each in a process of its own.
        host: the address to listen on.
        port: the port; 0 for any that is free. It is printed.
        allowed_hosts: names beside the local ones and `host` that a request's Host may have.
        threads: how many each framework may use; None leaves that to it.
        device: "auto", "cpu" or "cuda".
        limits: what may be asked for; None for the usual.

    Raises:
        UsageError: nothing can listen at this address.
        DiptychError: no framework could be started; the first one's error.
        KeyboardInterrupt: after Ctrl-C.
    """
    with _listen(host, port) as listener:
        limits = limits or Limits()
        given = {"run": str(run.folder), "threads": threads, "device": device}
        workers = [WatchedProcess(backend, {"backend": backend} | given, limits) for backend in backends]
        hosts = {*LOCAL_HOSTS, host, *allowed_hosts}
        asyncio.run(_serve(run, workers, listener, hosts, limits))


async def _serve(
    run: Run, workers: Sequence[WatchedProcess], listener: socket.socket, hosts: Collection[str], limits: Limits
) -> None:
    named = {worker.backend: worker for worker in workers}
    async with _running(workers):
        application = make_application(Service(run, named, limits), hosts)
        config = uvicorn.Config(
            application,
            http=cast("type[asyncio.Protocol]", functools.partial(ClientConnection, seconds=limits.client_seconds)),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=limits.stopping_seconds,  # type: ignore[arg-type]
        )
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        address, port = listener.getsockname()[:2]
        where = f"http://{f'[{address}]' if ':' in address else address}:{port}/"
        print(f"{run.folder.name} with {', '.join(named)}: {where} (Ctrl-C ends it)", flush=True)
        with _signals_noted() as noted:
            await uvicorn.Server(config).serve(sockets=[listener])
    if signal.SIGINT in noted:
        raise KeyboardInterrupt


@contextmanager
def _signals_noted() -> Iterator[list[int]]:
    """The signals that ended uvicorn: it ends in good order and raises them again when nothing is left to be done."""
    noted: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda number, frame: noted.append(number)) for number in numbers]
    try:
        yield noted
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@asynccontextmanager
async def _running(workers: Sequence[WatchedProcess]) -> AsyncIterator[None]:
    """The frameworks' processes, started, watched, and ended at last.

    Raises:
        DiptychError: none of them could be started.
    """
    watchers: list[asyncio.Task[None]] = []
    try:
        errors = await asyncio.gather(*(worker.start() for worker in workers), return_exceptions=True)
        for worker, error in zip(workers, errors, strict=True):
            if error is None:
                continue
            if not isinstance(error, DiptychError) or all(errors):
                raise error
            worker.trouble = f"{error}; it will be started again"
            print(f"warning: {visible(worker.trouble)}", file=sys.stderr)
        watchers = [asyncio.create_task(worker.watch()) for worker in workers]
        yield
    finally:
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*(worker.close() for worker in workers))


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens, before anything else is started.

    Raises:
        UsageError: the address is no address of this machine, or the port is taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)  # who comes while the frameworks start waits a little
    except OSError as error:
        raise UsageError(
            f"cannot listen at {host}, port {port}: {error.strerror}; give another --host or --port"
        ) from error
    return listener
