"""The workers of one training, as one of them sees the others: sums, values told to all, and who is lost."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any

import numpy as np

from diptych.errors import WorkerError
from diptych.panel import load, training_panel
from diptych.panel.protocol import Exchange, TrainingPanel
from diptych.workers.membership import Membership

SILENCE = 20.0
"""A worker that has given no sign of life for so many seconds is lost."""
CERTAIN = 5.0
"""So long a silence is enough where an exchange has failed already."""
BEAT = 1.0
"""Seconds from one sign of life to the next."""


class Workers:
    """This worker among the others; without others it adds nothing and tells only itself.

    Each exchange has to be asked for by all, in the same order. It is made in a thread, so that this one can give up
    when somebody is lost: the framework would wait for ever.

    Attributes:
        rank: which worker this is, from 0.
        size: how many there are.
    """

    def __init__(self, membership: Membership | None = None, panel: TrainingPanel | None = None) -> None:
        """Join the others, and wait until all are there.

        Args:
            membership: which of how many this is; None: the only one.
            panel: the framework's panel, whose exchange connects them; None where this is the only one.

        Raises:
            BackendError: an address cannot be reached or is taken, or a worker does not come.
        """
        self.rank, self.size = (membership.rank, membership.size) if membership else (0, 1)
        self._panel = panel
        self._exchange: Exchange | None = None
        if membership is None or panel is None:
            return
        self._exchange = exchange = panel.Exchange(membership.rank, membership.addresses, membership.size)
        self._questions: SimpleQueue[tuple[Callable[[], Any], SimpleQueue[Any]]] = SimpleQueue()
        self._silent: dict[int, float] = {}
        self._beaten, self._done = time.monotonic(), threading.Event()
        threading.Thread(target=self._answer, daemon=True).start()
        self._beating = threading.Thread(target=self._beat, args=(exchange,), daemon=True)
        self._beating.start()

    @classmethod
    def join(cls, member: Membership, backend: str, threads: int | None = None, device: str = "auto") -> Workers:
        """Load a framework and join the others; first of all in a process, for TensorFlow cannot later.

        Args:
            member: which of how many workers this process is.
            backend: in which framework all of them compute.
            threads: how many processor threads this one uses; None leaves that to the framework.
            device: auto, cpu or cuda.

        Raises:
            BackendError: the framework is not installed, or the others cannot be reached.
        """
        return cls(member, training_panel(load(backend, threads, device)))

    @property
    def leads(self) -> bool:
        """Whether this is worker 0, which alone writes."""
        return self.rank == 0

    def add(self, values: Any) -> Any:
        """The sum over all workers of such a tensor of whole numbers.

        Raises:
            WorkerError: another worker is lost.
        """
        exchange = self._exchange
        return values if exchange is None else self._made(lambda: exchange.add(values))

    def trade(self, values: Any) -> Any:
        """Give row k of a tensor (size, N) to worker k; the rows (size, N) that all gave to this one, in order.

        Raises:
            WorkerError: another worker is lost.
        """
        exchange = self._exchange
        return values if exchange is None else self._made(lambda: exchange.trade(values))

    def collect(self, values: Any) -> Any:
        """What each worker has, a tensor (N,), as rows (size, N) in order.

        Raises:
            WorkerError: another worker is lost.
        """
        exchange = self._exchange
        return values[None] if exchange is None else self._made(lambda: exchange.collect(values))

    def gather(self, value: Any) -> list[Any]:
        """What each worker has, in the order of their numbers: any values that JSON has, numbers to the last bit.

        Raises:
            WorkerError: another worker is lost.
        """
        if self._exchange is None or self._panel is None:
            return [value]
        panel = self._panel

        def add(values: Any) -> Any:
            return panel.to_array(self.add(panel.to_tensor(values)))

        data = json.dumps(value).encode("ascii")
        own = np.frombuffer(data + b" " * (-len(data) % 8), "<i8").astype(np.int64)
        lengths = np.zeros(self.size, np.int64)
        lengths[self.rank] = len(own)
        lengths = add(lengths)
        ends = np.cumsum(lengths)
        everything = np.zeros(int(ends[-1]), np.int64)
        everything[ends[self.rank] - len(own) : ends[self.rank]] = own
        everything = add(everything).astype("<i8")
        return [json.loads(part.tobytes()) for part in np.split(everything, ends[:-1])]

    def share(self, value: Any = None) -> Any:
        """What worker 0 has, for all of them: any value that JSON has.

        Raises:
            WorkerError: another worker is lost.
        """
        return self.gather(value if self.leads else None)[0]

    def first(self, action: Callable[[], Any]) -> Any:
        """Have worker 0 do something while the others wait; what it returns, on worker 0, and None elsewhere.

        An error of worker 0's ends all.

        Raises:
            WorkerError: worker 0 could not do it, or another worker is lost.
        """
        result, problem = None, None
        if self.leads:
            try:
                result = action()
            except BaseException as error:
                problem = error
        told = self.share(None if problem is None else f"{type(problem).__name__}: {problem}")
        if problem is not None:
            raise problem
        if told is not None:
            raise WorkerError(f"worker 0 of {self.size} failed: {told}")
        return result

    def close(self) -> None:
        """Leave the others; all have to be done, see `gather`."""
        if self._exchange is not None:
            self._done.set()
            self._beating.join(SILENCE)  # or its last sign of life meets a connection that is gone
            self._exchange.close()
            self._exchange = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self.close()
        elif self._exchange is not None:
            self._done.set()

    def _made(self, exchange: Callable[[], Any]) -> Any:
        """What an exchange gives, while it is seen to it that the others live."""
        answer = SimpleQueue[Any]()
        self._questions.put((exchange, answer))
        while True:
            try:
                made = answer.get(timeout=BEAT)
            except Empty:
                self._check(SILENCE)
                continue
            if isinstance(made, Exception):
                raise self._failure(made)
            return made

    def _answer(self) -> None:
        """Make one exchange after another."""
        while True:
            ask, answer = self._questions.get()
            try:
                answer.put(ask())
            except Exception as error:
                answer.put(error)

    def _beat(self, exchange: Exchange) -> None:
        """Give signs of life, and see who gives none."""
        while not self._done.wait(BEAT):
            try:
                self._silent = exchange.silence()
            except Exception:  # worker 0 keeps the store: it is gone
                if self._done.is_set():
                    return
                self._silent[0] = time.monotonic() - self._beaten
                continue
            self._beaten = time.monotonic()

    def _lost(self, seconds: float) -> tuple[int, float] | None:
        """Who has been silent for more than so many seconds, and for how long: the one who has been longest."""
        silent = dict(self._silent)
        if self.rank:
            silent[0] = max(silent.get(0, 0.0), time.monotonic() - self._beaten - BEAT)
        rank = max(silent, key=lambda each: silent[each], default=None)
        return None if rank is None or silent[rank] < seconds else (rank, silent[rank])

    def _check(self, seconds: float) -> None:
        """Raise an error where somebody is lost."""
        if lost := self._lost(seconds):
            raise WorkerError(
                f"worker {lost[0]} of {self.size} has given no sign of life for {lost[1]:.0f} seconds: it was killed "
                f"or stopped, or its machine is out of memory or cannot be reached; nothing is lost since the last "
                f"checkpoint: go on from it with --resume, with any number of workers"
            )

    def _failure(self, error: Exception) -> Exception:
        """What to raise where an exchange has failed: who is lost, if that can be found out."""
        deadline = time.monotonic() + SILENCE
        while time.monotonic() < deadline:
            try:
                self._check(CERTAIN)
            except WorkerError as told:
                return told
            time.sleep(BEAT / 4)
        line = str(error).strip().partition("\n")[0]
        return WorkerError(f"worker {self.rank} of {self.size} could not reach the others: {line}")
