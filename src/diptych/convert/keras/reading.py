"""What the readers of Keras's layers share: the layer they read, the values they are given, the graph they add to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from diptych.convert.graph import Array, Graph, Input, Node, Ref, unique_name
from diptych.convert.keras.arguments import Arguments
from diptych.convert.kinds import (
    Embedding,
    Flip,
    Kind,
    Quantified,
    Repeat,
    Reshape,
    Select,
    Slice,
    Squeeze,
    Transpose,
    Unsqueeze,
)
from diptych.errors import RefusalError

MOVES = (Flip, Repeat, Reshape, Select, Slice, Squeeze, Transpose, Unsqueeze)
"""What leaves numbers as they are."""


@dataclass(frozen=True)
class Value:
    """A tensor of the model, and the mask that Keras carries with it."""

    ref: Ref
    mask: Ref | None = None


@dataclass(frozen=True)
class Layer:
    """One call of one layer.

    Attributes:
        class_name: as the config says it.
        name: its own name, which its weights are found under.
        path: with the names of the models it is in.
        config: its arguments.
        arrays: its weights, in the order of `layer.get_weights()`.
        positional: how it is called, a `Value` in each tensor's place.
        keywords: the same by name.
    """

    class_name: str
    name: str
    path: str
    config: Mapping[str, Any]
    arrays: list[Array]
    positional: list[Any] = field(default_factory=list)
    keywords: Mapping[str, Any] = field(default_factory=dict)


class Reader:
    """Collects a graph while the layers of a model are read in the order in which they compute."""

    def __init__(self, version: int, forces_zeros: bool) -> None:
        """
        Args:
            version: of Keras, its first number: 1, 2 or 3.
            forces_zeros: whether Bidirectional gives zeros at masked steps, as it does since tf.keras 2.2.
        """
        self.version, self.forces_zeros = version, forces_zeros
        self.inputs: list[Input] = []
        self.nodes: list[Node] = []
        self.assumptions: list[str] = []
        self.origins: dict[str, Ref] = {}
        self.unreadable: dict[str, RefusalError] = {}
        self.states: dict[str, Value] = {}
        self._arguments: list[Arguments] = []
        self._stateful: set[str] = set()
        self._owners: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()

    def arguments(self, layer: Layer) -> Arguments:
        """A layer's arguments; those that act in training only are remembered."""
        found = Arguments(layer.path, layer.class_name, config=dict(layer.config), version=self.version)
        self._arguments.append(found)
        return found

    def name(self, wanted: str) -> str:
        """A name for a node or an input."""
        found = unique_name(wanted, self._taken)
        self._taken.add(found)
        return found

    def input(self, wanted: str, shape: tuple[int | None, ...], dtype: Any = None) -> Value:
        """One more input of the model; of type "bool" it is a mask."""
        name = self.name(wanted)
        self.inputs.append(Input(name, shape, "mask" if dtype == "bool" else "float"))
        return Value(Ref(name))

    def kept_states(self, layer: Layer, names: Sequence[str], sizes: Sequence[int]) -> list[Value]:
        """The states that a stateful layer keeps between calls, as inputs.

        Raises:
            RefusalError: it is called twice, so that the second call goes on from the first.
        """
        if layer.path in self._stateful:
            raise RefusalError(f"{layer.path}: a stateful layer that is called twice is not converted")
        self._stateful.add(layer.path)
        self.assumptions.append(
            f"{layer.path} is stateful: what it keeps goes in ({', '.join(names)}) and comes out; give zeros "
            f"at first, as after reset_states, then what came out"
        )
        return [self.input(f"{layer.name}_{name}", (size,)) for name, size in zip(names, sizes, strict=True)]

    def add(
        self, layer: Layer, kind: Kind, inputs: Mapping[str, Ref], weights: Mapping[str, Array] | None = None,
        part: str = "",
    ) -> Callable[[str], Ref]:  # fmt: skip
        """A node for a layer or a part of it; gives its outputs by name. A layer called again shares its weights."""
        for ref in inputs.values():
            if ref.node in self.unreadable:
                raise self.unreadable[ref.node]
        name = self.name(f"{layer.name}_{part}" if part else layer.name)
        shares = self._owners.setdefault((layer.path, part), name) if weights else name
        own = weights if weights and shares == name else {}
        self.nodes.append(
            Node(
                name, kind, dict(inputs), weights=dict(own), origin=layer.path, shares=shares if shares != name else ""
            )
        )
        return lambda output: Ref(name, output)

    def obeyed_mask(self, layer: Layer, given: list[Value]) -> Ref | None:
        """The mask by which a recurrent layer computes, given its input and its initial states.

        Keras 3 hands a layer that is called with more than one tensor no mask unless the call names it, though its
        outputs carry the one of its input; Keras 2 hands it on.
        """
        mask = given[0].mask
        if mask is None or self.version < 3 or len(given) == 1 or isinstance(layer.keywords.get("mask"), Value):
            return mask
        self.assumptions.append(
            f"{layer.path} is called with initial states, so Keras 3 does not give it its input's mask: it runs over "
            f"the padding, too"
        )
        return None

    def with_mask(self, value: Value, mask: Ref) -> Value:
        """A value with the mask that a call names, which most often is the one that Keras carries with it anyway.

        Keras 3 writes the operations by which a layer derived its mask into the config. Where they are not converted,
        they belong to a mask that this reader has derived by itself.

        Raises:
            RefusalError: they do not.
        """
        if mask.node in self.unreadable:
            if value.mask is None:
                raise self.unreadable[mask.node]
            return value
        return value if value.mask and self._meaning(mask) == self._meaning(value.mask) else Value(value.ref, mask)

    def _meaning(self, ref: Ref) -> object:
        """Equal for two values that are computed in the same way."""
        node = next((node for node in self.nodes if node.name == ref.node), None)
        if node is None or node.weights or node.shares:
            return ref
        kind, inputs = node.kind, tuple(self._meaning(one) for one in node.inputs.values())
        if (
            isinstance(kind, Squeeze)
            and isinstance(inputs[0], tuple)
            and inputs[0][0] == Quantified("any", kind.axis, True)
        ):
            return Quantified("any", kind.axis), inputs[0][1], ref.output
        return kind, inputs, ref.output

    def operation(self, layer: Layer, part: str, kind: Kind, inputs: Mapping[str, Ref]) -> Ref:
        """A node without weights; gives its only output."""
        return self.add(layer, kind, inputs=inputs, weights=None, part=part)("output")

    def _origin(self, name: str) -> str:
        """The node that a value comes from by nothing but moving it, or the input."""
        known = {node.name: node for node in self.nodes}
        while name in known and isinstance(known[name].kind, MOVES):
            name = known[name].inputs["x"].node
        return name

    def graph(self, outputs: Mapping[str, Value]) -> Graph:
        """The whole graph."""
        limits: dict[str, int] = {}
        for node in self.nodes:
            if isinstance(node.kind, Embedding):
                owner = next(one for one in self.nodes if one.name == (node.shares or node.name))
                rows, given = owner.weights["weight"].shape[0], self._origin(node.inputs["x"].node)
                limits[given] = min(rows, limits.get(given, rows))
        inputs = [
            replace(one, kind="ids", limit=limits[one.name]) if one.name in limits else one for one in self.inputs
        ]
        uncertified = [sentence for arguments in self._arguments for sentence in arguments.trained_otherwise]
        return Graph(
            tuple(inputs),
            tuple(self.nodes),
            {name: value.ref for name, value in outputs.items()},
            assumptions=tuple(dict.fromkeys(self.assumptions)),
            uncertified=tuple(dict.fromkeys(uncertified)),
            origins=self.origins,
        ).pruned()
