"""Adding up the losses and gradients of shards such that no order changes a bit (docs/equations.md, 25)."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf
from tensorflow import Tensor

from diptych.tensorflow.weights import Binding

HIGH, LOW = 2.0**30, 2.0**80
"""What a number is counted in: multiples of 1 / HIGH, and of 1 / LOW for what these leave."""
LARGEST = 2.0**32
"""No sum of numbers may reach this."""


class Total(NamedTuple):
    """What all shards give together.

    Attributes:
        loss: the loss per real token of the step.
        gradients: those of the variables.
        faults: how many shards had a number that is not finite, or too large to be added up.
        stops: how many workers asked all to stop.
    """

    loss: Tensor
    gradients: list[Tensor]
    faults: int
    stops: int


class ExactSum:
    """Turns the loss and the gradients of a shard into whole numbers, and the sum of these back.

    They are a tensor (2N + 2,) int64 for N numbers: multiples of 1 / HIGH, of 1 / LOW, faults and stops.
    """

    def __init__(self, variables: list[Binding], shards: int) -> None:
        """Add up so many shards, each with a loss and a gradient of each variable."""
        self.bindings = variables
        self.sizes = [1, *(binding.variable.shape.num_elements() for binding in variables)]
        self.limit = LARGEST / shards

    def start(self, stop: bool) -> Tensor:
        """The whole numbers of no shard; `stop`: this worker asks all to stop."""
        return tf.concat([tf.zeros([2 * sum(self.sizes) + 1], tf.int64), tf.constant([stop], tf.int64)], 0)

    def add(self, total: Tensor, loss: Tensor, gradients: list[Tensor], share: float) -> Tensor:
        """The whole numbers, with those of a shard's loss and gradients times its share of the tokens."""
        return self._add(total, [loss, *gradients], tf.constant(share, tf.float64))

    def read(self, total: Tensor) -> Total:
        """What the whole numbers of all shards stand for."""
        loss, *gradients = self._read(total)
        faults, stops = total[-2:].numpy().tolist()
        return Total(loss, gradients, faults=faults, stops=stops)

    @tf.function(jit_compile=True, autograph=False)  # one pass over the numbers instead of one for every operation
    def _add(self, total: Tensor, numbers: list[Tensor], share: Tensor) -> Tensor:
        scaled = tf.concat([tf.cast(tf.reshape(each, [-1]), tf.float64) for each in numbers], 0) * share
        high = tf.round(scaled * HIGH)
        low = tf.round((scaled - high / HIGH) * LOW)
        fits = tf.reduce_all(tf.abs(scaled) < self.limit)
        whole = [tf.cast(each, tf.int64) for each in (high, low)]
        return total + tf.concat([*whole, tf.stack([1 - tf.cast(fits, tf.int64), tf.zeros([], tf.int64)])], 0)

    @tf.function(jit_compile=True, autograph=False)
    def _read(self, total: Tensor) -> list[Tensor]:
        count = sum(self.sizes)
        high, low = (tf.cast(each, tf.float64) for each in (total[:count], total[count : 2 * count]))
        kind = self.bindings[0].variable.dtype
        loss, *flat = tf.split(tf.cast(high / HIGH + low / LOW, kind), self.sizes)
        variables = [binding.variable for binding in self.bindings]
        shaped = [tf.reshape(each, variable.shape) for each, variable in zip(flat, variables, strict=True)]
        return [tf.reshape(loss, []), *shaped]
