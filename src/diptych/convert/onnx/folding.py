"""Operators of which every input is known: worked out at once, on numbers and on lengths that are still open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert.files.model_file import Tensor as FileTensor
from diptych.convert.files.onnx_tensor import TYPES
from diptych.convert.onnx.reader import Reader
from diptych.convert.onnx.values import Constant, Dim, Filled, Value

Values = npt.NDArray[Any]


def constant_of(reader: Reader) -> list[Value]:
    """A Constant node."""
    found = reader.attributes("value", "value_float", "value_floats", "value_int", "value_ints")
    for value in found.values():
        if isinstance(value, FileTensor):
            return [Constant(value.read(), reader.node.outputs[0])]
        if isinstance(value, int | float | list):
            dtype = np.int64 if np.asarray(value).dtype.kind == "i" else np.float32
            return [Constant(np.array(value, dtype))]
    raise reader.refusal("a constant without numbers")


def filled(reader: Reader) -> list[Value]:
    """ConstantOfShape, and Expand or Tile of a single number."""
    if reader.node.operator == "ConstantOfShape":
        value = reader.attributes("value").get("value")
        return [Filled(value.read().ravel()[0] if isinstance(value, FileTensor) else np.float32(0))]
    source = reader.given(0)
    if isinstance(source, Filled):
        return [source]
    if isinstance(source, Constant) and source.array.size == 1:
        return [Filled(source.array.ravel()[0])]
    if isinstance(source, Constant) and source.array.dtype != object and not source.array.any():
        return [Filled(source.array.ravel()[0])]
    shape = reader.constant(1, "shape")
    if shape is not None and reader.node.operator == "Tile" and all(one == 1 for one in shape):
        return [source] if source is not None else []
    if shape is not None and source is not None and reader.node.operator == "Expand":
        tensor = reader.as_tensor(source)
        if len(shape) <= len(tensor.dims) and all(
            one == 1 or one is dim or one == (dim.size if isinstance(dim, Dim) else dim)
            for one, dim in zip(reversed(shape.tolist()), reversed(tensor.dims))
        ):
            return [tensor]
    raise reader.refusal("a tensor that is repeated to another shape is not converted")


def _cast(reader: Reader, x: list[Values]) -> Values:
    return x[0] if x[0].dtype == object else x[0].astype(TYPES[reader.node.attributes["to"]])


def _slice(reader: Reader, x: list[Values]) -> Values:
    if len(x) > 1:
        starts, ends = x[1], x[2]
        axes = x[3] if len(x) > 3 else np.arange(len(starts))
        steps = x[4] if len(x) > 4 else np.ones(len(starts), np.int64)
    else:
        starts, ends = (np.array(reader.node.attributes[name]) for name in ("starts", "ends"))
        axes = np.array(reader.node.attributes.get("axes", range(len(starts))))
        steps = np.ones(len(starts), np.int64)
    where: list[slice] = [slice(None)] * x[0].ndim
    for start, end, axis, step in zip(starts, ends, axes, steps):
        where[int(axis)] = slice(int(start), int(end), int(step))
    return x[0][tuple(where)]


def _axes(reader: Reader, x: list[Values]) -> list[int]:
    return [int(axis) for axis in (x[1] if len(x) > 1 else reader.node.attributes.get("axes", []))]


def _unsqueeze(reader: Reader, x: list[Values]) -> Values:
    axes = _axes(reader, x)
    return np.asarray(np.expand_dims(x[0], tuple(axes)))


def _squeeze(reader: Reader, x: list[Values]) -> Values:
    axes = _axes(reader, x)
    return np.squeeze(x[0], tuple(axes) or None)


def _concat(reader: Reader, x: list[Values]) -> Values:
    mixed = any(one.dtype == object for one in x)
    return np.concatenate([one.astype(object) if mixed else one for one in x], axis=reader.node.attributes["axis"])


def _split(reader: Reader, x: list[Values]) -> list[Values]:
    sizes = x[1] if len(x) > 1 else reader.node.attributes.get("split")
    count = len(reader.node.outputs)
    places: Any = count if sizes is None else np.cumsum(sizes)[:-1]
    return list(np.split(x[0], places, axis=reader.node.attributes.get("axis", 0)))


FOLDS: dict[str, Callable[[Reader, list[Values]], Any]] = {
    "Identity": lambda reader, x: x[0], "Cast": _cast, "Slice": _slice, "Unsqueeze": _unsqueeze, "Squeeze": _squeeze,
    "Concat": _concat, "Split": _split,
    "Gather": lambda reader, x: np.take(x[0], x[1].astype(int), axis=reader.node.attributes.get("axis", 0)),
    "Transpose": lambda reader, x: np.transpose(x[0], reader.node.attributes.get("perm")),
    "Reshape": lambda reader, x: x[0].reshape([int(n) for n in x[1]]),
    "Add": lambda reader, x: x[0] + x[1], "Sub": lambda reader, x: x[0] - x[1], "Mul": lambda reader, x: x[0] * x[1],
    "Div": lambda reader, x: x[0] // x[1] if x[0].dtype.kind in "iO" else x[0] / x[1], "Neg": lambda reader, x: -x[0],
    "Sqrt": lambda reader, x: np.sqrt(x[0]), "Reciprocal": lambda reader, x: 1 / x[0],
}  # fmt: skip


def fold(reader: Reader) -> list[Value] | None:
    """What a node gives whose inputs are all known; None for any other node."""
    given = [reader.values.get(name) for name in reader.node.inputs if name]
    known = [one for one in given if isinstance(one, Constant)]
    if not given or len(known) != len(given) or reader.node.operator not in FOLDS:
        return None
    for one in known:
        reader.used.add(one.name)
    if reader.node.operator == "Identity":
        return [known[0]]
    try:
        found = FOLDS[reader.node.operator](reader, [one.array for one in known])
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise reader.refusal(f"lengths that are not known are calculated with: {error}") from None
    return [Constant(np.asarray(one)) for one in (found if isinstance(found, list) else [found])]
