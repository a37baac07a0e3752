"""How each kind of node but the recurrent ones is written in ONNX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diptych.convert import kinds
from diptych.convert.graph import Node
from diptych.convert.judge.activations import SELU_ALPHA, SELU_SCALE
from diptych.convert.judge.layers import paddings
from diptych.convert.onnx.writing import END, FileWriter

Write = Callable[[FileWriter, Node, Any], Any]
CHANNELS = [0, 2, 1]


def _embedding(writer: FileWriter, node: Node, kind: kinds.Embedding) -> None:
    writer.lines[node.name] = "Gather"
    writer.assign(node, writer.op("Gather", [writer.weight_of(node, "weight"), writer.given(node)], node.name))


def _dense(writer: FileWriter, node: Node, kind: kinds.Dense) -> None:
    weights = writer.graph.weights_of(node)
    matrix = writer.weight_of(node, "weight", weights["weight"].T)
    found = writer.op("MatMul", [writer.given(node), matrix], f"{node.name}_product")
    if "bias" in weights:
        found = writer.op("Add", [found, writer.weight_of(node, "bias")], node.name)
    writer.lines[node.name] = "MatMul, Add" if "bias" in weights else "MatMul"
    writer.assign(node, found)


def _activation(writer: FileWriter, node: Node, kind: kinds.Activation) -> None:
    writer.assign(node, activated(writer, kind, x=writer.given(node), name=node.name))


SIMPLE = {
    "tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu", "softsign": "Softsign", "softplus": "Softplus",
    "exponential": "Exp", "linear": "Identity",
}  # fmt: skip


def activated(writer: FileWriter, kind: kinds.Activation, x: str, name: str) -> str:
    """An activation; what ONNX has with other constants is written out."""
    op, real, function = writer.op, writer.real, kind.function
    parameter = 1.0 if function.parameter is None else function.parameter
    if function.name in SIMPLE:
        return op(SIMPLE[function.name], [x], name)
    if function.name in ("softmax", "log_softmax"):
        return op("Softmax" if function.name == "softmax" else "LogSoftmax", [x], name, axis=kind.axis)
    if function.name in ("hard_sigmoid", "hard_sigmoid_keras_2"):
        slope = 1 / 6 if function.name == "hard_sigmoid" else 0.2
        line = op("Add", [op("Mul", [x, real(slope)], f"{name}_sloped"), real(0.5)], f"{name}_line")
        return op("Clip", [line, real(0), real(1)], name)
    if function.name == "relu6":
        return op("Clip", [x, real(0), real(6)], name)
    if function.name == "silu":
        return op("Mul", [x, op("Sigmoid", [x], f"{name}_gate")], name)
    if function.name == "leaky_relu":
        return op("LeakyRelu", [x], name, alpha=float(parameter))
    if function.name == "elu":
        return op("Elu", [x], name, alpha=float(parameter))
    below = op(
        "Sub", [op("Exp", [op("Min", [x, real(0)], f"{name}_negative")], f"{name}_power"), real(1)], f"{name}_low"
    )
    scaled = op("Mul", [below, real(SELU_ALPHA)], f"{name}_below")
    return op("Mul", [op("Add", [op("Relu", [x], f"{name}_above"), scaled], f"{name}_both"), real(SELU_SCALE)], name)


def _layer_normalization(writer: FileWriter, node: Node, kind: kinds.LayerNormalization) -> None:
    weights = writer.graph.weights_of(node)
    size = writer.values[node.inputs["x"]].shape[-1]
    weight = writer.weight_of(node, "weight") if "weight" in weights else writer.real(np.ones(size))
    inputs = [writer.given(node), weight, *([writer.weight_of(node, "bias")] if "bias" in weights else [])]
    writer.lines[node.name] = "LayerNormalization"
    writer.assign(node, writer.op("LayerNormalization", inputs, node.name, axis=-1, epsilon=float(kind.epsilon)))


def _batch_normalization(writer: FileWriter, node: Node, kind: kinds.BatchNormalization) -> None:
    weights, x = writer.graph.weights_of(node), writer.given(node)
    size = weights["mean"].shape[0]
    neutral = {"weight": np.ones(size), "bias": np.zeros(size)}
    inputs = [
        writer.weight_of(node, name) if name in weights else writer.real(neutral[name])
        for name in ("weight", "bias", "mean", "variance")
    ]
    turned = writer.rank(node) == 3
    x = writer.op("Transpose", [x], f"{node.name}_channels_first", perm=CHANNELS) if turned else x
    found = writer.op("BatchNormalization", [x, *inputs], node.name, epsilon=float(kind.epsilon))
    writer.lines[node.name] = "BatchNormalization"
    writer.assign(node, writer.op("Transpose", [found], f"{node.name}_last", perm=CHANNELS) if turned else found)


def _along_time(writer: FileWriter, node: Node, operator: str, inputs: list[str], **attributes: Any) -> None:
    """An operator that wants (B, C, T)."""
    x = writer.op("Transpose", [writer.given(node)], f"{node.name}_channels_first", perm=CHANNELS)
    found = writer.op(operator, [x, *inputs], f"{node.name}_along_time", **attributes)
    writer.assign(node, writer.op("Transpose", [found], node.name, perm=CHANNELS))


def _convolution(writer: FileWriter, node: Node, kind: kinds.Convolution) -> None:
    weights = writer.graph.weights_of(node)
    width = weights["weight"].shape[2]
    pads = list(paddings(kind, writer.values[node.inputs["x"]].shape[1], width))
    inputs = [writer.weight_of(node, name) for name in ("weight", "bias") if name in weights]
    writer.lines[node.name] = "Conv"
    _along_time(
        writer, node, operator="Conv", inputs=inputs, kernel_shape=[width], pads=pads, strides=[kind.stride],
        dilations=[kind.dilation], group=kind.groups,
    )  # fmt: skip


def _pooling(writer: FileWriter, node: Node, kind: kinds.Pooling) -> None:
    operator = "MaxPool" if kind.mode == "max" else "AveragePool"
    _along_time(writer, node, operator=operator, inputs=[], kernel_shape=[kind.size], strides=[kind.stride])


def _global_pooling(writer: FileWriter, node: Node, kind: kinds.GlobalPooling) -> None:
    x, op, keep = writer.given(node), writer.op, int(kind.keep_axis)
    if kind.mode == "max" or "mask" not in node.inputs:
        operator = "ReduceMax" if kind.mode == "max" else "ReduceMean"
        writer.assign(node, op(operator, [x], node.name, axes=[1], keepdims=keep))
        return
    mask = op("Unsqueeze", [writer.given(node, "mask"), writer.constant([2])], f"{node.name}_mask")
    real = op("Where", [mask, x, writer.real(0)], f"{node.name}_real")
    numbers = op("Cast", [mask], f"{node.name}_ones", to=_code(writer))
    sums = [
        op("ReduceSum", [one, writer.constant([1])], f"{node.name}_{what}", keepdims=keep)
        for one, what in ((real, "sum"), (numbers, "count"))
    ]
    writer.assign(node, op("Div", sums, node.name))


def _code(writer: FileWriter) -> int:
    return 1 if writer.dtype == np.float32 else 11


def _attention(writer: FileWriter, node: Node, kind: kinds.Attention) -> None:
    op, name, constant = writer.op, node.name, writer.constant
    query, value = writer.given(node, "query"), writer.given(node, "value")
    key = writer.given(node, "key") if "key" in node.inputs else value
    scale = [writer.weight_of(node, "scale")] if writer.graph.weights_of(node) else []
    if kind.score == "dot":
        scores = op("MatMul", [query, op("Transpose", [key], f"{name}_keys", perm=CHANNELS)], f"{name}_scores")
        scores = op("Mul", [scores, *scale], f"{name}_scaled") if scale else scores
    else:
        wide = [op("Unsqueeze", [one, constant([axis])], f"{name}_wide_{axis}") for one, axis in ((query, 2), (key, 1))]
        scores = op("Tanh", [op("Add", wide, f"{name}_sum")], f"{name}_tanh")
        scores = op("Mul", [scores, *scale], f"{name}_scaled") if scale else scores
        scores = op("ReduceSum", [scores, constant([-1])], f"{name}_scores", keepdims=0)
    if "mask" in node.inputs:
        masked = op(
            "Cast", [op("Not", [writer.given(node, "mask")], f"{name}_not")], f"{name}_masked", to=_code(writer)
        )
        away = op("Mul", [op("Unsqueeze", [masked, constant([1])], f"{name}_rows"), writer.real(1e9)], f"{name}_away")
        scores = op("Sub", [scores, away], f"{name}_allowed")
    if kind.causal:
        shape = op("Shape", [scores], f"{name}_shape")
        later = op(
            "Trilu", [op("Expand", [writer.real(1e9), shape], f"{name}_all"), constant(1)], f"{name}_later", upper=1
        )
        scores = op("Sub", [scores, later], f"{name}_before")
    weights = writer.assign(node, op("Softmax", [scores], f"{name}_weights", axis=-1), "weights")
    output = op("MatMul", [weights, value], name)
    if "query_mask" in node.inputs:
        shown = op("Unsqueeze", [writer.given(node, "query_mask"), constant([2])], f"{name}_shown")
        output = op("Where", [shown, output, writer.real(0)], f"{name}_output")
    writer.assign(node, output)


MODES = {
    "add": "Add", "average": "Add", "multiply": "Mul", "subtract": "Sub", "divide": "Div", "maximum": "Max",
    "minimum": "Min",
}  # fmt: skip


def _merge(writer: FileWriter, node: Node, kind: kinds.Merge) -> None:
    total, *others = writer.numbered(node)
    for other in others:
        total = writer.op(MODES[kind.mode], [total, other], node.name)
    if kind.mode == "average":
        total = writer.op("Div", [total, writer.real(len(node.inputs))], f"{node.name}_mean")
    writer.assign(node, total)


def _masks(writer: FileWriter, node: Node, kind: kinds.Masks) -> None:
    total, *others = writer.numbered(node)
    for other in others:
        total = writer.op("And" if kind.mode == "all" else "Or", [total, other], node.name)
    writer.assign(node, total)


def _stack(writer: FileWriter, node: Node, kind: kinds.Stack) -> None:
    axes = writer.constant([kind.axis])
    parts = [writer.op("Unsqueeze", [one, axes], f"{node.name}_part") for one in writer.numbered(node)]
    writer.assign(node, writer.op("Concat", parts, node.name, axis=kind.axis))


def _scaled(writer: FileWriter, node: Node, kind: kinds.Scaled) -> None:
    x = writer.op("Mul", [writer.given(node), writer.real(kind.factor)], f"{node.name}_scaled")
    writer.assign(node, writer.op("Add", [x, writer.real(kind.offset)], node.name) if kind.offset else x)


def _slice(writer: FileWriter, node: Node, kind: kinds.Slice) -> None:
    start = 0 if kind.start is None else kind.start
    limits = [start, END if kind.stop is None else kind.stop, kind.axis, 1 if kind.step is None else kind.step]
    writer.assign(node, writer.op("Slice", [writer.given(node), *(writer.constant([n]) for n in limits)], node.name))


def _flip(writer: FileWriter, node: Node, kind: kinds.Flip) -> None:
    limits = [writer.constant([n]) for n in (-1, -END, kind.axis, -1)]
    writer.assign(node, writer.op("Slice", [writer.given(node), *limits], node.name))


def _repeat(writer: FileWriter, node: Node, kind: kinds.Repeat) -> None:
    wide = writer.op("Unsqueeze", [writer.given(node), writer.constant([1])], f"{node.name}_wide")
    writer.assign(node, writer.op("Expand", [wide, writer.constant([1, kind.times, 1])], node.name))


def _reduce(writer: FileWriter, node: Node, kind: kinds.Reduce) -> None:
    x, keep = writer.given(node), int(kind.keep_axis)
    if kind.mode == "sum":
        found = writer.op("ReduceSum", [x, writer.constant([kind.axis])], node.name, keepdims=keep)
    else:
        operator = "ReduceMax" if kind.mode == "max" else "ReduceMean"
        found = writer.op(operator, [x], node.name, axes=[kind.axis], keepdims=keep)
    writer.assign(node, found)


def _not_equal(writer: FileWriter, node: Node, kind: kinds.NotEqual) -> None:
    x = writer.given(node)
    if writer.is_boolean(node):
        x = writer.op("Cast", [x], f"{node.name}_number", to=7)
    whole = writer.is_boolean(node) or writer.is_whole(node)
    value = writer.constant(int(kind.value)) if whole else writer.real(kind.value)
    writer.assign(node, writer.op("Not", [writer.op("Equal", [x, value], f"{node.name}_equal")], node.name))


def _quantified(writer: FileWriter, node: Node, kind: kinds.Quantified) -> None:
    number = writer.op("Cast", [writer.given(node)], f"{node.name}_number", to=6)
    operator = "ReduceMax" if kind.mode == "any" else "ReduceMin"
    found = writer.op(operator, [number], f"{node.name}_found", axes=[kind.axis], keepdims=int(kind.keep_axis))
    writer.assign(node, writer.op("Cast", [found], node.name, to=9))


def _mask_of_lengths(writer: FileWriter, node: Node, kind: kinds.MaskOfLengths) -> None:
    op, constant, name = writer.op, writer.constant, node.name
    if not any(node.name == ref.node for ref in writer.used):
        return
    time = op("Gather", [op("Shape", [writer.given(node)], f"{name}_shape"), constant(1)], f"{name}_time")
    places = op(
        "Unsqueeze", [op("Range", [constant(0), time, constant(1)], f"{name}_range"), constant([0])], f"{name}_all"
    )
    lengths = op("Unsqueeze", [writer.given(node, "lengths"), constant([1])], f"{name}_lengths")
    writer.assign(node, op("Less", [places, lengths], name))


def _filled(writer: FileWriter, node: Node, kind: kinds.Filled) -> None:
    inputs = [writer.given(node, "mask"), writer.real(kind.value), writer.given(node)]
    writer.assign(node, writer.op("Where", inputs, node.name))


def _masked(writer: FileWriter, node: Node, kind: kinds.Masked) -> None:
    mask = writer.op("Unsqueeze", [writer.given(node, "mask"), writer.constant([-1])], f"{node.name}_mask")
    writer.assign(node, writer.op("Where", [mask, writer.given(node), writer.real(0)], node.name))


def _op(operator: str, **attributes: Callable[[Any], Any]) -> Write:
    """A node of the same operator, with attributes of the kind."""

    def write(writer: FileWriter, node: Node, kind: Any) -> None:
        inputs = writer.numbered(node) if "x0" in node.inputs else [writer.given(node)]
        writer.assign(node, writer.op(operator, inputs, node.name, **{k: f(kind) for k, f in attributes.items()}))

    return write


def _with_axes(operator: str, values: Callable[[Any], Any]) -> Write:
    """A node whose second input are axes or a shape."""

    def write(writer: FileWriter, node: Node, kind: Any) -> None:
        writer.assign(node, writer.op(operator, [writer.given(node), writer.constant(values(kind))], node.name))

    return write


WRITERS: dict[type[kinds.Kind], Write] = {
    kinds.Embedding: _embedding, kinds.Dense: _dense, kinds.Activation: _activation,
    kinds.LayerNormalization: _layer_normalization, kinds.BatchNormalization: _batch_normalization,
    kinds.Convolution: _convolution, kinds.Pooling: _pooling, kinds.GlobalPooling: _global_pooling,
    kinds.Attention: _attention, kinds.Merge: _merge, kinds.Stack: _stack, kinds.Scaled: _scaled,
    kinds.Concatenate: _op("Concat", axis=lambda kind: kind.axis), kinds.Product: _op("MatMul"),
    kinds.Select: lambda writer, node, kind: writer.assign(node, writer.op(
        "Gather", [writer.given(node), writer.constant(kind.index)], node.name, axis=kind.axis)),
    kinds.Slice: _slice, kinds.Flip: _flip, kinds.Repeat: _repeat, kinds.Reduce: _reduce,
    kinds.Transpose: _op("Transpose", perm=lambda kind: list(kind.axes)),
    kinds.Reshape: _with_axes("Reshape", lambda kind: [0, *kind.shape]),
    kinds.Unsqueeze: _with_axes("Unsqueeze", lambda kind: [kind.axis]),
    kinds.Squeeze: _with_axes("Squeeze", lambda kind: [kind.axis]),
    kinds.Dropout: _op("Identity"), kinds.NotEqual: _not_equal, kinds.Quantified: _quantified,
    kinds.MaskOfLengths: _mask_of_lengths, kinds.Masks: _masks, kinds.Masked: _masked,
    kinds.Filled: _filled,
}  # fmt: skip
