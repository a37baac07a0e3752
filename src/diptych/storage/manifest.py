"""A folder of files that is either whole or not there, and says of each file what it should be.

The files are written into a folder beside the place, MANIFEST.json (size and SHA-256 of each) last; then the folder is
put in place, see `diptych.storage.place`. So a file that was cut short or altered later is found out when it is read;
what is too large is found out before.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.errors import CheckpointError, DiptychError
from diptych.storage.json_text import parse_json, read_at_most
from diptych.storage.place import make_folder, put_folder, standing

MANIFEST = "MANIFEST.json"
VERSION = 1
LARGEST = 1 << 20
"""How many bytes a manifest may have."""
ENDLESS = 1 << 62
ADVICE = "read another checkpoint, or train again"


@dataclass(frozen=True)
class Kind:
    """Which folder has a manifest, for errors.

    Attributes:
        name: of the manifest.
        folder: what the folder is.
        error: what is raised where it is not as its manifest says.
        advice: what to do then.
    """

    name: str
    folder: str
    error: type[DiptychError]
    advice: str


CHECKPOINT = Kind(MANIFEST, folder="checkpoint", error=CheckpointError, advice=ADVICE)


def manifest_of(contents: Mapping[str, bytes]) -> str:
    """The manifest of these files."""
    files = {name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in contents.items()}
    return json.dumps({"version": VERSION, "files": files}, indent=2) + "\n"


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files and their manifest so that `folder` holds either all of them or what was there before.

    Raises:
        CheckpointError: the disk refuses.
    """
    building = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        make_folder(folder.parent)
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir()
        for name, data in {**contents, MANIFEST: manifest_of(contents).encode()}.items():
            (building / name).write_bytes(data)
        put_folder(building, folder)
    except OSError as error:
        raise CheckpointError(
            f"cannot write {folder}: {error.strerror or error}; make room, or choose another folder"
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


def read_files(
    folder: Path, names: Sequence[str], largest: Mapping[str, int] | None = None, kind: Kind = CHECKPOINT
) -> dict[str, bytes]:
    """The bytes of each file, checked against the manifest, which must name these files and no others.

    Args:
        folder: what holds them.
        names: the files, as the manifest has them.
        largest: how many bytes a file may have, whatever the manifest says; without an entry any number.
        kind: which folder it is, for errors.

    Raises:
        CheckpointError: the folder, its manifest or a file is missing, cut short or altered; or the error of the kind.
    """
    folder = standing(folder)
    if not folder.is_dir():
        raise kind.error(f"no {kind.folder} at {folder}: expected a folder with {kind.name} and {', '.join(names)}")
    path = folder / kind.name
    if not path.is_file():
        raise kind.error(f"{folder} has no {kind.name}: it is not a complete {kind.folder}; {kind.advice}")
    manifest = parse_object(path, _read(path, LARGEST, kind), kind)
    version, files = manifest.get("version"), manifest.get("files")
    if type(version) is not int or version != VERSION:
        raise kind.error(
            f"{path} is of version {version!r:.40}, expected {VERSION}: read it with the Diptych that wrote it, or "
            f"train again"
        )
    if not isinstance(files, dict) or set(files) != set(names):
        listed = _listed(files) if isinstance(files, dict) else f"{files!r:.40}"
        raise kind.error(f"{path} names the files {listed}, expected {', '.join(names)}; {kind.advice}")
    limits = largest or {}
    return {
        name: _read_checked(folder / name, files[name], largest=limits.get(name, ENDLESS), kind=kind) for name in names
    }


def parse_object(path: Path, data: bytes, kind: Kind = CHECKPOINT) -> dict[str, Any]:
    """The JSON object in the bytes of the file `path`.

    Raises:
        CheckpointError: they are not JSON, or not an object; or the error of the kind.
    """
    try:
        value = parse_json(data)
    except ValueError as error:  # bad JSON or bad UTF-8
        raise kind.error(f"{path} is not valid JSON: {error}; {kind.advice}") from error
    if not isinstance(value, dict):
        raise kind.error(f"{path} holds a {type(value).__name__}, expected an object; {kind.advice}")
    return value


def _read(path: Path, size: int, kind: Kind) -> bytes:
    try:
        return read_at_most(path, size)
    except ValueError as error:
        raise kind.error(f"{path}: {error}; {kind.advice}") from error
    except OSError as error:
        raise kind.error(f"cannot read {path}: {error.strerror}; check its permissions") from error


def _read_checked(path: Path, entry: Any, largest: int, kind: Kind) -> bytes:
    """The bytes of one file, if they are what its entry in the manifest says; its size is looked at first."""
    if not path.is_file():
        raise kind.error(f"{path} is missing, but {kind.name} names it; {kind.advice}")
    said, digest = (entry.get("size"), entry.get("sha256")) if isinstance(entry, dict) else (None, None)
    there = path.stat().st_size
    if type(said) is not int or there != said:
        cut = "cut short" if isinstance(said, int) and there < said else "altered"
        raise kind.error(f"{path} has {there} bytes, {kind.name} says {said!r:.40}: it was {cut}; {kind.advice}")
    if said > largest:
        raise kind.error(f"{path} has {said:,} bytes, expected at most {largest:,}; {kind.advice}")
    data = _read(path, said, kind)
    actual = hashlib.sha256(data).hexdigest()
    if actual != digest:
        raise kind.error(f"{path} has SHA-256 {actual}, {kind.name} says {digest!r:.80}: it was altered; {kind.advice}")
    return data


def _listed(names: Iterable[str], most: int = 10) -> str:
    listed = [name if len(name) <= 60 else f"{name[:60]}..." for name in names]
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")
