"""How far a translation of many lines has come, on one line of a terminal."""

from __future__ import annotations

import sys
import time
from typing import TextIO

SECONDS = 0.5
ERASED = "\r\x1b[K"


class Pace:
    """Tells on standard error how many lines are done, where that is a terminal and nothing else is written there.

    As a context: what was told is taken away at its end, however it ends, so that what follows stands alone.
    """

    def __init__(self, quiet: bool = False, stream: TextIO | None = None) -> None:
        """Begin with no line done; nothing is told where lines are typed, or shown on the same terminal."""
        self._stream = sys.stderr if stream is None else stream
        alone = not sys.stdin.isatty() and not sys.stdout.isatty()
        self._tells = not quiet and alone and self._stream.isatty()
        self._lines, self._begun, self._told = 0, time.monotonic(), 0.0

    def add(self, lines: int) -> None:
        """So many more lines are done."""
        self._lines += lines
        now = time.monotonic()
        if self._tells and now - self._told >= SECONDS:
            self._told = now
            speed = self._lines / max(now - self._begun, 1e-9)
            self._write(f"{ERASED}{self._lines:,} lines, {speed:,.0f} a second")

    def __enter__(self) -> Pace:
        return self

    def __exit__(self, *_: object) -> None:
        if self._told:
            self._write(ERASED)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
