"""What one of several workers does, in a process of its own: it joins the others and trains with them."""

from __future__ import annotations

import signal
from dataclasses import asdict
from typing import Any

from diptych.runs.progress import make_reporter
from diptych.training.interruption import Interruption
from diptych.training.loop import train
from diptych.workers.group import Workers
from diptych.workers.membership import Membership


class Worker:
    """One of the workers that `diptych.training.launch` starts."""

    def __init__(
        self, backend: str, threads: int, device: str, rank: int, size: int, addresses: list[str], shown: str
    ) -> None:
        """Load the framework and join the others, see `Workers.join`; `shown` names the whole training in progress."""
        self._options: dict[str, Any] = {"backend": backend, "threads": threads, "device": device}
        self._shown = shown
        member = Membership(rank, size, addresses=tuple(addresses), origin="--workers")
        self._workers = Workers.join(member, **self._options) if size > 1 else Workers()

    def train(self, folder: str, quiet: bool, **options: Any) -> dict[str, Any]:
        """Train the run in this folder together with the others; the report."""
        reporter = make_reporter(quiet, name=self._shown)
        # It is heard from here on, and sent once more when training is done: by then it has been obeyed.
        signal.signal(signal.SIGTERM, lambda number, frame: None)
        with Interruption(patient=True), self._workers as workers:
            report = train(folder, reporter=reporter, workers=workers, **self._options, **options)
        return asdict(report)
