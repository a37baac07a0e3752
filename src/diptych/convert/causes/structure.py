"""Mistakes with what is computed: reset forms, activations, masks, directions, last outputs, states, epsilons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from diptych.convert.causes.weights import Change, Rewiring
from diptych.convert.graph import Graph, Node, Ref
from diptych.convert.kinds import (
    Activation,
    Attention,
    BatchNormalization,
    Concatenate,
    Filled,
    Flip,
    Function,
    LayerNormalization,
    Recurrent,
    Scaled,
    Select,
    Slice,
)

GATES = {
    "sigmoid": "sigmoid", "hard_sigmoid": "hard_sigmoid of Keras 3, clip(x / 6 + 0.5)",
    "hard_sigmoid_keras_2": "hard_sigmoid of Keras 1 and 2, clip(0.2 x + 0.5)",
}  # fmt: skip
EPSILONS = (1e-3, 1e-5, 1e-6, 1e-12)


def changes() -> Iterator[Change]:
    """Each mistake of one node, as `causes.weights.changes` gives them."""
    yield "reset", "the reset gate acts on the other side of the product", "reset_after", _reset
    for name, sentence in GATES.items():
        yield "gate activation", f"its gates have the {sentence}", "", _gate(Function(name))
    for name in ("tanh", "relu", "sigmoid"):
        yield "activation", f"its activation is {name}", "", _activation(Function(name))
    yield "mask", "the padding is not masked", "padded_outputs", _without_mask
    yield (
        "zeros",
        "masked outputs are zeros instead of repeated, or repeated instead of zeros",
        "padded_outputs",
        _zeros,
    )
    yield "runs", "it runs the other way", "go_backwards", _other_way
    yield "states", "the initial states h and c are in each other's place", "bidirectional_states", _states_swapped
    yield (
        "states",
        "the initial states of forward and backward are in each other's place",
        "bidirectional_states",
        _ends_swapped,
    )
    yield "states", "its initial states are not given to it", "attention_without_state", _without_states
    yield "clip", "its cell state is not clipped", "", _clip("cell_clip", None)
    yield "clip", "its cell state is clipped to +-3, the default of LSTMBlockCell", "", _clip("cell_clip", 3.0)
    yield "clip", "its projection is not clipped", "", _clip("projection_clip", None)
    for epsilon in EPSILONS:
        yield "epsilon", f"its epsilon is {epsilon:g}", "layer_normalization_epsilon", _epsilon(epsilon)
    yield "softmax", "the softmax is missing: these are logits", "logits_or_probabilities", _no_softmax
    yield "attention mask", "the mask of the attention is missing", "mask_polarity", _attention_without_mask


def _reset(node: Node) -> Node | None:
    if isinstance(node.kind, Recurrent) and node.kind.cell == "gru":
        return replace(node, kind=replace(node.kind, reset_after=not node.kind.reset_after))
    return None


def _gate(function: Function) -> Callable[[Node], Node | None]:
    def change(node: Node) -> Node | None:
        if isinstance(node.kind, Recurrent) and node.kind.cell != "rnn" and node.kind.gate != function:
            return replace(node, kind=replace(node.kind, gate=function))
        return None

    return change


def _activation(function: Function) -> Callable[[Node], Node | None]:
    def change(node: Node) -> Node | None:
        if isinstance(node.kind, Recurrent) and node.kind.activation != function:
            return replace(node, kind=replace(node.kind, activation=function))
        return None

    return change


def _without_mask(node: Node) -> Node | None:
    if isinstance(node.kind, Recurrent) and "mask" in node.inputs:
        return replace(node, inputs={name: ref for name, ref in node.inputs.items() if name != "mask"})
    return None


def _zeros(node: Node) -> Node | None:
    if isinstance(node.kind, Recurrent) and "mask" in node.inputs:
        return replace(node, kind=replace(node.kind, zero_masked=not node.kind.zero_masked))
    return None


def _other_way(node: Node) -> Node | None:
    if isinstance(node.kind, Recurrent) and node.kind.direction != "both":
        other = "forward" if node.kind.direction == "backward" else "backward"
        return replace(node, kind=replace(node.kind, direction=other))  # type: ignore[arg-type]
    return None


def _states_swapped(node: Node) -> Node | None:
    if isinstance(node.kind, Recurrent) and "h0" in node.inputs and "c0" in node.inputs:
        moved = {f"{a}0{end}": node.inputs[f"{b}0{end}"] for end in node.kind.suffixes for a, b in ("hc", "ch")}
        return replace(node, inputs={**node.inputs, **moved})
    return None


def _ends_swapped(node: Node) -> Node | None:
    if isinstance(node.kind, Recurrent) and "h0_reverse" in node.inputs and "h0" in node.inputs:
        moved = {f"{name}0{end}": node.inputs[f"{name}0{other}"] for name in node.kind.state_names
                 for end, other in (("", "_reverse"), ("_reverse", ""))}  # fmt: skip
        return replace(node, inputs={**node.inputs, **moved})
    return None


def _without_states(node: Node) -> Node | None:
    if isinstance(node.kind, Recurrent) and any(name[1:2] == "0" for name in node.inputs):
        return replace(node, inputs={name: ref for name, ref in node.inputs.items() if name[1:2] != "0"})
    return None


def _clip(name: str, limit: float | None) -> Callable[[Node], Node | None]:
    def change(node: Node) -> Node | None:
        if isinstance(node.kind, Recurrent) and node.kind.cell == "lstm" and getattr(node.kind, name) != limit:
            changes: dict[str, Any] = {name: limit}
            return replace(node, kind=replace(node.kind, **changes))
        return None

    return change


def _epsilon(epsilon: float) -> Callable[[Node], Node | None]:
    def change(node: Node) -> Node | None:
        if isinstance(node.kind, LayerNormalization | BatchNormalization) and node.kind.epsilon != epsilon:
            return replace(node, kind=replace(node.kind, epsilon=epsilon))
        return None

    return change


def _no_softmax(node: Node) -> Node | None:
    if isinstance(node.kind, Activation) and node.kind.function.name in ("softmax", "log_softmax"):
        return replace(node, kind=Activation(Function("linear")))
    return None


def _attention_without_mask(node: Node) -> Node | None:
    if isinstance(node.kind, Filled):
        return replace(node, kind=Scaled(), inputs={"x": node.inputs["x"]})
    if isinstance(node.kind, Attention) and "mask" in node.inputs:
        return replace(node, inputs={name: ref for name, ref in node.inputs.items() if name != "mask"})
    return None


def rewired(graph: Graph) -> Iterator[Rewiring]:
    """Mistakes with which output of a layer is used: (family, sentence, entry, where, the graph with it)."""
    for node in graph.nodes:
        if not isinstance(node.kind, Recurrent):
            continue
        where = node.origin or node.name
        if node.kind.direction == "both":
            units = graph.weights_of(node)["weight_hh"].shape[1]
            last = Node(f"{node.name}_step", Select(1, -1), {"x": Ref(node.name, "sequence")})
            if Ref(node.name, "last") in graph.used():
                pointed = using(graph, node, output="last", added=[last], instead=Ref(last.name))
                yield (
                    "last", "its last output is outputs[:, -1], where the backward direction has seen one step",
                    "bidirectional_last_output", where, pointed,
                )  # fmt: skip
            if Ref(node.name, "sequence") in graph.used():
                forward = Node(f"{node.name}_part", Slice(-1, 0, units), {"x": Ref(node.name, "sequence")})
                back = Node(f"{node.name}_part_reverse", Slice(-1, units, None), {"x": Ref(node.name, "sequence")})
                turned = Node(f"{node.name}_turned", Flip(1), {"x": Ref(back.name)})
                joined = Node(f"{node.name}_joined", Concatenate(-1), {"x0": Ref(forward.name), "x1": Ref(turned.name)})
                parts = [forward, back, turned, joined]
                pointed = using(graph, node, output="sequence", added=parts, instead=Ref(joined.name))
                yield (
                    "reversed", "the backward direction's outputs stay in the order in which it ran", "go_backwards",
                    where, pointed,
                )  # fmt: skip
        elif node.kind.direction == "backward" and Ref(node.name, "sequence") in graph.used():
            turned = Node(f"{node.name}_turned", Flip(1), {"x": Ref(node.name, "sequence")})
            yield (
                "reversed", "its outputs are turned round once too often, or not at all", "go_backwards", where,
                using(graph, node, output="sequence", added=[turned], instead=Ref(turned.name)),
            )  # fmt: skip
        if Ref(node.name, "last") in graph.used() and "mask" in node.inputs and node.kind.direction == "forward":
            unmasked = Node(f"{node.name}_step", Select(1, -1), {"x": Ref(f"{node.name}_zeros", "sequence")})
            twin = replace(
                node, name=f"{node.name}_zeros", kind=replace(node.kind, zero_masked=True), weights={},
                shares=node.shares or node.name,
            )  # fmt: skip
            yield (
                "last", "its last output is taken at the last step, which is padding in shorter rows", "padded_outputs",
                where, using(graph, node, output="last", added=[twin, unmasked], instead=Ref(unmasked.name)),
            )  # fmt: skip


def using(graph: Graph, node: Node, output: str, added: list[Node], instead: Ref) -> Graph:
    """The graph where something else is used for an output of a node."""
    old = Ref(node.name, output)
    nodes: list[Node] = []
    for one in graph.nodes:
        nodes.append(replace(one, inputs={name: instead if ref == old else ref for name, ref in one.inputs.items()}))
        if one.name == node.name:
            nodes += added
    outputs = {name: instead if ref == old else ref for name, ref in graph.outputs.items()}
    return replace(graph, nodes=tuple(nodes), outputs=outputs)
