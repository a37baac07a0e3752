"""ONNX's normalisations, convolutions, poolings, reductions and activations, read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diptych.convert import kinds
from diptych.convert.judge.activations import SELU_ALPHA, SELU_SCALE
from diptych.convert.kinds import Function
from diptych.convert.onnx.moving import positive, squeezed, without
from diptych.convert.onnx.reader import Reader
from diptych.convert.onnx.values import Dim, Tensor, Value, known
from diptych.convert.onnx.weights import NEAR, hard_sigmoid

CHANNELS_LAST = (0, 2, 1)


def layer_normalization(reader: Reader) -> list[Value]:
    """LayerNormalization over the last axis."""
    found = reader.attributes(axis=-1, epsilon=1e-5, stash_type=1)
    x, weight, bias = reader.tensor(0), reader.constant(1, "Scale"), reader.constant(2, "B")
    if found["axis"] not in (-1, len(x.dims) - 1):
        raise reader.refusal(f"axis = {found['axis']}: only the last axis is converted")
    weights = {name: value for name, value in (("weight", weight), ("bias", bias)) if value is not None}
    kind = kinds.LayerNormalization(_decimal(found["epsilon"]))
    return [Tensor(reader.add(kind, {"x": x.ref}, weights, reader.node.inputs[1:]), x.dims)]


def _decimal(value: float) -> float:
    """What the author wrote: an attribute is a float32."""
    return float(f"{value:.7g}")


def batch_normalization(reader: Reader) -> list[Value]:
    """BatchNormalization of channels on the second axis."""
    found = reader.attributes(epsilon=1e-5, momentum=0.9, training_mode=0, spatial=1)
    if found["training_mode"]:
        raise reader.refusal("training_mode = 1: it computes the mean of its batch; export the model for inference")
    x = reader.tensor(0)
    names = ("weight", "bias", "mean", "variance")
    weights = {
        name: array for place, name in enumerate(names, 1) if (array := reader.constant(place, name)) is not None
    }
    kind = kinds.BatchNormalization(_decimal(found["epsilon"]), _decimal(found["momentum"]))
    inner = reader.transposed(x, CHANNELS_LAST) if len(x.dims) == 3 else x
    ref = reader.add(kind, {"x": inner.ref}, weights, reader.node.inputs[1:])
    found_tensor = Tensor(ref, inner.dims)
    return [reader.transposed(found_tensor, CHANNELS_LAST) if len(x.dims) == 3 else found_tensor]


def convolution(reader: Reader) -> list[Value]:
    """Conv along time: of three axes, or of four of which one has a single place, as tf2onnx writes it."""
    found = reader.attributes("kernel_shape", auto_pad="NOTSET", dilations=None, group=1, pads=None, strides=None)
    x, weight, bias = reader.tensor(0), reader.constant(1, "W"), reader.constant(2, "B")
    if weight is None:
        raise reader.refusal("it has no weights")
    flat = weight.ndim == 4 and 1 in weight.shape[2:]
    axis = 2 if flat and weight.shape[2] == 1 and known(x.dims[2]) == 1 else 3
    if flat:
        if known(x.dims[axis]) != 1:
            raise reader.refusal("a convolution in two dimensions is not converted")
        x, weight = squeezed(reader, x, axis), np.squeeze(weight, axis)
    if weight.ndim != 3:
        raise reader.refusal(f"weights of shape {weight.shape}: only a convolution in one dimension is converted")
    time = 3 - axis if flat else 0  # which of two spatial axes is time

    def along(name: str, default: int) -> int:
        return int(found[name][time]) if found[name] else default

    stride, dilation = along("strides", 1), along("dilations", 1)
    pads = [int(one) for one in found["pads"] or []]
    before, after = (pads[time], pads[len(pads) // 2 + time]) if pads else (0, 0)
    padding: Any = "valid" if (before, after) == (0, 0) else (before, after)
    if found["auto_pad"] == "SAME_UPPER" and stride == 1:
        padding = "same"
    elif found["auto_pad"] not in ("NOTSET", "VALID"):
        raise reader.refusal(f"auto_pad = {found['auto_pad']!r} with strides = {stride} is not converted")
    kind = kinds.Convolution(stride, dilation, groups=int(found["group"]), padding=padding)
    inner = reader.transposed(x, CHANNELS_LAST)
    weights = {"weight": np.ascontiguousarray(weight)} | ({"bias": bias} if bias is not None else {})
    length = known(inner.dims[1])
    total = before + after if padding != "same" else dilation * (weight.shape[2] - 1)
    new: Dim | int = (
        Dim(None) if length is None else (length + total - dilation * (weight.shape[2] - 1) - 1) // stride + 1
    )
    if stride == 1 and total == dilation * (weight.shape[2] - 1):
        new = inner.dims[1]
    ref = reader.add(kind, {"x": inner.ref}, weights, reader.node.inputs[1:])
    result = reader.transposed(Tensor(ref, (inner.dims[0], new, weight.shape[0])), CHANNELS_LAST)
    if flat:
        dims = (*result.dims[:axis], 1, *result.dims[axis:])
        result = reader.apply(kinds.Unsqueeze(axis), result, dims)
    return [result]


def pooling(reader: Reader) -> list[Value]:
    """MaxPool and AveragePool along time, without padding."""
    found = reader.attributes(
        "kernel_shape", auto_pad="NOTSET", ceil_mode=0, pads=None, strides=None, dilations=None, storage_order=0,
        count_include_pad=0,
    )  # fmt: skip
    x = reader.tensor(0)
    plain = found["auto_pad"] in ("NOTSET", "VALID") and not found["ceil_mode"] and not any(found["pads"] or [])
    if len(found["kernel_shape"]) != 1 or not plain or any(one != 1 for one in found["dilations"] or []):
        raise reader.refusal("only pooling in one dimension without padding is converted")
    size = int(found["kernel_shape"][0])
    stride = int((found["strides"] or [1])[0])
    mode: Any = "max" if reader.node.operator == "MaxPool" else "mean"
    inner = reader.transposed(x, CHANNELS_LAST)
    length = known(inner.dims[1])
    new = Dim(None) if length is None else (length - size) // stride + 1
    dims = (inner.dims[0], new, inner.dims[2])
    return [reader.transposed(reader.apply(kinds.Pooling(mode, size, stride), inner, dims), CHANNELS_LAST)]


def global_pooling(reader: Reader) -> list[Value]:
    """GlobalMaxPool, GlobalAveragePool."""
    x = reader.tensor(0)
    if len(x.dims) != 3:
        raise reader.refusal("only pooling over one axis is converted")
    mode: Any = "max" if reader.node.operator == "GlobalMaxPool" else "mean"
    inner = reader.transposed(x, CHANNELS_LAST)
    found = reader.apply(kinds.GlobalPooling(mode, True), inner, (inner.dims[0], 1, inner.dims[2]))
    return [reader.transposed(found, CHANNELS_LAST)]


def reduction(mode: Any) -> Callable[[Reader], list[Value]]:
    """ReduceSum, ReduceMean, ReduceMax over one axis."""

    def read(reader: Reader) -> list[Value]:
        x, axes = reader.tensor(0), reader.axes() or []
        keep = bool(reader.attributes("axes", keepdims=1, noop_with_empty_axes=0)["keepdims"])
        if len(axes) != 1:
            raise reader.refusal(f"axes {axes}: one axis is converted")
        axis = positive(reader, axes[0], len(x.dims))
        dim = x.dims[axis]
        if isinstance(dim, Dim) and dim.role == "batch":
            raise reader.refusal("it goes over the batch")
        dims = (*x.dims[:axis], 1, *x.dims[axis + 1 :]) if keep else without(x.dims, axis)
        return [reader.apply(kinds.Reduce(mode, axis, keep), x, dims)]

    return read


def activation(name: str) -> Callable[[Reader], list[Value]]:
    """One without parameters."""

    def read(reader: Reader) -> list[Value]:
        reader.attributes()
        return [reader.apply(kinds.Activation(Function(name)), reader.tensor(0))]

    return read


def softmax(name: str) -> Callable[[Reader], list[Value]]:
    """Softmax, LogSoftmax: up to opset 12 over all axes from one on."""

    def read(reader: Reader) -> list[Value]:
        x, old = reader.tensor(0), 0 < reader.opset < 13
        axis = int(reader.attributes(axis=1 if old else -1)["axis"])
        place = positive(reader, axis, len(x.dims))
        if old and place != len(x.dims) - 1:
            raise reader.refusal(
                f"axis = {axis} of opset {reader.opset}: over several axes at once it is not converted"
            )
        return [reader.apply(kinds.Activation(Function(name), place), x)]

    return read


def with_slope(name: str, default: float) -> Callable[[Reader], list[Value]]:
    """LeakyRelu, Elu."""

    def read(reader: Reader) -> list[Value]:
        alpha = _decimal(reader.attributes(alpha=default)["alpha"])
        return [reader.apply(kinds.Activation(Function(name, alpha)), reader.tensor(0))]

    return read


def selu(reader: Reader) -> list[Value]:
    """Selu with the constants that every framework has."""
    found = reader.attributes(alpha=SELU_ALPHA, gamma=SELU_SCALE)
    if abs(found["alpha"] - SELU_ALPHA) > NEAR or abs(found["gamma"] - SELU_SCALE) > NEAR:
        raise reader.refusal(f"alpha = {found['alpha']}, gamma = {found['gamma']}: other constants are not converted")
    return [reader.apply(kinds.Activation(Function("selu")), reader.tensor(0))]


def hard(reader: Reader) -> list[Value]:
    """HardSigmoid."""
    found = reader.attributes(alpha=0.2, beta=0.5)
    name = hard_sigmoid(found["alpha"], found["beta"])
    if name is None:
        raise reader.refusal(f"alpha = {found['alpha']}, beta = {found['beta']}: 0.2 or 1/6 and 0.5 are known")
    return [reader.apply(kinds.Activation(Function(name)), reader.tensor(0))]


def clip(reader: Reader) -> list[Value]:
    """Clip to 0 and 6, and to 0 and 1 of x / 6 + 1/2 or x / 5 + 1/2."""
    x, found = reader.tensor(0), reader.attributes("min", "max")
    low, high = (
        found.get(name) if name in found else None if (array := reader.constant(place, name)) is None else float(array)
        for place, name in ((1, "min"), (2, "max"))
    )
    node = reader.nodes.get(x.ref.node)
    if (low, high) == (0.0, 6.0):
        return [reader.apply(kinds.Activation(Function("relu6")), x)]
    if (low, high) == (0.0, 1.0) and node is not None and isinstance(node.kind, kinds.Scaled):
        factor, offset, origin = node.kind.factor, node.kind.offset, node.inputs["x"]
        before = reader.nodes.get(origin.node)
        if factor == 1.0 and before is not None and isinstance(before.kind, kinds.Scaled) and not before.kind.offset:
            factor, origin = before.kind.factor, before.inputs["x"]
        name = hard_sigmoid(factor, offset)
        if name is not None:
            return [reader.apply(kinds.Activation(Function(name)), Tensor(origin, x.dims))]
    raise reader.refusal(f"a clip to {low} and {high} is not converted")
