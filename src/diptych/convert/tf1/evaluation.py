"""A frozen graph of TensorFlow 1, run in NumPy and float64, operator by operator: the judge of what was read from it.

It knows nothing of cells: loops run as they stand in the graph. An operator that it does not know is refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert.files.graph import Graph, Node
from diptych.convert.files.model_file import Tensor
from diptych.convert.files.printable import shown
from diptych.convert.tf1.operators import OPERATORS
from diptych.errors import RefusalError

Values = npt.NDArray[Any]
LONGEST = 10_000
"""How many turns a loop may take."""


def place_of(tensor: str) -> tuple[str, int]:
    """The node and the number of the output that a tensor's name means."""
    node, _, number = tensor.partition(":")
    return node, int(number or 0)


@dataclass
class Frame:
    """What is known at one turn of a loop, or outside of all loops.

    Attributes:
        known: by node, all of its outputs.
        outer: around it; None outside of all loops.
    """

    known: dict[str, list[Any]] = field(default_factory=dict)
    outer: Frame | None = None


class Evaluation:
    """The tensors of a frozen graph.

    Args:
        graph: as the file has it.
        given: by node, what takes its output's place.
    """

    def __init__(self, graph: Graph, given: Mapping[str, Values]) -> None:
        self._nodes = {node.name: node for node in graph.nodes}
        self._edges = 1 + sum(len(node.inputs) for node in graph.nodes)
        self._outside = Frame({name: [_exact(np.asarray(value))] for name, value in given.items()})

    def tensor(self, name: str) -> Values:
        """A tensor outside of all loops.

        Raises:
            RefusalError: an operator on its way is not known, or a loop does not end.
        """
        return np.asarray(self._find(name, self._outside))

    def _find(self, wanted: str, frame: Frame) -> Any:
        """A tensor in a frame; what it needs is found first, without recursion: static graphs are deep."""
        waiting = [place_of(wanted)[0]]
        while waiting:
            node = self._node(waiting[-1])
            if node.name in frame.known:
                waiting.pop()
                continue
            if node.operator in ("Enter", "Exit", "Merge"):
                frame.known[node.name] = [self._loop_value(node, frame)]
                continue
            missing = [name for name, _ in _inputs(node) if name not in frame.known]
            if missing:
                if len(waiting) > self._edges:
                    raise RefusalError(f"the node {shown(node.name)} waits for itself")
                waiting += missing
                continue
            frame.known[node.name] = self._run(node, [frame.known[name][number] for name, number in _inputs(node)])
        name, number = place_of(wanted)
        return frame.known[name][number]

    def _node(self, name: str) -> Node:
        if name not in self._nodes:
            raise RefusalError(f"the graph has no node {shown(name)}, which another one reads")
        return self._nodes[name]

    def _run(self, node: Node, values: list[Any]) -> list[Any]:
        if node.operator == "Const":
            stored = node.attributes.get("value")
            if not isinstance(stored, Tensor):
                raise RefusalError(f"{shown(node.name)} is a constant without a value")
            return [_exact(stored.read())]
        if node.operator not in OPERATORS:
            raise RefusalError(f"{shown(node.name)}: the operator {shown(node.operator)} is not known")
        try:
            found = OPERATORS[node.operator](node, *values)
        except (ValueError, IndexError, TypeError, KeyError) as error:
            raise RefusalError(f"{shown(node.name)} ({shown(node.operator)}): {error}") from error
        return found if isinstance(found, list) else [found]

    def _loop_value(self, node: Node, frame: Frame) -> Any:
        if node.operator == "Enter":
            return self._find(node.inputs[0], frame.outer or frame)
        if node.operator == "Merge":
            raise RefusalError(f"{shown(node.name)}: a branch or a loop of a form that is not known")
        loop = loop_of(self._nodes, node)
        state = {merge: self._find(self._nodes[enter].inputs[0], frame) for merge, (enter, _) in loop.variables.items()}
        for _ in range(LONGEST):
            turn = Frame({merge: [value] for merge, value in state.items()}, frame)
            going = bool(self._find(loop.condition, turn))
            for merge in state:
                for switch in loop.switches.get(merge, ()):
                    turn.known[switch] = [state[merge], state[merge]]
            if not going:
                for name, merge in loop.exits.items():
                    frame.known[name] = [state[merge]]
                return state[loop.exits[node.name]]
            state = {
                merge: self._find(self._nodes[onward].inputs[0], turn) for merge, (_, onward) in loop.variables.items()
            }
        raise RefusalError(f"the loop around {shown(node.name)} does not end within {LONGEST:,} turns")


def _exact(value: Values) -> Values:
    """Real numbers in float64; whole ones as they are."""
    return value.astype(np.float64) if value.dtype.kind == "f" else value


def _inputs(node: Node) -> Iterator[tuple[str, int]]:
    return (place_of(name) for name in node.inputs if not name.startswith("^"))


@dataclass(frozen=True)
class Loop:
    """A while loop.

    Attributes:
        name: of its frame.
        variables: by Merge node, its Enter and its NextIteration.
        switches: by Merge node, the Switch nodes behind it.
        exits: by Exit node, the Merge node whose last value it has.
        condition: the tensor that says whether another turn is taken.
    """

    name: str
    variables: Mapping[str, tuple[str, str]]
    switches: Mapping[str, list[str]]
    exits: Mapping[str, str]
    condition: str


def loop_of(nodes: Mapping[str, Node], leaving: Node) -> Loop:
    """The loop that an Exit node leaves.

    Raises:
        RefusalError: it is not built as TensorFlow 1 builds loops.
    """

    def source(node: Node, place: int = 0) -> Node:
        name = place_of(node.inputs[place])[0] if place < len(node.inputs) else ""
        if name not in nodes:
            raise RefusalError(f"{shown(node.name)} ({shown(node.operator)}) reads a node that is not there")
        return nodes[name]

    def of_kind(node: Node, *operators: str) -> Node:
        if node.operator not in operators:
            raise RefusalError(f"{shown(node.name)} ({shown(node.operator)}): a loop of a form that is not known")
        return node

    switch = of_kind(source(leaving), "Switch")
    merge = of_kind(source(switch), "Merge")
    frame = of_kind(source(merge), "Enter").attributes.get("frame_name")
    variables: dict[str, tuple[str, str]] = {}
    switches: dict[str, list[str]] = {}
    exits: dict[str, str] = {}
    for node in nodes.values():
        if node.operator == "Merge" and source(node).attributes.get("frame_name") == frame:
            variables[node.name] = (source(node).name, of_kind(source(node, 1), "NextIteration").name)
    for node in nodes.values():
        if node.operator == "Switch" and source(node).name in variables:
            switches.setdefault(source(node).name, []).append(node.name)
    for node in nodes.values():
        if node.operator == "Exit" and source(source(node)).name in variables:
            exits[node.name] = source(source(node)).name
    condition = of_kind(source(switch, 1), "LoopCond")
    return Loop(str(frame), variables, switches=switches, exits=exits, condition=condition.name)
