"""Token ids in files: written as they come, and opened as memory maps, whatever their number.

    FOLDER/source.tokens.int32      every source's token ids, end to end
           source.offsets.int64     where each begins, and where the last one ends
           target.tokens.int32, target.offsets.int64
           rows.int32               where each pair stands in the corpus
           verdicts.uint8           for each pair of the corpus 0, or why it is not among these, see `Reason`
           journal.json             how far the files have been written

The files hold nothing but the numbers, in this machine's byte order. The journal is written after them, block by block:
whoever finds it goes on from there.
"""

from __future__ import annotations

import json
import mmap
import os
import shutil
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.data.pairs import Pairs
from diptych.data.tokens.encoded import EncodedPairs, Encoder, Sequences
from diptych.errors import DataError
from diptych.storage.json_text import parse_json, read_at_most
from diptych.storage.place import replace_file

TYPES = {
    "source.tokens": "int32",
    "source.offsets": "int64",
    "target.tokens": "int32",
    "target.offsets": "int64",
    "rows": "int32",
}
TYPE_CODES = {"int32": "i", "int64": "q"}
VERDICTS, JOURNAL = "verdicts.uint8", "journal.json"
LARGEST_JOURNAL = 1 << 16
BLOCK = 1 << 16
"""How many pairs are held before they are written."""


@dataclass(frozen=True)
class Progress:
    """How far pairs have been written.

    Attributes:
        verdicts: one byte for each pair of the corpus that has been looked at.
        count: how many of them have been written.
        ends: how many tokens have been written of the source, and of the target.
    """

    verdicts: bytes = b""
    count: int = 0
    ends: tuple[int, int] = (0, 0)


def write_pairs(folder: Path, pairs: Pairs, encoder: Encoder) -> int:
    """Encode pairs into the files of a folder; returns how many were left out.

    The folder is made; where an earlier call was interrupted in it, this one goes on from there. The pairs and the
    encoder must be the same then. The disk has the files when this returns.

    Raises:
        DataError: as `Encoder.encode`.
        OSError: the disk refuses.
    """
    done = written(folder)
    if done is None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        done = Progress()
    held = {name: array(TYPE_CODES[kind]) for name, kind in TYPES.items()}
    sources, targets, rows = held["source.tokens"], held["target.tokens"], held["rows"]
    source_offsets, target_offsets = held["source.offsets"], held["target.offsets"]
    verdicts, count, (source_end, target_end) = bytearray(done.verdicts), done.count, done.ends
    if not verdicts:
        source_offsets.append(0)
        target_offsets.append(0)
    kept = len(verdicts)  # how many verdicts the disk has
    for row, source, target in encoder.encode(pairs, verdicts, first=len(verdicts)):
        sources.fromlist(source)
        targets.fromlist(target)
        rows.append(row)
        source_end += len(source)
        target_end += len(target)
        source_offsets.append(source_end)
        target_offsets.append(target_end)
        count += 1
        if not count % BLOCK:
            _append(folder, held, verdicts=verdicts[kept:], count=count, ends=(source_end, target_end))
            kept = len(verdicts)
    _append(folder, held, verdicts=verdicts[kept:], count=count, ends=(source_end, target_end))
    return len(pairs) - count


def written(folder: Path) -> Progress | None:
    """How far `write_pairs` came in this folder; None if it has not begun, or nothing can be made of it.

    What was written after the journal was, is cut off.
    """
    try:
        journal = parse_json(read_at_most(folder / JOURNAL, LARGEST_JOURNAL))
        ends = journal["ends"]
        sizes = {path.name: int(journal["sizes"][path.name]) for path in _files(folder)}
        if any(not 0 <= size <= (folder / name).stat().st_size for name, size in sizes.items()):
            return None
        for name, size in sizes.items():
            os.truncate(folder / name, size)
        return Progress((folder / VERDICTS).read_bytes(), int(journal["count"]), (int(ends[0]), int(ends[1])))
    except (OSError, ValueError, TypeError, KeyError, IndexError):
        return None


def forget_progress(folder: Path) -> None:
    """Remove what only `write_pairs` needs, once all is written and looked at."""
    for name in (JOURNAL, VERDICTS):
        (folder / name).unlink(missing_ok=True)


def open_pairs(folder: Path, left_out: int = 0) -> EncodedPairs:
    """The pairs that `write_pairs` wrote; nothing is read but what is asked of them.

    Raises:
        DataError: a file is missing, cut short or of other pairs.
    """
    maps: list[mmap.mmap] = []
    arrays = {name: _map(_path(folder, name), kind, maps) for name, kind in TYPES.items()}
    count = len(arrays["rows"])
    for side in ("source", "target"):
        tokens, offsets = arrays[f"{side}.tokens"], arrays[f"{side}.offsets"]
        if len(offsets) != count + 1 or offsets[0] != 0 or offsets[-1] != len(tokens):
            raise DataError(
                f"{folder} is damaged: its files hold {count} pairs, {len(offsets)} offsets and {len(tokens)} tokens "
                f"of the {side}; remove it, and it is made again"
            )
    sources, targets = (Sequences(arrays[f"{side}.tokens"], arrays[f"{side}.offsets"]) for side in ("source", "target"))
    return EncodedPairs(sources, targets, corpus_rows=arrays["rows"], left_out=left_out, maps=tuple(maps))


def _append(folder: Path, held: dict[str, array[int]], verdicts: bytearray, count: int, ends: tuple[int, int]) -> None:
    """Write what is held at the files' ends and hold nothing any more; then write down how far that is."""
    sizes = {}
    contents: dict[Path, array[int] | bytearray] = {_path(folder, name): values for name, values in held.items()}
    contents[folder / VERDICTS] = verdicts
    for path, values in contents.items():
        with path.open("ab") as file:
            file.write(values)
            file.flush()
            os.fsync(file.fileno())
            sizes[path.name] = file.tell()
    for held_values in held.values():
        del held_values[:]
    replace_file(folder / JOURNAL, json.dumps({"count": count, "ends": ends, "sizes": sizes}))


def _map(path: Path, kind: str, maps: list[mmap.mmap]) -> npt.NDArray[Any]:
    """The numbers of a file as an array that reads it; the map behind it is added to `maps`."""
    try:
        with path.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:
                return np.empty(0, kind)
            pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise DataError(f"cannot read {path} ({error.strerror}); remove its folder, and it is made again") from error
    maps.append(pages)
    return np.frombuffer(pages, kind, count=len(pages) // np.dtype(kind).itemsize)


def _files(folder: Path) -> list[Path]:
    """Every file that `write_pairs` writes, but the journal."""
    return [*(_path(folder, name) for name in TYPES), folder / VERDICTS]


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.{TYPES[name]}"
