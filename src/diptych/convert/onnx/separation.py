"""An ONNX file taken apart: its operators as a small model, its weights as arrays in float64 that are mapped.

What reads a file whole has its weights several times: as bytes, as messages and as arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from diptych.convert.files.model_file import Tensor
from diptych.convert.files.onnx_tensor import read_tensor
from diptych.convert.files.protobuf import Span, Value, message_of
from diptych.convert.graph import Array
from diptych.convert.scratch import mapped_arrays, save_arrays
from diptych.errors import RefusalError
from diptych.onnx import message
from diptych.onnx.message import Message

GRAPH, INITIALIZER, INPUT = 7, 5, 11
LARGE = 1 << 12
"""Numbers from which on a weight is taken out of a file."""
REAL = ("float32", "float64", "float16", "bfloat16")


class _Wide(Mapping[str, Array]):
    """Tensors in float64, each read when it is asked for."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = tensors

    def __getitem__(self, name: str) -> Array:
        return self._tensors[name].read().astype("float64")

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)


def separated(path: Path, scratch: Path) -> tuple[bytes, dict[str, Array]]:
    """A model's bytes in which large weights are inputs, and those weights by their names.

    Args:
        path: of the file.
        scratch: a new file for the weights.

    Raises:
        RefusalError: it is damaged.
    """
    with message_of(path) as whole:
        model, tensors = Message(), dict[str, Tensor]()
        for number, value in whole.fields():
            if number == GRAPH and isinstance(value, Span):
                model.inner(number, _without_weights(path, value, tensors))
            else:
                _copy(path, model, number=number, value=value)
        save_arrays(scratch, _Wide(tensors))
        return b"".join(model.pieces()), mapped_arrays(scratch)


def _without_weights(path: Path, graph: Span, tensors: dict[str, Tensor]) -> Message:
    found = Message()
    for number, value in graph.fields():
        if number == INITIALIZER and isinstance(value, Span):
            tensor = read_tensor(path, value)
            if tensor.size >= LARGE and tensor.dtype in REAL:
                tensors[tensor.name] = tensor
                found.inner(INPUT, message.value(tensor.name, "float64", tensor.shape))
                continue
        _copy(path, found, number=number, value=value)
    return found


def _copy(path: Path, to: Message, number: int, value: Value) -> None:
    if isinstance(value, Span):
        to.data(number, bytes(value.data[value.start : value.end]))
    elif isinstance(value, int):
        to.integer(number, value)
    else:
        raise RefusalError(f"{path}: field {number} is a number of fixed width, which no ONNX model has there")
