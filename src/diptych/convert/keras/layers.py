"""Keras's other layers, a reader for each: what it does to the values it is given, and to their masks.

A layer that does not support masks drops them, as in Keras; one that does passes them on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from diptych.convert import kinds
from diptych.convert.keras.arguments import Arguments
from diptych.convert.keras.attention import read_attention
from diptych.convert.keras.reading import Layer, Reader, Value
from diptych.convert.keras.recurrent import read_bidirectional, read_recurrent, read_rnn
from diptych.convert.keras.reshaping import read_reshaping
from diptych.convert.keras.weights import from_keras
from diptych.convert.kinds import Function

Read = Callable[[Reader, Layer, list[Value]], list[Value]]


def _embedding(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
    arguments = reader.arguments(layer)
    masks = arguments.take("mask_zero", False)
    for name in ("input_dim", "output_dim", "units", "input_length", "weights"):
        arguments.take(name)
    _dropout_of_keras_1(arguments)
    arguments.finish()
    node = reader.add(layer, kinds.Embedding(), {"x": given[0].ref}, {"weight": layer.arrays[0]})
    mask = reader.operation(layer, "mask", kind=kinds.NotEqual(), inputs={"x": given[0].ref}) if masks else None
    return [Value(node("output"), mask)]


def _dropout_of_keras_1(arguments: Arguments) -> None:
    if arguments.take("dropout", 0.0):
        arguments.trained_otherwise.append(f"{arguments.where}: dropout acts in training only")


def _masking(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
    arguments = reader.arguments(layer)
    value = float(arguments.take("mask_value", 0.0))
    arguments.take("input_dim")
    arguments.finish()
    real = reader.operation(layer, "real", kind=kinds.NotEqual(value), inputs={"x": given[0].ref})
    mask = reader.operation(layer, "mask", kind=kinds.Quantified("any"), inputs={"x": real})
    return [Value(reader.add(layer, kinds.Masked(), {"x": given[0].ref, "mask": mask})("output"), mask)]


def _dense(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
    arguments = reader.arguments(layer)
    for name in ("units", "input_dim", "input_length", "use_bias"):
        arguments.take(name)
    function = arguments.function("activation")
    arguments.finish()
    weights = from_keras(kinds.Dense(), layer.arrays)
    value = reader.add(layer, kinds.Dense(), {"x": given[0].ref}, weights)("output")
    return [_activated(reader, layer, ref=value, function=function, given=given[0])]


def _activated(reader: Reader, layer: Layer, ref: Any, function: Function, given: Value) -> Value:
    """The value after the activation that a layer brings with it."""
    if function.name != "linear":
        ref = reader.operation(layer, function.name, kind=kinds.Activation(function), inputs={"x": ref})
    return Value(ref, given.mask)


def _activation(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
    arguments = reader.arguments(layer)
    function = arguments.function("activation")
    arguments.finish()
    if function.name == "linear":
        return [given[0]]
    return [Value(reader.add(layer, kinds.Activation(function), {"x": given[0].ref})("output"), given[0].mask)]


def _activation_layer(name: str) -> Read:
    """ReLU, LeakyReLU, ELU, Softmax as layers."""

    def read(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
        arguments = reader.arguments(layer)
        parameter, axis = None, -1
        if name == "leaky_relu":
            parameter = float(arguments.take("negative_slope", arguments.take("alpha", 0.3)))
        if name == "elu":
            parameter = float(arguments.take("alpha", 1.0))
        if name == "relu":
            arguments.only("max_value", None, why="give the limit as an activation")
            arguments.only("negative_slope", 0.0, why="use LeakyReLU")
            arguments.only("threshold", 0.0, why="only a threshold of 0 has a stock form")
        if name == "softmax":
            axis = int(arguments.take("axis", -1))
            if given[0].mask:
                raise arguments.refusal("a Softmax layer under a mask is not converted")
        arguments.finish()
        kind = kinds.Activation(Function(name, parameter), axis)
        return [Value(reader.add(layer, kind, {"x": given[0].ref})("output"), given[0].mask)]

    return read


def _dropout(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
    arguments = reader.arguments(layer)
    rate = float(arguments.take("rate", 0.0) or arguments.take("stddev", 0.0))
    arguments.finish()
    if layer.class_name not in ("Dropout", "SpatialDropout1D"):
        rate = 0.0
    if layer.class_name != "Dropout":
        arguments.trained_otherwise.append(
            f"{layer.path}: {layer.class_name} acts in training only and is not converted"
        )
        return given
    arguments.trained_otherwise.append(f"{layer.path}: dropout draws other random numbers")
    return [Value(reader.add(layer, kinds.Dropout(rate), {"x": given[0].ref})("output"), given[0].mask)]


def _layer_normalization(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
    arguments = reader.arguments(layer)
    flags = {"weight": bool(arguments.take("scale", True)), "bias": bool(arguments.take("center", True))}
    _last_axis(arguments)
    arguments.only("rms_scaling", False, why="it is another formula")
    kind = kinds.LayerNormalization(float(arguments.take("epsilon", 1e-3)))
    arguments.finish()
    weights = from_keras(kind, layer.arrays, flags)
    return [Value(reader.add(layer, kind, {"x": given[0].ref}, weights)("output"), given[0].mask)]


def _last_axis(arguments: Arguments) -> None:
    """Refuse a normalisation over another axis than the last; a file may count it from the front."""
    axis = arguments.take("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if axis not in (-1, 2) and not (axis == 1 and arguments.class_name == "BatchNormalization"):
        raise arguments.refusal(f"axis = {axis!r} cannot be converted: only the last axis can")


def _batch_normalization(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
    arguments = reader.arguments(layer)
    flags = {"weight": bool(arguments.take("scale", True)), "bias": bool(arguments.take("center", True))}
    _last_axis(arguments)
    arguments.only("mode", 0, None, why="Keras 1's other modes normalise otherwise")
    kind = kinds.BatchNormalization(float(arguments.take("epsilon", 1e-3)), float(arguments.take("momentum", 0.99)))
    for name in ("virtual_batch_size", "adjustment", "renorm_clipping", "renorm_momentum"):
        arguments.take(name)
    arguments.finish()
    arguments.trained_otherwise.append(f"{layer.path}: in training, the moving variance is divided by N or by N - 1")
    weights = from_keras(kind, layer.arrays, flags)
    return [Value(reader.add(layer, kind, {"x": given[0].ref}, weights)("output"), given[0].mask)]


def _convolution(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
    arguments = reader.arguments(layer)
    for name in ("filters", "kernel_size", "use_bias", "input_dim", "input_length"):
        arguments.take(name)
    arguments.only("data_format", "channels_last", None, why="transpose the input and use channels_last")
    function = arguments.function("activation")
    stride, dilation = _one(arguments.take("strides", 1)), _one(arguments.take("dilation_rate", 1))
    padding, groups = arguments.take("padding", "valid"), int(arguments.take("groups", 1))
    arguments.finish()
    if padding not in ("valid", "same", "causal"):
        raise arguments.refusal(f"padding = {padding!r}: choose valid, same or causal")
    if padding == "same" and stride > 1:
        raise arguments.refusal("padding = 'same' with strides: what is padded depends on the length; use valid")
    arrays = layer.arrays
    if reader.version == 1:  # (width, 1, C, O)
        arrays = [arrays[0][:, 0], *arrays[1:]]
    kind = kinds.Convolution(stride, dilation, groups=groups, padding=padding)
    value = reader.add(layer, kind, {"x": given[0].ref}, from_keras(kind, arrays))("output")
    return [_activated(reader, layer, ref=value, function=function, given=Value(value))]


def _one(value: Any) -> int:
    return int(value[0] if isinstance(value, list | tuple) else value)


def _pooling(mode: str) -> Read:
    def read(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
        arguments = reader.arguments(layer)
        size = _one(arguments.take("pool_size", 2))
        strides = arguments.take("strides", None)
        stride = size if strides is None else _one(strides)
        arguments.only("padding", "valid", why="pad the input first")
        arguments.only("data_format", "channels_last", None, why="use channels_last")
        arguments.finish()
        kind = kinds.Pooling(cast(Any, mode), size, stride)
        return [Value(reader.add(layer, kind, {"x": given[0].ref})("output"))]

    return read


def _global_pooling(mode: str) -> Read:
    def read(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
        arguments = reader.arguments(layer)
        arguments.only("data_format", "channels_last", None, why="use channels_last")
        keep = bool(arguments.take("keepdims", False))
        arguments.finish()
        inputs = {"x": given[0].ref} | ({"mask": given[0].mask} if given[0].mask and mode == "mean" else {})
        return [Value(reader.add(layer, kinds.GlobalPooling(cast(Any, mode), keep), inputs)("output"))]

    return read


def _merge(mode: str) -> Read:
    def read(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
        reader.arguments(layer).finish()
        node = reader.add(layer, kinds.Merge(cast(Any, mode)), _numbered(given))
        return [Value(node("output"), _joined_masks(reader, layer, given, none_is_all=False))]

    return read


def _numbered(given: list[Value]) -> dict[str, Any]:
    return {f"x{number}": value.ref for number, value in enumerate(given)}


def _joined_masks(reader: Reader, layer: Layer, given: list[Value], none_is_all: bool) -> Any:
    """The mask of a merge: Keras 3 takes what any input's mask allows, Keras 1 and 2 what every one does.

    Args:
        none_is_all: Keras 3: an input without a mask allows every step; otherwise the result has no mask then.
    """
    masks = list(dict.fromkeys(value.mask for value in given if value.mask))
    if reader.version >= 3 and masks and not all(value.mask for value in given):
        if not none_is_all:
            return None
        return reader.operation(
            layer, "mask", kind=kinds.Masks("any"), inputs={"x0": masks[0], "x1": _every_step(reader, layer, masks[0])}
        )
    if len(masks) < 2:
        return masks[0] if masks else None
    mode: Any = "any" if reader.version >= 3 else "all"
    return reader.operation(
        layer, "mask", kind=kinds.Masks(mode), inputs={f"x{n}": mask for n, mask in enumerate(masks)}
    )


def _every_step(reader: Reader, layer: Layer, mask: Any) -> Any:
    """A mask like another, of True."""
    return reader.operation(layer, "every_step", kind=kinds.NotEqual(2.0), inputs={"x": mask})


def _concatenate(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
    arguments = reader.arguments(layer)
    axis = int(arguments.take("axis", -1))
    arguments.finish()
    mask = None
    if axis == 1 and any(value.mask for value in given):
        if not all(value.mask for value in given):
            raise arguments.refusal("along time, some inputs have a mask and some have none")
        masks = {f"x{number}": cast(Any, value.mask) for number, value in enumerate(given)}
        mask = reader.operation(layer, "mask", kind=kinds.Concatenate(1), inputs=masks)
    elif axis != 1:
        mask = _joined_masks(reader, layer, given, none_is_all=True)
    return [Value(reader.add(layer, kinds.Concatenate(axis), _numbered(given))("output"), mask)]


def _rescaling(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
    arguments = reader.arguments(layer)
    kind = kinds.Scaled(float(arguments.take("scale")), float(arguments.take("offset", 0.0)))
    arguments.finish()
    return [Value(reader.add(layer, kind, {"x": given[0].ref})("output"), given[0].mask)]


STEP_BY_STEP = ("Dense", "Activation", "Dropout", "LayerNormalization", "ReLU", "LeakyReLU", "ELU")
"""Layers that act on the last axis only."""


def _time_distributed(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
    """A layer that acts on the last axis only acts on each step as it is; another is refused."""
    inner = layer.config["layer"]
    if inner["class_name"] not in STEP_BY_STEP:
        raise reader.arguments(layer).refusal(
            f"a {inner['class_name']!r} inside it is not converted, for it takes each step for a row of the batch; "
            f"what acts on the last axis is {', '.join(STEP_BY_STEP)}. Convert the layer alone: give it steps as rows"
        )
    config = {name: value for name, value in layer.config.items() if name != "layer"}
    outer = Arguments(layer.path, "TimeDistributed", config=config, version=reader.version)
    for name in ("input_length", "input_dim"):
        outer.take(name)
    outer.finish()
    own = Layer(inner["class_name"], layer.name, path=layer.path, config=inner["config"], arrays=layer.arrays)
    return READERS[inner["class_name"]](reader, own, given)


def _as_it_is(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
    """What changes nothing outside of training."""
    arguments = reader.arguments(layer)
    for name in ("l1", "l2"):
        arguments.take(name)
    arguments.finish()
    return given


READERS: dict[str, Read] = {
    "Embedding": _embedding, "Masking": _masking,
    "Dense": _dense, "TimeDistributedDense": _dense, "TimeDistributed": _time_distributed,
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN", "CuDNNLSTM", "CuDNNGRU"), read_recurrent),
    "RNN": read_rnn, "Bidirectional": read_bidirectional,
    "Activation": _activation, "ReLU": _activation_layer("relu"), "LeakyReLU": _activation_layer("leaky_relu"),
    "ELU": _activation_layer("elu"), "Softmax": _activation_layer("softmax"),
    **dict.fromkeys(("Dropout", "SpatialDropout1D", "GaussianDropout", "GaussianNoise", "AlphaDropout"), _dropout),
    "ActivityRegularization": _as_it_is, "Identity": _as_it_is,
    "LayerNormalization": _layer_normalization, "BatchNormalization": _batch_normalization,
    "Conv1D": _convolution, "Convolution1D": _convolution,
    "MaxPooling1D": _pooling("max"), "AveragePooling1D": _pooling("mean"),
    "GlobalMaxPooling1D": _global_pooling("max"), "GlobalAveragePooling1D": _global_pooling("mean"),
    "Add": _merge("add"), "Multiply": _merge("multiply"), "Subtract": _merge("subtract"),
    "Average": _merge("average"), "Maximum": _merge("maximum"), "Minimum": _merge("minimum"),
    "Concatenate": _concatenate, "Attention": read_attention("dot"), "AdditiveAttention": read_attention("additive"),
    **dict.fromkeys(("Flatten", "Reshape", "Permute", "RepeatVector"), read_reshaping), "Rescaling": _rescaling,
}  # fmt: skip
"""By the class name of the config."""
