"""How functions and methods of tensors are read."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch.nn.utils import rnn

from diptych.convert import kinds
from diptych.convert.graph import Ref
from diptych.convert.kinds import Function
from diptych.convert.torch.symbols import Builder, Constant, Packed, Shape, Size, Stacked, Value, Zeros
from diptych.errors import RefusalError

Read = Callable[[Builder, str, list[Any], dict[str, Any]], Any]


def _option(arguments: list[Any], options: dict[str, Any], place: int, name: str, default: Any = None) -> Any:
    return arguments[place] if len(arguments) > place else options.get(name, default)


def _pack(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    x, lengths = builder.tensor(arguments[0]), builder.tensor(_option(arguments, options, place=1, name="lengths"))
    batch_first = builder.number(_option(arguments, options, place=2, name="batch_first", default=False))
    builder.tell_input(lengths, "lengths")
    if not batch_first:
        builder.tell_input(x, "", time=True, time_first=True)
        x = builder.add(f"{name}_batch_first", kinds.Transpose((1, 0, 2)), {"x": x}).ref
    mask = builder.add(f"{name}_mask", kinds.MaskOfLengths(), {"x": x, "lengths": lengths}).ref
    return Packed(x, mask, lengths)


def _pad(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    packed = arguments[0]
    if not isinstance(packed, Packed):
        raise RefusalError(f"{builder.where}: pad_packed_sequence of what is not packed")
    if builder.number(_option(arguments, options, place=2, name="padding_value", default=0.0)):
        raise RefusalError(f"{builder.where}: padding_value other than 0 cannot be converted")
    if _option(arguments, options, place=3, name="total_length") is None:
        builder.assumptions.append(
            "pad_packed_sequence cuts its result to the longest row; the converted model keeps every step"
        )
    value = Value(packed.ref)
    if not builder.number(_option(arguments, options, place=1, name="batch_first", default=False)):
        value = builder.add(f"{name}_time_first", kinds.Transpose((1, 0, 2)), {"x": packed.ref})
    return value, Value(packed.lengths)


def _getitem(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    whole, key = arguments
    if isinstance(whole, Shape):
        return Size(whole.ref, key)
    if isinstance(whole, Stacked):
        if isinstance(key, int):
            return Value(whole.refs[key])
        if isinstance(key, slice):
            return Stacked(builder, name, whole.refs[key])
    if isinstance(whole, list | tuple):
        return whole[key]
    ref = builder.tensor(whole)
    places = list(key) if isinstance(key, tuple) else [key]
    first = 0
    if places and places[0] is Ellipsis:
        places, first = places[1:], 1 - len(places)
    for axis in range(len(places) - 1, -1, -1):
        place, at = places[axis], first + axis
        if isinstance(place, slice):
            limits = [builder.number(one) for one in (place.start, place.stop, place.step)]
            if limits != [None, None, None]:
                ref = builder.add(name, kinds.Slice(at, *limits), {"x": ref}).ref
        elif place is None:
            raise RefusalError(f"{builder.where}: [.., None] is not converted; write unsqueeze")
        else:
            ref = _select(builder, name, ref=ref, axis=at, index=builder.number(place))
    return Value(ref)


def _select(builder: Builder, name: str, ref: Ref, axis: int, index: int) -> Ref:
    """One place on an axis; of a transposed tensor, that of the original."""
    node = builder.made_by(ref)
    if node is not None and isinstance(node.kind, kinds.Transpose) and node.kind.axes == (1, 0, 2) and axis in (0, 1):
        ref, axis = node.inputs["x"], 1 - axis
    return builder.add(name, kinds.Select(axis, index), {"x": ref}).ref


def _cat(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    parts = [builder.tensor(one) for one in _option(arguments, options, place=0, name="tensors")]
    axis = builder.number(_option(arguments, options, place=1, name="dim", default=options.get("axis", 0)))
    if axis == 0 and len(parts) > 1:
        raise RefusalError(f"{builder.where}: cat along axis 0 cannot be converted")
    return builder.add(name, kinds.Concatenate(axis), {f"x{number}": ref for number, ref in enumerate(parts)})


def _stack(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    parts = [builder.tensor(one) for one in _option(arguments, options, place=0, name="tensors")]
    axis = builder.number(_option(arguments, options, place=1, name="dim", default=0))
    if axis == 0:
        return Stacked(builder, name, parts)
    return builder.add(name, kinds.Stack(axis), {f"x{number}": ref for number, ref in enumerate(parts)})


def _arithmetic(mode: str) -> Read:
    def read(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
        first, second = arguments[:2]
        tensors = [isinstance(one, Value | Stacked) for one in (first, second)]
        if all(tensors):
            inputs = {"x0": builder.tensor(first), "x1": builder.tensor(second)}
            return builder.add(name, kinds.Merge(cast(Any, mode)), inputs)
        if not any(tensors):
            raise RefusalError(f"{builder.where}: {mode} of sizes is not converted")
        number = builder.number(second if tensors[0] else first)
        simple = {"add": (1.0, number), "multiply": (number, 0.0)}
        if tensors[0]:
            simple |= {"subtract": (1.0, -number), "divide": (1 / number if number else 0.0, 0.0)}
        elif mode == "subtract":
            simple["subtract"] = (-1.0, number)
        if mode not in simple:
            raise RefusalError(f"{builder.where}: {mode} of a number by a tensor is not converted")
        x = builder.tensor(first if tensors[0] else second)
        return builder.add(name, kinds.Scaled(*map(float, simple[mode])), {"x": x})

    return read


def _activation(function: str) -> Read:
    def read(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
        x, parameter, axis = builder.tensor(arguments[0]), None, -1
        if function in ("leaky_relu", "elu"):
            label = "negative_slope" if function == "leaky_relu" else "alpha"
            parameter = float(
                builder.number(
                    _option(arguments, options, place=1, name=label, default=0.01 if function == "leaky_relu" else 1.0)
                )
            )
        if function in ("softmax", "log_softmax"):
            axis = builder.number(_option(arguments, options, place=1, name="dim", default=-1))
        return builder.add(name, kinds.Activation(Function(function, parameter), axis), {"x": x})

    return read


def _axes(kind: Any) -> Read:
    """transpose(a, b), permute(..), unsqueeze(a), squeeze(a), flip(a)."""

    def read(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
        given = arguments[0]
        axes = [builder.number(one) for one in arguments[1:]] or [
            builder.number(options.get("dim", options.get("dims")))
        ]
        axes = list(axes[0]) if isinstance(axes[0], list | tuple) else axes
        if kind is kinds.Squeeze and isinstance(given, Stacked) and axes == [0] and len(given.refs) == 1:
            return Value(given.refs[0])
        if kind is kinds.Unsqueeze and axes == [0] and isinstance(given, Value):
            return Stacked(builder, name, [given.ref])
        if len(axes) != 1:
            raise RefusalError(f"{builder.where}: axes {axes}: one axis is converted")
        return builder.add(name, kind(axes[0]), {"x": builder.tensor(given)})

    return read


def _transpose(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    first, second = (builder.number(_option(arguments, options, place=n, name=f"dim{n - 1}")) for n in (1, 2))
    order = list(range(3))
    if first == second:
        return arguments[0]
    order[first], order[second] = order[second], order[first]
    ref = builder.tensor(arguments[0])
    node = builder.made_by(ref)
    given = next((one for one in builder.inputs if one.name == ref.node), None)
    rank = 2 if given is not None and given.kind == "ids" else 3
    if node is not None and isinstance(node.kind, kinds.Transpose):
        rank = len(node.kind.axes)
    if max(first, second) >= rank or min(first, second) < -rank:
        raise RefusalError(f"{builder.where}: transpose({first}, {second}) is converted for three axes")
    return builder.add(name, kinds.Transpose(tuple(order[:rank])), {"x": ref})


def _t(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    return builder.add(name, kinds.Transpose((1, 0)), {"x": builder.tensor(arguments[0])})


def _permute(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    axes = [builder.number(one) for one in arguments[1:]] or [builder.number(options["dims"])]
    axes = list(axes[0]) if isinstance(axes[0], list | tuple) else axes
    return builder.add(name, kinds.Transpose(tuple(axes)), {"x": builder.tensor(arguments[0])})


def _reduction(mode: str) -> Read:
    def read(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
        axis = builder.number(_option(arguments, options, place=1, name="dim", default=options.get("axis")))
        axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
        if not isinstance(axis, int):
            raise RefusalError(f"{builder.where}: {mode} over {axis!r}: one axis is converted")
        keep = bool(builder.number(_option(arguments, options, place=2, name="keepdim", default=False)))
        value = builder.add(name, kinds.Reduce(cast(Any, mode), axis, keep), {"x": builder.tensor(arguments[0])})
        return (value, Constant(None)) if mode == "max" and "amax" not in name else value

    return read


def _reshape(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    sizes = list(arguments[1]) if len(arguments) == 2 and isinstance(arguments[1], list | tuple) else arguments[1:]
    ref = builder.tensor(arguments[0])
    if isinstance(sizes[0], Size) and sizes[0].axis == 0:
        return builder.add(name, kinds.Reshape(tuple(builder.number(one) for one in sizes[1:])), {"x": ref})
    raise RefusalError(f"{builder.where}: only reshape(x.size(0), ..), which leaves the batch as it is, is converted")


def _flatten(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    if builder.number(_option(arguments, options, place=1, name="start_dim", default=0)) != 1:
        raise RefusalError(f"{builder.where}: only flatten(1), which leaves the batch as it is, is converted")
    return builder.add(name, kinds.Reshape((-1,)), {"x": builder.tensor(arguments[0])})


def _matmul(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    return builder.add(name, kinds.Product(), {"x0": builder.tensor(arguments[0]), "x1": builder.tensor(arguments[1])})


def _size(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    ref = builder.tensor(arguments[0])
    return Size(ref, builder.number(arguments[1])) if len(arguments) > 1 else Shape(ref)


def _attribute(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    if arguments[1] == "shape":
        return Shape(builder.tensor(arguments[0]))
    if arguments[1] in ("device", "dtype"):
        return Constant(None)
    raise RefusalError(f"{builder.where}: the attribute {arguments[1]!r} is not converted")


def _same(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    return arguments[0]


def _dropout(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    if _option(arguments, options, place=2, name="training", default=True) is not False:
        raise RefusalError(
            f"{builder.where}: dropout stays on after training, because F.dropout is called without "
            f"training=self.training (diptych differences training_mode); no two runs give the same numbers"
        )
    builder.uncertified.append(f"{name}: dropout draws other random numbers")
    rate = float(builder.number(_option(arguments, options, place=1, name="p", default=0.5)))
    return builder.add(name, kinds.Dropout(rate), {"x": builder.tensor(arguments[0])})


def _not_equal(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    return builder.add(name, kinds.NotEqual(float(builder.number(arguments[1]))), {"x": builder.tensor(arguments[0])})


def _not(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Of a mask."""
    return builder.add(name, kinds.NotEqual(1.0), {"x": builder.tensor(arguments[0])})


def _equal(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    other = builder.add(name, kinds.NotEqual(float(builder.number(arguments[1]))), {"x": builder.tensor(arguments[0])})
    return _not(builder, name, arguments=[other], options=options)


def _masked_fill(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    value = float(builder.number(_option(arguments, options, place=2, name="value")))
    mask = builder.tensor(_option(arguments, options, place=1, name="mask"))
    return builder.add(name, kinds.Filled(value), {"x": builder.tensor(arguments[0]), "mask": mask})


def _zeros(builder: Builder, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    return Zeros()


SHARED: dict[str, Read] = {
    "add": _arithmetic("add"), "mul": _arithmetic("multiply"), "sub": _arithmetic("subtract"),
    "div": _arithmetic("divide"), "tanh": _activation("tanh"), "sigmoid": _activation("sigmoid"),
    "relu": _activation("relu"), "softmax": _activation("softmax"), "log_softmax": _activation("log_softmax"),
    "mean": _reduction("mean"), "sum": _reduction("sum"), "max": _reduction("max"), "amax": _reduction("max"),
    "transpose": _transpose, "permute": _permute, "unsqueeze": _axes(kinds.Unsqueeze),
    "squeeze": _axes(kinds.Squeeze), "flip": _axes(kinds.Flip), "flatten": _flatten, "bmm": _matmul,
    "matmul": _matmul, "reshape": _reshape, "t": _t, "ne": _not_equal, "eq": _equal,
    "logical_not": _not, "masked_fill": _masked_fill,
}  # fmt: skip
METHODS: dict[Any, Read] = SHARED | {
    "size": _size, "view": _reshape, "contiguous": _same, "cpu": _same, "to": _same, "float": _same, "long": _same,
    "detach": _same, "clone": _same, "bool": _same, "new_zeros": _zeros,
}  # fmt: skip
"""Of tensors, by name."""
FUNCTIONS: dict[Any, Read] = {
    **{getattr(torch, name): read for name, read in SHARED.items() if hasattr(torch, name)},
    operator.getitem: _getitem, operator.add: SHARED["add"], operator.mul: SHARED["mul"], operator.sub: SHARED["sub"],
    operator.truediv: SHARED["div"], operator.matmul: _matmul, operator.ne: _not_equal, operator.eq: _equal,
    operator.invert: _not, getattr: _attribute,
    torch.cat: _cat, torch.concat: _cat, torch.stack: _stack, torch.zeros: _zeros, torch.zeros_like: _zeros,
    rnn.pack_padded_sequence: _pack, rnn.pad_packed_sequence: _pad, F.dropout: _dropout, F.relu: SHARED["relu"],
    F.softmax: SHARED["softmax"], F.log_softmax: SHARED["log_softmax"], F.leaky_relu: _activation("leaky_relu"),
    F.elu: _activation("elu"), F.silu: _activation("silu"), F.softsign: _activation("softsign"),
    F.tanh: SHARED["tanh"], F.sigmoid: SHARED["sigmoid"], F.hardsigmoid: _activation("hard_sigmoid"),
}  # fmt: skip
"""By the function itself."""
