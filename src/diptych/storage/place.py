"""Putting a file or a folder in place for good: the only module that renames what somebody is to find later.

A new file or folder is made under a temporary name on the same file system and then renamed. In this order:

    1  every file is written, flushed and synced, then every folder that holds one
    2  a folder that has the name already is renamed to `.NAME.old`; a file is not, for a rename replaces files at once
    3  the new one is renamed to its name
    4  the parent is synced, so that the renames outlive a power cut
    5  `.NAME.old` is removed

After a power cut, or a process that is killed, the name stands for

    before 3    what it stood for before: a file as it was, a folder as it was or, between 2 and 3, at `.NAME.old`
    from 3 on   the new one, whole, since 1 came first; until 4 a power cut may still bring back what was before
    after 4     the new one

`standing` knows about `.NAME.old`. What was left under a temporary name is of no use to anybody.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def replace_file(path: Path, content: str | bytes) -> None:
    """Give a file this content, text in UTF-8, such that it has, at every moment, the old or the new one, whole.

    Raises:
        OSError: the disk refuses; the file is what it was.
    """
    with file_in_place(path) as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


@contextmanager
def file_in_place(path: Path) -> Iterator[BinaryIO]:
    """A file to write piece by piece, which is in place when the block ends, and is not there where it fails.

    Its parents are made. A file that is there keeps its permissions, and a link leads to the new content. What is there
    and no file (a terminal, a pipe) is written to.

    Raises:
        OSError: the disk refuses; the file is what it was.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    path = path.resolve()
    make_folder(path.parent)
    building = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with building.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, building)
        building.replace(path)
        _sync_folder(path.parent)
    except BaseException as error:
        with suppress(OSError):
            building.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:  # a full disk does not say where
            error.filename = str(path)
        raise


def make_folder(folder: Path) -> None:
    """Make a folder and its parents where they are not there, such that they outlive a power cut with what is in them.

    Raises:
        OSError: the disk refuses.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in reversed(missing):
        _sync_folder(each.parent)


def sync_file(path: Path) -> None:
    """Make the disk have what was written to a file, if it is there.

    Raises:
        OSError: the disk refuses.
    """
    if path.is_file():
        _sync(path)


def remove_leftovers(folder: Path) -> None:
    """Remove what killed processes left under temporary names in a folder that nobody else writes in now.

    What waits at `.NAME.old` for a folder that is not in place stays: `standing` gives it.
    """
    for path in [*folder.glob(".*.new"), *folder.glob(".*.tmp"), *folder.glob(".*.removed"), *folder.glob(".*.old")]:
        if path.suffix == ".old" and not path.with_name(path.stem[1:]).exists():
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()


def put_folder(building: Path, place: Path, replace: bool = True) -> None:
    """Give a complete folder its name; the one that had it can be read until the new one can, see `standing`.

    Args:
        building: the folder, on the file system of `place`; it may hold files that nobody has synced.
        place: its name from now on.
        replace: whether it takes the place of a folder that is there.

    Raises:
        FileExistsError: a folder is there, and is not to be replaced.
        OSError: the disk refuses; what was there is in its place, or `standing` finds it.
    """
    _sync_all(building)
    old = _replaced(place)
    if place.exists() and not replace:
        raise FileExistsError(f"{place} is there already")
    if place.exists():
        shutil.rmtree(old, ignore_errors=True)
        place.rename(old)
    try:
        building.rename(place)
    except OSError:
        with suppress(OSError):  # there is none, or another process has put its own in the meantime
            old.rename(place)
        raise
    _sync_folder(place.parent)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def folder_in_place(place: Path) -> Iterator[Path]:
    """A folder to fill, in place when the block ends; where that fails nothing is left, nor a parent made for it.

    Raises:
        FileExistsError: something is there when the block ends.
        OSError: the disk refuses.
    """
    missing = [each for each in place.parents if not each.exists()]
    building = None
    try:
        make_folder(place.parent)
        building = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
        yield building
        building.chmod(0o755)
        put_folder(building, place, replace=False)
    except BaseException:
        if building is not None:
            shutil.rmtree(building, ignore_errors=True)
        for each in missing:
            with suppress(OSError):  # it was not made, or somebody else has put something there
                each.rmdir()
        raise


def standing(place: Path) -> Path:
    """Where the folder of this name is: there, or where a process that was replacing it has left it when it died."""
    old = _replaced(place)
    return old if not place.exists() and old.is_dir() else place


def _replaced(place: Path) -> Path:
    """Where the folder that is being replaced waits until the new one is in place."""
    return place.with_name(f".{place.name}.old")


def _sync_all(folder: Path) -> None:
    """Make the disk have all files and folders in a folder, and it; what it has already takes no time."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            _sync(path)
    for path in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        _sync_folder(path)
    _sync_folder(folder)


def _sync(path: Path) -> None:
    # Windows syncs only what is open for writing; elsewhere a file may be one that nobody may write.
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Make what was renamed in a folder outlive a power cut, where the system can (Windows cannot open a folder)."""
    if os.name != "nt":
        _sync(folder)
