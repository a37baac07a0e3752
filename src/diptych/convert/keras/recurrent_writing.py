"""A recurrent node as a stock layer of Keras, or as one for each direction where Bidirectional computes otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace

from diptych.convert import kinds
from diptych.convert.graph import Array, Node, Ref
from diptych.convert.keras.weights import to_keras
from diptych.convert.keras.writing import ProgramWriter
from diptych.convert.kinds import Recurrent
from diptych.errors import RefusalError

LAYERS = {"lstm": "LSTM", "gru": "GRU", "rnn": "SimpleRNN"}


def write_recurrent(writer: ProgramWriter, node: Node, kind: Recurrent) -> None:
    """The lines that compute the node.

    Raises:
        RefusalError: Keras has no stock form for it.
    """
    where, weights = node.origin or node.name, dict(writer.graph.weights_of(node))
    if kind.cell_clip is not None or kind.projection_clip is not None or "peephole_i" in weights:
        raise RefusalError(f"{where}: clips and peepholes have no stock form in Keras; use --to pytorch")
    if "weight_hr" in weights:
        raise RefusalError(f"{where}: a projection has no stock form in Keras")
    initial = [f"{state}0{suffix}" for suffix in kind.suffixes for state in kind.state_names]
    given = [name in node.inputs for name in initial]
    if any(given) and not all(given):
        raise RefusalError(f"{where}: some of its initial states are given and some are not")
    if kind.cell != "gru" and "bias_ih" in weights and "bias_hh" in weights and not node.shares:
        writer.doubled.append(node.name)
    layer = _Layer(writer, node=node, kind=kind, weights=weights, initial=initial if any(given) else [])
    if kind.direction != "both" or kind.zero_masked or "mask" not in node.inputs or not layer.gives("sequence"):
        layer.write()
    else:
        layer.write_each_direction()


@dataclass(frozen=True, eq=False)
class _Layer:
    """One node on its way into a program.

    Attributes:
        writer: collects the program.
        node, kind: what is written.
        weights: by name.
        initial: the inputs that are its initial states; none where it starts from zeros.
    """

    writer: ProgramWriter
    node: Node
    kind: Recurrent
    weights: dict[str, Array]
    initial: list[str]

    def gives(self, output: str) -> bool:
        """Whether something takes this output of the node, or of another call of the same layer: it is one layer."""
        owner = self.node.shares or self.node.name
        calls = [node.name for node in self.writer.graph.nodes if owner in (node.name, node.shares)]
        return any(Ref(name, output) in self.writer.used for name in calls)

    def write(self) -> None:
        """As one layer, within Bidirectional where it runs both ways."""
        writer, node, kind = self.writer, self.node, self.kind
        states = [f"{state}{suffix}" for suffix in kind.suffixes for state in kind.state_names]
        states = states if any(map(self.gives, states)) else []
        as_sequence = self.gives("sequence") or (kind.zero_masked and kind.direction == "both")
        layer = self._formula()
        layer += ", return_sequences=True" if as_sequence else ""
        layer += ", return_state=True" if states else ""
        layer += ", go_backwards=True" if kind.direction == "backward" else ""
        if kind.direction == "both":
            layer = f"layers.Bidirectional({layer})"
        elif kind.zero_masked and "mask" in node.inputs:
            layer += ", zero_output_for_mask=True"
        called = f"{writer.layer(node, layer, to_keras(kind, self.weights))}({self._arguments(self.initial)})"
        name = writer.variable(node.name if as_sequence else f"{node.name}_last")
        found = [name]
        for state in states:
            writer.variables[Ref(node.name, state)] = writer.variable(f"{node.name}_{state}")
            found.append(writer.variables[Ref(node.name, state)])
        writer.lines.append(f"{', '.join(found)} = {called}")
        writer.variables[Ref(node.name, "sequence" if as_sequence else "last")] = name
        if as_sequence and kind.direction == "backward":
            writer.lines.append(f"{name} = ops.flip({name}, axis=1)")
        if as_sequence:
            self._last(name)

    def write_each_direction(self) -> None:
        """As two layers: Bidirectional would give zeros at masked steps, where this model repeats."""
        writer, node, kind = self.writer, self.node, self.kind
        halves = []
        for suffix in kind.suffixes:
            own = {
                name.removesuffix("_reverse"): weight
                for name, weight in self.weights.items() if name.endswith("_reverse") == bool(suffix)
            }  # fmt: skip
            layer = f"{self._formula()}, return_sequences=True, return_state=True"
            layer += ", go_backwards=True" if suffix else ""
            layer = writer.layer(node, layer, weights=to_keras(replace(kind, direction="forward"), own), suffix=suffix)
            name = writer.variable(f"{node.name}{suffix}")
            states = [writer.variable(f"{node.name}_{state}{suffix}") for state in kind.state_names]
            initial = [one for one in self.initial if one.endswith("_reverse") == bool(suffix)]
            writer.lines.append(f"{', '.join([name, *states])} = {layer}({self._arguments(initial)})")
            for state, variable in zip(kind.state_names, states):
                writer.variables[Ref(node.name, f"{state}{suffix}")] = variable
            if suffix:
                writer.lines.append(f"{name} = ops.flip({name}, axis=1)")
            halves.append(name)
        self._last(writer.assign(node, f"ops.concatenate([{', '.join(halves)}], axis=-1)", "sequence"))

    def _formula(self) -> str:
        """The layer with the arguments that say its formula."""
        kind, where = self.kind, self.node.origin or self.node.name
        parts = [str(self.weights["weight_hh"].shape[1])]
        if kind.activation != kinds.TANH:
            parts.append(f"activation={self.writer.activation(kind.activation, where)}")
        if kind.cell != "rnn" and kind.gate != kinds.SIGMOID:
            parts.append(f"recurrent_activation={self.writer.activation(kind.gate, where)}")
        if not kind.reset_after:
            parts.append("reset_after=False")
        if "bias_ih" not in self.weights and "bias_hh" not in self.weights:
            parts.append("use_bias=False")
        return f"layers.{LAYERS[kind.cell]}({', '.join(parts)}"

    def _arguments(self, initial: list[str]) -> str:
        """What the layer is called with."""
        parts = [self.writer.given(self.node, "x")]
        if "mask" in self.node.inputs:
            parts.append(f"mask={self.writer.given(self.node, 'mask')}")
        if initial:
            parts.append(f"initial_state=[{', '.join(self.writer.given(self.node, name) for name in initial)}]")
        return ", ".join(parts)

    def _last(self, sequence: str) -> None:
        """The last output of each direction, taken from the sequence, where something takes it."""
        if not self.gives("last"):
            return
        units = self.weights["weight_hh"].shape[1]
        expression = f"{sequence}[:, {0 if self.kind.direction == 'backward' else -1}]"
        if self.kind.direction == "both":
            expression = f"ops.concatenate([{sequence}[:, -1, :{units}], {sequence}[:, 0, {units}:]], axis=-1)"
        self.writer.assign(self.node, expression, "last")
