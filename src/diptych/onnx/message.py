"""Protocol buffers put together, the mirror of `convert/files/protobuf.py`; a weight's bytes are passed on, not
copied, and one that needs another type gets it while it is written.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

BLOCK = 1 << 18
"""Numbers that are brought into another type together."""
TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9, "float64": 11}


class Numbers:
    """An array's bytes in a type, little-endian, made when they are written."""

    def __init__(self, array: npt.NDArray[Any], dtype: Any) -> None:
        self._array, self._dtype = array, np.dtype(dtype).newbyteorder("<")

    def __len__(self) -> int:
        return int(self._array.size * self._dtype.itemsize)

    def pieces(self) -> Iterator[memoryview]:
        """All of them in order."""
        flat = np.ascontiguousarray(self._array).reshape(-1)
        for start in range(0, flat.size, BLOCK):
            yield flat[start : start + BLOCK].astype(self._dtype, copy=False).view(np.uint8).data


class Message:
    """Fields, in the order in which they were added.

    Attributes:
        size: how many bytes it has.
    """

    def __init__(self) -> None:
        self._chunks: list[bytes | memoryview | Numbers] = []
        self.size = 0

    def _put(self, chunk: bytes | memoryview | Numbers) -> None:
        self._chunks.append(chunk)
        self.size += len(chunk)

    def pieces(self) -> Iterator[bytes | memoryview]:
        """Its bytes, piece by piece."""
        for chunk in self._chunks:
            if isinstance(chunk, Numbers):
                yield from chunk.pieces()
            else:
                yield chunk

    def integer(self, number: int, value: int) -> Message:
        """A field that is a whole number."""
        self._put(varint(number << 3) + varint(value))
        return self

    def real(self, number: int, value: float) -> Message:
        """A field that is a float32."""
        self._put(varint(number << 3 | 5) + struct.pack("<f", value))
        return self

    def data(self, number: int, value: bytes | memoryview | Numbers | str) -> Message:
        """A field of bytes or text."""
        content = value.encode() if isinstance(value, str) else value
        self._put(varint(number << 3 | 2) + varint(len(content)))
        self._put(content)
        return self

    def inner(self, number: int, message: Message) -> Message:
        """A field that is a message."""
        self._put(varint(number << 3 | 2) + varint(message.size))
        self._chunks += message._chunks
        self.size += message.size
        return self


def varint(number: int) -> bytes:
    """A whole number in groups of seven bits; a negative one as its complement of 64 bits."""
    number &= (1 << 64) - 1
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def tensor(name: str, array: npt.NDArray[Any], dtype: Any = None) -> Message:
    """A TensorProto with its numbers as raw bytes, in their own type or in another."""
    message, wanted = Message(), np.dtype(dtype or array.dtype)
    for size in array.shape:
        message.integer(1, size)
    return message.integer(2, TYPES[wanted.name]).data(8, name).data(9, Numbers(array, wanted))


def attribute(name: str, value: Any) -> Message:
    """An AttributeProto: a whole number, a float, a text, a graph, or a list of one of the first three."""
    message, kind = Message().data(1, name), 0
    if isinstance(value, Message):
        message, kind = message.inner(6, value), 5
    elif isinstance(value, str):
        message, kind = message.data(4, value), 3
    elif isinstance(value, int):
        message, kind = message.integer(3, value), 2
    elif isinstance(value, float):
        message, kind = message.real(2, value), 1
    else:
        for one in value:
            if isinstance(one, str):
                message, kind = message.data(9, one), 8
            elif isinstance(one, int):
                message, kind = message.integer(8, one), 7
            else:
                message, kind = message.real(7, one), 6
    return message.integer(20, kind)


def node(
    operator: str, inputs: Iterable[str], outputs: Iterable[str], name: str, attributes: Mapping[str, Any]
) -> Message:
    """A NodeProto."""
    message = Message()
    for one in inputs:
        message.data(1, one)
    for one in outputs:
        message.data(2, one)
    message.data(3, name).data(4, operator)
    for key, value in attributes.items():
        message.inner(5, attribute(key, value))
    return message


def value(name: str, dtype: str, sizes: Iterable[int | str | None]) -> Message:
    """A ValueInfoProto; a size that is open has a name, or none."""
    shape = Message()
    for size in sizes:
        one = Message()
        if isinstance(size, int):
            one.integer(1, size)
        elif size:
            one.data(2, size)
        shape.inner(1, one)
    kind = Message().integer(1, TYPES[dtype]).inner(2, shape)
    return Message().data(1, name).inner(2, Message().inner(1, kind))
