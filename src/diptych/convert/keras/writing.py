"""A graph written as a Keras program: text of stock layers that needs Keras 3 only, and each layer's weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from diptych.convert import kinds
from diptych.convert.graph import Array, Graph, Node, Ref
from diptych.convert.keras.weights import from_keras, to_keras
from diptych.convert.kinds import Function, Recurrent
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
        if isinstance(node.kind, Recurrent):
            _recurrent(writer, node, node.kind)
        else:
            WRITERS[type(node.kind)](writer, node, node.kind)
    return WrittenProgram(
        _text(writer, title),
        weights=writer.weights,
        owners=writer.owners,
        variables=writer.variables,
        doubled=tuple(writer.doubled),
    )


def _recurrent(writer: ProgramWriter, node: Node, kind: Recurrent) -> None:
    weights = dict(writer.graph.weights_of(node))
    if kind.cell_clip is not None or kind.projection_clip is not None or "peephole_i" in weights:
        raise RefusalError(
            f"{node.origin or node.name}: clips and peepholes have no stock form in Keras; use --to pytorch"
        )
    if "weight_hr" in weights:
        raise RefusalError(f"{node.origin or node.name}: a projection has no stock form in Keras")
    if kind.cell != "gru" and "bias_ih" in weights and "bias_hh" in weights and not node.shares:
        writer.doubled.append(node.name)
    states = [f"{name}{suffix}" for suffix in kind.suffixes for name in kind.state_names]
    initial = [f"{name}0{suffix}" for suffix in kind.suffixes for name in kind.state_names]
    given = [name in node.inputs for name in initial]
    if any(given) and not all(given):
        raise RefusalError(f"{node.origin or node.name}: some of its initial states are given and some are not")
    initial = initial if any(given) else []
    wants = {name for name in ("sequence", "last", *states) if Ref(node.name, name) in writer.used}
    as_sequence = "sequence" in wants or (kind.zero_masked and kind.direction == "both")
    together = kind.direction == "both" and not (as_sequence and "mask" in node.inputs and not kind.zero_masked)
    if kind.direction != "both" or together:
        _one_layer(
            writer,
            node,
            kind=kind,
            weights=weights,
            wants=wants,
            as_sequence=as_sequence,
            states=states,
            initial=initial,
        )
    else:
        _two_layers(
            writer,
            node,
            kind=kind,
            weights=weights,
            wants=wants,
            as_sequence=as_sequence,
            initial=initial,
        )


def _cell(writer: ProgramWriter, node: Node, kind: Recurrent, weights: Mapping[str, Array]) -> str:
    """The layer's arguments that say its formula."""
    where = node.origin or node.name
    name = {"lstm": "LSTM", "gru": "GRU", "rnn": "SimpleRNN"}[kind.cell]
    parts = [str(weights["weight_hh"].shape[1])]
    if kind.activation != kinds.TANH:
        parts.append(f"activation={writer.activation(kind.activation, where)}")
    if kind.cell != "rnn" and kind.gate != kinds.SIGMOID:
        parts.append(f"recurrent_activation={writer.activation(kind.gate, where)}")
    if not kind.reset_after:
        parts.append("reset_after=False")
    if "bias_ih" not in weights and "bias_hh" not in weights:
        parts.append("use_bias=False")
    return f"layers.{name}({', '.join(parts)}"


def _one_layer(
    writer: ProgramWriter, node: Node, kind: Recurrent, weights: dict[str, Array], wants: set[str],
    as_sequence: bool, states: list[str], initial: list[str],
) -> None:  # fmt: skip
    inner = _cell(writer, node, kind=kind, weights=weights)
    inner += ", return_sequences=True" if as_sequence else ""
    shows_states = bool(wants & set(states))
    inner += ", return_state=True" if shows_states else ""
    inner += ", go_backwards=True" if kind.direction == "backward" else ""
    if kind.direction == "both":
        layer = writer.layer(node, f"layers.Bidirectional({inner})", to_keras(kind, weights))
    else:
        inner += ", zero_output_for_mask=True" if kind.zero_masked and "mask" in node.inputs else ""
        layer = writer.layer(node, inner, to_keras(kind, weights))
    arguments = _call(writer, node, initial)
    name = writer.variable(node.name if as_sequence else f"{node.name}_last")
    found = [name]
    if shows_states:
        for state in states:
            variable = writer.variable(f"{node.name}_{state}")
            writer.variables[Ref(node.name, state)] = variable
            found.append(variable)
    writer.lines.append(f"{', '.join(found)} = {layer}({arguments})")
    writer.variables[Ref(node.name, "sequence" if as_sequence else "last")] = name
    if as_sequence and kind.direction == "backward":
        writer.lines.append(f"{name} = ops.flip({name}, axis=1)")
    if as_sequence and "last" in wants:
        _last(writer, node, kind=kind, weights=weights, sequence=name)


def _last(writer: ProgramWriter, node: Node, kind: Recurrent, weights: Mapping[str, Array], sequence: str) -> None:
    """The last output of each direction, taken from the sequence."""
    units = weights["weight_hh"].shape[1]
    expression = f"{sequence}[:, {0 if kind.direction == 'backward' else -1}]"
    if kind.direction == "both":
        expression = f"ops.concatenate([{sequence}[:, -1, :{units}], {sequence}[:, 0, {units}:]], axis=-1)"
    writer.assign(node, expression, "last")


def _two_layers(
    writer: ProgramWriter, node: Node, kind: Recurrent, weights: dict[str, Array], wants: set[str],
    as_sequence: bool, initial: list[str],
) -> None:  # fmt: skip
    """A layer for each direction: Bidirectional would give zeros at masked steps, where this model repeats."""
    found = []
    for suffix in kind.suffixes:
        own = {n.removesuffix("_reverse"): w for n, w in weights.items() if n.endswith("_reverse") == bool(suffix)}
        inner = _cell(writer, node, kind=kind, weights=weights) + ", return_sequences=True, return_state=True"
        inner += ", go_backwards=True" if suffix else ""
        layer = writer.layer(node, inner, weights=to_keras(replace(kind, direction="forward"), own), suffix=suffix)
        name = writer.variable(f"{node.name}{suffix}")
        variables = [writer.variable(f"{node.name}_{state}{suffix}") for state in kind.state_names]
        half = [one for one in initial if one.endswith("_reverse") == bool(suffix)]
        writer.lines.append(f"{', '.join([name, *variables])} = {layer}({_call(writer, node, half)})")
        for state, variable in zip(kind.state_names, variables):
            writer.variables[Ref(node.name, f"{state}{suffix}")] = variable
        if suffix:
            writer.lines.append(f"{name} = ops.flip({name}, axis=1)")
        found.append(name)
    sequence = writer.assign(node, f"ops.concatenate([{', '.join(found)}], axis=-1)", "sequence")
    if "last" in wants:
        _last(writer, node, kind=kind, weights=weights, sequence=sequence)


def _call(writer: ProgramWriter, node: Node, initial: list[str]) -> str:
    parts = [writer.given(node, "x")]
    if "mask" in node.inputs:
        parts.append(f"mask={writer.given(node, 'mask')}")
    if initial:
        states = [writer.given(node, name) for name in initial]
        parts.append(f"initial_state=[{', '.join(states)}]")
    return ", ".join(parts)


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
