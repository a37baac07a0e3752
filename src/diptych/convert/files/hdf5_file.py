"""An HDF5 file: its attributes, and its arrays where they lie."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import subprocess
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert.files import limits
from diptych.convert.files.model_file import Tensor
from diptych.convert.files.printable import shown
from diptych.convert.files.stored_bytes import SIZES, StoredBytes, number_bytes, to_array
from diptych.errors import BackendError, RefusalError
from diptych.processes.failures import end_in_words

LISTING = Path(__file__).with_name("hdf5_listing.py")
PATIENCE = 60  # seconds until a process that only waits is given up; its processor time has a limit of its own
DEFLATE, SHUFFLE, CHECKSUM = 1, 2, 3


@dataclass(frozen=True)
class Hdf5File:
    """What an HDF5 file holds.

    Attributes:
        attributes: of each group or array that has any, by its path; the root's path is "".
        arrays: by their paths, in the order of the groups.
        left_out: what is there but is no array of numbers, or is a link elsewhere.
    """

    attributes: Mapping[str, Mapping[str, Any]]
    arrays: Mapping[str, Tensor]
    left_out: tuple[str, ...]


def read_hdf5(stored: StoredBytes) -> Hdf5File:
    """List an HDF5 file.

    Raises:
        BackendError: h5py is not installed.
        RefusalError: the file is damaged or hostile.
    """
    told = _list(stored)
    if "error" in told:
        raise RefusalError(f"{stored.path} cannot be read as HDF5: {shown(told['error'])}; it is damaged or cut short")
    arrays = {entry["path"]: _tensor(stored, entry) for entry in told["arrays"]}
    return Hdf5File(told["attributes"], arrays, tuple(told["left_out"]))


def _list(stored: StoredBytes) -> dict[str, Any]:
    """What the process that reads it says."""
    if importlib.util.find_spec("h5py") is None:
        raise BackendError(f"{stored.path} is an HDF5 file, for which h5py is needed: pip install 'diptych[convert]'")
    size = stored.size if stored.memory is None else -stored.size
    # -P: a file h5py.py in the working folder is not taken for the library.
    command = [sys.executable, "-P", str(LISTING), str(stored.path), str(stored.start)]
    # One thread, or NumPy's library reserves more memory than the process may have; and no plugins.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "HDF5_PLUGIN_PATH": ""}
    try:
        finished = subprocess.run(
            [*command, str(size)],
            input=stored.memory or b"",
            capture_output=True,
            env=environment,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RefusalError(
            f"{stored.path} keeps the HDF5 library busy for a minute: it is damaged or hostile"
        ) from None
    try:
        return dict(json.loads(finished.stdout))
    except ValueError:
        end = end_in_words(finished.returncode)
        raise RefusalError(
            f"{stored.path} cannot be read as HDF5: the process that reads it {end}; it is damaged or hostile"
        ) from None


def _tensor(stored: StoredBytes, entry: dict[str, Any]) -> Tensor:
    """An array of the listing."""
    name, dtype, shape, big = entry["path"], entry["dtype"], tuple(entry["shape"]), entry["big"]
    needed = number_bytes(stored.path, name, dtype=dtype, shape=shape)
    if "chunks" in entry:
        if needed > limits.EXPANDED and needed > limits.EXPANSION * entry["stored"]:
            raise RefusalError(
                f"{stored.path}: {shown(name)} would become {needed:,} bytes of {entry['stored']:,}: it is a bomb"
            )
        return Tensor(name, dtype, shape=shape, load=lambda: _from_chunks(stored, entry))
    if "bytes" in entry:
        inline = base64.b64decode(entry["bytes"])
        return StoredBytes(stored.path, 0, size=len(inline), memory=inline).tensor(
            name, dtype, shape=shape, offset=0, big=big
        )
    if needed and (entry["offset"] is None or entry["stored"] < needed):
        raise RefusalError(f"{stored.path}: {shown(name)} has a place for {needed:,} bytes, but was never written")
    return stored.tensor(name, dtype, shape=shape, offset=entry["offset"] or 0, big=big)


def _from_chunks(stored: StoredBytes, entry: dict[str, Any]) -> npt.NDArray[Any]:
    """An array that lies in pieces, each perhaps compressed; a piece that was never written is zeros."""
    name, shape, chunk_shape = entry["path"], tuple(entry["shape"]), tuple(entry["chunk_shape"])
    item, dtype = SIZES[entry["dtype"]], entry["dtype"]
    whole: npt.NDArray[Any] | None = None
    size = number_bytes(stored.path, name, dtype=dtype, shape=chunk_shape)
    for corner, skipped, offset, length in entry["chunks"]:
        data = stored.read(offset, length, name)
        for position, kind in reversed(list(enumerate(entry["filters"]))):
            if not skipped >> position & 1:
                data = _undo(stored, name, kind=kind, data=data, item=item, size=size)
        if len(data) != size:
            raise RefusalError(f"{stored.path}: a piece of {shown(name)} has {len(data):,} bytes, expected {size:,}")
        piece = to_array(stored.path, data, name=name, dtype=dtype, shape=chunk_shape, big=entry["big"])
        if whole is None:
            whole = np.zeros(shape, piece.dtype)
        place = tuple(slice(start, start + length) for start, length in zip(corner, chunk_shape))
        whole[place] = piece[tuple(slice(length) for length in whole[place].shape)]
    return (
        np.zeros(shape, to_array(stored.path, b"", name=name, dtype=dtype, shape=(0,)).dtype)
        if whole is None
        else whole
    )


def _undo(stored: StoredBytes, name: str, kind: int, data: bytes, item: int, size: int) -> bytes:
    """One filter undone."""
    if kind == DEFLATE:
        try:
            return zlib.decompressobj().decompress(data, size + 4)
        except zlib.error as error:
            raise RefusalError(f"{stored.path}: a piece of {shown(name)} is damaged: {error}") from error
    if kind == SHUFFLE:
        columns = np.frombuffer(data, np.uint8)
        return columns.reshape(item, -1).T.tobytes() if len(data) % item == 0 else data
    if kind == CHECKSUM:
        return data[:-4]
    raise RefusalError(f"{stored.path}: {shown(name)} is compressed by filter {kind}, which is not read: use gzip")
