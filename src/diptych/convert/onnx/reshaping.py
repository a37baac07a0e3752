"""ONNX's Reshape and Flatten, read: the batch stays an axis of its own."""

from __future__ import annotations

import math
from typing import Any

from diptych.convert import kinds
from diptych.convert.onnx.moving import without
from diptych.convert.onnx.reader import Reader
from diptych.convert.onnx.values import Dim, Dims, Stacked, Tensor, Value, known, same


def reshape(reader: Reader) -> list[Value]:
    """Reshape, Flatten: the batch stays an axis."""
    value = reader.given(0)
    dims = value.dims if isinstance(value, Stacked) else reader.as_tensor(value).dims
    if reader.node.operator == "Flatten":
        axis = reader.attributes(axis=1)["axis"]
        target: list[Any] = [dims[0], -1] if axis == 1 else [None]
        if axis != 1:
            raise reader.refusal(f"axis = {axis}: only flatten(1), which leaves the batch as it is, is converted")
    else:
        if reader.attributes(allowzero=0)["allowzero"]:
            raise reader.refusal("allowzero = 1 is not converted")
        array = reader.constant(1, "shape")
        target = [] if array is None else array.tolist()
    target = _resolved(reader, dims, target)
    if isinstance(value, Stacked):
        rest, axis = without(value.dims, value.axis), value.axis
        if len(value.parts) == 1 and _alike(rest, target):
            return [value.parts[0]]
        merged = (*rest[:-1], len(value.parts) * (known(rest[-1]) or 0))
        if axis == len(value.dims) - 2 and _alike(merged, target):
            if value.whole is not None:
                return [value.whole]
            inputs = {f"x{number}": part.ref for number, part in enumerate(value.parts)}
            return [Tensor(reader.add(kinds.Concatenate(-1), inputs), merged)]
    x = reader.as_tensor(value)
    return [_reshaped(reader, x, target)]


def _alike(dims: Dims, target: list[Any]) -> bool:
    return len(dims) == len(target) and all(same(a, b) for a, b in zip(dims, target))


def _resolved(reader: Reader, dims: Dims, target: list[Any]) -> list[Any]:
    """The target with 0 and -1 replaced; an open length that is left over is a `Dim` of its own."""
    target = [dims[place] if one == 0 else one for place, one in enumerate(target)]
    # A number that is the batch's size in a file that fixes it stands for the batch.
    for place, (one, dim) in enumerate(zip(target, dims)):
        if isinstance(dim, Dim) and dim.size == one and (dim.role == "batch" or place == 0):
            target[place] = dim
    if -1 not in target:
        return target
    left = list(dims)
    others = [one for one in target if not (isinstance(one, int) and one == -1)]
    number = 1
    for one in others:
        there = [at for at, dim in enumerate(left) if isinstance(one, Dim) and dim is one]
        if there:
            left.pop(there[0])
        elif known(one) is None:
            raise reader.refusal("a shape has a length that is none of its input's")
        else:
            number *= known(one) or 1
    fixed = math.prod(one for dim in left if (one := known(dim)) is not None and not _open(dim))
    opened = [dim for dim in left if isinstance(dim, Dim) and _open(dim)]
    if not opened and fixed % number == 0:
        target[target.index(-1)] = fixed // number
    elif len(opened) == 1 and fixed == number:
        target[target.index(-1)] = opened[0]
    elif any(dim.role == "batch" for dim in opened) or (opened and opened[0] is dims[0]):
        raise reader.refusal("the batch is merged with another axis")
    else:
        target[target.index(-1)] = Dim(None)
    return target


def _open(dim: Dim | int) -> bool:
    return isinstance(dim, Dim) and (dim.size is None or dim.role == "batch")


def _reshaped(reader: Reader, x: Tensor, target: list[Any]) -> Tensor:
    if _alike(x.dims, target):
        return x
    axis = x.batch_axis
    batch = x.dims[axis]
    places = [place for place, one in enumerate(target) if one is batch]
    if not places:
        raise reader.refusal("the batch is merged with another axis, or its size is written into a shape")
    place = places[0]
    if axis:
        x = reader.transposed(x, [axis, *(n for n in range(len(x.dims)) if n != axis)])
        if x.dims[1 : axis + 1] != tuple(target[:place]):
            raise reader.refusal("axes before the batch change their shape")
    if not axis and place:
        raise reader.refusal("the batch gets axes before it")
    rest = [*target[:place], *target[place + 1 :]]
    row = tuple(-1 if known(one) is None else int(known(one) or 0) for one in rest)
    if row.count(-1) > 1:
        raise reader.refusal("more than one length of the new shape is open")
    found = reader.apply(kinds.Reshape(row), x, (batch, *rest))
    return reader.transposed(found, [*range(1, place + 1), 0, *range(place + 1, len(target))]) if place else found
