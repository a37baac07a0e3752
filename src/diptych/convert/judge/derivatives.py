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

Values = npt.NDArray[Any]
STEP = 1e-30


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
        own = dict(graph.node(owner).weights)
        own[weight] = own[weight].astype(np.complex128)
        own[weight].imag = STEP * direction
        moved = run_again(graph, values, owner, own)
        counted = ((factor * moved[ref].imag).sum() for ref, factor in factors.items() if ref in moved)
        found[name] = float(sum(counted) / STEP)
    return found
