"""Weights that are not the first model's: never loaded, or changed since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from diptych.convert.causes.fault import Fault
from diptych.convert.graph import Array, Graph, Node

NEVER = (
    "none of its weights is the first model's: they were never loaded (strict=False, a prefix in their names, "
    "Bidirectional(weights=..))"
)
CHANGED = "its weights are like the first model's, but other numbers: rounded, scaled or trained on"
ALIKE = 0.9
"""How far the numbers of two matrices go together if one has come of the other."""


def other_weights(graph: Graph, other: Graph) -> list[Fault]:
    """The layers whose weights are other numbers, in no order the first model's; each fault has them in the first.

    Empty where the two models do not have the same layers, of the same sizes, in the same order.
    """
    pairs = list(zip(*([node for node in one.nodes if node.weights] for one in (graph, other))))
    if len({sum(bool(node.weights) for node in one.nodes) for one in (graph, other)}) > 1:
        return []
    found, changed = [], graph
    for mine, theirs in pairs:
        matrices = list(_matrices(mine, theirs))
        if type(mine.kind) is not type(theirs.kind) or any(a.shape != b.shape for a, b in matrices):
            return []
        others = [(a, b) for a, b in matrices if not _shared(a, b)]
        if not others:
            continue
        what = CHANGED if all(_alike(a, b) for a, b in others) else NEVER
        changed = changed.with_node(replace(mine, weights=theirs.weights))
        found.append(Fault("weights", what, where=mine.origin or mine.name, entry="", graph=changed))
    return found


def _matrices(mine: Node, theirs: Node) -> Iterator[tuple[Array, Array]]:
    for name, value in mine.weights.items():
        if value.ndim > 1 and name in theirs.weights:
            yield value, theirs.weights[name]


def _shared(a: Array, b: Array) -> bool:
    """Whether most numbers of one are numbers of the other, wherever they stand."""
    return bool(np.isin(b.astype(np.float32), a.astype(np.float32)).mean() > 0.5)


def _alike(a: Array, b: Array) -> bool:
    with np.errstate(invalid="ignore", divide="ignore"):
        return bool(np.corrcoef(a.reshape(-1), b.reshape(-1))[0, 1] > ALIKE)
