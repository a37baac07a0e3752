"""Folders that are built aside and put in place when they are whole; what was interrupted is taken up again."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from uuid import uuid4

TEMPORARY = ".tmp"
ABANDONED_SECONDS = 3600.0
"""A temporary folder that nobody has written in for so long was left by a process that was killed."""


@contextmanager
def building_folder(parent: Path, key: str) -> Iterator[Path]:
    """A folder in `parent`, which is made, for this process alone to build in; its name begins with a dot and the key.

    If an earlier process with the same key was interrupted, it is that one's folder with what it holds. Whoever has
    built something in it moves that away. What is left is removed, unless Ctrl-C or a signal ends the process:
    then it waits for the next one.
    """
    is_new = not parent.exists()
    parent.mkdir(parents=True, exist_ok=True)
    folder, lock = _claim(parent, key)
    interrupted = False
    try:
        yield folder
    except (KeyboardInterrupt, SystemExit):
        interrupted = any(path.is_file() for path in folder.rglob("*"))
        raise
    finally:
        if not interrupted:
            shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)
        if is_new:
            with suppress(OSError):  # there is something in it
                parent.rmdir()


def remove_abandoned(parent: Path, prefix: str = ".") -> None:
    """Remove the temporary folders, with names that begin so, that killed processes left here long ago.

    What a living process builds in stays, whatever the clock says: it may have been set since.
    """
    for path in parent.glob(f"{escape(prefix)}*{TEMPORARY}"):
        if abs(time.time() - _last_written(path)) > ABANDONED_SECONDS:
            with suppress(BlockingIOError):
                lock = _lock(path)
                shutil.rmtree(path, ignore_errors=True)
                if lock is not None:
                    os.close(lock)


def _claim(parent: Path, key: str) -> tuple[Path, int | None]:
    """An abandoned folder with this key or a new one, and its lock, which ends with the process if not before."""
    for folder in sorted(parent.glob(f".{escape(key)}.*{TEMPORARY}")):
        with suppress(BlockingIOError):
            lock = _lock(folder)
            if lock is not None:
                return folder, lock
    folder = parent / f".{key}.{uuid4().hex[:8]}{TEMPORARY}"
    made = folder.with_suffix(".new")
    made.mkdir()
    lock = _lock(made)  # before it has a name by which others find it
    return made.rename(folder), lock


def _lock(folder: Path) -> int | None:
    """A lock on a folder; None where the file system knows no locks.

    Raises:
        BlockingIOError: another process has it, or has moved the folder away.
    """
    try:
        import fcntl

        lock = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        raise BlockingIOError from None
    except (ImportError, OSError):  # Windows has no such locks
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(lock).st_ino != folder.stat().st_ino:
            raise BlockingIOError
    except (BlockingIOError, FileNotFoundError):
        os.close(lock)
        raise BlockingIOError from None
    except OSError:
        os.close(lock)
        return None
    return lock


def _last_written(folder: Path) -> float:
    """When a file was last written in a folder; now, if it has just gone."""
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
    except OSError:
        return time.time()
