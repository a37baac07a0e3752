"""A while loop of a frozen graph that steps a cell through time, as a recurrent layer over a whole sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diptych.convert.files.graph import Node as Operator
from diptych.convert.graph import Node, Ref
from diptych.convert.tf1.evaluation import loop_of, place_of
from diptych.convert.tf1.steps import Step
from diptych.convert.tf1.wiring import SUMS

if TYPE_CHECKING:
    from diptych.convert.tf1.layers import Layers


class LoopReader:
    """The layers of one loop.

    Args:
        layers: what they are added to.
        leaving: an Exit node of the loop.
    """

    def __init__(self, layers: Layers, leaving: Operator) -> None:
        self.layers, self.wiring = layers, layers.wiring
        self.loop = loop_of(layers.wiring.nodes, leaving)
        self.merge = self.loop.exits[leaving.name]

    def last_state(self) -> Ref:
        """What the variable that leaves is after the last turn: a state of a cell."""
        onward, _ = self._kept_at_end(self._onward(self.merge), self.merge)
        step = self.layers.steps.get(onward)
        if step is None:
            raise self.layers.refusal(self._node(onward))
        name = next(name for name, after in step.after.items() if after == onward)
        return Ref(self._layer(step).name, name)

    def gathered(self, node: Operator) -> Ref:
        """A TensorArray that the loop writes, its places 0, 1, 2 and so on gathered: (T, B, ...)."""
        written = self._node(self._onward(self.merge))
        if written.operator != "TensorArrayWriteV3" or self._variable(written.inputs[3]) != self.merge:
            raise self.layers.refusal(written)
        if self._carried(written.inputs[0]) != self.wiring.source(node.inputs[0]):
            raise self.layers.refusal(written)
        self._check_counts(written, 1)
        return self.layers.time_first(self._sequence(written.inputs[2]), node.name)

    def _sequence(self, tensor: str) -> Ref:
        """What a tensor in the loop is at all turns: (B, T, ...)."""
        node = self._node(tensor)
        if self._past_end(node) and self.layers.is_zero(self._carried(node.inputs[1])):
            tensor = node.inputs[2]  # the layer, whose states have the same lengths, gives zeros there
        tensor = self.wiring.source(tensor)
        step = self.layers.steps.get(tensor)
        if step is not None and tensor == step.after["h"]:
            layer = self._layer(step)
            return self.layers.turned_back.get(layer.name) or Ref(layer.name, "sequence")
        node = self._node(tensor)
        if node.operator != "TensorArrayReadV3":
            raise self.layers.refusal(node)
        self._check_counts(node, 1)
        scattered = self._node(self._carried(node.inputs[2]))
        if scattered.operator != "TensorArrayScatterV3":
            raise self.layers.refusal(scattered)
        return self.layers.time_first(self.layers.value(scattered.inputs[2]), f"{node.name}_batch_first")

    def _layer(self, step: Step) -> Node:
        if step not in self.layers.runs:
            initial, ends = {}, set()
            for name, before in step.before.items():
                merge = self._variable(before)
                onward, end = self._kept_at_end(self._onward(merge), merge) if merge is not None else ("", None)
                if merge is None or onward != step.after[name]:
                    raise self.layers.refusal(self._node(before))
                initial[name] = self.wiring.nodes[self.loop.variables[merge][0]].inputs[0]
                ends.add(end)
            if len(ends) > 1:
                raise self.layers.refusal(self._node(step.after["h"]))
            x, (end,) = self._sequence(step.x), ends
            self.layers.runs[step] = self.layers.layer(step, x, initial=initial, lengths=end)
        return self.layers.runs[step]

    def _past_end(self, node: Operator) -> str | None:
        """Of a Select between what was and what is new, where the time is past a row's length: the lengths."""
        if node.operator not in ("Select", "SelectV2"):
            return None
        late = self._node(node.inputs[0])
        if late.operator != "GreaterEqual":
            raise self.layers.refusal(node)
        self._check_counts(late, 0)
        return self._carried(late.inputs[1])

    def _kept_at_end(self, tensor: str, merge: str) -> tuple[str, str | None]:
        """What a variable becomes, and the lengths past which it stays what it was, where there are some."""
        node = self._node(tensor)
        lengths = self._past_end(node)
        if lengths is None:
            return tensor, None
        if self._variable(node.inputs[1]) != merge:
            raise self.layers.refusal(node)
        return self.wiring.source(node.inputs[2]), lengths

    def _node(self, tensor: str) -> Operator:
        return self.layers.operator(tensor)

    def _onward(self, merge: str) -> str:
        """What a variable becomes at the next turn."""
        return self.wiring.source(self.wiring.nodes[self.loop.variables[merge][1]].inputs[0])

    def _variable(self, tensor: str) -> str | None:
        """The variable that a tensor is at the beginning of a turn."""
        name, place = place_of(self.wiring.source(tensor))
        return next((merge for merge, behind in self.loop.switches.items() if name in behind and place == 1), None)

    def _carried(self, tensor: str) -> str:
        """The tensor outside that is carried into the loop unchanged."""
        node = self._node(tensor)
        if node.operator != "Enter" or not node.attributes.get("is_constant"):
            raise self.layers.refusal(node)
        return self.wiring.source(node.inputs[0])

    def _check_counts(self, node: Operator, place: int) -> None:
        """Refuse a node whose place in a TensorArray is not 0, 1, 2 and so on."""
        merge = self._variable(node.inputs[place])
        if merge is None:
            raise self.layers.refusal(node)
        start = self.wiring.constant(self.wiring.nodes[self.loop.variables[merge][0]].inputs[0])
        adding = self._node(self._onward(merge))
        counted = [self.wiring.constant(name) for name in adding.inputs[:2]]
        by_one = any(value is not None and value.shape == () and int(value) == 1 for value in counted)
        itself = merge in [self._variable(name) for name in adding.inputs[:2]]
        if adding.operator not in SUMS or not by_one or not itself or start is None or start.any():
            raise self.layers.refusal(node)
