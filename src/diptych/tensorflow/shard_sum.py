"""Adding up the losses and gradients of shards, the same whoever computes them (docs/equations.md, 25)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import tensorflow as tf
from tensorflow import Tensor

from diptych.panel.protocol import Others
from diptych.tensorflow.weights import Binding

Part = tuple[Tensor, list[Tensor], int]
"""A shard's loss, its gradients, and its real target positions."""


class Total(NamedTuple):
    """What all shards give together.

    Attributes:
        loss: the loss per real token of the step.
        gradients: those of the variables.
        faults: how many workers found a number that is not finite in their part.
        stops: how many asked all to stop.
    """

    loss: Tensor
    gradients: list[Tensor]
    faults: int
    stops: int


class ShardSum:
    """Adds up the losses and the gradients of a step's shards, in their order, in the weights' type."""

    def __init__(self, variables: list[Binding], shards: int) -> None:
        """Add up at most so many shards, each with a loss and a gradient of each variable."""
        self.bindings = variables
        self.sizes = [1, *(binding.variable.shape.num_elements() for binding in variables)]
        self.shards = shards

    def of(self, parts: Iterable[Part], tokens: int, stop: bool, others: Others | None) -> Total:
        """What all shards of a step give together; with others, each worker adds up one part of the numbers for all.

        Args:
            parts: of each shard of this worker's the loss, the gradients, and its real target positions.
            tokens: those of all shards of the step.
            stop: whether this worker asks all to stop.
            others: the workers that share the step, of whose shards each in turn has one; None: there are none.
        """
        if others is None:
            total = self.start(sum(self.sizes))
            for loss, gradients, count in parts:
                total = self.add(total, [loss, *gradients], count / tokens)
            return self._total(self.read(total, stop)[None])
        size, own = others.size, iter(parts)
        width = -(-sum(self.sizes) // size)
        total = self.start(width)
        for _ in range(-(-self.shards // size)):  # all as often, whoever has a shard less
            for row in others.trade(self._cut(next(own, None), size, width)):
                total = self.add(total, [row[1:]], float(row[0]) / tokens)
        return self._total(others.collect(self.read(total, stop)))

    def start(self, count: int) -> Tensor:
        """The sum (N,) of no shard, for so many numbers."""
        return tf.zeros([count], self._kind)

    def add(self, total: Tensor, numbers: Iterable[Tensor], share: float) -> Tensor:
        """The sum, with a shard's numbers times its share of the tokens: each product and each sum is rounded."""
        return total + self._scaled(list(numbers), tf.constant(share, self._kind))

    def read(self, total: Tensor, stop: bool) -> Tensor:
        """The sum (N + 2,), whether a number of it is not finite, and whether to stop."""
        fault = not bool(tf.reduce_all(tf.math.is_finite(total)))
        return tf.concat([total, tf.constant([fault, stop], self._kind)], 0)

    @property
    def _kind(self) -> tf.DType:
        return self.bindings[0].variable.dtype

    @tf.function(jit_compile=True, autograph=False)  # a kernel of its own: it may not be one operation with the sum
    def _scaled(self, numbers: list[Tensor], share: Tensor) -> Tensor:
        return tf.concat([tf.reshape(each, [-1]) for each in numbers], 0) * share

    def _cut(self, part: Part | None, size: int, width: int) -> Tensor:
        """A shard's numbers in a row (size, 1 + width) for each worker, after its tokens; zeros where there is none."""
        if part is None:
            return tf.zeros([size, 1 + width], self._kind)
        loss, gradients, count = part
        return self._in_rows([loss, *gradients], tf.constant(count, self._kind), size=size, width=width)

    @tf.function(jit_compile=True, autograph=False)
    def _in_rows(self, numbers: list[Tensor], count: Tensor, size: int, width: int) -> Tensor:
        beyond = tf.zeros([size * width - sum(self.sizes)], self._kind)
        flat = tf.concat([*(tf.reshape(each, [-1]) for each in numbers), beyond], 0)
        return tf.concat([tf.fill([size, 1], count), tf.reshape(flat, [size, width])], 1)

    def _total(self, told: Tensor) -> Total:
        """What the workers have read (size, N + 2), one part of the numbers each, with what is beyond the last."""
        faults, stops = (int(number) for number in tf.reduce_sum(told[:, -2:], 0).numpy().tolist())
        loss, *gradients = self._apart(told)
        return Total(loss, gradients, faults=faults, stops=stops)

    @tf.function(jit_compile=True, autograph=False)
    def _apart(self, told: Tensor) -> list[Tensor]:
        loss, *flat = tf.split(tf.reshape(told[:, :-2], [-1])[: sum(self.sizes)], self.sizes)
        variables = [binding.variable for binding in self.bindings]
        gradients = [tf.reshape(each, variable.shape) for each, variable in zip(flat, variables, strict=True)]
        return [tf.reshape(loss, []), *gradients]
