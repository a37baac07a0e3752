"""What TensorFlow's operators compute, in NumPy: those that frozen graphs with recurrent cells are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert.files.graph import Node
from diptych.convert.judge.activations import FUNCTIONS, apply, sigmoid, softmax
from diptych.convert.kinds import Function
from diptych.errors import RefusalError

Values = npt.NDArray[Any]
ACTIVATIONS = {
    "Tanh": "tanh", "Sigmoid": "sigmoid", "Relu": "relu", "Relu6": "relu6", "Softsign": "softsign", "Elu": "elu",
    "Selu": "selu", "Softplus": "softplus",
}  # fmt: skip
"""Operators of one argument, and the name of what they compute in `judge.activations`."""


def attribute(node: Node, name: str) -> Any:
    """An attribute; what TensorFlow takes where it is left out."""
    return node.attributes.get(name, DEFAULTS[node.operator][name])


DEFAULTS: dict[str, dict[str, Any]] = {
    "LSTMBlockCell": {"forget_bias": 1.0, "cell_clip": 3.0, "use_peephole": False},
    "BlockLSTM": {"forget_bias": 1.0, "cell_clip": 3.0, "use_peephole": False},
    "BlockLSTMV2": {"forget_bias": 0.0, "cell_clip": 0.0, "use_peephole": False},
    "MatMul": {"transpose_a": False, "transpose_b": False},
    "Gather": {"batch_dims": 0}, "GatherV2": {"batch_dims": 0},
    **{name: {"keep_dims": False} for name in ("Mean", "Sum", "Max")},
    "ReverseSequence": {"batch_dim": 0, "seq_dim": 0},
    "Unpack": {"axis": 0}, "Pack": {"axis": 0}, "Squeeze": {"squeeze_dims": []},
    "StridedSlice": dict.fromkeys(
        ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0),
}  # fmt: skip


def _matmul(node: Node, a: Values, b: Values) -> Values:
    return (a.T if attribute(node, "transpose_a") else a) @ (b.T if attribute(node, "transpose_b") else b)


def _strided_slice(node: Node, x: Values, begin: Values, end: Values, strides: Values) -> Values:
    if attribute(node, "ellipsis_mask") or attribute(node, "new_axis_mask"):
        raise RefusalError(f"{node.name}: a slice with an ellipsis or a new axis is not known")
    where: list[Any] = []
    for place, (first, last, step) in enumerate(zip(begin, end, strides)):
        bit = 1 << place
        if attribute(node, "shrink_axis_mask") & bit:
            where.append(int(first))
            continue
        open_start, open_end = attribute(node, "begin_mask") & bit, attribute(node, "end_mask") & bit
        where.append(slice(None if open_start else int(first), None if open_end else int(last), int(step)))
    return np.asarray(x[tuple(where)])


def lstm_step(
    node: Node, x: Values, c: Values, h: Values, w: Values, peepholes: tuple[Values, Values, Values], b: Values
) -> list[Values]:
    """LSTMBlockCell: i, c', f, o, the candidate, tanh(c') and h'."""
    parts = np.split(np.concatenate([x, h], axis=1) @ w + b, 4, axis=1)
    i, j, f, o = parts if node.operator != "BlockLSTMV2" else (parts[0], parts[2], parts[1], parts[3])
    looking = attribute(node, "use_peephole")
    f = f + attribute(node, "forget_bias")
    i, f = (sigmoid(gate + (weight * c if looking else 0)) for gate, weight in zip((i, f), peepholes))
    j = np.tanh(j)
    new = i * j + f * c
    if attribute(node, "cell_clip") > 0:
        new = np.clip(new, -attribute(node, "cell_clip"), attribute(node, "cell_clip"))
    o = sigmoid(o + (peepholes[2] * new if looking else 0))
    return [i, new, f, o, j, np.tanh(new), o * np.tanh(new)]


def _block_lstm(node: Node, steps: Values, x: Values, c: Values, h: Values, w: Values, *rest: Values) -> list[Values]:
    peepholes, b = (rest[0], rest[1], rest[2]), rest[3]
    found = []
    for step in x[: int(steps)]:
        values = lstm_step(node, step, c=c, h=h, w=w, peepholes=peepholes, b=b)
        c, h = values[1], values[6]
        found.append(values)
    left = len(x) - len(found)  # after the last step there are zeros
    return [np.stack([*(values[part] for values in found), *[np.zeros_like(h)] * left]) for part in range(7)]


def _gru_block(
    node: Node, x: Values, h: Values, gates: Values, kernel: Values, b: Values, bias: Values
) -> list[Values]:
    r, u = np.split(sigmoid(np.concatenate([x, h], axis=1) @ gates + b), 2, axis=1)
    candidate = np.tanh(np.concatenate([x, r * h], axis=1) @ kernel + bias)
    return [r, u, candidate, u * h + (1 - u) * candidate]


def _cast(node: Node, x: Values) -> Values:
    to = str(node.attributes.get("DstT"))
    return np.asarray(x).astype(np.float64 if "float" in to else to)


def _unpack(node: Node, x: Values) -> list[Values]:
    return list(np.moveaxis(x, attribute(node, "axis"), 0))


def _squeeze(node: Node, x: Values) -> Values:
    return np.squeeze(x, tuple(attribute(node, "squeeze_dims")) or None)


def _rows(node: Node, table: Values, places: Values, axis: Any = 0) -> Values:
    return np.asarray(np.take(table, places, axis=int(axis)))


def _select(node: Node, where: Values, x: Values, y: Values) -> Values:
    rows = where.reshape(where.shape + (1,) * (np.ndim(x) - where.ndim)) if node.operator == "Select" else where
    return np.where(rows, x, y)


def _reverse_sequence(node: Node, x: Values, lengths: Values) -> Values:
    axes = (attribute(node, "batch_dim"), attribute(node, "seq_dim"))
    rows = np.array(np.moveaxis(x, axes, (0, 1)))
    for row, length in zip(rows, lengths):
        row[:length] = row[:length][::-1].copy()
    return np.moveaxis(rows, (0, 1), axes)


def _reduced(find: Callable[..., Any]) -> Callable[..., Any]:
    return lambda node, x, axes: find(
        x, axis=tuple(int(axis) for axis in np.atleast_1d(axes)), keepdims=attribute(node, "keep_dims")
    )


def _plain(find: Callable[..., Any]) -> Callable[..., Any]:
    return lambda node, *values: find(*values)


# A TensorArray's handle is its size; its flow, the values by place, goes from write to write.
OPERATORS: dict[str, Callable[..., Any]] = {
    **{name: _plain(lambda x, f=FUNCTIONS[function]: np.asarray(f(x, 1.0))) for name, function in ACTIVATIONS.items()},
    **{name: _plain(lambda x: x) for name in ("Identity", "StopGradient", "LoopCond", "NextIteration", "Snapshot")},
    **{name: _plain(lambda x, y: x + y) for name in ("Add", "AddV2", "BiasAdd")},
    "Sub": _plain(lambda x, y: x - y), "Mul": _plain(lambda x, y: x * y), "RealDiv": _plain(lambda x, y: x / y),
    "Maximum": _plain(np.maximum), "Minimum": _plain(np.minimum), "Less": _plain(lambda x, y: x < y),
    "LessEqual": _plain(lambda x, y: x <= y), "Greater": _plain(lambda x, y: x > y),
    "GreaterEqual": _plain(lambda x, y: x >= y), "LogicalAnd": _plain(np.logical_and), "Neg": _plain(lambda x: -x),
    "Softmax": _plain(softmax), "MatMul": _matmul, "LSTMBlockCell": lambda node, x, c, h, w, *rest: lstm_step(
        node, x, c=c, h=h, w=w, peepholes=rest[:3], b=rest[3]),
    "BlockLSTM": _block_lstm, "BlockLSTMV2": _block_lstm, "GRUBlockCell": _gru_block,
    "LogSoftmax": _plain(lambda x: apply(Function("log_softmax"), x)), "Gather": _rows, "GatherV2": _rows,
    "Mean": _reduced(np.mean), "Sum": _reduced(np.sum), "Max": _reduced(np.max),
    "ConcatV2": lambda node, *values: np.concatenate(values[:-1], axis=int(values[-1])),
    "Split": lambda node, axis, x: np.split(x, int(node.attributes["num_split"]), axis=int(axis)),
    "Transpose": _plain(lambda x, order: np.transpose(x, order)),
    "ReverseV2": _plain(lambda x, axes: np.flip(x, tuple(int(axis) for axis in np.atleast_1d(axes)))),
    "ReverseSequence": _reverse_sequence, "Select": _select, "SelectV2": _select,
    "ExpandDims": _plain(lambda x, axis: np.expand_dims(x, int(axis))), "Squeeze": _squeeze,
    "Unpack": _unpack, "Pack": lambda node, *values: np.stack(values, axis=attribute(node, "axis")),
    "StridedSlice": _strided_slice, "Shape": _plain(lambda x: np.array(np.shape(x), np.int32)),
    "Rank": _plain(lambda x: np.array(np.ndim(x), np.int32)), "Cast": _cast,
    "Fill": _plain(lambda shape, value: np.full([int(size) for size in shape], value)),
    "Range": _plain(lambda start, end, step: np.arange(int(start), int(end), int(step))),
    "Reshape": _plain(lambda x, shape: np.reshape(x, [int(size) for size in shape])),
    "TensorArrayV3": _plain(lambda size: [int(size), {}]),
    "TensorArrayReadV3": _plain(lambda handle, place, flow: flow[int(place)]),
    "TensorArrayWriteV3": _plain(lambda handle, place, value, flow: {**flow, int(place): value}),
    "TensorArrayScatterV3": _plain(lambda handle, places, values, flow: flow | {
        int(place): value for place, value in zip(places, values)}),
    "TensorArrayGatherV3": _plain(lambda handle, places, flow: np.stack([flow[int(place)] for place in places])),
    "TensorArraySizeV3": _plain(lambda handle, flow: np.array(handle)),
}  # fmt: skip
