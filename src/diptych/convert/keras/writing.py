"""A graph written as a Keras program: text of stock layers that needs Keras 3 only, and each layer's weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from diptych.convert import kinds
from diptych.convert.graph import Array, Graph, Node, Ref
from diptych.convert.keras.weights import from_keras
from diptych.convert.kinds import Function
from diptych.convert.writing import Writer
from diptych.errors import RefusalError


@dataclass(frozen=True)
class WrittenProgram:
    """A Keras program as text and weights.

    Attributes:
        code: the file's text: functions `build` and `load`.
        weights: each layer's, by its name, in the order of `get_weights()`.
        owners: by layer, the node and the end of its weights' names that the layer has.
        variables: the local variables of `build` that hold each value of the graph.
        doubled: nodes whose two biases became one, so that an optimizer step moves it half as far.
    """

    code: str
    weights: Mapping[str, list[Array]]
    owners: Mapping[str, tuple[str, str | None]]
    variables: Mapping[Ref, str]
    doubled: tuple[str, ...]


class ProgramWriter(Writer):
    """Collects a program: what `build` computes, the functions that it needs, and each layer's weights."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.functions: dict[str, str] = {}
        self.weights: dict[str, list[Array]] = {}
        self.owners: dict[str, tuple[str, str | None]] = {}
        self.doubled: list[str] = []
        self.shared = {node.shares for node in graph.nodes if node.shares}
        self.made: set[str] = set()

    def layer(self, node: Node, expression: str, weights: list[Array] | None = None, suffix: str | None = None) -> str:
        """The expression of a layer, whose arguments go on with its name; one that is called again has a line.

        Args:
            node: what it is for.
            expression: "layers.Dense(3", without the last parenthesis.
            weights: its weights.
            suffix: which of a node's two directions it is, where it is one of them.
        """
        owner = (node.shares or node.name) + (suffix or "")
        layer = f"{expression}{'' if expression.endswith('(') else ', '}name={owner!r})".replace("'", '"')
        if weights is not None and not node.shares:
            self.weights[owner] = weights
            self.owners[owner] = (node.name, suffix)
        if (node.shares or node.name) not in self.shared:
            return layer
        if owner not in self.made:
            self.lines.append(f"{owner}_layer = {layer}")
            self.made.add(owner)
        return f"{owner}_layer"

    def activation(self, function: Function, where: str) -> str:
        """An activation as an argument of a recurrent layer."""
        if function.name == "hard_sigmoid_keras_2":
            self.functions["hard_sigmoid_of_keras_2"] = HARD_SIGMOID_OF_KERAS_2
            return "hard_sigmoid_of_keras_2"
        if function.parameter not in (None, {"elu": 1.0, "leaky_relu": 0.2}.get(function.name)):
            raise RefusalError(f"{where}: {function.name} with the parameter {function.parameter} has no stock form")
        return f'"{function.name}"'


HARD_SIGMOID_OF_KERAS_2 = '''
@keras.saving.register_keras_serializable("converted")
def hard_sigmoid_of_keras_2(x):
    """0.2 x + 0.5 within 0 and 1; Keras 3's own is x / 6 + 0.5."""
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)
'''


def write_keras(graph: Graph, title: str) -> WrittenProgram:
    """A graph as a Keras program.

    Args:
        graph: the model.
        title: the first line of the file, without the quotes.

    Raises:
        RefusalError: a part of it has no stock form in Keras.
    """
    from diptych.convert.keras.program import WRITERS

    writer = ProgramWriter(graph)
    for given in graph.inputs:
        name = writer.variable(given.name)
        writer.variables[Ref(given.name)] = name
        types = {"ids": "int32", "lengths": "int32", "mask": "bool", "padding": "bool"}
        dtype = f', dtype="{types[given.kind]}"' if given.kind in types else ""
        shape = f"{given.shape!r}"
        if given.batch_axis:
            whole = (*given.shape[: given.batch_axis], None, *given.shape[given.batch_axis :])
            shape = f"batch_shape={whole!r}"
        writer.lines.append(f'{name} = keras.Input({shape}{dtype}, name="{name}")')
    for node in graph.nodes:
        WRITERS[type(node.kind)](writer, node, node.kind)
    return WrittenProgram(
        _text(writer, title),
        weights=writer.weights,
        owners=writer.owners,
        variables=writer.variables,
        doubled=tuple(writer.doubled),
    )


def _text(writer: ProgramWriter, title: str) -> str:
    outputs = [writer.variables[ref] for ref in writer.graph.outputs.values()]
    inputs = [writer.variables[Ref(given.name)] for given in writer.graph.inputs]
    body = "\n".join(f"    {line}" for line in writer.lines)
    shown = [", ".join(names) if len(names) == 1 else f"[{', '.join(names)}]" for names in (inputs, outputs)]
    uses = [
        name for name in ("layers", "ops") if f"{name}." in body or any(name in f for f in writer.functions.values())
    ]
    return (
        f'"""{title}"""\n\nfrom pathlib import Path\n\nimport keras\n'
        + (f"from keras import {', '.join(uses)}\n" if uses else "")
        + "".join(f"\n{text}" for text in writer.functions.values())
        + f'\n\ndef build():\n    """The model, with initial weights."""\n{body}\n'
        + f"    return keras.Model({shown[0]}, {shown[1]})\n"
        + LOAD
    )


LOAD = '''

def load(path=Path(__file__).with_name("model.keras")):
    """The model with its weights."""
    return keras.saving.load_model(path)
'''


def gradients_of(graph: Graph, written: WrittenProgram, found: Mapping[str, Array]) -> dict[str, Array]:
    """The program's gradients ("LAYER|NUMBER") by the graph's weights; each of two summed biases has the sum's."""
    gradients: dict[str, Array] = {}
    for layer, (name, suffix) in written.owners.items():
        node = graph.node(name)
        arrays = [found[f"{layer}|{n}"] for n in range(len(written.weights[layer])) if f"{layer}|{n}" in found]
        kind: Any = node.kind
        if suffix is not None:
            kind = replace(kind, direction="forward")
        if isinstance(kind, kinds.Attention):
            own = {"scale": arrays[0]}
        elif isinstance(kind, kinds.BatchNormalization | kinds.LayerNormalization):
            own = dict(zip([one for one in ("weight", "bias") if one in node.weights], arrays))
        else:
            own = from_keras(kind, arrays)
        for weight, value in own.items():
            gradients[f"{name}.{weight}{suffix or ''}"] = value
        if name in written.doubled:
            for end in kind.suffixes if suffix is None else (suffix,):
                gradients[f"{name}.bias_hh{end}"] = gradients[f"{name}.bias_ih{end}"]
    return {name: value for name, value in gradients.items() if name in graph.weights()}
