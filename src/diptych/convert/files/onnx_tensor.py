"""A tensor as ONNX writes it: its numbers as raw bytes, as a list, or in a file beside the model."""

from __future__ import annotations

import math
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert.files.model_file import Tensor
from diptych.convert.files.printable import shown
from diptych.convert.files.protobuf import Span, Value, integers, signed, text
from diptych.convert.files.stored_bytes import StoredBytes, number_bytes
from diptych.errors import RefusalError

TYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool",
    10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 16: "bfloat16",
    17: "float8_e4m3fn", 19: "float8_e5m2",
}  # fmt: skip
# The fields that hold lists: of which type each number is there.
LISTS = {4: "float32", 5: "int32", 7: "int64", 10: "float64", 11: "uint64"}
RAW, OUTSIDE = 9, 13


def read_tensor(path: Path, message: Span) -> Tensor:
    """A tensor of a graph or of an attribute.

    Raises:
        RefusalError: its shape and its bytes do not fit, or its numbers are outside the model's folder.
    """
    shape: list[int] = []
    name, dtype, place = "", "", None
    lists: dict[int, list[Value]] = {}
    outside: dict[str, str] = {}
    for number, value in message.fields():
        if number == 1:
            shape += integers(value)
        elif number == 2:
            dtype = TYPES.get(signed(value), f"type {signed(value)}")
        elif number == 8:
            name = text(value)
        elif number == RAW and isinstance(value, Span):
            place = value.stored()
        elif number == OUTSIDE and isinstance(value, Span):
            entry = dict(value.fields())
            outside[text(entry.get(1, 0))] = text(entry.get(2, 0))
        elif number in LISTS:
            lists.setdefault(number, []).append(value)
    if dtype == "string":
        return Tensor(name, dtype, shape=tuple(shape), load=lambda: _refuse(path, name))
    if outside:
        return _beside(path, name, dtype=dtype, shape=tuple(shape), outside=outside)
    if place is not None:
        if place.size != number_bytes(path, name, dtype=dtype, shape=tuple(shape)):
            raise RefusalError(f"{path}: {shown(name)} of shape {tuple(shape)}, {dtype}, has {place.size:,} bytes")
        return place.tensor(name, dtype, shape=tuple(shape), offset=0)
    numbers = _listed(path, name, dtype=dtype, shape=tuple(shape), lists=lists)
    return Tensor(name, dtype, shape=tuple(shape), load=lambda: numbers)


def _listed(
    path: Path, name: str, dtype: str, shape: tuple[int, ...], lists: dict[int, list[Value]]
) -> npt.NDArray[Any]:
    """Numbers written one by one, or packed."""
    parts: list[npt.NDArray[Any]] = [_numbers(number, value) for number, values in lists.items() for value in values]
    flat = np.concatenate(parts) if parts else np.zeros(0)
    number_bytes(path, name, dtype=dtype, shape=shape)
    if flat.size != math.prod(shape):
        raise RefusalError(f"{path}: {shown(name)} of shape {shape} has {flat.size:,} numbers")
    if dtype in ("float16", "bfloat16"):  # their bits stand as int32
        bits = flat.astype(np.uint16)
        wide = bits.view(np.float16) if dtype == "float16" else (bits.astype(np.uint32) << 16).view(np.float32)
        return wide.reshape(shape)
    return flat.astype(dtype).reshape(shape)


def _numbers(number: int, value: Value) -> npt.NDArray[Any]:
    kind = np.dtype(LISTS[number])
    if kind.kind == "f":
        data = value.bytes(1 << 31) if isinstance(value, Span) else bytes(value) if isinstance(value, bytes) else b""
        return np.frombuffer(data[: len(data) // kind.itemsize * kind.itemsize], kind.newbyteorder("<"))
    return np.array(integers(value), np.int64).astype(kind)


def _beside(path: Path, name: str, dtype: str, shape: tuple[int, ...], outside: dict[str, str]) -> Tensor:
    """Numbers in a file beside the model: never outside its folder, never through a link."""
    relative = PurePosixPath(outside.get("location", ""))
    target = path.parent / relative
    inside = not relative.is_absolute() and ".." not in relative.parts and "\\" not in str(relative)
    try:
        inside = inside and "\0" not in str(relative) and target.resolve().is_relative_to(path.parent.resolve())
        whole = StoredBytes.of_file(target) if inside and target.is_file() else None
        offset = int(outside.get("offset", "0"))
    except (OSError, ValueError):
        whole, offset = None, 0
    if whole is None:
        raise RefusalError(
            f"{path}: the numbers of {shown(name)} are in {shown(str(relative))}; expected a file in the model's folder"
        )
    return whole.tensor(name, dtype, shape=shape, offset=offset)


def _refuse(path: Path, name: str) -> npt.NDArray[Any]:
    raise RefusalError(f"{path}: {shown(name)} holds texts, not numbers")
