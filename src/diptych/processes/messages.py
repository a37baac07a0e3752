"""Messages between two processes: a line of JSON, then the bytes of the arrays that it announces; never pickle."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def send(stream: BinaryIO, message: Mapping[str, Any], arrays: Sequence[Array] = ()) -> None:
    """Write a message of JSON values and arrays of numbers."""
    parts = [np.asarray(array, order="C") for array in arrays]
    announced = [[part.dtype.str, part.shape] for part in parts]
    stream.write(json.dumps({"message": message, "arrays": announced}).encode("ascii") + b"\n")
    for part in parts:
        stream.write(part.tobytes())
    stream.flush()


def receive(stream: BinaryIO) -> tuple[dict[str, Any], list[Array]]:
    """Read the next message; its arrays are the caller's to change.

    Raises:
        EOFError: there is none, or not all of it: the process that writes has ended.
    """
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    header = json.loads(line)
    arrays = []
    for kind, shape in header["arrays"]:
        dtype = np.dtype(kind)
        data = bytearray(stream.read(dtype.itemsize * math.prod(shape)))
        if len(data) != dtype.itemsize * math.prod(shape):
            raise EOFError
        arrays.append(np.frombuffer(data, dtype).reshape(shape))
    return header["message"], arrays
