"""A disk that refuses at the N-th call: one line with path and reason, the checkpoint before, and nothing left over."""

from __future__ import annotations

import builtins
import errno
import io
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from diptych.cli.application import _explain
from diptych.errors import DiptychError
from diptych.runs.run import Run
from trials.row import Counts, Row
from trials.small_run import digests, leftovers, made_up_panel, make_config, make_run, train_quietly

WRITING = ("mkdir", "rename", "replace", "fsync", "truncate", "write", "create")
REMOVING = ("unlink", "remove", "rmdir")
READING = ("open", "stat", "listdir", "scandir")
# By error: which calls it fails, and how many of them, from the N-th on.
ERRORS: dict[int, tuple[tuple[str, ...], int]] = {
    errno.ENOSPC: (WRITING, 10**9),
    errno.EDQUOT: (WRITING, 10**9),
    errno.EIO: ((*WRITING, *REMOVING, "open"), 1),
    errno.EROFS: ((*WRITING, *REMOVING), 10**9),
    errno.EACCES: ((*WRITING, *REMOVING, "open"), 10**9),
    errno.EMFILE: (("create", "open", "scandir", "listdir"), 3),
}
KEPT = (errno.EROFS, errno.EACCES, errno.EIO, errno.EMFILE)
"""With these nothing, or not all, can be removed either: it goes when the run is gone on with."""


class Calls:
    """Counts calls below a folder, and fails those that an error fails from a number on."""

    def __init__(self, root: Path, error: int = 0, first: int = 10**9) -> None:
        self.root, self.error, self.first = os.fspath(root), error, first
        self.kinds, self.left = ERRORS.get(error, ((*WRITING, *REMOVING, *READING), 0))
        self.count, self.failed = 0, 0

    def check(self, kind: str, path: Any) -> None:
        """One call."""
        if isinstance(path, int):
            try:
                path = os.readlink(f"/proc/self/fd/{path}")
            except OSError:
                return
        text = os.fsdecode(path)
        if not (text.startswith(self.root) or not text.startswith("/")) or kind not in self.kinds:
            return
        self.count += 1
        if self.count >= self.first and self.left:
            self.left -= 1
            self.failed += 1
            raise OSError(self.error, os.strerror(self.error), None if kind in ("write", "fsync") else text)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """While this lasts."""
        real_open = io.open
        with ExitStack() as stack:

            def watch(kind: str) -> None:
                function: Callable[..., Any] = getattr(os, kind)

                def called(path: Any, *given: Any, **options: Any) -> Any:
                    self.check(kind if kind != "open" or not given or not given[0] & os.O_CREAT else "create", path)
                    return function(path, *given, **options)

                stack.enter_context(mock.patch.object(os, kind, called))

            def opened(path: Any, mode: str = "r", *given: Any, **options: Any) -> Any:
                writes = any(letter in mode for letter in "wax+")
                if not isinstance(path, int):
                    self.check("create" if writes else "open", path)
                file = real_open(path, mode, *given, **options)
                return File(file, self, path) if writes and not isinstance(path, int) else file

            for kind in (*WRITING[:5], *REMOVING, *READING):
                watch(kind)
            stack.enter_context(mock.patch.object(io, "open", opened))
            stack.enter_context(mock.patch.object(builtins, "open", opened))
            yield


class File:
    """A file of which every write is a call."""

    def __init__(self, file: Any, calls: Calls, path: Any) -> None:
        self._file, self._calls, self._path = file, calls, path

    def write(self, data: Any) -> Any:
        self._calls.check("write", self._path)
        return self._file.write(data)

    def __enter__(self) -> File:
        return self

    def __exit__(self, *given: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@cache
def whole() -> dict[str, str]:
    """What a run leaves on a disk that never refuses."""
    with TemporaryDirectory(prefix="diptych-harden-") as folder, made_up_panel():
        run = make_run(Path(folder) / "run", precision="float64")
        train_quietly(run)
        return digests(run)


def trial(number: int, folder: Path) -> Counts:
    """Make a run and train it on a disk that refuses at one call, then go on where it does not."""
    error, first = list(ERRORS)[number % len(ERRORS)], 1 + number // len(ERRORS) * 7 % CALLS
    place = folder / "a" / "run"
    place.parent.mkdir()
    config = make_config(folder / "run.tsv", precision="float64")
    calls, raised = Calls(place.parent, error, first), None
    with made_up_panel():
        with calls.counted():
            try:
                train_quietly(Run.create(config, place))
            except Exception as caught:
                raised = caught
        name = errno.errorcode[error]
        if not calls.failed:
            return Counter({"calls beyond the last": 1})
        if raised is not None:
            said = _explain(raised)
            assert isinstance(raised, DiptychError | OSError), f"{name} at call {first}: {said}"
            assert os.fspath(place.parent) in said, f"{name} at call {first}: no path in {said!r}"
        left = leftovers(folder)
        assert error in KEPT or not left, f"{name} at call {first} left {left}"
        there = (place / "config.toml").exists()
        run = Run.open(place) if there else Run.create(config, place)
        train_quietly(run, resume=True)
        found = {key for key, value in digests(run).items() if value != whole()[key]}
        assert not found, f"{name} at call {first}: in the run that went on {', '.join(sorted(found))} differ"
        assert not leftovers(folder), f"{name} at call {first} left {leftovers(folder)} for good"
    return Counter({"refusals": 1, f"refusals, {name}": 1, "told": raised is not None})


CALLS = 420
ROW = Row(
    "ENOSPC, EIO, EDQUOT, EROFS, EACCES, EMFILE at the N-th call of making and training a run, every N",
    "one line with path and reason; what was there loads; nothing is left over; going on gives the same bits",
    CALLS * len(ERRORS),
    trial,
)
