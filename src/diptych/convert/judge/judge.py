"""Runs a graph node by node. Each kind's formula is one function; its docstring is in `kinds`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert import kinds
from diptych.convert.graph import Graph, Node, Ref
from diptych.convert.judge import layers
from diptych.convert.judge.activations import apply
from diptych.convert.judge.cells import product, run_direction, weights_of_direction

Values = npt.NDArray[Any]
Named = Mapping[str, Values]

FORMULAS: dict[type[kinds.Kind], Callable[[Any, Named, Named], Values | dict[str, Values]]] = {
    kinds.Dense: lambda kind, x, w: product(x["x"], w["weight"]) + w.get("bias", 0.0),
    kinds.Activation: lambda kind, x, w: apply(kind.function, x["x"], kind.axis),
    kinds.LayerNormalization: layers.layer_normalization,
    kinds.BatchNormalization: layers.batch_normalization,
    kinds.Convolution: layers.convolution,
    kinds.Pooling: layers.pooling,
    kinds.GlobalPooling: layers.global_pooling,
    kinds.Attention: layers.attention,
    kinds.Merge: layers.merge,
    kinds.Concatenate: lambda kind, x, w: np.concatenate(_numbered(x), axis=kind.axis),
    kinds.Product: lambda kind, x, w: x["x0"] @ x["x1"],
    kinds.Stack: lambda kind, x, w: np.stack(_numbered(x), axis=kind.axis),
    kinds.Scaled: lambda kind, x, w: x["x"] * kind.factor + kind.offset,
    kinds.Select: lambda kind, x, w: np.take(x["x"], kind.index, axis=kind.axis),
    kinds.Slice: layers.part,
    kinds.Flip: lambda kind, x, w: np.flip(x["x"], axis=kind.axis),
    kinds.Transpose: lambda kind, x, w: np.transpose(x["x"], kind.axes),
    kinds.Reshape: lambda kind, x, w: x["x"].reshape(len(x["x"]), *kind.shape),
    kinds.Repeat: lambda kind, x, w: np.repeat(x["x"][:, None], kind.times, axis=1),
    kinds.Unsqueeze: lambda kind, x, w: np.expand_dims(x["x"], kind.axis),
    kinds.Squeeze: lambda kind, x, w: np.squeeze(x["x"], kind.axis),
    kinds.Reduce: layers.reduce,
    kinds.Dropout: lambda kind, x, w: x["x"],
    kinds.NotEqual: lambda kind, x, w: x["x"] != kind.value,
    kinds.Quantified: lambda kind, x, w: getattr(np, kind.mode)(x["x"], axis=kind.axis, keepdims=kind.keep_axis),
    kinds.MaskOfLengths: lambda kind, x, w: np.arange(x["x"].shape[1]) < x["lengths"][:, None],
    kinds.Masks: lambda kind, x, w: getattr(np, kind.mode)(_numbered(x), axis=0),
    kinds.Filled: lambda kind, x, w: np.where(x["mask"], kind.value, x["x"]),
    kinds.Masked: lambda kind, x, w: np.where(x["mask"][..., None], x["x"], 0),
}


def run(graph: Graph, inputs: Named, dtype: Any = np.float64) -> dict[Ref, Values]:
    """Every value of the graph.

    Args:
        graph: the model.
        inputs: by name, the batch first.
        dtype: of weights and floats: float32 or float64.

    Raises:
        ValueError: a node cannot take what it is given; its name, and the sizes.
    """
    values = {Ref(given.name): _typed(inputs[given.name], given.kind, dtype) for given in graph.inputs}
    for node in graph.nodes:
        try:
            values |= _values_of(graph, node, values=values, dtype=dtype)
        except (ValueError, IndexError) as error:
            given = ", ".join(f"{name} {values[ref].shape}" for name, ref in node.inputs.items())
            weights = ", ".join(f"{name} {value.shape}" for name, value in graph.weights_of(node).items())
            whose = f", and its weights are {weights}" if weights else ""
            raise ValueError(
                f"{node.origin or node.name} ({type(node.kind).__name__}) cannot take {given}{whose}"
            ) from error
    return values


def run_again(graph: Graph, values: Mapping[Ref, Values], changed: str, weights: Named) -> dict[Ref, Values]:
    """What of the graph's values becomes another one when one node has these weights.

    Args:
        graph: the model.
        values: all of them, as they are with the graph's weights.
        changed: the node's name; what shares its weights changes, too.
        weights: instead of its own; they may be complex.
    """
    graph = graph.with_node(replace(graph.node(changed), weights=weights))
    new: dict[Ref, Values] = {}
    touched: set[str] = set()
    for node in graph.nodes:
        if changed in (node.name, node.shares) or any(ref.node in touched for ref in node.inputs.values()):
            touched.add(node.name)
            given = {ref: new[ref] if ref in new else values[ref] for ref in node.inputs.values()}
            new |= _values_of(graph, node, values=given, dtype=np.float64)
    return new


def _values_of(graph: Graph, node: Node, values: Mapping[Ref, Values], dtype: Any) -> dict[Ref, Values]:
    """A node's outputs. Its weights are widened for it alone: all of a large model's at once would fill the memory."""
    given = {name: values[ref] for name, ref in node.inputs.items()}
    if isinstance(node.kind, kinds.Embedding):  # of its table, the rows that are asked for only
        rows = graph.weights_of(node)["weight"][given["x"]]
        return {Ref(node.name): rows if rows.dtype.kind == "c" else rows.astype(dtype)}
    weights = {
        name: value if value.dtype.kind == "c" else value.astype(dtype, copy=False)
        for name, value in graph.weights_of(node).items()
    }
    formula = _recurrent if isinstance(node.kind, kinds.Recurrent) else FORMULAS[type(node.kind)]
    found = formula(node.kind, given, weights)
    named = found if isinstance(found, dict) else {"output": found}
    return {Ref(node.name, name): value for name, value in named.items()}


def _typed(value: Values, kind: str, dtype: Any) -> Values:
    whole = {"float": dtype, "mask": np.bool_, "padding": np.bool_}.get(kind, np.int64)
    return np.asarray(value).astype(whole)


def _numbered(x: Named) -> list[Values]:
    return [x[f"x{number}"] for number in range(len(x))]


def _recurrent(kind: Any, x: Named, w: Named) -> dict[str, Values]:
    sequences, lasts = [], []
    states: dict[str, Values] = {}
    for suffix in kind.suffixes:
        own = weights_of_direction(w, suffix)
        sizes = {"h": (own["weight_hr"] if "weight_hr" in own else own["weight_hh"].T).shape[0]}
        sizes["c"] = own["weight_hh"].shape[0] // len(kind.gates)
        state = {
            name: x.get(f"{name}0{suffix}", np.zeros((len(x["x"]), sizes[name]), x["x"].dtype))
            for name in kind.state_names
        }
        backward = kind.direction == "backward" or bool(suffix)
        sequence, last, final = run_direction(kind, own, x=x["x"], mask=x.get("mask"), state=state, backward=backward)
        sequences.append(sequence)
        lasts.append(last)
        states |= {f"{name}{suffix}": value for name, value in final.items()}
    return {"sequence": np.concatenate(sequences, axis=-1), "last": np.concatenate(lasts, axis=-1), **states}
