"""The layers and operations that a frozen graph's tensors come from, made when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from diptych.convert.files.graph import Graph as FrozenGraph
from diptych.convert.files.graph import Node as Operator
from diptych.convert.files.printable import shown
from diptych.convert.graph import Array, Graph, Input, Node, Ref, unique_name
from diptych.convert.kinds import (
    Activation,
    Concatenate,
    Dense,
    Flip,
    Function,
    Kind,
    Select,
    Stack,
    Transpose,
)
from diptych.convert.tf1.evaluation import place_of
from diptych.convert.tf1.loops import LoopReader
from diptych.convert.tf1.operators import ACTIVATIONS, attribute
from diptych.convert.tf1.steps import SUMS, Step, steps_of
from diptych.convert.tf1.wiring import Wiring
from diptych.errors import RefusalError

TIME_FIRST = Transpose((1, 0, 2))
HINTS = dict.fromkeys(("Select", "SelectV2"), " (as dynamic_rnn has it with sequence_length)")


class Layers:
    """A graph that grows as tensors are asked for.

    Args:
        frozen: the frozen graph.
        given: by name here, the node of each input and its shape.
    """

    def __init__(self, frozen: FrozenGraph, given: Mapping[str, tuple[str, tuple[int | None, ...]]]) -> None:
        self.wiring = Wiring(frozen)
        self.inputs = tuple(Input(name, shape) for name, (_, shape) in given.items())
        self.nodes: list[Node] = []
        self._known = {node: Ref(name) for name, (node, _) in given.items()}
        self.steps = {name: step for step in steps_of(self.wiring) for name in step.after.values()}
        self.runs: dict[Step, Node] = {}
        self._lengths: dict[str, int] = {}

    def graph(self, outputs: Mapping[str, Ref]) -> Graph:
        """The graph of these outputs; a node that nobody asked for is not in it."""
        named = {name.replace(":", "_").replace("/", "_"): ref for name, ref in outputs.items()}
        return Graph(self.inputs, tuple(self.nodes), named)

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

    def operator(self, tensor: str) -> Operator:
        """The node of the frozen graph that a tensor comes from.

        Raises:
            RefusalError: there is none.
        """
        name = place_of(self.wiring.source(tensor))[0]
        if name not in self.wiring.nodes:
            raise RefusalError(f"the graph has no node {shown(name)}, which another one reads")
        return self.wiring.nodes[name]

    def _node(self, ref: Ref) -> Node | None:
        return next((node for node in self.nodes if node.name == ref.node), None)

    def time_first(self, ref: Ref, name: str) -> Ref:
        """A sequence with its first two axes in each other's place; of one that was made so, the one before."""
        node = self._node(ref)
        if node is not None and node.kind == TIME_FIRST:
            return node.inputs["x"]
        return Ref(self.add(name, TIME_FIRST, {"x": ref}).name)

    def _make(self, tensor: str) -> Ref:
        name, place = place_of(tensor)
        node = self.operator(tensor)
        if tensor in self.steps:
            return self._state(tensor)
        maker = getattr(self, f"_{node.operator.lower()}", None)
        if maker is not None:
            made: Ref = maker(node, place)
            return made
        if node.operator in ACTIVATIONS:
            function = ACTIVATIONS[node.operator]
            kind = Activation(Function(function, 1.0 if function == "elu" else None))
            return Ref(self.add(name, kind, {"x": self.value(node.inputs[0])}).name)
        if node.operator in SUMS:
            return self._sum(node)
        raise self.refusal(node)

    def refusal(self, node: Operator) -> RefusalError:
        """The error that names a node."""
        constant = " does not depend on an input," if self.wiring.constant(node.name) is not None else ""
        known = HINTS.get(node.operator, "")
        return RefusalError(
            f"{shown(node.name)}: the operator {shown(node.operator)}{known}{constant} is not understood at this place "
            f"of a frozen graph; cells by themselves convert with --layers SCOPE (diptych inspect lists them)"
        )

    # Operations outside of loops.

    def _transpose(self, node: Operator, place: int) -> Ref:
        order = self._numbers(node, 1)
        ref = self.value(node.inputs[0])
        if tuple(order) == TIME_FIRST.axes:
            return self.time_first(ref, node.name)
        return Ref(self.add(node.name, Transpose(tuple(order)), {"x": ref}).name)

    def _reversev2(self, node: Operator, place: int) -> Ref:
        ref = self.value(node.inputs[0])
        for axis in self._numbers(node, 1):
            # Always the second axis is turned: so a layer that runs backward is seen to be one.
            ref = ref if axis else self.time_first(ref, f"{node.name}_batch_first")
            ref = Ref(self.add(node.name, Flip(axis or 1), {"x": ref}).name)
            ref = ref if axis else self.time_first(ref, f"{node.name}_time_first")
        return ref

    def _concatv2(self, node: Operator, place: int) -> Ref:
        (axis,) = self._numbers(node, len(node.inputs) - 1)
        inputs = {f"x{number}": self.value(name) for number, name in enumerate(node.inputs[:-1])}
        return Ref(self.add(node.name, Concatenate(axis), inputs).name)

    def _pack(self, node: Operator, place: int) -> Ref:
        pieces = [self.value(name) for name in node.inputs]
        axis = int(attribute(node, "axis"))
        return self._stacked(pieces, axis, node.name)

    def _unpack(self, node: Operator, place: int) -> Ref:
        kind = Select(int(attribute(node, "axis")), place)
        return Ref(self.add(node.name, kind, {"x": self.value(node.inputs[0])}).name)

    def _matmul(self, node: Operator, place: int) -> Ref:
        matrix = self.wiring.constant(node.inputs[1])
        if matrix is None or matrix.ndim != 2 or attribute(node, "transpose_a"):
            raise self.refusal(node)
        weight = matrix if attribute(node, "transpose_b") else matrix.T
        return Ref(
            self.add(node.name, Dense(), inputs={"x": self.value(node.inputs[0])}, weights={"weight": weight}).name
        )

    def _softmax(self, node: Operator, place: int) -> Ref:
        return Ref(self.add(node.name, Activation(Function("softmax")), {"x": self.value(node.inputs[0])}).name)

    def _sum(self, node: Operator) -> Ref:
        bias = self.wiring.constant(node.inputs[1])
        ref = self.value(node.inputs[0])
        before = self._node(ref)
        if bias is None or before is None or before.kind != Dense() or "bias" in before.weights or bias.ndim != 1:
            raise self.refusal(node)
        if len(self.wiring.all_readers(self.wiring.source(node.inputs[0]))) != 1:
            raise self.refusal(node)
        self.nodes.remove(before)
        weights = {**before.weights, "bias": bias}
        return Ref(self.add(before.origin, Dense(), inputs=before.inputs, weights=weights).name)

    def _numbers(self, node: Operator, place: int) -> list[int]:
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

    def _stacked(self, pieces: Sequence[Ref], axis: int, name: str) -> Ref:
        """Values of one step each as one value; the sequence that they are the steps of, where they are."""
        nodes = [self._node(ref) for ref in pieces]
        kinds = [node.kind if node is not None else None for node in nodes]
        of = {node.inputs["x"] for node in nodes if node is not None and isinstance(node.kind, Select)}
        places = [(kind.axis, kind.index) for kind in kinds if isinstance(kind, Select)]
        if len(of) == 1 and len(places) == len(pieces) == self._steps_in(next(iter(of)), places[0][0]):
            whole, along = next(iter(of)), places[0][0]
            for order in (range(len(pieces)), range(len(pieces) - 1, -1, -1)):
                if places == [(along, index) for index in order]:
                    whole = whole if along == axis else self.time_first(whole, name)
                    return whole if order.step == 1 else Ref(self.add(name, Flip(axis), {"x": whole}).name)
        inputs = {f"x{number}": ref for number, ref in enumerate(pieces)}
        return Ref(self.add(name, Stack(axis), inputs).name)

    def _steps_in(self, ref: Ref, axis: int) -> int | None:
        """How many steps a sequence has along an axis, where its input says it."""
        node = self._node(ref)
        while node is not None and isinstance(node.kind, Transpose | Flip):
            axis = node.kind.axes[axis] if isinstance(node.kind, Transpose) else axis
            ref = node.inputs["x"]
            node = self._node(ref)
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
            return self.time_first(Ref(self._all_steps(step).name, "sequence"), step.scope)
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
            x = self._stacked([self.value(step.x) for step in chain], 1, f"{chain[0].scope}/steps")
            node = self.layer(chain[0], x)
            self.runs[chain[0]] = node
            self._lengths[node.name] = len(chain)
        return self.runs[chain[0]]

    def _all_steps(self, step: Step) -> Node:
        if step not in self.runs:
            self.runs[step] = self.layer(step, self.time_first(self.value(step.x), f"{step.scope}/batch_first"))
        return self.runs[step]

    def layer(self, step: Step, x: Ref, initial: Mapping[str, str] | None = None) -> Node:
        """A recurrent layer over x, from the state before its first step."""
        inputs = {"x": x}
        for name, tensor in (initial or step.before).items():
            if not self._is_zero(tensor):
                inputs[f"{name}0"] = self.value(tensor)
        first = next((node for node in self.nodes if node.origin == step.scope and node.weights), None)
        node = self.add(step.scope, step.kind, inputs=inputs, weights={} if first else step.weights)
        if first is not None:  # the same kernel is run again
            self.nodes[-1] = node = replace(node, shares=first.name)
        return node

    def _is_zero(self, tensor: str) -> bool:
        constant = self.wiring.constant(tensor)
        if constant is not None:
            return not constant.any()
        node = self.wiring.nodes.get(place_of(self.wiring.source(tensor))[0])
        return node is not None and node.operator == "Fill" and self._is_zero(node.inputs[1])

    # Loops.

    def _exit(self, node: Operator, place: int) -> Ref:
        return LoopReader(self, node).last_state()

    def _tensorarraygatherv3(self, node: Operator, place: int) -> Ref:
        places, leaving = self.operator(node.inputs[1]), self.operator(node.inputs[2])
        if leaving.operator != "Exit" or places.operator != "Range":
            raise self.refusal(node)
        start, step = (self.wiring.constant(places.inputs[number]) for number in (0, 2))
        from_start = start is not None and not start.any() and step is not None and int(step) == 1
        if not from_start or self.operator(places.inputs[1]).operator != "TensorArraySizeV3":
            raise self.refusal(node)
        return LoopReader(self, leaving).gathered(node)

    def _stridedslice(self, node: Operator, place: int) -> Ref:
        """One place on the first axis; of a BlockLSTM's cell states, the last one."""
        begin = self._numbers(node, 1)
        masks = [attribute(node, f"{name}_mask") for name in ("ellipsis", "new_axis", "begin")]
        if len(begin) != 1 or attribute(node, "shrink_axis_mask") != 1 or any(masks):
            raise self.refusal(node)
        tensor = self.wiring.source(node.inputs[0])
        step = self.steps.get(tensor)
        if step is not None and step.whole and tensor == step.after["c"]:
            return Ref(self._all_steps(step).name, "c")  # another step than the last one is found by the check
        return Ref(self.add(node.name, Select(0, begin[0]), {"x": self.value(tensor)}).name)
