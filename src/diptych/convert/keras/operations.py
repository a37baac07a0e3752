"""`keras.ops` in a functional model, such as `x + y` and `x[:, -1]`: those that have a form in a graph."""

from __future__ import annotations

from typing import Any, cast

from diptych.convert import kinds
from diptych.convert.graph import Ref
from diptych.convert.keras.reading import Layer, Reader, Value
from diptych.convert.kinds import Function
from diptych.errors import RefusalError

ARITHMETIC = {"Add": "add", "Subtract": "subtract", "Multiply": "multiply", "Divide": "divide", "TrueDivide": "divide",
              "Maximum": "maximum", "Minimum": "minimum"}  # fmt: skip
ACTIVATIONS = {"Tanh": "tanh", "Sigmoid": "sigmoid", "Relu": "relu", "Softmax": "softmax", "LogSoftmax": "log_softmax",
               "Softsign": "softsign", "Softplus": "softplus", "Silu": "silu", "Exp": "exponential"}  # fmt: skip
REDUCTIONS = {"Mean": "mean", "Sum": "sum", "Max": "max", "Amax": "max"}


def read_operation(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
    """One operation; as in Keras, its result carries no mask."""
    name = layer.class_name
    options = dict(layer.config) | {key: value for key, value in layer.keywords.items() if value is not None}
    plain = [value for value in layer.positional if not isinstance(value, Value | list)]

    def refusal(reason: str) -> RefusalError:
        return RefusalError(f"{layer.path} (keras.ops {name}): {reason}")

    def made(kind: kinds.Kind, inputs: dict[str, Ref] | None = None) -> list[Value]:
        return [Value(reader.add(layer, kind, inputs or {"x": given[0].ref})("output"))]

    if name in ARITHMETIC:
        if len(given) == 2:
            return made(kinds.Merge(cast(Any, ARITHMETIC[name])), {"x0": given[0].ref, "x1": given[1].ref})
        number = plain[0] if plain else options.get("x2", options.get("x1"))
        first = isinstance(layer.positional[0], Value) if layer.positional else True
        if not isinstance(number, int | float) or not (first or name in ("Add", "Multiply")):
            raise refusal(f"with {number!r} is not converted")
        simple = {"Add": (1.0, number), "Subtract": (1.0, -number), "Multiply": (number, 0.0)}
        if name not in simple and name not in ("Divide", "TrueDivide"):
            raise refusal(f"with the number {number!r} is not converted")
        return made(kinds.Scaled(*map(float, simple.get(name, (1 / number, 0.0)))))
    if name in ACTIVATIONS:
        return made(kinds.Activation(Function(ACTIVATIONS[name]), int(options.get("axis", -1))))
    if name in REDUCTIONS:
        axis = _single(options.get("axis"))
        if not isinstance(axis, int):
            raise refusal(f"axis = {axis!r}: one axis is converted")
        return made(kinds.Reduce(cast(Any, REDUCTIONS[name]), axis, bool(options.get("keepdims", False))))
    if name in ("Concatenate", "Stack"):
        kind = (kinds.Concatenate if name == "Concatenate" else kinds.Stack)(int(options.get("axis", 0)))
        return made(kind, {f"x{number}": value.ref for number, value in enumerate(given)})
    if name == "Matmul":
        return made(kinds.Product(), {"x0": given[0].ref, "x1": given[1].ref})
    if name == "GetItem":
        return _item(reader, layer, ref=given[0].ref, key=options.get("key", layer.positional[-1]), refusal=refusal)
    if name == "NotEqual" and len(plain) == 1:
        return made(kinds.NotEqual(float(plain[0])))
    if name in ("Any", "All") and isinstance(axis := _single(options.get("axis")), int):
        return made(kinds.Quantified(cast(Any, name.lower()), axis, bool(options.get("keepdims", False))))
    if name in ("LogicalAnd", "LogicalOr"):
        return made(kinds.Masks("all" if name == "LogicalAnd" else "any"), {"x0": given[0].ref, "x1": given[1].ref})
    if name == "ConvertToTensor":
        return given
    axes = {"Flip": kinds.Flip, "ExpandDims": kinds.Unsqueeze, "Squeeze": kinds.Squeeze}
    if name in axes and isinstance(options.get("axis"), int):
        return made(axes[name](options["axis"]))
    if name == "Transpose" and options.get("axes"):
        return made(kinds.Transpose(tuple(options["axes"])))
    raise refusal("is not converted")


def _single(axis: Any) -> Any:
    """The only axis of a list of one."""
    return axis[0] if isinstance(axis, list | tuple) and len(axis) == 1 else axis


def _item(reader: Reader, layer: Layer, ref: Ref, key: Any, refusal: Any) -> list[Value]:
    """x[key], one axis after the other, from the last so that the ones before keep their numbers."""
    places = list(key) if isinstance(key, list | tuple) else [key]
    first = 0
    if isinstance(places[0], dict) and places[0]["class_name"] == "__ellipsis__":
        places = places[1:]
        first = -len(places)
    for axis in range(len(places) - 1, -1, -1):
        place = places[axis]
        if isinstance(place, dict) and place["class_name"] == "__slice__":
            place = slice(*(place["config"][name] for name in ("start", "stop", "step")))
        kind: kinds.Kind
        if not isinstance(place, slice | int):
            raise refusal(f"[{key!r}] is not converted")
        if isinstance(place, slice):
            if place == slice(None):
                continue
            kind = kinds.Slice(first + axis, place.start, stop=place.stop, step=place.step)
        else:
            kind = kinds.Select(first + axis, int(place))
        ref = reader.add(layer, kind, {"x": ref}, None, f"axis_{axis}")("output")
    return [Value(ref)]
