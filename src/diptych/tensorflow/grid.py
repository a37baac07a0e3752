"""Exact training's rounding (docs/equations.md, 23)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow import Tensor

from diptych.parameters.grid import NEAR, Rounding, Tie, decide
from diptych.tensorflow.weights import Binding, to_array


class Rounded(NamedTuple):
    """What rounding leaves of each variable.

    Attributes:
        remainders: how far its numbers were from their multiples, as a share of the spacing: -0.5 to 0.5.
        farthest: the largest of these, without signs.
        sums: of the variable's numbers, in multiples of the spacing.
    """

    remainders: list[Tensor]
    farthest: list[Tensor]
    sums: list[Tensor]


class Grid:
    """Rounds variables to multiples of a power of two; without variables it does nothing.

    Attributes:
        remainders: of each variable, what `round` left at the last step.
    """

    def __init__(self, variables: list[Binding], exponent: int) -> None:
        """Round these variables to multiples of 2^-exponent."""
        self.bindings = variables
        self.scale = 2.0**exponent
        self.remainders: list[Tensor] = []

    def round(self) -> Rounded:
        """Round every number to the nearest multiple, of two equally near ones to the even one."""
        rounded = Rounded([], [], [])
        for binding in self.bindings:
            variable = binding.variable.value
            scaled = variable * self.scale  # exact, as the division below is
            multiples = tf.round(scaled)
            variable.assign(multiples / self.scale)
            remainders = scaled - multiples
            rounded.remainders.append(remainders)
            rounded.farthest.append(tf.reduce_max(tf.abs(remainders)))
            rounded.sums.append(tf.reduce_sum(multiples))  # of whole numbers: exact, in whatever order
        return rounded

    def settle(self, rounded: Rounded, decided: Sequence[Tie] | None) -> Rounding:
        """What the rounding tells; near ties that another run has decided otherwise are turned.

        Args:
            rounded: what `round` gave.
            decided: the near ties of a run that went first, at the same step; None: there is no such run.
        """
        self.remainders = rounded.remainders
        limit, seen = 0.5 - 2.0 * NEAR * self.scale, dict[Tie, tuple[Binding, tuple[int, ...]]]()
        farthest = [float(number) for number in rounded.farthest]
        for binding, remainders, largest in zip(self.bindings, rounded.remainders, farthest, strict=True):
            if largest > limit:
                array = to_array(remainders)
                for row in np.argwhere(np.abs(array) > limit):
                    index = tuple(row.tolist())
                    margin = (0.5 - abs(float(array[index]))) / self.scale
                    tie = Tie(*binding.locate(index), up=bool(array[index] < 0.0), margin=margin)
                    seen[tie] = (binding, index)
        margin, checksum = (0.5 - max(farthest)) / self.scale, sum(int(number) for number in rounded.sums)
        told = decide(list(seen), decided, margin=margin, checksum=checksum)
        for tie in told.turned:
            self._turn(*seen[tie], tie.up)
        return told

    def _turn(self, binding: Binding, index: tuple[int, ...], up: bool) -> None:
        """Take back how one number was rounded, and round it to the other side."""
        variable = binding.variable.value
        change = tf.constant([(-1.0 if up else 1.0) / self.scale], variable.dtype)
        variable.assign(tf.tensor_scatter_nd_add(variable, [index], change))
