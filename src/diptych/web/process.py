"""A framework's process as the server sees it: asked one sentence at a time, watched, and started again if it dies."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diptych.errors import BackendError, DiptychError, error_named, process_end
from diptych.web.limits import Limits

LONGEST_LINE = 1 << 25  # bytes
SECONDS_TO_END = 1.0
SECONDS_OF_GRACE = 5.0
"""A worker ends a translation by itself when its time is over; one that has not done so by then is stuck."""
PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before each new start; the last one for all that follow."""


def worker_command(run: Path, backend: str, threads: int | None, device: str) -> list[str]:
    """What starts a backend's process. -P: a torch.py in the current folder is not the framework."""
    request = {"run": str(run), "backend": backend, "threads": threads, "device": device}
    return [sys.executable, "-P", "-m", "diptych.web.worker", json.dumps(request)]


class WorkerProcess:
    """One framework's process.

    Attributes:
        backend: the framework.
        facts: what it said about itself when it was ready: versions, precision, trained_in.
        trouble: why it does not answer, in words; empty while it does.
        restarts: how often it has been started again.
    """

    def __init__(self, backend: str, command: Sequence[str], limits: Limits) -> None:
        """Nothing is started yet."""
        self.backend = backend
        self.command = tuple(command)
        self.limits = limits
        self.facts: dict[str, Any] = {}
        self.trouble = f"the {backend} process is starting; try again in a few seconds"
        self.restarts = 0
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._asked: set[asyncio.Task[dict[str, Any]]] = set()

    async def start(self) -> None:
        """Start the process and wait until its model is loaded.

        Raises:
            DiptychError: the one that was raised there.
            BackendError: it did not get ready, or not in time.
        """
        process = await asyncio.create_subprocess_exec(*self.command, stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE)
        self._process = process
        try:
            said = await self._first_line(process)
            if "failed" in said:
                raise _error_of(said["failed"], self.backend)
        except BaseException:
            await self.close()
            raise
        self.facts, self.trouble = said["ready"], ""

    async def watch(self) -> None:
        """Start the process again whenever it ends, until this is cancelled."""
        failures = 0
        while True:
            if not self.trouble and self._process is not None:
                failures = 0
                self._note_end(self._process, await self._process.wait())
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
            failures += 1
            self.restarts += 1
            try:
                await self.start()
            except (DiptychError, OSError) as error:  # OSError: the system has no process, or no memory, to give
                self.trouble = f"{error}; it will be started again"
                print(f"warning: {self.trouble}", file=sys.stderr)
            else:
                print(f"the {self.backend} process answers again", file=sys.stderr)

    async def translate(self, sentence: str, row: int, search: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Have one sentence translated; sentences wait their turn, first come, first served.

        Returns:
            {"translation": {...}} or {"error": {"kind": ..., "message": ...}}, see `diptych.web.worker`.
        """
        job = {"sentence": sentence, "row": row, "search": search, "seconds": seconds}
        asked = asyncio.create_task(self._exchange(job))
        self._asked.add(asked)
        asked.add_done_callback(self._asked.discard)
        # Who asked may go; the answer is read all the same, or the next one to ask would get it.
        return await asyncio.shield(asked)

    async def close(self) -> None:
        """End the process."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(SECONDS_TO_END):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _first_line(self, process: Process) -> dict[str, Any]:
        """What a process says first, when its model is loaded or cannot be."""
        seconds = self.limits.starting_seconds
        try:
            async with asyncio.timeout(seconds):
                return await _read_line(process)
        except TimeoutError:
            raise BackendError(f"the {self.backend} process was not ready after {seconds:.0f} s") from None
        except EOFError:
            raise BackendError(f"the {self.backend} process {process_end(await process.wait())}") from None

    async def _exchange(self, job: dict[str, Any]) -> dict[str, Any]:
        """Write a line and read one. Every trouble with the process is an answer, too."""
        async with self._turn:
            process = self._process
            if self.trouble or process is None or process.stdin is None:
                return _problem(self.trouble)
            try:
                process.stdin.write(json.dumps(job).encode("ascii") + b"\n")
                await process.stdin.drain()
                async with asyncio.timeout(job["seconds"] + SECONDS_OF_GRACE):
                    return await _read_line(process)
            except TimeoutError:
                process.kill()
            except (EOFError, ConnectionError):
                pass
            return _problem(self._note_end(process, await process.wait()))

    def _note_end(self, process: Process, status: int) -> str:
        """Remember, and say once, that a process has ended."""
        end = f"the {self.backend} process {process_end(status)} and is being started again"
        trouble = f"{end}; try again in a few seconds"
        if process is self._process and not self.trouble:
            self.trouble = trouble
            print(f"warning: {end}", file=sys.stderr)
        return trouble


async def _read_line(process: Process) -> dict[str, Any]:
    """The next line of JSON of a process.

    Raises:
        EOFError: there is none, the process has ended.
    """
    assert process.stdout is not None  # it was started with a pipe
    line = await process.stdout.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    said: dict[str, Any] = json.loads(line)
    return said


def _error_of(problem: dict[str, str], backend: str) -> DiptychError:
    """The error that a worker told of."""
    own = error_named(problem["kind"], problem["message"])
    return own or BackendError(f"the {backend} process failed: {problem['message']}")


def _problem(message: str) -> dict[str, Any]:
    return {"error": {"kind": "BackendError", "message": message}}
