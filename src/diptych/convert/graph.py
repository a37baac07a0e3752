"""A model between two frameworks: a graph of layers with typed arguments and named weights.

Every reader makes one, every writer takes one, and the judge runs it from the formulas. What a framework leaves unsaid
is said here: a mask is a value like any other and goes into the layer that obeys it; a layer's last output is another
output than its final state; an activation is a node of its own.

Weights have PyTorch's orientation: rows are outputs; the gates lie in the order i, f, g, o (LSTM) and r, z, n (GRU).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy.typing as npt

from diptych.convert.kinds import Kind

Array = npt.NDArray[Any]
Weights = Mapping[str, Array]


@dataclass(frozen=True)
class Ref:
    """One output of a node, or an input of the graph (then `node` is the input's name)."""

    node: str
    output: str = "output"

    def __str__(self) -> str:
        return self.node if self.output == "output" else f"{self.node}.{self.output}"


@dataclass(frozen=True)
class Input:
    """What a model is given.

    Attributes:
        name: a Python name.
        shape: without the batch; None is a length that may change.
        kind: "float"; "ids" (whole numbers below `limit`); "lengths" (how many steps of a row are real); "mask" (True
            where a step is real); "padding" (True where it is none).
        limit: of ids, how many there are; None where nothing says so.
        batch_axis: where the batch is; `shape` leaves it out.
    """

    name: str
    shape: tuple[int | None, ...]
    kind: Literal["float", "ids", "lengths", "mask", "padding"] = "float"
    limit: int | None = None
    batch_axis: int = 0


@dataclass(frozen=True, eq=False)
class Node:
    """One layer or operation.

    Attributes:
        name: a Python name that no other node has.
        kind: what it does, with its arguments.
        inputs: where its inputs come from; the names are those that the kind's docstring lists.
        weights: by name, in the layout of this module.
        origin: what it is called in the user's model.
        shares: the name of the node whose weights this one uses, where a model calls a layer again.
    """

    name: str
    kind: Kind
    inputs: Mapping[str, Ref]
    weights: Weights = field(default_factory=dict)
    origin: str = ""
    shares: str = ""


@dataclass(frozen=True, eq=False)
class Graph:
    """A whole model.

    Attributes:
        inputs: in the order in which the model takes them.
        nodes: each after those that it needs.
        outputs: by name, in the order in which the model gives them.
        assumptions: what the file does not say and was taken for granted, a sentence each.
        uncertified: what the certificate cannot speak for, a sentence each.
        origins: the values that the user's model shows too, by what it calls them.
    """

    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    outputs: Mapping[str, Ref]
    assumptions: tuple[str, ...] = ()
    uncertified: tuple[str, ...] = ()
    origins: Mapping[str, Ref] = field(default_factory=dict)

    def node(self, name: str) -> Node:
        """The node of a name."""
        return next(node for node in self.nodes if node.name == name)

    def weights_of(self, node: Node) -> Weights:
        """A node's weights, its own or those that it shares."""
        return self.node(node.shares).weights if node.shares else node.weights

    def weights(self) -> dict[str, Array]:
        """Every weight of the model, as `node.weight`."""
        return {f"{node.name}.{name}": value for node in self.nodes for name, value in node.weights.items()}

    def with_weights(self, weights: Weights) -> Graph:
        """The same graph with other weights, named as `weights()` names them; those not given stay."""
        return replace(
            self,
            nodes=tuple(
                replace(
                    node, weights={name: weights.get(f"{node.name}.{name}", old) for name, old in node.weights.items()}
                )
                for node in self.nodes
            ),
        )

    def with_node(self, changed: Node) -> Graph:
        """The same graph with one node changed."""
        return replace(self, nodes=tuple(changed if node.name == changed.name else node for node in self.nodes))

    def used(self) -> set[Ref]:
        """Every value that a node or the outputs ask for."""
        return set(self.outputs.values()) | {ref for node in self.nodes for ref in node.inputs.values()}

    def pruned(self) -> Graph:
        """The same graph without nodes that nothing asks for, unless they hold weights."""
        nodes: list[Node] = []
        wanted = {ref.node for ref in self.outputs.values()}
        for node in reversed(self.nodes):
            if node.name in wanted or node.weights:
                wanted |= {ref.node for ref in node.inputs.values()} | {node.shares}
                nodes.append(node)
        kept = {node.name for node in nodes} | {given.name for given in self.inputs}
        origins = {name: ref for name, ref in self.origins.items() if ref.node in kept}
        return replace(self, nodes=tuple(reversed(nodes)), origins=origins)


def unique_name(wanted: str, taken: Iterable[str]) -> str:
    """A Python name like the one wanted that is not taken."""
    import keyword

    name = "".join(letter if letter.isascii() and (letter.isalnum() or letter == "_") else "_" for letter in wanted)
    name = name.strip("_") or "value"
    if name[0].isdigit() or keyword.iskeyword(name) or name in RESERVED:
        name = f"layer_{name}"
    taken = set(taken)
    candidates = [name, *(f"{name}_{number}" for number in range(1, len(taken) + 2))]
    return next(candidate for candidate in candidates if candidate not in taken)


RESERVED = frozenset("self torch nn F model keras layers ops math np training forward modules parameters".split())
"""Names that a written program uses itself."""
