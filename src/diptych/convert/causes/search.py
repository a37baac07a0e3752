"""Which mistake, or which two, give the other model's numbers."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from diptych.convert.causes import sequences, structure, weights
from diptych.convert.causes.fault import Fault
from diptych.convert.graph import Graph

Measure = Callable[[Graph], float]


@dataclass(frozen=True, eq=False)
class Explanation:
    """The mistakes that close a gap.

    Attributes:
        faults: one, or two of them; one for each layer that has other weights.
        before: the gap without them.
        after: the gap with them.
    """

    faults: tuple[Fault, ...]
    before: float
    after: float


def faults(graph: Graph) -> Iterator[Fault]:
    """Every mistake that can be planted in a graph, in each layer by itself and in all of them."""
    for rewired in (structure.rewired, sequences.rewired, weights.rewired):
        for family, what, entry, where, changed_graph in rewired(graph):
            yield Fault(family, what, where=where, entry=entry, graph=changed_graph)
    for family, what, entry, change in itertools.chain(weights.changes(), structure.changes()):
        changed = {node.name: new for node in graph.nodes if (new := change(node)) is not None}
        for name, node in changed.items():
            yield Fault(family, what, where=node.origin or name, entry=entry, graph=graph.with_node(node))
        if len(changed) > 1:
            whole = graph
            for node in changed.values():
                whole = whole.with_node(node)
            yield Fault(family, what, where="every layer of its kind", entry=entry, graph=whole)


def explain(
    graph: Graph, measure: Measure, limit: float, seconds: float = 60.0, loaded: Sequence[Fault] = ()
) -> Explanation | None:
    """The mistake that brings a model within the limit of another's numbers, or the two that do; None if none do.

    Single mistakes are tried first; then pairs, starting with the mistakes that bring the models closest, until the
    time is up. Where layers have other weights, the model is given all of them, and then one more mistake is tried.

    Args:
        graph: the model that is right.
        measure: how far a graph's outputs are from the other model's.
        limit: how far they may be.
        seconds: for the pairs.
        loaded: layers with other weights, as `causes.loading` finds them: each fault has those before it, too.
    """
    before = measure(graph)
    # Of mistakes that come to the same, the first one is named: those with what is used come before those with weights.
    tried = sorted(((measure(fault.graph), fault) for fault in faults(graph)), key=lambda one: max(one[0], limit))
    if tried and tried[0][0] <= limit:
        return Explanation((tried[0][1],), before, tried[0][0])
    if loaded:
        after = measure(loaded[-1].graph)
        more: list[tuple[float, tuple[Fault, ...]]] = [(after, ())]
        if after > limit:
            more = [(measure(fault.graph), (fault,)) for fault in faults(loaded[-1].graph)]
        after, others = min(more, key=lambda one: one[0])
        return Explanation((*loaded, *others), before, after) if after <= limit else None
    end = time.monotonic() + seconds
    # A mistake that changes nothing alone may still be half of a pair, but the others come first.
    for _, first in tried:
        for second in faults(first.graph):
            if second.family == first.family and second.where == first.where:
                continue
            after = measure(second.graph)
            if after <= limit:
                return Explanation((first, second), before, after)
            if time.monotonic() > end:
                return None
    return None
