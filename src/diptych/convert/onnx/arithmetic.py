"""ONNX's products, sums and what exporters make of Dense layers and normalisations, read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from diptych.convert import kinds
from diptych.convert.files.graph import Node as FileNode
from diptych.convert.graph import Array
from diptych.convert.onnx.reader import Reader
from diptych.convert.onnx.values import Constant, Dim, Dims, Filled, Tensor, Value, known

MODES: dict[str, Any] = {
    "Add": "add", "Mul": "multiply", "Sub": "subtract", "Div": "divide", "Max": "maximum", "Min": "minimum",
    "Sum": "add", "Mean": "average",
}  # fmt: skip


def matmul(reader: Reader) -> list[Value]:
    """MatMul: a Dense layer without its bias, or the product of two values."""
    first, second = reader.given(0), reader.given(1)
    if isinstance(second, Constant):
        x, matrix = reader.as_tensor(first), second.array
        if matrix.ndim != 2:
            raise reader.refusal(f"weights of shape {matrix.shape} are multiplied with; a matrix was expected")
        ref = reader.add(kinds.Dense(), {"x": x.ref}, {"weight": np.ascontiguousarray(matrix.T)}, second.name)
        return [Tensor(ref, (*x.dims[:-1], matrix.shape[1]))]
    a, b = reader.as_tensor(first, 0), reader.as_tensor(second, 1)
    return [Tensor(reader.add(kinds.Product(), {"x0": a.ref, "x1": b.ref}), (*a.dims[:-1], b.dims[-1]))]


def gemm(reader: Reader) -> list[Value]:
    """Gemm: a Dense layer."""
    found = reader.attributes(alpha=1.0, beta=1.0, transA=0, transB=0)
    x, matrix, bias = reader.tensor(0), reader.constant(1, "B"), reader.constant(2, "C")
    if found["transA"] or matrix is None:
        raise reader.refusal("transA = 1 is not converted")
    matrix = matrix if found["transB"] else matrix.T
    weights = {"weight": np.ascontiguousarray(_scaled(matrix, found["alpha"]))}
    if bias is not None:
        whole = np.broadcast_to(bias, (matrix.shape[0],)) if bias.ndim < 2 or len(bias) == 1 else bias
        weights["bias"] = np.array(_scaled(whole.reshape(-1), found["beta"]))
    ref = reader.add(kinds.Dense(), {"x": x.ref}, weights, reader.node.inputs[1:3])
    return [Tensor(ref, (*x.dims[:-1], matrix.shape[0]))]


def _scaled(array: Array, factor: float) -> Array:
    return array if factor == 1.0 else array.astype(np.float64) * factor


def arithmetic(reader: Reader) -> list[Value]:
    """Add, Mul, Sub, Div, Max, Min, Sum, Mean."""
    operator = reader.node.operator
    if operator == "Div" and (found := _normalised(reader)):
        return [found]
    values = [reader.given(place) for place in range(len(reader.node.inputs))]
    constants = [isinstance(value, Constant | Filled) for value in values]
    if any(constants):
        if len(values) != 2 or all(constants):
            raise reader.refusal("constants among more than two values are not converted")
        place = constants.index(True)
        other = values[place]
        array = np.asarray(other.value if isinstance(other, Filled) else getattr(other, "array", None))
        name = getattr(other, "name", "")
        return [
            _with_constant(
                reader, reader.as_tensor(values[1 - place]), array=array, operator=operator, first=place == 0, name=name
            )
        ]
    tensors = [reader.as_tensor(value, place) for place, value in enumerate(values)]
    if len(tensors) == 1:
        return [tensors[0]]
    ref = reader.add(kinds.Merge(MODES[operator]), {f"x{number}": one.ref for number, one in enumerate(tensors)})
    return [Tensor(ref, _joined(tensors))]


def _joined(tensors: list[Tensor]) -> Dims:
    """The lengths after broadcasting."""
    rank = max(len(one.dims) for one in tensors)
    dims: list[Dim | int] = []
    for axis in range(-rank, 0):
        found = [one.dims[axis] for one in tensors if len(one.dims) >= -axis]
        dims.append(next((dim for dim in found if not (isinstance(dim, int) and dim == 1)), 1))
    return tuple(dims)


def _with_constant(reader: Reader, x: Tensor, array: Array, operator: str, first: bool, name: str) -> Tensor:
    """A value and a constant: one number, or one for each place on an axis."""
    if array.dtype == object:
        raise reader.refusal("lengths are calculated with, which is not converted")
    if array.size == 1 and array.ndim <= len(x.dims):
        number = float(array.ravel()[0])
        simple = {"Add": (1.0, number), "Mul": (number, 0.0), "Sub": (-1.0, number) if first else (1.0, -number)}
        if operator == "Div" and not first and number:
            simple["Div"] = (1 / number, 0.0)
        if operator not in simple:
            raise reader.refusal(f"{operator} with the constant {number:g} is not converted")
        return reader.apply(kinds.Scaled(*simple[operator]), x)
    long = [axis for axis in range(-array.ndim, 0) if array.shape[axis] > 1]
    if len(long) != 1 or array.ndim > len(x.dims) or known(x.dims[long[0]]) != array.size:
        raise reader.refusal(f"{operator} with a constant of shape {array.shape} is not converted")
    axis, rank = len(x.dims) + long[0], len(x.dims)
    if axis != rank - 1:
        order = [*(one for one in range(rank) if one != axis), axis]
        turned = _along(
            reader, reader.transposed(x, order), values=array.ravel(), operator=operator, first=first, name=name
        )
        return reader.transposed(turned, np.argsort(order).tolist())
    return _along(reader, x, values=array.ravel(), operator=operator, first=first, name=name)


def _along(reader: Reader, x: Tensor, values: Array, operator: str, first: bool, name: str) -> Tensor:
    """A vector on the last axis: the bias or scale of the layer before, or of a normalisation made for it."""
    if operator == "Sub" and not first:
        operator, values, name = "Add", -values, f"-{name}"
    weight = {"Add": "bias", "Mul": "weight"}.get(operator)
    if weight is None:
        raise reader.refusal(f"{operator} with a vector is not converted; only Add, Mul and Sub of it are")
    node = reader.nodes.get(x.ref.node)
    names = [one for one in reader.node.inputs if isinstance(reader.values.get(one), Tensor)]
    alone = all(reader.uses[one] == 1 for one in names)
    takes = (kinds.Dense, kinds.Convolution) if weight == "bias" else ()
    if node and alone and not node.shares and "bias" not in node.weights and not reader.is_shared(node.name):
        normal = isinstance(node.kind, kinds.LayerNormalization | kinds.BatchNormalization)
        if isinstance(node.kind, takes) or (normal and weight not in node.weights):
            own = {one: value for one, value in node.weights.items() if one == "weight"}
            rest = {one: value for one, value in node.weights.items() if one != "weight"}
            reader.nodes[node.name] = replace(node, weights=own | {weight: values} | rest)
            reader.owned(node.name, name)
            return x
    ones = {"mean": np.zeros_like(values), "variance": np.ones_like(values)}
    kind = kinds.BatchNormalization(0.0)
    reader.assumptions.append(
        f"{reader.where}: a vector that is {'added' if weight == 'bias' else 'multiplied'} by itself is written as a "
        f"BatchNormalization with mean 0, variance 1 and epsilon 0"
    )
    return Tensor(reader.add(kind, {"x": x.ref}, {weight: values} | ones, (weight, name)), x.dims)


def _normalised(reader: Reader) -> Tensor | None:
    """(x - mean) / sqrt(variance + epsilon), as exporters write a LayerNormalization before opset 17."""

    def made(name: str, operator: str) -> FileNode | None:
        node = reader.producers.get(name)
        while node is not None and node.operator in ("Identity", "Cast"):
            node = reader.producers.get(node.inputs[0])
        return node if node is not None and node.operator == operator else None

    def mean_of(name: str) -> str | None:
        node = made(name, "ReduceMean")
        if node is None or not node.attributes.get("keepdims", 1):
            return None
        axes = node.attributes.get("axes")
        if axes is None and len(node.inputs) > 1:
            value = reader.values.get(node.inputs[1])
            axes = value.array.tolist() if isinstance(value, Constant) else None
        x = reader.values.get(node.inputs[0])
        rank = len(x.dims) if isinstance(x, Tensor) else 3
        return node.inputs[0] if axes in ([-1], [rank - 1]) else None

    difference, root = made(reader.node.inputs[0], "Sub"), made(reader.node.inputs[1], "Sqrt")
    total = made(root.inputs[0], "Add") if root else None
    if difference is None or total is None:
        return None
    epsilon = next((one for name in total.inputs if isinstance(one := reader.values.get(name), Constant)), None)
    powers = next((found for name in total.inputs if (found := mean_of(name))), None)
    power = (made(powers, "Pow") or made(powers, "Mul")) if powers else None
    if epsilon is None or power is None or mean_of(difference.inputs[1]) != difference.inputs[0]:
        return None
    exponent = reader.values.get(power.inputs[1])
    squared = isinstance(exponent, Constant) and float(exponent.array.ravel()[0]) == 2.0
    if (power.operator == "Pow" and not squared) or made(power.inputs[0], "Sub") is not difference:
        return None
    x = reader.as_tensor(reader.values[difference.inputs[0]])
    reader.used |= {epsilon.name}
    kind = kinds.LayerNormalization(float(epsilon.array.ravel()[0]))
    return Tensor(reader.add(kind, {"x": x.ref}), x.dims)


def power(reader: Reader) -> list[Value]:
    """Pow by 2."""
    x, exponent = reader.tensor(0), reader.constant(1, "exponent")
    if exponent is None or exponent.size != 1 or float(exponent.ravel()[0]) != 2.0:
        raise reader.refusal("only the power of 2 is converted")
    return [Tensor(reader.add(kinds.Merge("multiply"), {"x0": x.ref, "x1": x.ref}), x.dims)]
