"""A .safetensors file: eight bytes of length, a JSON header with every tensor's place, then the numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diptych.convert.files import limits
from diptych.convert.files.model_file import ModelFile, Tensor, WrittenBy
from diptych.convert.files.printable import shown
from diptych.convert.files.recognition import recognise
from diptych.convert.files.stored_bytes import StoredBytes, number_bytes
from diptych.errors import RefusalError

TYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "BOOL": "bool",
    "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8",
    "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8",
    "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "C64": "complex64",
}  # fmt: skip


def read_safetensors(path: Path) -> ModelFile:
    """The tensors of a .safetensors file.

    Raises:
        RefusalError: the header is damaged, or tensors lie outside the file or over one another.
    """
    whole = StoredBytes.of_file(path)
    length = int.from_bytes(whole.read(0, 8, "the header's length"), "little")
    if length > limits.HEADER:
        raise RefusalError(f"{path}: the header claims {length:,} bytes; the most that are read is {limits.HEADER:,}")
    header = limits.parse_json(path, "the header", whole.read(8, length, "the header"), pairs=_distinct(path))
    if not isinstance(header, dict):
        raise RefusalError(f"{path}: the header is a {type(header).__name__}, expected an object of tensors")
    metadata = header.pop("__metadata__", {})
    limits.check_count(path, len(header))
    data = StoredBytes(path, 8 + length, whole.size - 8 - length)
    tensors, stretches = {}, []
    for name, entry in header.items():
        tensors[name], stretch = _tensor(data, name, entry)
        stretches.append((*stretch, name))
    _check_apart(path, stretches)
    known = metadata.get("format") if isinstance(metadata, dict) else None
    framework = {"pt": "pytorch", "tf": "tensorflow", "np": "numpy"}.get(str(known), "safetensors")
    layers, notes = recognise(tensors, framework)
    return ModelFile(path, "safetensors", written_by=WrittenBy(framework), tensors=tensors, layers=layers, notes=notes)


def _distinct(path: Path) -> Any:
    """Makes an object of its pairs and refuses equal names: two tensors of one name would be one too few."""

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in found if names.count(name) > 1)
            raise RefusalError(f"{path}: {shown(twice)} stands twice in the header; expected each name once")
        return found

    return build


def _tensor(data: StoredBytes, name: str, entry: Any) -> tuple[Tensor, tuple[int, int]]:
    """One tensor by its entry in the header, and where its bytes begin and end."""
    expected = isinstance(entry, dict) and entry.keys() == {"dtype", "shape", "data_offsets"}
    shape, ends = (entry["shape"], entry["data_offsets"]) if expected else ([], [])
    if not expected or not _counts(shape) or not _counts(ends) or len(ends) != 2:
        raise RefusalError(
            f"{data.path}: the header's entry of {shown(name)} is {shown(entry)}; expected dtype, shape and two "
            f"data_offsets"
        )
    dtype = TYPES.get(str(entry["dtype"]), str(entry["dtype"]))
    begin, end = ends
    tensor, needed = (
        data.tensor(name, dtype, shape=tuple(shape), offset=begin),
        number_bytes(data.path, name, dtype=dtype, shape=tuple(shape)),
    )
    if begin + needed != end:
        raise RefusalError(
            f"{data.path}: tensor {shown(name)} of shape {tensor.shape} and type {dtype} lies at {begin:,} to {end:,}; "
            f"expected {needed:,} bytes"
        )
    return tensor, (begin, end)


def _counts(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)


def _check_apart(path: Path, stretches: list[tuple[int, int, str]]) -> None:
    """No tensor may lie over another one."""
    end, before = 0, ""
    for begin, stop, name in sorted(stretches):
        if begin < end and stop > begin:
            raise RefusalError(f"{path}: the tensors {shown(before)} and {shown(name)} lie over one another")
        end, before = max(end, stop), name
