"""The layers that a frozen graph's tensors come from, made when they are asked for; cells become layers here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from diptych.convert.files.graph import Graph as FrozenGraph
from diptych.convert.files.graph import Node as Operator
from diptych.convert.files.printable import shown
from diptych.convert.graph import Array, Graph, Input, Node, Ref, unique_name
from diptych.convert.kinds import Flip, Kind, MaskOfLengths, Select, Slice, Stack, Transpose
from diptych.convert.tf1.evaluation import place_of
from diptych.convert.tf1.operations import READERS
from diptych.convert.tf1.steps import Step, steps_of
from diptych.convert.tf1.wiring import Wiring
from diptych.errors import RefusalError

TIME_FIRST = Transpose((1, 0, 2))


class Layers:
    """A graph that grows as tensors are asked for.

    Args:
        frozen: the frozen graph.
        given: by name here, the node of each input and its shape.
        whole: the names of those that are whole numbers.

    Attributes:
        turned: what stands for a sequence whose rows are turned round as far as they go: the sequence as it was, and
            their lengths. Only a layer may read it, which then runs backward.
        turned_back: by layer that runs backward, what stands for its outputs in the order in which it ran.
    """

    def __init__(
        self, frozen: FrozenGraph, given: Mapping[str, tuple[str, tuple[int | None, ...]]], whole: Collection[str] = ()
    ) -> None:
        self.wiring, self.whole = Wiring(frozen), whole
        self.inputs = tuple(Input(name, shape) for name, (_, shape) in given.items())
        self.nodes: list[Node] = []
        self._known = {node: Ref(name) for name, (node, _) in given.items()}
        self.steps = {name: step for step in steps_of(self.wiring) for name in step.after.values()}
        self.runs: dict[Step, Node] = {}
        self._lengths: dict[str, int] = {}
        self._limits: dict[str, int] = {}
        self._ends: set[str] = set()
        self.turned: dict[Ref, tuple[Ref, Ref]] = {}
        self.turned_back: dict[str, Ref] = {}

    def graph(self, outputs: Mapping[str, Ref]) -> Graph:
        """The graph of these outputs; a node that nobody asked for is not in it."""
        named = {name.replace(":", "_").replace("/", "_"): ref for name, ref in outputs.items()}
        return Graph(tuple(map(self._told, self.inputs)), tuple(self.nodes), named)

    def _told(self, given: Input) -> Input:
        """An input with what is known of it."""
        if given.name in self._limits:
            return replace(given, kind="ids", limit=self._limits[given.name])
        return replace(given, kind="lengths") if given.name in self._ends else given

    def value(self, tensor: str) -> Ref:
        """A tensor outside of all loops.

        Raises:
            RefusalError: a node on its way has no form here.
        """
        tensor = self.wiring.source(tensor)
        if tensor not in self._known:
            self._known[tensor] = self._make(tensor)
        return self._known[tensor]

    def add(
        self, wanted: str, kind: Kind, inputs: Mapping[str, Ref], weights: Mapping[str, Array] | None = None
    ) -> Node:
        """A node, called after the one in the file."""
        taken = [*(node.name for node in self.nodes), *(given.name for given in self.inputs)]
        node = Node(unique_name(wanted, taken), kind, inputs=inputs, weights=weights or {}, origin=wanted)
        self.nodes.append(node)
        return node

    def add_shared(self, wanted: str, kind: Kind, inputs: Mapping[str, Ref], weights: Mapping[str, Array]) -> Node:
        """A node with the weights of a place in the file; where another one has them, they are shared."""
        first = next((node for node in self.nodes if node.origin == wanted and node.weights), None)
        node = self.add(wanted, kind, inputs=inputs, weights={} if first else weights)
        if first is not None:
            self.nodes[-1] = node = replace(node, shares=first.name)
        return node

    def tell_ids(self, ref: Ref, limit: int) -> bool:
        """Take the input behind a value for ids below a limit; False where there is no input of whole numbers."""
        while (node := self.node(ref)) is not None and isinstance(node.kind, Transpose | Flip | Select | Slice):
            ref = node.inputs["x"]
        if ref.node not in self.whole:
            return False
        self._limits[ref.node] = min(limit, self._limits.get(ref.node, limit))
        return True

    def operator(self, tensor: str) -> Operator:
        """The node of the frozen graph that a tensor comes from.

        Raises:
            RefusalError: there is none.
        """
        name = place_of(self.wiring.source(tensor))[0]
        if name not in self.wiring.nodes:
            raise RefusalError(f"the graph has no node {shown(name)}, which another one reads")
        return self.wiring.nodes[name]

    def node(self, ref: Ref) -> Node | None:
        """The node that gives a value; None of an input."""
        return next((node for node in self.nodes if node.name == ref.node), None)

    def time_first(self, ref: Ref, name: str) -> Ref:
        """A sequence with its first two axes in each other's place; of one that was made so, the one before."""
        node = self.node(ref)
        if node is not None and node.kind == TIME_FIRST:
            return node.inputs["x"]
        return Ref(self.add(name, TIME_FIRST, {"x": ref}).name)

    def _make(self, tensor: str) -> Ref:
        node, (_, place) = self.operator(tensor), place_of(tensor)
        if tensor in self.steps:
            return self._state(tensor)
        if node.operator not in READERS:
            raise self.refusal(node)
        return READERS[node.operator](self, node, place)

    def refusal(self, node: Operator) -> RefusalError:
        """The error that names a node."""
        constant = " does not depend on an input," if self.wiring.constant(node.name) is not None else ""
        return RefusalError(
            f"{shown(node.name)}: the operator {shown(node.operator)}{constant} is not understood at this place "
            f"of a frozen graph; cells by themselves convert with --layers SCOPE (diptych inspect lists them)"
        )

    def numbers(self, node: Operator, place: int) -> list[int]:
        """A constant of whole numbers among a node's inputs; what a Range and a ConcatV2 make of constants, too."""
        found = self._whole(node.inputs[place])
        if not found:
            raise self.refusal(node)
        return found

    def _whole(self, tensor: str) -> list[int]:
        """Whole numbers that are constants; none where they are not."""
        constant = self.wiring.constant(tensor)
        if constant is not None:
            return [int(one) for one in np.atleast_1d(constant)] if constant.dtype.kind in "iu" else []
        node = self.operator(tensor)
        if node.operator not in ("Range", "ConcatV2"):
            return []
        parts = [self._whole(name) for name in node.inputs]
        if not all(parts):
            return []
        if node.operator == "Range":
            return list(range(*(part[0] for part in parts)))
        return [number for part in parts[:-1] for number in part]

    def stacked(self, pieces: Sequence[Ref], axis: int, name: str) -> Ref:
        """Values of one step each as one value; the sequence that they are the steps of, where they are."""
        places = [self._place(ref) for ref in pieces]
        whole, along, _ = places[0] or (pieces[0], axis, 0)
        if len(pieces) == self._steps_in(whole, along):
            for order in (range(len(pieces)), range(len(pieces) - 1, -1, -1)):
                if places == [(whole, along, index) for index in order]:
                    whole = whole if along == axis else self.time_first(whole, name)
                    return whole if order.step == 1 else Ref(self.add(name, Flip(axis), {"x": whole}).name)
        inputs = {f"x{number}": ref for number, ref in enumerate(pieces)}
        return Ref(self.add(name, Stack(axis), inputs).name)

    def _place(self, ref: Ref) -> tuple[Ref, int, int] | None:
        """Of one step of a sequence: the sequence, its axis of time, and which step; None of anything else."""
        node = self.node(ref)
        if node is not None and isinstance(node.kind, Select):
            return node.inputs["x"], node.kind.axis, node.kind.index
        if node is not None and node.name in self._lengths and ref.output == "h":
            return Ref(node.name, "sequence"), 1, self._lengths[node.name] - 1
        return None

    def _steps_in(self, ref: Ref, axis: int) -> int | None:
        """How many steps a sequence has along an axis, where its input says it."""
        node = self.node(ref)
        while node is not None and isinstance(node.kind, Transpose | Flip):
            axis = node.kind.axes[axis] if isinstance(node.kind, Transpose) else axis
            ref = node.inputs["x"]
            node = self.node(ref)
        if node is not None:
            return self._lengths.get(node.name)
        shape = next(one.shape for one in self.inputs if one.name == ref.node)
        return shape[axis] if axis < len(shape) else None

    # Cells.

    def _state(self, tensor: str) -> Ref:
        """What a step outside of loops gives."""
        step = self.steps[tensor]
        if step.whole:
            if tensor != step.after["h"]:
                raise RefusalError(f"{shown(tensor)}: of the cell states only the last one is converted")
            return self.time_first(Ref(self.all_steps(step).name, "sequence"), step.scope)
        chain = self._chain(step)
        node = self._unrolled(chain)
        name = next(name for name, after in step.after.items() if after == tensor)
        if step is chain[-1]:
            return Ref(node.name, name)
        if name != "h":
            raise RefusalError(f"{shown(tensor)}: of the cell states only the last one is converted")
        place = chain.index(step)
        return Ref(self.add(f"{node.name}_{place}", Select(1, place), {"x": Ref(node.name, "sequence")}).name)

    def _chain(self, step: Step) -> list[Step]:
        """The steps of one unrolled layer, in order."""
        steps = [one for one in dict.fromkeys(self.steps.values()) if one.scope == step.scope and not one.whole]

        def follows(one: Step, other: Step) -> bool:
            return all(self.wiring.source(other.before[name]) == one.after[name] for name in one.after)

        chain = [step]
        while before := [one for one in steps if follows(one, chain[0])]:
            chain.insert(0, before[0])
        while after := [one for one in steps if follows(chain[-1], one)]:
            chain.append(after[0])
        return chain

    def _unrolled(self, chain: list[Step]) -> Node:
        if chain[0] not in self.runs:
            x = self.stacked([self.value(step.x) for step in chain], 1, f"{chain[0].scope}/steps")
            node = self.layer(chain[0], x)
            self.runs[chain[0]] = node
            self._lengths[node.name] = len(chain)
        return self.runs[chain[0]]

    def all_steps(self, step: Step) -> Node:
        if step not in self.runs:
            self.runs[step] = self.layer(step, self.time_first(self.value(step.x), f"{step.scope}/batch_first"))
        return self.runs[step]

    def layer(self, step: Step, x: Ref, initial: Mapping[str, str] | None = None, lengths: str | None = None) -> Node:
        """A recurrent layer over x, from the state before its first step.

        Args:
            step: the cell.
            x: (B, T, ...).
            initial: the tensors of its first states; of none, those before the step.
            lengths: the tensor that says after how many steps a row ends; then there are zeros.
        """
        kind, inputs, turned = step.kind, {"x": x}, self.turned.get(x)
        if lengths is not None:
            end = self.lengths(lengths)
            if turned and turned[1] == end:
                inputs["x"], kind = turned[0], replace(kind, direction="backward")
            inputs["mask"], kind = self._mask(inputs["x"], end), replace(kind, zero_masked=True)
        for name, tensor in (initial or step.before).items():
            if not self.is_zero(tensor):
                inputs[f"{name}0"] = self.value(tensor)
        node = self.add_shared(step.scope, kind, inputs=inputs, weights=step.weights)
        if kind.direction == "backward":
            # The loop has its outputs in the order in which it ran, so they stand for what is turned back later.
            self.turned_back[node.name] = Ref(node.name, "turned")
            self.turned[Ref(node.name, "turned")] = (Ref(node.name, "sequence"), end)
        return node

    def turn(self, ref: Ref, lengths: str, name: str) -> Ref:
        """A sequence whose rows are turned round, each as far as it goes; of one that was, the one before."""
        end = self.lengths(lengths)
        if ref in self.turned and self.turned[ref][1] == end:
            return self.turned[ref][0]
        found = Ref(name, "turned")
        self.turned[found] = (ref, end)
        return found

    def lengths(self, tensor: str) -> Ref:
        """The input that says how many steps each row has.

        Raises:
            RefusalError: the tensor is none.
        """
        node = self.operator(tensor)
        ref = self.value(node.inputs[0] if node.operator == "Cast" else tensor)
        if ref.node not in self.whole or ref.node in self._limits:
            raise self.refusal(node)
        self._ends.add(ref.node)
        return ref

    def _mask(self, x: Ref, lengths: Ref) -> Ref:
        known = next((n for n in self.nodes if n.kind == MaskOfLengths() and n.inputs["lengths"] == lengths), None)
        made = known or self.add(f"{lengths.node}_mask", MaskOfLengths(), {"x": x, "lengths": lengths})
        return Ref(made.name)

    def is_zero(self, tensor: str) -> bool:
        """Whether a tensor is all zeros."""
        constant = self.wiring.constant(tensor)
        if constant is not None:
            return not constant.any()
        node = self.wiring.nodes.get(place_of(self.wiring.source(tensor))[0])
        return node is not None and node.operator == "Fill" and self.is_zero(node.inputs[1])
