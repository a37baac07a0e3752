"""How each kind of node is written in Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from diptych.convert import kinds
from diptych.convert.graph import Node, Ref
from diptych.convert.keras.recurrent_writing import write_recurrent
from diptych.convert.keras.weights import to_keras
from diptych.convert.keras.writing import ProgramWriter
from diptych.convert.writing import Write, cut, line, merge, number, plain, scale, select

ACTIVATIONS = {
    "tanh": "ops.tanh({x})", "sigmoid": "ops.sigmoid({x})", "relu": "ops.relu({x})", "relu6": "ops.relu6({x})",
    "hard_sigmoid": "ops.hard_sigmoid({x})", "hard_sigmoid_keras_2": "ops.clip(0.2 * {x} + 0.5, 0.0, 1.0)",
    "leaky_relu": "ops.leaky_relu({x}, {parameter})", "elu": "ops.elu({x}, {parameter})", "selu": "ops.selu({x})",
    "softsign": "ops.softsign({x})", "softplus": "ops.softplus({x})", "silu": "ops.silu({x})",
    "exponential": "ops.exp({x})", "softmax": "ops.softmax({x}, axis={axis})",
    "log_softmax": "ops.log_softmax({x}, axis={axis})", "linear": "{x}",
}  # fmt: skip


def _with_layer(expression: Callable[[Any, Any], str]) -> Write:
    """A layer with weights, called on x."""

    def write(writer: ProgramWriter, node: Node, kind: Any) -> None:
        weights = writer.graph.weights_of(node)
        layer = writer.layer(node, f"layers.{expression(kind, weights)}", to_keras(kind, dict(weights)))
        writer.assign(node, f"{layer}({writer.given(node, 'x')})")

    return write


def _flags(weights: Any) -> str:
    return "".join(f", {flag}=False" for flag, name in (("scale", "weight"), ("center", "bias")) if name not in weights)


def _no_bias(weights: Any) -> str:
    return "" if "bias" in weights else ", use_bias=False"


def _convolution(writer: ProgramWriter, node: Node, kind: kinds.Convolution) -> None:
    weights = writer.graph.weights_of(node)
    outputs, _, width = weights["weight"].shape
    x, padding = writer.given(node, "x"), kind.padding
    if isinstance(padding, tuple):
        x, padding = f"ops.pad({x}, [[0, 0], [{padding[0]}, {padding[1]}], [0, 0]])", "valid"
    options = [f"strides={kind.stride}"] if kind.stride > 1 else []
    options += [f'padding="{padding}"'] if padding != "valid" else []
    options += [f"dilation_rate={kind.dilation}"] if kind.dilation > 1 else []
    options += [f"groups={kind.groups}"] if kind.groups > 1 else []
    expression = f"layers.Conv1D({', '.join([str(outputs), str(width), *options])}{_no_bias(weights)}"
    writer.assign(node, f"{writer.layer(node, expression, to_keras(kind, dict(weights)))}({x})")


def _global_pooling(writer: ProgramWriter, node: Node, kind: kinds.GlobalPooling) -> None:
    name = "GlobalAveragePooling1D" if kind.mode == "mean" else "GlobalMaxPooling1D"
    mask = f", mask={writer.given(node, 'mask')}" if "mask" in node.inputs else ""
    layer = writer.layer(node, f"layers.{name}({'keepdims=True' if kind.keep_axis else ''}")
    writer.assign(node, f"{layer}({writer.given(node, 'x')}{mask})")


def _attention(writer: ProgramWriter, node: Node, kind: kinds.Attention) -> None:
    weights = writer.graph.weights_of(node)
    if kind.score == "dot":
        expression = f"layers.Attention({'use_scale=True' if weights else ''}"
    else:
        expression = f"layers.AdditiveAttention({'' if weights else 'use_scale=False'}"
    layer = writer.layer(node, expression, list(weights.values()))
    given = [writer.given(node, name) for name in ("query", "value", "key") if name in node.inputs]
    masks = [writer.given(node, name) if name in node.inputs else "None" for name in ("query_mask", "mask")]
    arguments = [f"[{', '.join(given)}]"]
    arguments += [f"mask=[{', '.join(masks)}]"] if masks != ["None", "None"] else []
    arguments += ["use_causal_mask=True"] if kind.causal else []
    arguments += ["return_attention_scores=True"]
    names = [writer.variable(node.name), writer.variable(f"{node.name}_weights")]
    writer.lines.append(f"{', '.join(names)} = {layer}({', '.join(arguments)})")
    for output, name in zip(("output", "weights"), names):
        writer.variables[Ref(node.name, output)] = name


def _masks(writer: ProgramWriter, node: Node, kind: kinds.Masks) -> None:
    names = writer.numbered(node)
    total = names[0]
    for name in names[1:]:
        total = f"ops.logical_{'and' if kind.mode == 'all' else 'or'}({total}, {name})"
    writer.assign(node, total)


def _reshape(writer: ProgramWriter, node: Node, kind: kinds.Reshape) -> None:
    expression = "layers.Flatten(" if kind.shape == (-1,) else f"layers.Reshape({kind.shape!r}"
    writer.assign(node, f"{writer.layer(node, expression)}({writer.given(node, 'x')})")


def _plain_layer(expression: Callable[[Any], str]) -> Write:
    def write(writer: ProgramWriter, node: Node, kind: Any) -> None:
        layer = writer.layer(node, f"layers.{expression(kind)}")
        writer.assign(node, f"{layer}({writer.given(node, 'x')})")

    return write


WRITERS: dict[type[kinds.Kind], Write] = {
    kinds.Recurrent: write_recurrent,
    kinds.Embedding: _with_layer(lambda kind, w: f"Embedding({w['weight'].shape[0]}, {w['weight'].shape[1]}"),
    kinds.Dense: _with_layer(lambda kind, w: f"Dense({w['weight'].shape[0]}{_no_bias(w)}"),
    kinds.LayerNormalization: _with_layer(lambda kind, w: f"LayerNormalization(epsilon={kind.epsilon!r}{_flags(w)}"),
    kinds.BatchNormalization: _with_layer(
        lambda kind, w: f"BatchNormalization(momentum={round(kind.momentum, 12)!r}, epsilon={kind.epsilon!r}{_flags(w)}"
    ),
    kinds.Convolution: _convolution,
    kinds.Activation: lambda writer, node, kind: writer.assign(
        node,
        ACTIVATIONS[kind.function.name].format(
            x=writer.given(node, "x"), parameter=kind.function.parameter, axis=kind.axis
        ),
    ),
    kinds.Pooling: _plain_layer(
        lambda kind: f"{'Average' if kind.mode == 'mean' else 'Max'}Pooling1D({kind.size}, strides={kind.stride}"
    ),
    kinds.GlobalPooling: _global_pooling,
    kinds.Attention: _attention,
    kinds.Merge: merge("ops"),
    kinds.Concatenate: line("ops.concatenate([{all}], axis={kind.axis})"),
    kinds.Product: line("ops.matmul({x0}, {x1})"),
    kinds.Stack: line("ops.stack([{all}], axis={kind.axis})"),
    kinds.Scaled: scale,
    kinds.Select: select,
    kinds.Slice: cut,
    kinds.Flip: line("ops.flip({x}, axis={kind.axis})"),
    kinds.Transpose: line("ops.transpose({x}, {kind.axes})"),
    kinds.Reshape: _reshape,
    kinds.Repeat: _plain_layer(lambda kind: f"RepeatVector({kind.times}"),
    kinds.Unsqueeze: line("ops.expand_dims({x}, axis={kind.axis})"),
    kinds.Squeeze: line("ops.squeeze({x}, axis={kind.axis})"),
    kinds.Reduce: line("ops.{kind.mode}({x}, axis={kind.axis}, keepdims={kind.keep_axis})"),
    kinds.Dropout: _plain_layer(lambda kind: f"Dropout({kind.rate!r}"),
    kinds.NotEqual: lambda writer, node, kind: writer.assign(
        node, f"ops.not_equal({writer.given(node, 'x')}, {plain(kind.value)})"
    ),
    kinds.Quantified: line("ops.{kind.mode}({x}, axis={kind.axis}, keepdims={kind.keep_axis})"),
    kinds.MaskOfLengths: lambda writer, node, kind: writer.assign(
        node,
        f'ops.cumsum(ops.ones_like({writer.given(node, "x")}[..., 0], dtype="int32"), axis=1) '
        f"<= ops.expand_dims({writer.given(node, 'lengths')}, axis=1)",
    ),
    kinds.Masks: _masks,
    kinds.Filled: lambda writer, node, kind: writer.assign(
        node, f"ops.where({writer.given(node, 'mask')}, {number(kind.value)}, {writer.given(node, 'x')})"
    ),
    kinds.Masked: line("ops.where(ops.expand_dims({mask}, axis=-1), {x}, 0.0)"),
}
