"""A framework's process as the server sees it: asked one sentence at a time, watched, and started again if it dies."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from diptych.errors import DiptychError
from diptych.processes.failures import end_in_words
from diptych.processes.process import Process
from diptych.visible import visible
from diptych.web.limits import Limits

T = TypeVar("T")

MADE_OF = "diptych.web.bounded:Sentences"
SECONDS_OF_GRACE = 5.0
"""A process ends a translation by itself when its time is over; one that has not done so by then is stuck."""
PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before each new start; the last one for all that follow."""
# Ctrl-C, and a service manager's SIGTERM, reach every process of the group: the server decides when the others end.
IGNORED = ("SIGINT", "SIGTERM")
THREADS = 3
"""One that asks, one that waits for the end, and one that closes."""


class WatchedProcess:
    """One framework's process.

    Attributes:
        backend: the framework.
        arguments: what `diptych.web.bounded.Sentences` is made with.
        facts: what it said about itself when it was ready: versions, precision, trained_in.
        trouble: why it does not answer, in words; empty while it does.
        restarts: how often it has been started again.
    """

    def __init__(self, backend: str, arguments: dict[str, Any], limits: Limits, made_of: str = MADE_OF) -> None:
        """Nothing is started yet."""
        self.backend = backend
        self.arguments = arguments
        self.limits = limits
        self.made_of = made_of
        self.facts: dict[str, Any] = {}
        self.trouble = f"the {backend} process is starting; try again in a few seconds"
        self.restarts = 0
        self.process: Process | None = None
        self._threads = ThreadPoolExecutor(THREADS)
        self._turn = asyncio.Lock()
        self._asked: set[asyncio.Task[dict[str, Any]]] = set()

    async def start(self) -> None:
        """Start the process and wait until its model is loaded.

        Raises:
            DiptychError: the one that was raised there.
            BackendError: it did not get ready, or not in time.
            OSError: the system has no process, or no memory, to give.
        """
        process = Process(f"the {self.backend} process", self.made_of, self.arguments, ignored=IGNORED)
        self.process = process
        try:
            self.facts = await self._in_thread(partial(process.ask, "facts", self.limits.starting_seconds))
        except BaseException:
            process.kill()
            await self._in_thread(process.close)
            raise
        self.trouble = ""

    async def watch(self) -> None:
        """Start the process again whenever it ends, until this is cancelled."""
        failures = 0
        while True:
            if not self.trouble and self.process is not None:
                failures = 0
                process = self.process
                self._note_end(process, await self._in_thread(process.wait))
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
            failures += 1
            self.restarts += 1
            try:
                await self.start()
            except (DiptychError, OSError) as error:
                self.trouble = f"{error}; it will be started again"
                print(f"warning: {visible(self.trouble)}", file=sys.stderr)
            else:
                print(f"the {self.backend} process answers again", file=sys.stderr)

    async def translate(self, sentence: str, row: int, search: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Have one sentence translated; sentences wait their turn, first come, first served.

        Returns:
            {"translation": {...}} or {"error": {"kind": ..., "message": ...}}, see `diptych.web.bounded`.
        """
        asked = asyncio.create_task(self._exchange(sentence, row, search, seconds))
        self._asked.add(asked)
        asked.add_done_callback(self._asked.discard)
        # Who asked may go; the answer is read all the same, or the next one to ask would get it.
        return await asyncio.shield(asked)

    async def close(self) -> None:
        """End the process; what is busy is not waited for."""
        if self.process is not None:
            await self._in_thread(self.process.close)
        self._threads.shutdown(wait=False)

    async def _in_thread(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)

    async def _exchange(self, sentence: str, row: int, search: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Ask and wait for the answer. Every trouble with the process is an answer, too."""
        async with self._turn:
            process = self.process
            if self.trouble or process is None:
                return _problem("BackendError", self.trouble)
            job = {"sentence": sentence, "row": row, "search": search, "seconds": seconds}
            asking = partial(process.ask, "translate", seconds + SECONDS_OF_GRACE, **job)
            try:
                translation = await self._in_thread(asking)
            except DiptychError as error:
                if process.status is None:
                    return _problem(type(error).__name__, str(error))
                return _problem("BackendError", self._note_end(process, process.status))
            return {"translation": translation} if translation else _problem("TimeLimitError", "")

    def _note_end(self, process: Process, status: int) -> str:
        """Remember, and say once, that a process has ended."""
        end = f"the {self.backend} process {end_in_words(status)} and is being started again"
        trouble = f"{end}; try again in a few seconds"
        if process is self.process and not self.trouble:
            self.trouble = trouble
            print(f"warning: {visible(end)}", file=sys.stderr)
        return trouble


def _problem(kind: str, message: str) -> dict[str, Any]:
    return {"error": {"kind": kind, "message": message}}
