"""The one form in which two processes speak: a line of JSON, then the bytes of the arrays in it; never pickle.

{"message": {"result": {"state": 1, "attention": {"array that follows": 0}}}, "arrays": [["<f4", [2, 7]]]}
56 bytes
"""

from __future__ import annotations

import json
import math
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
ARRAY = "array that follows"


def send(stream: BinaryIO, message: Any) -> None:
    """Write a message: JSON values and arrays of numbers, nested in dicts, lists and tuples (which arrive as lists).

    Raises:
        TypeError: it holds something else; nothing has been written.
        BrokenPipeError: the process that reads has ended.
    """
    arrays: list[Array] = []
    packed = _pack(message, arrays)
    announced = [[array.dtype.str, array.shape] for array in arrays]
    stream.write(json.dumps({"message": packed, "arrays": announced}).encode("ascii") + b"\n")
    for array in arrays:
        stream.write(array.reshape(-1).view(np.uint8).data)
    stream.flush()


def receive(stream: BinaryIO) -> Any:
    """Read the next message; its arrays are the caller's to change.

    Raises:
        EOFError: there is none, or not all of it: the process that writes has ended.
    """
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    header = json.loads(line)
    arrays = [_read(stream, np.dtype(kind), shape) for kind, shape in header["arrays"]]
    return _unpack(header["message"], arrays)


def _read(stream: BinaryIO, dtype: np.dtype[Any], shape: list[int]) -> Array:
    data = bytearray(dtype.itemsize * math.prod(shape))
    if stream.readinto(data) != len(data):  # type: ignore[attr-defined]
        raise EOFError
    return np.frombuffer(data, dtype).reshape(shape)


def _pack(value: Any, arrays: list[Array]) -> Any:
    """A value as JSON, its arrays put aside."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biuf":
            raise TypeError(f"processes send each other arrays of numbers, got one of {value.dtype}")
        arrays.append(np.asarray(value, value.dtype.newbyteorder("="), order="C"))
        return {ARRAY: len(arrays) - 1}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError(f"processes send each other dicts with strings as keys, got {list(value)[:5]}")
        return {key: _pack(part, arrays) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_pack(part, arrays) for part in value]
    return value


def _unpack(value: Any, arrays: list[Array]) -> Any:
    """What `_pack` was given."""
    if isinstance(value, dict):
        if value.keys() == {ARRAY}:
            return arrays[value[ARRAY]]
        return {key: _unpack(part, arrays) for key, part in value.items()}
    return [_unpack(part, arrays) for part in value] if isinstance(value, list) else value
