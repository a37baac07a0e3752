"""Keras's layers that only move numbers."""

from __future__ import annotations

from diptych.convert import kinds
from diptych.convert.keras.reading import Layer, Reader, Value


def read_reshaping(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
    """Flatten, Reshape, Permute, RepeatVector."""
    arguments = reader.arguments(layer)
    kind: kinds.Kind
    if layer.class_name == "Flatten":
        arguments.only("data_format", "channels_last", None, why="use channels_last")
        kind = kinds.Reshape((-1,))
    elif layer.class_name == "Reshape":
        kind = kinds.Reshape(tuple(int(size) for size in arguments.take("target_shape")))
    elif layer.class_name == "Permute":
        kind = kinds.Transpose((0, *(int(axis) for axis in arguments.take("dims"))))
    else:
        kind = kinds.Repeat(int(arguments.take("n")))
    arguments.finish()
    return [Value(reader.add(layer, kind, {"x": given[0].ref})("output"))]
