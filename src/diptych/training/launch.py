"""Several workers on this machine: started, watched and ended together, and started again where one was lost."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from diptych.errors import DiptychError, UsageError, WorkerError
from diptych.processes.machine import usable_processors
from diptych.processes.process import Process
from diptych.runs.progress import Reporter
from diptych.runs.run import Run
from diptych.training.interruption import Interruption
from diptych.training.report import TrainingReport
from diptych.training.shards import check_workers
from diptych.training.worker import Worker

LOOK_EVERY = 0.2
"""Seconds from one look at Ctrl-C to the next."""
SECONDS_TO_SAY = 2.0
"""So long a worker that has made others fail may take to say why."""


@dataclass(frozen=True)
class Crew:
    """How many workers train, and how.

    Attributes:
        backend: the framework of all of them.
        size: how many there are.
        threads: processor threads of each; None: the processors that there are, divided by the workers.
        device: auto, cpu or cuda.
        restarts: how often all are started again where one was lost.
    """

    backend: str
    size: int
    threads: int | None = None
    device: str = "auto"
    restarts: int = 0

    def __post_init__(self) -> None:
        if self.size < 1 or self.restarts < 0:
            raise UsageError(f"{self.size} workers and {self.restarts} restarts: give 1 or more, and 0 or more")

    @property
    def threads_each(self) -> int:
        """How many threads each worker has."""
        return self.threads or max(1, usable_processors() // self.size)


def train_together(
    run: Run, crew: Crew, reporter: Reporter, *, resume: bool = False, overwrite: bool = False, **options: Any
) -> TrainingReport:
    """Train a run with several workers here, each in a process of its own; see `diptych.training.loop.train`.

    On Ctrl-C, SIGTERM or SIGHUP all finish the step, one writes a checkpoint, and it goes on as `train` would.
    Where one is lost, all end, and are started again from the last checkpoint as often as the crew says.

    Args:
        run: what to train.
        crew: the workers.
        reporter: where to say that they are started again; worker 0 says how training goes.
        resume, overwrite: as `train` has them.
        options: more that `train` has, and `quiet`.

    Raises:
        UsageError: there are more workers than shards.
        DiptychError: what the first worker that failed has raised; the message names the worker.
    """
    check_workers(run.config.training, crew.size)
    run.encoded(reporter)  # once, before any of them looks for it
    for restart in range(crew.restarts + 1):
        try:
            return _attempt(run, crew, resume=resume, overwrite=overwrite, **options)
        except _Lost as lost:
            if restart == crew.restarts:
                raise lost.error from None
            reporter.note(f"{lost.error}; all start again from the last checkpoint ({restart + 1} of {crew.restarts})")
            resume, overwrite = True, False
    raise AssertionError("a loop that returns or raises has ended")


class _Lost(Exception):
    """A worker is gone, and that was not a fault of the training's."""

    def __init__(self, error: DiptychError) -> None:
        super().__init__(str(error))
        self.error = error


def _attempt(run: Run, crew: Crew, **options: Any) -> TrainingReport:
    """One start of all workers, to their end."""
    names = [f"worker {rank} of {crew.size} ({crew.backend})" for rank in range(crew.size)]
    outcomes: SimpleQueue[tuple[int, Any]] = SimpleQueue()
    results: dict[int, Any] = {}
    with ExitStack() as stack, Interruption() as interruption:
        processes = [
            stack.enter_context(Process(name, f"{Worker.__module__}:{Worker.__name__}", setup, ignored=["SIGINT"]))
            for name, setup in zip(names, _setups(crew), strict=True)
        ]
        stack.callback(_end_all, processes, results)
        for rank, process in enumerate(processes):
            arguments = (rank, process, {"folder": str(run.folder), **options}, outcomes)
            threading.Thread(target=_ask, args=arguments, daemon=True).start()
        told = False
        while len(results) < crew.size:
            if interruption.requested and not told:
                told = True
                for process in processes:
                    with suppress(OSError):
                        os.kill(process.pid, signal.SIGTERM)
            try:
                rank, outcome = outcomes.get(timeout=LOOK_EVERY)
            except Empty:
                continue
            if isinstance(outcome, BaseException):
                if interruption.requested and processes[rank].status == -signal.SIGTERM:  # it had not begun to train
                    interruption.obey()
                rank, outcome = _first_cause(rank, outcome, outcomes=outcomes)
                raise _named(outcome, names[rank], processes[rank])
            results[rank] = outcome
    return TrainingReport(**results[0])


def _first_cause(rank: int, error: BaseException, outcomes: SimpleQueue[tuple[int, Any]]) -> tuple[int, BaseException]:
    """Who failed, and how, where one worker has said so: it may only tell that another has, which says more itself."""
    end = time.monotonic() + SECONDS_TO_SAY
    while isinstance(error, WorkerError) and (left := end - time.monotonic()) > 0.0:
        with suppress(Empty):
            other, outcome = outcomes.get(timeout=left)
            if isinstance(outcome, BaseException) and not isinstance(outcome, WorkerError):
                return other, outcome
    return rank, error


def _end_all(processes: list[Process], results: dict[int, Any]) -> None:
    """End all workers at once where not all have a result: the others would wait for one."""
    if len(results) < len(processes):
        for process in processes:
            process.kill()


def _ask(rank: int, process: Process, arguments: dict[str, Any], outcomes: SimpleQueue[tuple[int, Any]]) -> None:
    """Have a worker train, and say what came of it."""
    try:
        outcomes.put((rank, process.ask("train", **arguments)))
    except BaseException as error:
        outcomes.put((rank, error))


def _named(error: BaseException, name: str, process: Process) -> BaseException:
    """The error of a worker, with its name; as one that a new start may mend if nothing was wrong with the training."""
    if not isinstance(error, DiptychError):
        return error
    said = str(error) if name in str(error) else f"{name}: {error}"
    named = type(error)(said)
    gone = isinstance(error, WorkerError) or process.status is not None
    return _Lost(named) if gone else named


def _setups(crew: Crew) -> list[dict[str, Any]]:
    """What each worker is made with: ports of this machine that are free now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(crew.size)]
        addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    return [
        {
            "backend": crew.backend,
            "threads": crew.threads_each,
            "device": crew.device,
            "rank": rank,
            "size": crew.size,
            "addresses": addresses,
            "shown": crew.backend,
        }
        for rank in range(crew.size)
    ]
