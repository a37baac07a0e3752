"""Matrix products that a loop makes at every step, their weight's gradient made once (docs/equations.md, 19)."""

from __future__ import annotations

import tensorflow as tf
from tensorflow import Tensor


class StepProduct:
    """A weight that multiplies another input at each step of a loop.

    Differentiated step by step, the weight's gradient would be many small products, each added to the sum of those
    before it. Here the steps see the weight as a constant, and its gradient is one large product: of all their
    inputs and of what flows back into the base that is added at each step.

    Attributes:
        base: (T, B, O) what a loop goes over, to hand each step its part.
    """

    def __init__(self, weight: Tensor, base: Tensor) -> None:
        """Take the weight and what is added to its products at T steps, (T, B, O)."""
        self.weight = tf.stop_gradient(weight)
        self.kept: list[Tensor] = []
        self.base = _collect(base, weight, self.kept)

    def __call__(self, inputs: Tensor, base: Tensor) -> Tensor:
        """The product with the inputs (B, I) of one step, added to that step's part of the base: (B, O)."""
        return tf.matmul(inputs, self.weight) + base

    def keep(self, inputs: Tensor) -> None:
        """Say, when the loop has ended, what the inputs of all steps were: (T, B, I)."""
        self.kept.append(tf.stop_gradient(inputs))


def spread(bias: Tensor, inputs: Tensor) -> Tensor:
    """A bias (O,) as the base of a loop over inputs (T, B, I), in their precision: (T, B, O)."""
    shape = tf.shape(inputs)
    spread = tf.broadcast_to(tf.cast(bias, inputs.dtype), [shape[0], shape[1], tf.shape(bias)[0]])
    return tf.ensure_shape(spread, [None, None, bias.shape[0]])


def _collect(base: Tensor, weight: Tensor, kept: list[Tensor]) -> Tensor:
    """The base as it is; backward, the weight's gradient from the base's and from the inputs that were kept."""

    @tf.custom_gradient
    def collect(base: Tensor, weight: Tensor) -> tuple:
        def gradients(gradient: Tensor) -> tuple[Tensor, Tensor]:
            inputs, outputs = (tf.reshape(part, [-1, part.shape[-1]]) for part in (kept.pop(), gradient))
            return gradient, tf.matmul(inputs, outputs, transpose_a=True)

        return tf.identity(base), gradients

    return collect(base, weight)
