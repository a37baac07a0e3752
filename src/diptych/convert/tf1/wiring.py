"""Who reads which tensor of a frozen graph, and which tensors are constants."""

from __future__ import annotations

from collections.abc import Mapping

from diptych.convert.files.graph import Graph as FrozenGraph
from diptych.convert.files.graph import Node
from diptych.convert.files.model_file import Tensor
from diptych.convert.graph import Array
from diptych.convert.tf1.evaluation import place_of

THROUGH = ("Identity", "StopGradient", "Snapshot")
"""Operators that give what they are given."""
SUMS = ("Add", "AddV2", "BiasAdd")


class NoCellError(Exception):
    """The operators are those of no cell."""


class Wiring:
    """Who reads which tensor of a frozen graph, and which tensors are constants."""

    def __init__(self, graph: FrozenGraph) -> None:
        self.nodes: Mapping[str, Node] = {node.name: node for node in graph.nodes}
        self.readers: dict[str, list[tuple[Node, int]]] = {}
        for node in graph.nodes:
            for place, name in enumerate(node.inputs):
                if not name.startswith("^"):
                    self.readers.setdefault(plain(name), []).append((node, place))

    def source(self, tensor: str) -> str:
        """The tensor behind Identity nodes."""
        for _ in range(len(self.nodes)):
            node = self.nodes.get(place_of(tensor)[0])
            if node is None or node.operator not in THROUGH:
                break
            tensor = node.inputs[0]
        return plain(tensor)

    def constant(self, tensor: str) -> Array | None:
        """The numbers of a tensor that is a constant, also one carried into a loop; otherwise None."""
        for _ in range(len(self.nodes)):
            node = self.nodes.get(place_of(tensor)[0])
            if node is None:
                return None
            if node.operator == "Const" and isinstance(value := node.attributes.get("value"), Tensor):
                return value.read()
            entering = node.operator == "Enter" and node.attributes.get("is_constant")
            if not entering and node.operator not in THROUGH:
                return None
            tensor = node.inputs[0]
        return None

    def all_readers(self, tensor: str) -> list[tuple[Node, int]]:
        """The nodes that read a tensor, Identity nodes seen through."""
        found, waiting = [], [plain(tensor)]
        while waiting:
            for node, place in self.readers.get(waiting.pop(), []):
                if node.operator in THROUGH:
                    waiting.append(node.name)
                else:
                    found.append((node, place))
        return found

    def only(self, tensor: str, *operators: str) -> Node:
        """The one node that reads a tensor, of one of these operators."""
        readers = self.all_readers(tensor)
        if len(readers) != 1 or readers[0][0].operator not in operators:
            raise NoCellError
        return readers[0][0]

    def other(self, node: Node, tensor: str) -> str:
        """The other one of a node's two inputs."""
        first, second = (self.source(name) for name in node.inputs[:2])
        if self.source(tensor) not in (first, second):
            raise NoCellError
        return second if first == self.source(tensor) else first

    def weight(self, tensor: str, rank: int) -> Array:
        """A constant of real numbers."""
        value = self.constant(tensor)
        if value is None or value.ndim != rank or value.dtype.kind != "f":
            raise NoCellError
        return value

    def name_of_constant(self, tensor: str) -> str:
        """The node that has a constant's numbers."""
        name = place_of(tensor)[0]
        while self.nodes[name].operator != "Const":
            name = place_of(self.nodes[name].inputs[0])[0]
        return name


def plain(tensor: str) -> str:
    """A tensor's name, NODE for NODE:0."""
    return tensor.removesuffix(":0")
