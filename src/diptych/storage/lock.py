"""A lock that one process holds while it writes in a folder: it ends with the process, however that ends.

The lock is a file that names who holds it. What counts is the system's lock on it (flock), which a dead process no
longer has. Where there are no such locks, the file itself is the lock, and whoever it names is looked for.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from diptych.errors import RunError
from diptych.storage.json_text import parse_json, read_at_most
from diptych.storage.place import make_folder

LARGEST = 4096


class Lock:
    """A lock by the name of a file, held from `take`, or `with`, to `release`."""

    def __init__(self, path: Path, doing: str) -> None:
        """Nothing is taken yet.

        Args:
            path: the lock's file; its folder is made.
            doing: what whoever holds it does, for an error: "RUN is being trained with pytorch".
        """
        self.path = path
        self._doing = doing
        self._descriptor: int | None = None

    def take(self) -> None:
        """Take the lock, also from a process that died with it.

        Raises:
            RunError: another process holds it; the message names it.
            OSError: the disk refuses.
        """
        make_folder(self.path.parent)
        while self._descriptor is None:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                locked = _lock(descriptor)
                if locked is False or (locked is None and _lives(self._holder())):
                    raise self._refusal(certain=locked is False)
                if _same(descriptor, self.path):  # who held it may have removed it in the meantime
                    self._descriptor, descriptor = descriptor, -1
            finally:
                if descriptor >= 0:
                    os.close(descriptor)
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        holder = {"host": socket.gethostname(), "process": os.getpid(), "since": now}
        try:
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, json.dumps(holder).encode() + b"\n")
        except OSError as error:  # the disk is full, and a descriptor has no name that could be told
            self.release()
            error.filename = os.fspath(self.path)
            raise

    def release(self) -> None:
        """Give it back; without effect where it is not held."""
        if self._descriptor is None:
            return
        with suppress(OSError):
            if self.is_in_place():
                self.path.unlink()
        os.close(self._descriptor)
        self._descriptor = None

    def is_in_place(self) -> bool:
        """Whether the lock that is held is still the one by this name: its folder may be moved or removed."""
        return self._descriptor is not None and _same(self._descriptor, self.path)

    def __enter__(self) -> Lock:
        self.take()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()

    def _holder(self) -> dict[str, Any]:
        """Who holds it, as far as the file says."""
        try:
            holder = parse_json(read_at_most(self.path, LARGEST))
        except (OSError, ValueError):
            return {}
        return holder if isinstance(holder, dict) else {}

    def _refusal(self, certain: bool) -> RunError:
        holder = self._holder()
        process, host, since = (holder.get(key, "?") for key in ("process", "host", "since"))
        advice = "" if certain else f"; if it has ended, remove {self.path}"
        return RunError(
            f"{self._doing} by process {process} on {host} since {since}: wait until it ends, or end it first{advice}"
        )


def _lock(descriptor: int) -> bool | None:
    """Lock an open file for this process; False where another has it, None where there are no locks."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):  # Windows, or a file system that knows none
        return None
    return True


def _lives(holder: dict[str, Any]) -> bool:
    """Whether the process that a lock's file names may still be there; one on another host may."""
    process = holder.get("process")
    if not isinstance(process, int) or isinstance(process, bool) or process <= 0:
        return False
    if holder.get("host") != socket.gethostname() or os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _same(descriptor: int, path: Path) -> bool:
    """Whether a name stands for an open file."""
    try:
        there = os.stat(path)
    except OSError:
        return False
    mine = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)
