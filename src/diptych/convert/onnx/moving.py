"""ONNX's operators that only move numbers, read."""

from __future__ import annotations

from typing import Any

import numpy as np

from diptych.convert import kinds
from diptych.convert.onnx.reader import Reader
from diptych.convert.onnx.values import Constant, Dim, Dims, Filled, Stacked, Tensor, Value, known, sizes

FAR = 1 << 31  # a slice that ends there goes to the end


def positive(reader: Reader, axis: int, rank: int) -> int:
    """An axis counted from the front."""
    if not -rank <= axis < rank:
        raise reader.refusal(f"it has no axis {axis}, for there are {rank}")
    return axis % rank


def without(dims: Dims, axis: int) -> Dims:
    """The lengths of the other axes."""
    return (*dims[:axis], *dims[axis + 1 :])


def shape(reader: Reader) -> list[Value]:
    """Shape."""
    value = reader.given(0)
    reader.attributes(start=0, end=None)
    if isinstance(value, Constant):
        return [Constant(np.array(value.array.shape, np.int64))]
    dims = value.dims if isinstance(value, Stacked) else reader.as_tensor(value).dims
    found = reader.attributes(start=0, end=None)
    return [Constant(sizes(dims[found["start"] : found["end"]]))]


def transpose(reader: Reader) -> list[Value]:
    """Transpose."""
    value = reader.given(0)
    rank = len(value.dims) if isinstance(value, Stacked) else len(reader.as_tensor(value).dims)
    axes = [int(axis) for axis in reader.attributes(perm=list(range(rank))[::-1])["perm"]]
    if isinstance(value, Stacked):
        inner = [axis - (axis > value.axis) for axis in axes if axis != value.axis]
        parts = tuple(reader.transposed(part, inner) for part in value.parts)
        last = inner[-1] == len(inner) - 1
        whole = reader.transposed(value.whole, inner) if value.whole is not None and last else None
        return [Stacked(axes.index(value.axis), parts, whole)]
    return [reader.transposed(reader.as_tensor(value), axes)]


def squeeze(reader: Reader) -> list[Value]:
    """Squeeze."""
    value, axes = reader.given(0), reader.axes()
    reader.attributes("axes")
    if isinstance(value, Stacked):
        if axes == [value.axis] and len(value.parts) == 1:
            return [value.parts[0]]
        value = reader.as_tensor(value)
    x = reader.as_tensor(value)
    if axes is None:
        axes = [place for place, dim in enumerate(x.dims) if dim == 1]
    for axis in sorted((positive(reader, axis, len(x.dims)) for axis in axes), reverse=True):
        x = squeezed(reader, x, axis)
    return [x]


def squeezed(reader: Reader, x: Tensor, axis: int) -> Tensor:
    """An axis of one place, gone; what had put it there is undone."""
    dim = x.dims[axis]
    if known(dim) != 1 or (isinstance(dim, Dim) and dim.role == "batch"):
        raise reader.refusal(f"axis {axis} is squeezed, which is the batch or longer than 1")
    before = reader.nodes.get(x.ref.node)
    if before is not None and before.kind == kinds.Unsqueeze(axis):
        return Tensor(before.inputs["x"], without(x.dims, axis), x.dtype)
    return reader.apply(kinds.Squeeze(axis), x, without(x.dims, axis))


def unsqueeze(reader: Reader) -> list[Value]:
    """Unsqueeze."""
    value, axes = reader.given(0), reader.axes() or []
    reader.attributes("axes")
    x = reader.as_tensor(value)
    for axis in sorted(positive(reader, axis, len(x.dims) + len(axes)) for axis in axes):
        if axis == 0 and len(axes) == 1:
            return [Stacked(0, (x,))]
        x = reader.apply(kinds.Unsqueeze(axis), x, (*x.dims[:axis], 1, *x.dims[axis:]))
    return [x]


def gather(reader: Reader) -> list[Value]:
    """Gather: rows of a matrix of weights, or places on an axis."""
    data, axis = reader.given(0), int(reader.attributes(axis=0)["axis"])
    if isinstance(data, Constant):
        index = reader.tensor(1)
        if axis != 0 or data.array.ndim != 2:
            raise reader.refusal(f"rows are taken from weights of shape {data.array.shape} on axis {axis}")
        reader.tell_input(index, "ids", data.array.shape[0])
        ref = reader.add(kinds.Embedding(), {"x": index.ref}, {"weight": data.array}, data.name)
        return [Tensor(ref, (*index.dims, data.array.shape[1]))]
    place = reader.constant(1, "index")
    dims = data.dims if isinstance(data, Stacked) else reader.as_tensor(data).dims
    axis = positive(reader, axis, len(dims))
    if place is None or place.dtype == object or place.ndim > 1:
        raise reader.refusal("the index is not known, or has several axes")
    if isinstance(data, Stacked) and data.axis == axis:
        chosen = data.only([int(one) % len(data.parts) for one in np.atleast_1d(place)])
        return [chosen if place.ndim else chosen.parts[0]]
    x = reader.as_tensor(data)
    if place.ndim == 0:
        _not_batch(reader, x, axis)
        rest = without(x.dims, axis)
        before = reader.nodes.get(x.ref.node)
        if before is not None and before.kind == kinds.Transpose((1, 0, 2)) and axis < 2:
            x, axis = Tensor(before.inputs["x"], x.dims, x.dtype), 1 - axis
        return [reader.apply(kinds.Select(axis, int(place)), x, rest)]
    first, steps = int(place[0]), np.diff(place)
    if len(place) and (steps == 1).all() and first >= 0:
        return [_part(reader, x, axis=axis, start=first, end=first + len(place), step=1)]
    raise reader.refusal(f"the places {place.tolist()} on an axis are taken, which are no slice")


def _not_batch(reader: Reader, x: Tensor, axis: int) -> None:
    dim = x.dims[axis]
    if isinstance(dim, Dim) and dim.role == "batch":
        raise reader.refusal("it takes rows out of the batch")


def slices(reader: Reader) -> list[Value]:
    """Slice."""
    value = reader.given(0)
    found = reader.attributes("starts", "ends", "axes")
    starts, ends, axes, steps = (
        found.get(name) if name in found else reader.constant(place, name)
        for place, name in enumerate(("starts", "ends", "axes", "steps"), 1)
    )
    count = len(starts) if starts is not None else 0
    axes = list(range(count)) if axes is None else axes
    steps = [1] * count if steps is None else steps
    for start, end, axis, step in zip(starts, ends, axes, steps):  # type: ignore[arg-type]
        dims = value.dims if isinstance(value, Stacked) else reader.as_tensor(value).dims
        place = positive(reader, int(axis), len(dims))
        if isinstance(value, Stacked) and value.axis == place:
            value = value.only(range(len(value.parts))[int(start) : int(end) : int(step)])
            continue
        value = _part(reader, reader.as_tensor(value), axis=place, start=start, end=end, step=int(step))
    return [value] if value is not None else []


def _part(reader: Reader, x: Tensor, axis: int, start: Any, end: Any, step: int) -> Tensor:
    """Some places on an axis; an end that is the axis's length, or far behind it, is the end."""
    dim = x.dims[axis]
    if isinstance(start, Dim) or (isinstance(end, Dim) and end is not dim):
        raise reader.refusal("where a slice begins or ends depends on the inputs")
    if step < 0:
        if step == -1 and start in (-1, FAR - 1, (1 << 63) - 1) and end < -FAR // 2:
            return reader.apply(kinds.Flip(axis), x)
        raise reader.refusal(f"a slice from {start} to {end} by steps of {step}: only a whole axis is turned round")
    first = None if start == 0 else int(start)
    last = None if isinstance(end, Dim) or end >= FAR - 1 or end == known(dim) else int(end)
    if first is None and last is None and step == 1:
        return x
    _not_batch(reader, x, axis)
    length = known(dim)
    size: Dim | int = Dim(None) if length is None else len(range(length)[slice(first, last, step)])
    return reader.apply(kinds.Slice(axis, first, stop=last, step=None if step == 1 else step), x, (
        *x.dims[:axis], size, *x.dims[axis + 1 :]))  # fmt: skip


def concat(reader: Reader) -> list[Value]:
    """Concat."""
    values = [reader.given(place) for place in range(len(reader.node.inputs))]
    axis = int(reader.attributes("axis")["axis"])
    stacks = [value for value in values if isinstance(value, Stacked)]
    if len(stacks) == len(values) and all(one.axis == axis % len(one.dims) for one in stacks):
        return [Stacked(stacks[0].axis, tuple(part for one in stacks for part in one.parts))]
    tensors = [reader.as_tensor(value, place) for place, value in enumerate(values)]
    axis = positive(reader, axis, len(tensors[0].dims))
    if len(tensors) == 1:
        return [tensors[0]]
    _not_batch(reader, tensors[0], axis)
    lengths = [known(one.dims[axis]) for one in tensors]
    total: Dim | int = Dim(None) if None in lengths else sum(length or 0 for length in lengths)
    ref = reader.add(kinds.Concatenate(axis), {f"x{number}": one.ref for number, one in enumerate(tensors)})
    dims = tensors[0].dims
    return [Tensor(ref, (*dims[:axis], total, *dims[axis + 1 :]), tensors[0].dtype)]


def split(reader: Reader) -> list[Value]:
    """Split."""
    value = reader.given(0)
    found = reader.attributes("split", "num_outputs", axis=0)
    dims = value.dims if isinstance(value, Stacked) else reader.as_tensor(value).dims
    axis, count = positive(reader, int(found["axis"]), len(dims)), len(reader.node.outputs)
    length = known(dims[axis])
    parts = found.get("split") if "split" in found else reader.constant(1, "split")
    if length is None:
        raise reader.refusal("an axis of unknown length is split")
    each = -(-length // count)
    parts = [min(each, length - place * each) for place in range(count)] if parts is None else [int(p) for p in parts]
    ends = np.cumsum(parts)
    if isinstance(value, Stacked) and value.axis == axis:
        return [value.only(range(end - size, end)) for end, size in zip(ends, parts)]
    x = reader.as_tensor(value)
    return [_part(reader, x, axis=axis, start=int(end - size), end=int(end), step=1) for end, size in zip(ends, parts)]


def cast(reader: Reader) -> list[Value]:
    """Cast: numbers stay what they are, in the widest type."""
    value = reader.given(0)
    x = reader.as_tensor(value)
    kind = {1: "float", 11: "float", 6: "int", 7: "int", 9: "bool"}.get(reader.node.attributes.get("to", 0))
    if kind is None or (kind == "int" and x.dtype == "float" and x.ref.node not in reader.inputs):
        raise reader.refusal("a cast that rounds numbers is not converted")
    if kind != x.dtype and "bool" in (kind, x.dtype):
        raise reader.refusal(f"a cast from {x.dtype} to {kind} is not converted")
    if kind == "int" and x.dtype == "float":
        reader.tell_input(x, "ids")
    if kind == "float" and x.dtype == "int":
        raise reader.refusal("whole numbers become others, which is not converted")
    return [Tensor(x.ref, x.dims, kind)]


def same_value(reader: Reader) -> list[Value]:
    """Identity, and Dropout outside of training."""
    value = reader.given(0)
    return [value] * len(reader.node.outputs) if value is not None else []


def reverse_sequence(reader: Reader) -> list[Value]:
    """ReverseSequence of rows that are all as long as the axis: the axis turned round."""
    x, lengths = reader.tensor(0), reader.given(1)
    found = reader.attributes(time_axis=0, batch_axis=1)
    values = [lengths.value] if isinstance(lengths, Filled) else getattr(lengths, "array", np.array([None])).ravel()
    dim = x.dims[found["time_axis"]]
    if not all(one is dim or (one is not None and one == known(dim)) for one in values):
        raise reader.refusal("rows of different lengths are turned round, which is not converted outside of a layer")
    return [reader.apply(kinds.Flip(found["time_axis"]), x)]
