"""Ctrl-C and the signals that ask a process to end, held back until training is at a place where it can stop."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any, NoReturn

HEARD = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interruption:
    """Within `with Interruption() as interruption`, the first signal sets `requested`; a second Ctrl-C ends at once.

    So do SIGTERM and SIGHUP, which comes when a terminal is closed. They are sent once more at the end, to do then what
    they would have done at once. Only the main thread hears signals: elsewhere, and where one is ignored (Ctrl-C in a
    background job, SIGHUP under nohup), nothing changes. One within another has heard what that one has, and tells it
    what it hears.
    """

    def __init__(self, patient: bool = False) -> None:
        """Nothing has been asked for yet.

        Args:
            patient: a second signal changes nothing: whoever has started this process ends it where that is wanted.
        """
        self.requested = False
        self._patient = patient
        self._asked = signal.SIGINT
        self._previous: dict[int, Any] = {}
        self._outer: Interruption | None = None

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in HEARD:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._previous[number] = before = signal.signal(number, self._handle)
                    around = getattr(before, "__self__", None)
                    self._outer = around if isinstance(around, Interruption) else self._outer
        if self._outer is not None:
            self._patient = self._outer._patient
            self._copy(self._outer)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        if self._outer is not None:
            self._outer._copy(self)
        elif self.requested and self._asked != signal.SIGINT and error is None:
            os.kill(os.getpid(), self._asked)

    def obey(self) -> NoReturn:
        """Do at once what was asked for: raise what Ctrl-C or another signal would have raised."""
        if self._asked == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + self._asked)

    def _copy(self, other: Interruption) -> None:
        """Have heard what another one has."""
        if other.requested:
            self.requested, self._asked = True, other._asked

    def _handle(self, number: int, frame: FrameType | None) -> None:
        again, self.requested, self._asked = self.requested, True, signal.Signals(number)
        if again and not self._patient:
            self.obey()
