"""Ctrl-C, held back until training is at a place where it can stop."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Interruption:
    """Within `with Interruption() as interruption`, the first Ctrl-C sets `requested`; a second one interrupts at once.

    Only the main thread hears signals: elsewhere, and where Ctrl-C is ignored (a background job), nothing changes.
    """

    def __init__(self) -> None:
        """Nothing has been asked for yet."""
        self.requested = False
        self._previous: Any = None
        self._installed = False

    def __enter__(self) -> Interruption:
        hears = threading.current_thread() is threading.main_thread()
        if hears and signal.getsignal(signal.SIGINT) not in (signal.SIG_IGN, None):
            self._previous = signal.signal(signal.SIGINT, self._handle)
            self._installed = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, self._previous)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
