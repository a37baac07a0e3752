"""A folder of files that is either whole or not there, and says of each file what it should be.

The files are written into a folder beside the place, MANIFEST.json (size and SHA-256 of each) last; then the folder is
put in place, see `diptych.storage.place`. So a file that was cut short or altered later is found out when it is read.
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
from diptych.storage.place import put_folder, standing

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
            (building / name).write_bytes(data)
        put_folder(building, folder)
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
    folder = standing(folder)
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
        listed = ", ".join(map(str, files)) if isinstance(files, dict) else repr(files)
        raise CheckpointError(f"{path} names the files {listed}, expected {', '.join(names)}; {ADVICE}")
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
    actual = hashlib.sha256(data).hexdigest()
    if actual != digest:
        raise CheckpointError(f"{path} has SHA-256 {actual}, {MANIFEST} says {digest}: it was altered; {ADVICE}")
    return data
