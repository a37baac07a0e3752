"""Token ids in files: written as they come, and opened as memory maps, whatever their number.

    FOLDER/source.tokens.int32      every source's token ids, end to end
           source.offsets.int64     where each begins, and where the last one ends
           target.tokens.int32, target.offsets.int64
           rows.int32               where each pair stands in the corpus

The files hold nothing but the numbers, in this machine's byte order.
"""

from __future__ import annotations

import mmap
import os
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.data.encoded import EncodedPairs, Encoder, Sequences
from diptych.data.pairs import Pairs
from diptych.errors import DataError

TYPES = {
    "source.tokens": "int32",
    "source.offsets": "int64",
    "target.tokens": "int32",
    "target.offsets": "int64",
    "rows": "int32",
}
TYPE_CODES = {"int32": "i", "int64": "q"}
BLOCK = 1 << 16
"""How many pairs are held before they are written."""


def write_pairs(folder: Path, pairs: Pairs, encoder: Encoder) -> int:
    """Encode pairs into the files of a folder, which is made; returns how many were left out as too long.

    The disk has the files when this returns.

    Raises:
        DataError: as `Encoder.encode`.
        OSError: the disk refuses.
    """
    folder.mkdir(parents=True)
    held = {name: array(TYPE_CODES[kind]) for name, kind in TYPES.items()}
    sources, targets, rows = held["source.tokens"], held["target.tokens"], held["rows"]
    source_offsets, target_offsets = held["source.offsets"], held["target.offsets"]
    source_end = target_end = count = 0
    source_offsets.append(0)
    target_offsets.append(0)
    for row, source, target in encoder.encode(pairs):
        sources.fromlist(source)
        targets.fromlist(target)
        rows.append(row)
        source_end += len(source)
        target_end += len(target)
        source_offsets.append(source_end)
        target_offsets.append(target_end)
        count += 1
        if not count % BLOCK:
            _append(folder, held)
    _append(folder, held, sync=True)
    return len(pairs) - count


def open_pairs(folder: Path, left_out: int = 0) -> EncodedPairs:
    """The pairs that `write_pairs` wrote; nothing is read but what is asked of them.

    Raises:
        DataError: a file is missing, cut short or of other pairs.
    """
    maps: list[mmap.mmap] = []
    found = {name: _map(_path(folder, name), kind, maps) for name, kind in TYPES.items()}
    count = len(found["rows"])
    for side in ("source", "target"):
        tokens, offsets = found[f"{side}.tokens"], found[f"{side}.offsets"]
        if len(offsets) != count + 1 or offsets[0] != 0 or offsets[-1] != len(tokens):
            raise DataError(
                f"{folder} is damaged: its files hold {count} pairs, {len(offsets)} offsets and {len(tokens)} tokens "
                f"of the {side}; remove it, and it is made again"
            )
    sources, targets = (Sequences(found[f"{side}.tokens"], found[f"{side}.offsets"]) for side in ("source", "target"))
    return EncodedPairs(sources, targets, found["rows"], left_out, tuple(maps))


def _append(folder: Path, held: dict[str, array[int]], sync: bool = False) -> None:
    """Write what is held at the files' ends, and hold nothing any more."""
    for name, values in held.items():
        with _path(folder, name).open("ab") as file:
            values.tofile(file)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        del values[:]


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


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.{TYPES[name]}"
