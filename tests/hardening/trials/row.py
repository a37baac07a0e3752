"""A row of the table: something that is tried so many times, and must hold each time."""

from __future__ import annotations

import atexit
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir, mkdtemp

Counts = Counter[str]
"""What was done in a trial, by what it is."""
MEMORY = Path("/dev/shm")
"""Where there is such a file system trials run in it: syncing a real disk is what most of them would wait for."""
PLACE = MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else Path(gettempdir())


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        name: what is tried.
        holds: what must hold each time.
        trials: how often it is tried.
        trial: tries it for the n-th time, in a folder of its own, and counts what it did.

    Raises:
        AssertionError: by `trial`, where it does not hold.
    """

    name: str
    holds: str
    trials: int
    trial: Callable[[int, Path], Counts]

    def try_once(self, number: int) -> Counts:
        """The trial of this number, from 0, which is the same each time it is asked for."""
        with TemporaryDirectory(prefix="diptych-harden-", dir=PLACE, ignore_cleanup_errors=True) as folder:
            return self.trial(number, Path(folder))


def kept_folder() -> Path:
    """A folder for what several trials read; it goes when this process ends."""
    folder = Path(mkdtemp(prefix="diptych-harden-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def chance(row: str, number: int) -> random.Random:
    """What a trial draws from: the same for the same trial."""
    return random.Random(f"{row} {number}")


@contextmanager
def not_raised(what: str, *allowed: type[BaseException]) -> Iterator[None]:
    """Whatever is raised but is not allowed is a fault."""
    try:
        yield
    except allowed:
        raise
    except Exception as error:
        raise AssertionError(f"{what}: {type(error).__name__}: {str(error)[:300]}") from error
