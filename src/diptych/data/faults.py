"""What is wrong with a line that holds no sentence or no pair."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from diptych.data.reasons import Reason
from diptych.errors import DataError


@dataclass(frozen=True)
class Fault:
    """Stands where a line, or a pair, would stand.

    Attributes:
        reason: under which it is counted.
        detail: what follows "FILE, line N" in an error: what was found, what was expected, what to do.
        text: the line as far as it can be shown.
        side: which of two aligned files it is in, 0 or 1.
    """

    reason: Reason
    detail: str
    text: str
    side: int = 0

    def error(self, path: str | Path, number: int) -> DataError:
        """The error that says so; `number` is the line's, from 1."""
        return DataError(f"{path}, line {number}{self.detail}")
