"""Derivatives along directions, exact to rounding: f(w + i h d) / h has no difference that could cancel.

W. Squire and G. Trapp, Using complex variables to estimate derivatives of real functions, SIAM Review 40, 1998.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert.graph import Graph, Ref
from diptych.convert.judge.judge import run_again
from diptych.convert.kinds import Embedding

Values = npt.NDArray[Any]
STEP = 1e-30


class Stepped:
    """A weight that has moved along its direction by an imaginary step; its parts are made when they are asked for."""

    def __init__(self, weight: Values, direction: Values) -> None:
        self._weight, self._direction = weight, direction

    def __getitem__(self, place: Any) -> Values:
        moved = self._weight[place].astype(np.complex128)
        moved.imag = self._direction[place]
        moved.imag *= STEP
        return np.asarray(moved)


def derivatives(
    graph: Graph, values: Mapping[Ref, Values], factors: Mapping[Ref, Values], directions: Mapping[str, Values]
) -> dict[str, float]:
    """For each weight, how fast the sum of factors * values grows when it moves in its direction.

    Args:
        graph: the model.
        values: all of it, at the weights that it has.
        factors: the values that count, and an array of each one's shape that they are multiplied with.
        directions: by weight, as `Graph.weights` names them, an array of its shape.
    """
    found = {}
    for name, direction in directions.items():
        owner, _, weight = name.rpartition(".")
        node = graph.node(owner)
        stepped: Any = Stepped(node.weights[weight], direction)
        own = {**node.weights, weight: stepped if isinstance(node.kind, Embedding) else stepped[...]}
        moved = run_again(graph, values, changed=owner, weights=own)
        counted = ((factor * moved[ref].imag).sum() for ref, factor in factors.items() if ref in moved)
        found[name] = float(sum(counted) / STEP)
    return found
