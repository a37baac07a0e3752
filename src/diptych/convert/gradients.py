"""How gradients are compared: with the judge along random directions, with another framework number by number.

A gap is measured by the parts of a derivative that may cancel, the sum of |gradient * direction|: a wrong gradient of a
weight that hardly counts is found, however large those of the others are. Of a derivative that is zero by its formula,
as that of a key's bias in attention, only rounding is left, and nothing to measure it by but what was rounded: its
layer's other weights, which were made of the same numbers, and the terms of the loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert import kinds
from diptych.convert.graph import Array, Graph, Node, Ref
from diptych.convert.judge import run
from diptych.convert.trial import Trial

Values = npt.NDArray[Any]
Pair = tuple[str, Values, Values, float]

OF_ITS_LAYER = 1e-3
"""A derivative counts as at least this part of the largest of its layer."""
OF_THE_LOSS = 4e-3
"""And of the loss's terms; 1e-12 of that is 18 times the rounding of one of them."""
BLOCK = 1 << 18
"""Numbers of a large gradient that are looked at together."""


def along_directions(graph: Graph, trial: Trial, gradients: Mapping[str, Values]) -> Iterator[Pair]:
    """By weight: a party's derivative along its direction, the judge's, and how large it is to count at least."""
    loss = OF_THE_LOSS * size_of_loss(graph, trial)
    found, sizes = {}, {}
    for name, direction in trial.directions.items():
        if name in gradients:
            found[name], sizes[name] = _along(gradients[name], direction)
    for name, derivative in found.items():
        layer = name.rpartition(".")[0]
        others = max(size for other, size in sizes.items() if other.rpartition(".")[0] == layer)
        least = max(sizes[name], OF_ITS_LAYER * others, loss)
        yield f"{name}: {_gates(graph, layer)}", np.array(derivative), np.array(trial.derivatives[name]), least


def number_by_number(
    graph: Graph, trial: Trial, first: Mapping[str, Values], second: Mapping[str, Values]
) -> Iterator[Pair]:
    """By weight: one party's gradient, another's, and how large the largest number of it is to count at least."""
    loss = OF_THE_LOSS * size_of_loss(graph, trial)
    shared = [name for name in first if name in second]
    largest = {name: largest_of(first[name]) for name in shared}
    for name in shared:
        layer = name.rpartition(".")[0]
        others = max(size for other, size in largest.items() if other.rpartition(".")[0] == layer)
        yield name, second[name], first[name], max(OF_ITS_LAYER * others, loss)


def size_of_loss(graph: Graph, trial: Trial) -> float:
    """The sum of the absolute values of the loss's terms."""
    return float(sum(np.abs(trial.factors[name] * trial.values[ref]).sum() for name, ref in graph.outputs.items()))


def largest_of(array: Values) -> float:
    """The largest absolute number."""
    return max((float(np.abs(block).max()) for block in blocks(array)), default=0.0)


def blocks(array: Values) -> Iterator[Values]:
    """An array's numbers in parts that are small enough to be copied."""
    flat = array.reshape(-1)
    for start in range(0, flat.size, BLOCK):
        yield flat[start : start + BLOCK]


def _along(gradient: Values, direction: Values) -> tuple[float, float]:
    """The derivative along a direction, and the sum of its terms' absolute values."""
    derivative = size = 0.0
    for one, other in zip(blocks(gradient), blocks(direction)):
        terms = one * other
        derivative += float(terms.sum())
        size += float(np.abs(terms).sum())
    return derivative, size


def _gates(graph: Graph, layer: str) -> str:
    """Which gates a recurrent weight has."""
    kind = graph.node(layer).kind
    return (
        f"gates {', '.join(kind.gates)}" if isinstance(kind, kinds.Recurrent) and len(kind.gates) > 1 else "all of it"
    )


class Stepped(Mapping[str, Array]):
    """A layer's weights after a step of SGD, each made when it is asked for."""

    def __init__(self, node: Node, gradients: Mapping[str, Values], rate: float) -> None:
        self._node, self._gradients, self._rate = node, gradients, rate

    def __getitem__(self, name: str) -> Array:
        weight, gradient = self._node.weights[name], self._gradients.get(f"{self._node.name}.{name}")
        return weight if gradient is None else np.asarray(weight - self._rate * gradient)

    def __iter__(self) -> Iterator[str]:
        return iter(self._node.weights)

    def __len__(self) -> int:
        return len(self._node.weights)


def outputs_after_a_step(graph: Graph, trial: Trial, gradients: Mapping[str, Values], rate: float) -> list[Values]:
    """The judge's outputs with every weight moved against its gradient."""
    nodes = tuple(replace(node, weights=Stepped(node, gradients, rate)) for node in graph.nodes)
    values: dict[Ref, Values] = run(replace(graph, nodes=nodes), trial.inputs)
    return [values[ref] for ref in graph.outputs.values()]
