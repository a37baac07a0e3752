"""Bytes that are read from a file when they are asked for."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert.files import limits
from diptych.convert.files.model_file import Tensor
from diptych.convert.files.printable import shown
from diptych.errors import RefusalError

# Bytes of one number, by the names that files use. Those that NumPy does not know are named, bfloat16 is widened.
SIZES = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "complex64": 8, "complex128": 16, "bool": 1,
    "int64": 8, "int32": 4, "int16": 2, "int8": 1, "uint64": 8, "uint32": 4, "uint16": 2, "uint8": 1,
    "float8_e4m3fn": 1, "float8_e5m2": 1,
}  # fmt: skip


@dataclass(frozen=True)
class StoredBytes:
    """A stretch of a file, or bytes that are in memory already.

    Attributes:
        path: the file.
        start: where in it the stretch begins.
        size: how many bytes it has.
        memory: the bytes themselves, if they are not in the file as such (they were compressed).
    """

    path: Path
    start: int
    size: int
    memory: bytes | None = None

    @classmethod
    def of_file(cls, path: Path) -> StoredBytes:
        """All of a file."""
        return cls(path, 0, os.path.getsize(path))

    def read(self, offset: int, count: int, what: str = "it") -> bytes:
        """`count` bytes from `offset`, both from the file itself and therefore not believed.

        Raises:
            RefusalError: there are not so many bytes.
        """
        if offset < 0 or count < 0 or offset + count > self.size:
            raise RefusalError(
                f"{self.path}: {shown(what)} should have {count:,} bytes at {offset:,}, but the file ends at "
                f"{self.size:,}: it was cut short or altered"
            )
        if self.memory is not None:
            return self.memory[offset : offset + count]
        with self.path.open("rb") as file:
            file.seek(self.start + offset)
            data = file.read(count)
        if len(data) != count:
            raise RefusalError(f"{self.path} was cut short while it was read")
        return data

    def tensor(
        self, name: str, dtype: str, shape: tuple[int, ...], offset: int, fortran: bool = False, big: bool = False
    ) -> Tensor:
        """A tensor whose numbers lie here one after the other.

        Args:
            name: the tensor's.
            dtype: of its numbers.
            shape: of the array.
            offset: of its first byte.
            fortran: the first axis runs fastest, not the last.
            big: the most significant byte comes first.

        Raises:
            RefusalError: the type is unknown, the shape impossible, or the bytes are not there.
        """
        count = number_bytes(self.path, name, dtype=dtype, shape=shape)
        if offset < 0 or offset + count > self.size:
            raise RefusalError(
                f"{self.path}: tensor {shown(name)} should have {count:,} bytes at {offset:,}, but there are only "
                f"{self.size:,}: the file was cut short or altered"
            )

        def load() -> npt.NDArray[Any]:
            return to_array(
                self.path, self.read(offset, count, name), name=name, dtype=dtype, shape=shape, fortran=fortran, big=big
            )

        return Tensor(name, dtype, shape=shape, load=load)


def number_bytes(path: Path, name: str, dtype: str, shape: tuple[int, ...]) -> int:
    """How many bytes a tensor's numbers have.

    Raises:
        RefusalError: the type is unknown, or the shape impossible.
    """
    if dtype not in SIZES:
        known = ", ".join(SIZES)
        raise RefusalError(f"{path}: tensor {shown(name)} is of type {shown(dtype)}; expected one of {known}")
    if len(name) > limits.NAME:
        raise RefusalError(f"{path}: a tensor's name has {len(name):,} characters; the most that are read is 4,096")
    if len(shape) > limits.RANK or any(not 0 <= size < limits.AXIS for size in shape):
        raise RefusalError(f"{path}: tensor {shown(name)} has the impossible shape {shown(shape)}")
    return math.prod(shape) * SIZES[dtype]


def to_array(
    path: Path, data: bytes, name: str, dtype: str, shape: tuple[int, ...], fortran: bool = False, big: bool = False
) -> npt.NDArray[Any]:
    """The array of these bytes.

    Raises:
        RefusalError: NumPy has no such numbers.
    """
    if dtype.startswith("float8"):
        raise RefusalError(f"{path}: tensor {shown(name)} is {dtype}, which cannot be taken over exactly: widen it")
    if dtype == "bfloat16":  # the upper half of a float32
        halves = np.frombuffer(data, ">u2" if big else "<u2")
        flat = (halves.astype(np.uint32) << 16).view(np.float32)
    else:
        flat = np.frombuffer(data, np.dtype(dtype).newbyteorder(">" if big else "<")).astype(dtype, copy=False)
    return flat.reshape(shape, order="F" if fortran else "C")
