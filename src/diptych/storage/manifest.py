"""A folder of files that is either whole or not there, and says of each file what it should be.

The files are written into a folder beside the place, each one synced, MANIFEST.json (size and SHA-256 of each) last;
then the folder is renamed into place and the parent synced. So a process that is killed, or a power cut, leaves the
old folder or the new one, and a file that was cut short or altered later is found out when it is read.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diptych.errors import CheckpointError

MANIFEST = "MANIFEST.json"
VERSION = 1
ADVICE = "read another checkpoint, or train again"


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files and their manifest so that `folder` holds either all of them or what was there before.

    Raises:
        CheckpointError: the disk refuses.
    """
    files = {name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in contents.items()}
    manifest = json.dumps({"version": VERSION, "files": files}, indent=2) + "\n"
    building = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir()
        for name, data in {**contents, MANIFEST: manifest.encode()}.items():
            write_synced(building / name, data)
        sync_folder(building)
        _put_in_place(building, folder)
    except OSError as error:
        raise CheckpointError(
            f"cannot write {folder}: {error.strerror or error}; make room, or choose another folder"
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


def read_files(folder: Path, names: Sequence[str]) -> dict[str, bytes]:
    """The bytes of each file, checked against the manifest, which must name these files and no others.

    Raises:
        CheckpointError: the folder, its manifest or a file is missing, cut short or altered.
    """
    if not folder.is_dir() and _replaced(folder).is_dir():
        folder = _replaced(folder)  # a process was killed between the two renames that replace a folder
    if not folder.is_dir():
        raise CheckpointError(f"no checkpoint at {folder}: expected a folder with {MANIFEST} and {', '.join(names)}")
    path = folder / MANIFEST
    if not path.is_file():
        raise CheckpointError(f"{folder} has no {MANIFEST}: it is not a complete checkpoint; {ADVICE}")
    manifest = parse_object(path, _read(path))
    if manifest.get("version") != VERSION:
        raise CheckpointError(
            f"{path} is of version {manifest.get('version')!r}, expected {VERSION}: read it with the Diptych that "
            f"wrote it, or train again"
        )
    files = manifest.get("files")
    if not isinstance(files, dict) or set(files) != set(names):
        found = ", ".join(map(str, files)) if isinstance(files, dict) else repr(files)
        raise CheckpointError(f"{path} names the files {found}, expected {', '.join(names)}; {ADVICE}")
    return {name: _read_checked(folder / name, entry) for name, entry in files.items()}


def parse_object(path: Path, data: bytes) -> dict[str, Any]:
    """The JSON object in the bytes of the file `path`.

    Raises:
        CheckpointError: they are not JSON, or not an object.
    """
    try:
        value = json.loads(data)
    except ValueError as error:  # bad JSON or bad UTF-8
        raise CheckpointError(f"{path} is not valid JSON: {error}; {ADVICE}") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} holds a {type(value).__name__}, expected an object; {ADVICE}")
    return value


def write_synced(path: Path, data: bytes) -> None:
    """Write a file and wait until the disk has it."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make what was renamed in a folder outlive a power cut, where the system can (Windows cannot open a folder)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replaced(folder: Path) -> Path:
    """Where the folder that is being replaced waits until the new one is in place."""
    return folder.with_name(f".{folder.name}.old")


def _put_in_place(building: Path, folder: Path) -> None:
    """Rename a complete folder to its name; the one that had it can be read until the new one can."""
    old = _replaced(folder)
    if folder.is_dir():
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
    building.rename(folder)
    sync_folder(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror}; check its permissions") from error


def _read_checked(path: Path, entry: Any) -> bytes:
    """The bytes of one file, if they are what its entry in the manifest says."""
    if not path.is_file():
        raise CheckpointError(f"{path} is missing, but {MANIFEST} names it; {ADVICE}")
    data = _read(path)
    size, digest = (entry.get("size"), entry.get("sha256")) if isinstance(entry, dict) else (None, None)
    if len(data) != size:
        raise CheckpointError(f"{path} has {len(data)} bytes, {MANIFEST} says {size}: it was cut short; {ADVICE}")
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        raise CheckpointError(f"{path} has SHA-256 {found}, {MANIFEST} says {digest}: it was altered; {ADVICE}")
    return data
