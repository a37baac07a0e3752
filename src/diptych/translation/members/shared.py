"""One model in several processes that share the batches of a text: more lines a second, and the same translations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

from diptych.config import Precision
from diptych.processes.machine import usable_processors
from diptych.search import Hypothesis
from diptych.translation.members.member import Member
from diptych.translation.members.remote import MemberProcess, RemoteStepper


class SharedModel:
    """The processes that hold a model; a batch is given whole to whichever is free, so what is said is the same.

    Attributes:
        processes: all of them.
        stepper: drives the first one's model, token by token.
    """

    def __init__(
        self,
        member: Member,
        workers: int,
        threads: int | None = None,
        precision: Precision | None = None,
        device: str = "auto",
        shortlist: str | None = None,
    ) -> None:
        """Start so many processes, and wait until each has loaded the model.

        Args:
            member: which model.
            workers: how many processes.
            threads: of each; None: the processors that there are, divided by the workers.
            precision: None for the run's own.
            device: "auto", "cpu" or "cuda".
            shortlist: the file of a shortlist; None: any word may be said.

        Raises:
            DiptychError: the model cannot be loaded.
        """
        names = [f"worker {number} of {workers} ({member.backend})" for number in range(workers)]
        self.processes = [MemberProcess(member.backend, name) for name in names]
        try:
            for process in self.processes:
                each = threads or max(1, usable_processors() // workers)
                process.ask_to_load(member, each, precision=precision, device=device, shortlist=shortlist)
            self._steppers = [process.loaded() for process in self.processes]
        except BaseException:
            for process in self.processes:
                process.close()
            raise
        self.stepper = self._steppers[0]

    def find_each(self, requests: Sequence[dict[str, Any]]) -> Iterator[list[list[Hypothesis]]]:
        """What `diptych.search.find` gives for each of these arguments, in order, as soon as it is there."""
        free: SimpleQueue[RemoteStepper] = SimpleQueue()
        for stepper in self._steppers:
            free.put(stepper)

        def ask(request: dict[str, Any]) -> list[list[Hypothesis]]:
            stepper = free.get()
            try:
                return stepper.find(**request)
            finally:
                free.put(stepper)

        with ThreadPoolExecutor(len(self._steppers)) as threads:
            yield from threads.map(ask, requests)
