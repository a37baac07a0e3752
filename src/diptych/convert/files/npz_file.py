"""A .npz file: a zip archive of .npy arrays, each with a header that says its type and shape."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np

from diptych.convert.files import limits
from diptych.convert.files.model_file import ModelFile, Tensor, WrittenBy
from diptych.convert.files.printable import shown
from diptych.convert.files.recognition import recognise
from diptych.convert.files.stored_bytes import StoredBytes
from diptych.convert.files.zip_archive import ZipArchive
from diptych.errors import RefusalError

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 10_000


def read_npz(path: Path, archive: ZipArchive) -> ModelFile:
    """The arrays of a .npz file.

    Raises:
        RefusalError: it is damaged, or holds pickled objects.
    """
    limits.check_count(path, len(archive.names))
    tensors = {}
    for member in archive.names:
        name = member.removesuffix(".npy")
        tensors[name] = npy_tensor(archive.member(member), name)
    layers, notes = recognise(tensors, "numpy")
    return ModelFile(path, "npz", written_by=WrittenBy("numpy"), tensors=tensors, layers=layers, notes=notes)


def npy_tensor(stored: StoredBytes, name: str) -> Tensor:
    """The array in the bytes of a .npy file.

    Raises:
        RefusalError: the header is damaged, or the array holds pickled objects.
    """
    start = stored.read(0, 12, name) if stored.size >= 12 else b""
    if not start.startswith(MAGIC) or start[6] not in (1, 2, 3):
        raise RefusalError(f"{stored.path}: {shown(name)} is not an array in NumPy's format")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(start[8 : 8 + width], "little")
    if length > LONGEST_HEADER:
        raise RefusalError(f"{stored.path}: the header of {shown(name)} claims {length:,} bytes")
    text = stored.read(8 + width, length, name).decode("utf-8" if start[6] == 3 else "latin-1", "replace")
    try:
        header = ast.literal_eval(text)
        descr, fortran, shape = header["descr"], header["fortran_order"], header["shape"]
        dtype = np.dtype(descr) if isinstance(descr, str) else None
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError, AttributeError) as error:
        raise RefusalError(f"{stored.path}: the header of {shown(name)} is damaged: {shown(text)}") from error
    if dtype is None or dtype.hasobject:
        raise RefusalError(
            f"{stored.path}: {shown(name)} holds pickled Python objects ({shown(descr)}), which are never loaded; save "
            f"each array by itself"
        )
    if not isinstance(shape, tuple) or not all(type(size) is int for size in shape):
        raise RefusalError(f"{stored.path}: {shown(name)} has the impossible shape {shown(shape)}")
    big = dtype.str.startswith(">")
    return stored.tensor(name, dtype.name, shape=shape, offset=8 + width + length, fortran=bool(fortran), big=big)
