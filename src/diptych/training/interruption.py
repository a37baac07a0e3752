"""Ctrl-C and the signals that ask a process to end, held back until training is at a place where it can stop."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

HEARD = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interruption:
    """Within `with Interruption() as interruption`, the first signal sets `requested`; a second Ctrl-C ends at once.

    So do SIGTERM and SIGHUP, which comes when a terminal is closed. They are sent once more at the end, to do then what
    they would have done at once. Only the main thread hears signals: elsewhere, and where one is ignored (Ctrl-C in a
    background job, SIGHUP under nohup), nothing changes.
    """

    def __init__(self) -> None:
        """Nothing has been asked for yet."""
        self.requested = False
        self._asked = signal.SIGINT
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in HEARD:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        if self.requested and self._asked != signal.SIGINT and error is None:
            os.kill(os.getpid(), self._asked)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            raise SystemExit(128 + number)
        self.requested, self._asked = True, signal.Signals(number)
