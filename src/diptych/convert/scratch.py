"""Arrays in a file, written one after the other and mapped when they are read: those of a large model fill no memory.

The file is one of safetensors, whose own library holds every array twice while it writes, and once while it reads.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from diptych.convert.graph import Array

NAMES = {
    "f8": "F64", "f4": "F32", "f2": "F16", "i8": "I64", "i4": "I32", "i2": "I16", "i1": "I8", "u8": "U64", "u4": "U32",
    "u2": "U16", "u1": "U8", "b1": "BOOL",
}  # fmt: skip
ALIGNMENT = 8


def save_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write arrays by their names; a mapping that makes each when it is asked for is asked for one at a time."""
    with path.open("wb") as file:
        for name in _begin(file, {name: (array.dtype, array.shape) for name, array in arrays.items()}):
            file.write(np.ascontiguousarray(arrays[name]).reshape(-1).view(np.uint8).data)


def new_arrays(path: Path, forms: Mapping[str, tuple[Any, tuple[int, ...]]]) -> dict[str, Array]:
    """A file of arrays of zeros, to be written to where they are.

    Args:
        path: of the file.
        forms: by name, the type and the shape.

    Raises:
        OSError: there is no room for them.
    """
    with path.open("wb") as file:
        _begin(file, forms)
        size = sum(_bytes(*form) for form in forms.values())
        if size and hasattr(os, "posix_fallocate"):  # a mapped file that finds the disk full later ends the process
            os.posix_fallocate(file.fileno(), file.tell(), size)
        file.truncate(file.tell() + size)
    return _mapped(path, "r+")


def mapped_arrays(path: Path) -> dict[str, Array]:
    """The arrays of a file that was written here; a change to them does not reach it."""
    return _mapped(path, "c")


def _begin(file: BinaryIO, forms: Mapping[str, tuple[Any, tuple[int, ...]]]) -> list[str]:
    """Write the header; the names in the order of their numbers, wide ones first so that each is aligned."""
    order = sorted(forms, key=lambda name: (-np.dtype(forms[name][0]).itemsize, name))
    header, end = {}, 0
    for name in order:
        dtype, shape = np.dtype(forms[name][0]), forms[name][1]
        start, end = end, end + _bytes(dtype, shape)
        header[name] = {"dtype": NAMES[dtype.str[1:]], "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    file.write(struct.pack("<Q", len(text)) + text)
    return order


def _bytes(dtype: Any, shape: tuple[int, ...]) -> int:
    return int(np.dtype(dtype).itemsize * math.prod(shape))


def _mapped(path: Path, mode: Any) -> dict[str, Array]:
    whole = np.memmap(path, np.uint8, mode)
    start = ALIGNMENT + struct.unpack("<Q", whole[:ALIGNMENT].tobytes())[0]
    types = {name: np.dtype(f"<{dtype}") for dtype, name in NAMES.items()}
    found = {}
    for name, form in json.loads(whole[ALIGNMENT:start].tobytes()).items():
        first, last = (start + place for place in form["data_offsets"])
        found[name] = np.asarray(whole[first:last]).view(types[form["dtype"]]).reshape(form["shape"])
    return found
