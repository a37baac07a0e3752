"""Matrix products by themselves: how fast this process makes them."""

from __future__ import annotations

import time

import numpy as np
import tensorflow as tf
from tensorflow import Tensor

from diptych.config import Precision
from diptych.tensorflow.weights import to_tensor


class ProductTimer:
    """Times one matrix product, in the memory layout that it has in a training step."""

    def __init__(self, part: str, left: np.ndarray, right: np.ndarray, precision: Precision) -> None:
        """Lay out the operands.

        Args:
            part: "forward", "input gradient" or "weight gradient".
            left: (m, k), or (batch, m, k).
            right: (k, n), or (batch, k, n).
            precision: of the product.
        """
        self.left, self.right = (tf.cast(to_tensor(array), precision) for array in (left, right))
        # A weight is stored with one column per output.
        self.transposed = {"transpose_a": part == "weight gradient", "transpose_b": part == "input gradient"}
        if part == "weight gradient":
            self.left = tf.linalg.matrix_transpose(self.left)
        if part == "input gradient":
            self.right = tf.linalg.matrix_transpose(self.right)
        self._run = tf.function(self._repeat, autograph=False).get_concrete_function(tf.TensorSpec([], tf.int32))

    def seconds(self, repetitions: int) -> float:
        """The seconds that one product takes, as the mean of so many in a row; by the fastest kernel there is."""
        number = tf.constant(repetitions)
        mark = time.perf_counter()
        self._run(number).numpy()  # wait for the device
        return (time.perf_counter() - mark) / repetitions

    def _repeat(self, repetitions: Tensor) -> Tensor:
        """One number of the last product's result: the repetition is inside the graph, where calls cost nothing."""
        result = tf.matmul(self.left, self.right, **self.transposed)
        _, result = tf.while_loop(
            lambda i, _: i < repetitions,
            lambda i, _: (i + 1, tf.matmul(self.left, self.right, **self.transposed)),
            (tf.constant(1), result),
            parallel_iterations=1,
        )
        return tf.reshape(result, [-1])[0]
