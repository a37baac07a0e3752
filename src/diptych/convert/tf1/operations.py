"""What an operator of a frozen graph outside of loops becomes: an operation, or the layer of which it is a part."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from diptych.convert.files.graph import Node as Operator
from diptych.convert.graph import Ref
from diptych.convert.kinds import (
    Activation,
    Concatenate,
    Dense,
    Embedding,
    Flip,
    Function,
    Kind,
    Merge,
    Reduce,
    Scaled,
    Select,
    Slice,
    Squeeze,
    Transpose,
    Unsqueeze,
)
from diptych.convert.tf1.loops import LoopReader
from diptych.convert.tf1.operators import ACTIVATIONS, attribute
from diptych.convert.tf1.wiring import SUMS

if TYPE_CHECKING:
    from diptych.convert.tf1.layers import Layers

Read = Callable[["Layers", Operator, int], Ref]
"""Of the layers so far, a node and the number of its output, the value here."""


def _activation(layers: Layers, node: Operator, place: int) -> Ref:
    name = {"Softmax": "softmax", "LogSoftmax": "log_softmax"}.get(node.operator) or ACTIVATIONS[node.operator]
    return _on_x(layers, node, Activation(Function(name, 1.0 if name == "elu" else None)))


def _on_x(layers: Layers, node: Operator, kind: Kind) -> Ref:
    return Ref(layers.add(node.name, kind, {"x": layers.value(node.inputs[0])}).name)


def _transpose(layers: Layers, node: Operator, place: int) -> Ref:
    order = tuple(layers.numbers(node, 1))
    if order == (1, 0, 2):
        return layers.time_first(layers.value(node.inputs[0]), node.name)
    return _on_x(layers, node, Transpose(order))


def _reverse(layers: Layers, node: Operator, place: int) -> Ref:
    ref = layers.value(node.inputs[0])
    for axis in layers.numbers(node, 1):
        # Always the second axis is turned: so a layer that runs backward is seen to be one.
        ref = ref if axis else layers.time_first(ref, f"{node.name}_batch_first")
        ref = Ref(layers.add(node.name, Flip(axis or 1), {"x": ref}).name)
        ref = ref if axis else layers.time_first(ref, f"{node.name}_time_first")
    return ref


def _reverse_rows(layers: Layers, node: Operator, place: int) -> Ref:
    axes = [int(attribute(node, name)) for name in ("seq_dim", "batch_dim")]
    ref = layers.value(node.inputs[0])
    if axes == [1, 0]:
        return layers.turn(ref, node.inputs[1], node.name)
    if axes != [0, 1]:
        raise layers.refusal(node)
    batch_first = layers.time_first(ref, f"{node.name}_batch_first")
    return layers.time_first(layers.turn(batch_first, node.inputs[1], node.name), f"{node.name}_time_first")


def _concatenate(layers: Layers, node: Operator, place: int) -> Ref:
    (axis,) = layers.numbers(node, len(node.inputs) - 1)
    inputs = {f"x{number}": layers.value(name) for number, name in enumerate(node.inputs[:-1])}
    return Ref(layers.add(node.name, Concatenate(axis), inputs).name)


def _pack(layers: Layers, node: Operator, place: int) -> Ref:
    pieces = [layers.value(name) for name in node.inputs]
    return layers.stacked(pieces, int(attribute(node, "axis")), node.name)


def _unpack(layers: Layers, node: Operator, place: int) -> Ref:
    return _on_x(layers, node, Select(int(attribute(node, "axis")), place))


def _product(layers: Layers, node: Operator, place: int) -> Ref:
    matrix = layers.wiring.constant(node.inputs[1])
    if matrix is None or matrix.ndim != 2 or attribute(node, "transpose_a"):
        raise layers.refusal(node)
    weight = matrix if attribute(node, "transpose_b") else matrix.T
    x = layers.value(node.inputs[0])
    return Ref(layers.add(node.name, Dense(), inputs={"x": x}, weights={"weight": weight}).name)


def _sum(layers: Layers, node: Operator, place: int) -> Ref:
    """A bias of the product before it, or a sum of its own."""
    bias = layers.wiring.constant(node.inputs[1])
    if bias is None or bias.ndim != 1:
        return _merge(layers, node, place)
    ref = layers.value(node.inputs[0])
    before = layers.node(ref)
    if before is None or before.kind != Dense() or "bias" in before.weights:
        raise layers.refusal(node)
    if len(layers.wiring.all_readers(layers.wiring.source(node.inputs[0]))) != 1:
        raise layers.refusal(node)
    layers.nodes.remove(before)
    weights = {**before.weights, "bias": bias}
    return Ref(layers.add(before.origin, Dense(), inputs=before.inputs, weights=weights).name)


def _merge(layers: Layers, node: Operator, place: int) -> Ref:
    """Two values element by element; one of them may be a number."""
    constants = [layers.wiring.constant(name) for name in node.inputs]
    mode = MERGES[node.operator]
    if constants == [None, None]:
        pair = {f"x{number}": layers.value(name) for number, name in enumerate(node.inputs)}
        return Ref(layers.add(node.name, Merge(mode), pair).name)
    which = 0 if constants[1] is not None else 1
    number = constants[1 - which]
    if number is None or number.ndim or constants[which] is not None or mode not in ("add", "multiply", "subtract"):
        raise layers.refusal(node)
    sign = -1.0 if mode == "subtract" else 1.0
    if mode == "multiply":
        kind = Scaled(factor=float(number))
    else:  # x - 1 or 1 - x
        kind = Scaled(1.0, sign * float(number)) if which == 0 else Scaled(sign, float(number))
    return Ref(layers.add(node.name, kind, {"x": layers.value(node.inputs[which])}).name)


def _rows(layers: Layers, node: Operator, place: int) -> Ref:
    """Rows of a table of numbers, chosen by an input: an embedding."""
    table = layers.wiring.constant(node.inputs[0])
    along = layers.numbers(node, 2) if node.operator == "GatherV2" else [0]
    if table is None or table.ndim != 2 or table.dtype.kind != "f" or along != [0] or attribute(node, "batch_dims"):
        raise layers.refusal(node)
    x = layers.value(node.inputs[1])
    if not layers.tell_ids(x, table.shape[0]):
        raise layers.refusal(node)
    return Ref(
        layers.add_shared(layers.wiring.name_of_constant(node.inputs[0]), Embedding(), {"x": x}, {"weight": table}).name
    )


def _reduce(layers: Layers, node: Operator, place: int) -> Ref:
    axes = layers.numbers(node, 1)
    if len(axes) != 1:
        raise layers.refusal(node)
    return _on_x(layers, node, Reduce(REDUCTIONS[node.operator], axes[0], bool(attribute(node, "keep_dims"))))


def _squeeze(layers: Layers, node: Operator, place: int) -> Ref:
    axes = attribute(node, "squeeze_dims")
    if len(axes) != 1:
        raise layers.refusal(node)
    return _on_x(layers, node, Squeeze(int(axes[0])))


def _expand(layers: Layers, node: Operator, place: int) -> Ref:
    (axis,) = layers.numbers(node, 1)
    return _on_x(layers, node, Unsqueeze(axis))


def _slice(layers: Layers, node: Operator, place: int) -> Ref:
    """Places on axes; of a BlockLSTM's cell states, the last one."""
    begin, end, strides = (layers.numbers(node, number) for number in (1, 2, 3))
    if attribute(node, "ellipsis_mask") or attribute(node, "new_axis_mask"):
        raise layers.refusal(node)
    bits = {name: attribute(node, f"{name}_mask") for name in ("begin", "end", "shrink_axis")}
    tensor = layers.wiring.source(node.inputs[0])
    step = layers.steps.get(tensor)
    if step is not None and step.whole and tensor == step.after["c"]:
        return Ref(layers.all_steps(step).name, "c")  # another step than the last one is found by the check
    ref = layers.value(tensor)
    for axis, (first, last, stride) in reversed([*enumerate(zip(begin, end, strides))]):  # the later axes stay in place
        if bits["shrink_axis"] >> axis & 1:
            ref = Ref(layers.add(node.name, Select(axis, first), {"x": ref}).name)
            continue
        start, stop = (None if bits[name] >> axis & 1 else limit for name, limit in (("begin", first), ("end", last)))
        if stride < 0:
            raise layers.refusal(node)
        if (start or 0, stop, stride) != (0, None, 1):
            kind = Slice(axis, start, stop, step=stride if stride > 1 else None)
            ref = Ref(layers.add(node.name, kind, {"x": ref}).name)
    return ref


def _gathered(layers: Layers, node: Operator, place: int) -> Ref:
    """All that a loop has written into a TensorArray, stacked."""
    places, leaving = layers.operator(node.inputs[1]), layers.operator(node.inputs[2])
    if leaving.operator != "Exit" or places.operator != "Range":
        raise layers.refusal(node)
    start, step = (layers.wiring.constant(places.inputs[number]) for number in (0, 2))
    from_start = start is not None and not start.any() and step is not None and int(step) == 1
    # How many there are: as the array itself says, or, from TensorFlow 1.15 on, as it was made.
    made = layers.operator(node.inputs[0])
    sizes = [layers.wiring.source(name) for name in made.inputs[:1]]
    counted = layers.operator(places.inputs[1]).operator == "TensorArraySizeV3"
    if not from_start or not (counted or layers.wiring.source(places.inputs[1]) in sizes):
        raise layers.refusal(node)
    return LoopReader(layers, leaving).gathered(node)


MERGES: dict[str, Any] = {
    **dict.fromkeys(SUMS, "add"), "Mul": "multiply", "Sub": "subtract", "Maximum": "maximum", "Minimum": "minimum",
}  # fmt: skip
REDUCTIONS: dict[str, Any] = {"Mean": "mean", "Sum": "sum", "Max": "max"}
READERS: dict[str, Read] = {
    **dict.fromkeys([*ACTIVATIONS, "Softmax", "LogSoftmax"], _activation),
    **dict.fromkeys(MERGES, _merge), **dict.fromkeys(SUMS, _sum), **dict.fromkeys(REDUCTIONS, _reduce),
    **dict.fromkeys(("Gather", "GatherV2"), _rows),
    "Transpose": _transpose, "ReverseV2": _reverse, "ReverseSequence": _reverse_rows,
    "ConcatV2": _concatenate, "Pack": _pack, "Unpack": _unpack,
    "MatMul": _product, "Squeeze": _squeeze, "ExpandDims": _expand, "StridedSlice": _slice,
    "TensorArrayGatherV3": _gathered,
    "Exit": lambda layers, node, place: LoopReader(layers, node).last_state(),
}  # fmt: skip
