"""A tensor as TensorFlow writes it into a graph: its bytes, or its numbers one by one, the last of them repeated."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert.files import limits
from diptych.convert.files.model_file import Tensor
from diptych.convert.files.printable import shown
from diptych.convert.files.protobuf import Fixed, Span, Value, integers, signed
from diptych.convert.files.stored_bytes import SIZES, number_bytes
from diptych.errors import RefusalError

TYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string", 8: "complex64", 9: "int64",
    10: "bool", 14: "bfloat16", 17: "uint16", 18: "complex128", 19: "float16", 20: "resource", 21: "variant",
    22: "uint32", 23: "uint64",
}  # fmt: skip
CONTENT = 4
# Fields of single numbers: of which type they are there.
LISTS = {5: "float32", 6: "float64", 7: "int32", 10: "int64", 11: "bool", 13: "float16", 16: "uint32", 17: "uint64"}


def read_tensor(path: Path, name: str, message: Span) -> Tensor:
    """A TensorProto.

    Raises:
        RefusalError: its shape and its numbers do not fit.
    """
    dtype, place = "", None
    shape: tuple[int, ...] = ()
    parts: list[npt.NDArray[Any]] = []
    for number, value in message.fields():
        if number == 1:
            dtype = TYPES.get(signed(value), f"type {signed(value)}")
        elif number == 2 and isinstance(value, Span):
            sizes = read_shape(value) or ()
            shape = tuple(size if isinstance(size, int) else -1 for size in sizes)
        elif number == CONTENT and isinstance(value, Span):
            place = value.stored()
        elif number in LISTS:
            parts.append(_numbers(number, value))
    if dtype not in SIZES:
        return Tensor(name, dtype, shape=shape, load=lambda: _refuse(path, name, dtype))
    needed = number_bytes(path, name, dtype=dtype, shape=shape)
    if place is not None and place.size:
        if place.size != needed:
            raise RefusalError(f"{path}: {shown(name)} of shape {shape}, {dtype}, has {place.size:,} bytes")
        return place.tensor(name, dtype, shape=shape, offset=0)
    count, numbers = math.prod(shape), np.concatenate(parts) if parts else np.zeros(1)
    if numbers.size > max(count, 1) or (needed > limits.EXPANDED and count > limits.EXPANSION * numbers.size):
        raise RefusalError(f"{path}: {shown(name)} of shape {shape} is written as {numbers.size:,} numbers")
    return Tensor(name, dtype, shape=shape, load=lambda: _filled(numbers, dtype, shape))


def read_shape(message: Span) -> tuple[int | None, ...] | None:
    """A TensorShapeProto: each size, None where it is open; None if the rank is."""
    sizes: list[int | None] = []
    for number, value in message.fields():
        if number == 2 and isinstance(value, Span):
            size = signed(dict(value.fields()).get(1, 0))
            sizes.append(None if size < 0 else size)
        elif number == 3 and value:
            return None
    return tuple(sizes)


def _numbers(number: int, value: Value) -> npt.NDArray[Any]:
    kind = np.dtype(LISTS[number]).newbyteorder("<")
    if kind.kind == "f" and number != 13:
        data = bytes(value) if isinstance(value, Fixed) else value.bytes() if isinstance(value, Span) else b""
        return np.frombuffer(data[: len(data) // kind.itemsize * kind.itemsize], kind)
    found = np.array(integers(value), np.int64)
    return found.astype(np.uint16) if number == 13 else found


def _filled(numbers: npt.NDArray[Any], dtype: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """The numbers, and the last one as often as the shape needs it."""
    count = math.prod(shape)
    if dtype in ("float16", "bfloat16") and numbers.dtype == np.uint16:  # their bits
        bits = numbers.astype(np.uint16)
        numbers = bits.view(np.float16) if dtype == "float16" else (bits.astype(np.uint32) << 16).view(np.float32)
    flat = np.empty(count, "float32" if dtype == "bfloat16" else dtype)
    flat[: numbers.size] = numbers[:count]
    flat[numbers.size :] = numbers[-1] if numbers.size else 0
    return flat.reshape(shape)


def _refuse(path: Path, name: str, dtype: str) -> npt.NDArray[Any]:
    raise RefusalError(f"{path}: {shown(name)} holds {shown(dtype)}, not numbers")
