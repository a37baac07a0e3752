"""Mistakes with sequences: masks taken for lengths, rows without a step, time and batch in each other's place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from diptych.convert.causes.structure import using
from diptych.convert.causes.weights import Rewiring
from diptych.convert.graph import Graph, Node, Ref
from diptych.convert.kinds import (
    Attention,
    Filled,
    MaskOfLengths,
    Masks,
    Merge,
    NotEqual,
    Recurrent,
    Reduce,
    Scaled,
    Select,
    Slice,
    Transpose,
)


def rewired(graph: Graph) -> Iterator[Rewiring]:
    """Each mistake, planted in a recurrent layer."""
    for node in graph.nodes:
        if isinstance(node.kind, Attention | Filled) and "mask" in node.inputs:
            turned = Node(f"{node.name}_turned", NotEqual(1.0), {"x": node.inputs["mask"]})
            yield (
                "attention mask", "the mask of the attention has True and False in each other's place",
                "mask_polarity", node.origin or node.name, _with_mask(graph, node, added=[turned], mask=turned),
            )  # fmt: skip
        if not isinstance(node.kind, Recurrent):
            continue
        where = node.origin or node.name
        if "mask" in node.inputs:
            counted, lengths = _counted(node)
            yield (
                "mask", "its mask is taken for lengths: as many first steps as are real, whichever they are",
                "masks_with_holes", where, _with_mask(graph, node, added=[*counted, lengths], mask=lengths),
            )  # fmt: skip
            started = _rows_started(node)
            yield (
                "empty rows", "a row without a real step is run for one step (a length of 0 made 1)",
                "empty_sequences", where, _with_mask(graph, node, added=started, mask=started[-1]),
            )  # fmt: skip
        if states := [name for name in node.inputs if name[1:2] == "0"]:
            first = [Node(f"{node.name}_{name}", Slice(0, 0, 1), {"x": node.inputs[name]}) for name in states]
            own = {**node.inputs, **{name: Ref(one.name) for name, one in zip(states, first)}}
            yield (
                "states", "every row starts in the states of the first one (a batch of 1 baked in)",
                "", where, _with_inputs(graph, node, added=first, inputs=own),
            )  # fmt: skip
        if not any(name != "x" for name in node.inputs if name != "mask"):
            yield (
                "axes", "it runs along the batch: time and batch are in each other's place (batch_first, time_major)",
                "time_major", where, _along_the_batch(graph, node),
            )  # fmt: skip


def _counted(node: Node) -> tuple[list[Node], Node]:
    count = Node(f"{node.name}_count", Reduce("sum", 1), {"x": node.inputs["mask"]})
    inputs = {"x": node.inputs["x"], "lengths": Ref(count.name)}
    return [count], Node(f"{node.name}_of_lengths", MaskOfLengths(), inputs)


def _rows_started(node: Node) -> list[Node]:
    """The mask, and True at the first step of a row that has none."""
    (count,), _ = _counted(node)
    one = Node(f"{node.name}_one", Scaled(0.0, 1.0), {"x": Ref(count.name)})
    some = Node(f"{node.name}_some", Merge("minimum"), {"x0": Ref(count.name), "x1": Ref(one.name)})
    none = Node(f"{node.name}_none", Scaled(-1.0, 1.0), {"x": Ref(some.name)})
    inputs = {"x": node.inputs["x"], "lengths": Ref(none.name)}
    first = Node(f"{node.name}_first", MaskOfLengths(), inputs)
    both = {"x0": node.inputs["mask"], "x1": Ref(first.name)}
    return [count, one, some, none, first, Node(f"{node.name}_started", Masks("any"), both)]


def _with_mask(graph: Graph, node: Node, added: list[Node], mask: Node) -> Graph:
    return _with_inputs(graph, node, added=added, inputs={**node.inputs, "mask": Ref(mask.name)})


def _with_inputs(graph: Graph, node: Node, added: list[Node], inputs: dict[str, Ref]) -> Graph:
    """The graph with more nodes before one, whose inputs they change."""
    changed = replace(node, inputs=inputs)
    nodes = [new for one in graph.nodes for new in ([*added, changed] if one.name == node.name else [one])]
    return replace(graph, nodes=tuple(nodes))


def _along_the_batch(graph: Graph, node: Node) -> Graph:
    """The layer over x with its first two axes turned, and its sequence turned back."""
    turned = Node(f"{node.name}_turned", Transpose((1, 0, 2)), {"x": node.inputs["x"]})
    back = Node(f"{node.name}_back", Transpose((1, 0, 2)), {"x": Ref(node.name, "sequence")})
    last = Node(f"{node.name}_last", Select(1, -1), {"x": Ref(back.name)})
    graph = using(graph, node, output="last", added=[last], instead=Ref(last.name))
    graph = using(graph, node, output="sequence", added=[back], instead=Ref(back.name))
    changed = replace(node, inputs={"x": Ref(turned.name)})
    nodes = [new for one in graph.nodes for new in ([turned, changed] if one.name == node.name else [one])]
    return replace(graph, nodes=tuple(nodes))
