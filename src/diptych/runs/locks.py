"""Who may write in a run's folder: one training for each backend, and nobody else while one replaces the run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from diptych.panel import BACKENDS
from diptych.storage.lock import Lock

LOCK = "training.lock"


def training_lock(folder: Path, backend: str) -> Lock:
    """The lock of whoever trains the run in a folder with a backend."""
    return Lock(folder / backend / LOCK, f"{folder} is being trained with {backend}")


@contextmanager
def nobody_trains(folder: Path) -> Iterator[None]:
    """While this lasts no backend is trained in the run of a folder, which may be replaced.

    Raises:
        RunError: one is; the message names its process.
    """
    with ExitStack() as locks:
        for backend in BACKENDS:
            if (folder / backend).is_dir():
                locks.enter_context(training_lock(folder, backend))
        yield
